/**
 * `fsmqtt events`
 *
 * @module
 */

import { ExitCode } from "../exit_code.ts";
import { EVENT_NAMES } from "../protocol/event_names.ts";
import { type Command, noWords } from "./command.ts";

/** Prints the names that an `event` parameter may have. */
export const events: Command = {
  name: "events",
  words: "",
  summary: "Lists the events that can be published.",
  options: {},
  run(words, _options, output) {
    noWords("events", words);
    output.out(["ALL", ...EVENT_NAMES].join("\n"));
    output.err(
      "ALL stands for every event. CUSTOM may be followed by a subclass: CUSTOM sofia::register",
    );
    return ExitCode.OK;
  },
};
