/**
 * All subcommands, in the order in which help shows them.
 *
 * @module
 */

import { check } from "./check.ts";
import type { Command, CommandGroup } from "./command.ts";
import { completionOf } from "./completion.ts";
import { config } from "./config.ts";
import { steering } from "./console.ts";
import { demo } from "./demo.ts";
import { events } from "./events.ts";
import { helpOn } from "./help.ts";
import { run } from "./run.ts";
import { testCommand } from "./test_command.ts";
import { version } from "./version.ts";

/** The subcommands by what they are for. */
export const commandGroups: readonly CommandGroup[] = [
  { title: "Start and check", commands: [run, check, testCommand, config, events, demo] },
  steering,
  {
    title: "Know more",
    commands: [helpOn(() => commandGroups), completionOf(() => commandGroups), version],
  },
];

/** The subcommands. */
export const commands: readonly Command[] = commandGroups.flatMap(({ commands }) => commands);
