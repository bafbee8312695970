/**
 * All subcommands, in the order in which help shows them.
 *
 * @module
 */

import { check } from "./check.ts";
import type { Command, CommandGroup } from "./command.ts";
import { config } from "./config.ts";
import { demo } from "./demo.ts";
import { events } from "./events.ts";
import { helpOn } from "./help.ts";
import { run } from "./run.ts";
import { status } from "./status.ts";
import { bgapi, connect, disable, disconnect, enable, loglevel, reload, remove } from "./steer.ts";
import { version } from "./version.ts";

/** The subcommands by what they are for. */
export const commandGroups: readonly CommandGroup[] = [
  { title: "Start and check", commands: [run, check, config, events, demo] },
  {
    title: "Steer the running agent",
    commands: [
      status,
      loglevel,
      enable,
      disable,
      remove,
      connect,
      disconnect,
      bgapi,
      reload,
    ],
  },
  { title: "Know more", commands: [helpOn(() => commandGroups), version] },
];

/** The subcommands. */
export const commands: readonly Command[] = commandGroups.flatMap(({ commands }) => commands);
