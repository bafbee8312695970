/**
 * All subcommands, in the order in which help shows them.
 *
 * @module
 */

import { check } from "./check.ts";
import type { Command } from "./command.ts";
import { config } from "./config.ts";
import { demo } from "./demo.ts";
import { events } from "./events.ts";
import { helpOn } from "./help.ts";
import { run } from "./run.ts";
import { status } from "./status.ts";
import { bgapi, connect, disable, disconnect, enable, loglevel, reload, remove } from "./steer.ts";
import { version } from "./version.ts";

/** The subcommands. */
export const commands: readonly Command[] = [
  run,
  check,
  config,
  events,
  demo,
  status,
  loglevel,
  enable,
  disable,
  remove,
  connect,
  disconnect,
  bgapi,
  reload,
  helpOn(() => commands),
  version,
];
