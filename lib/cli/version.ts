/**
 * `fsmqtt version`
 *
 * @module
 */

import { ExitCode } from "../exit_code.ts";
import { VERSION } from "../version.ts";
import { type Command, noWords } from "./command.ts";

/** Prints which fsmqtt this is. */
export const version: Command = {
  name: "version",
  usage: "",
  summary: "Prints fsmqtt's version and that of the runtime in it.",
  options: {},
  run(words, _options, output) {
    noWords("version", words);
    output.out(`fsmqtt ${VERSION} (deno ${Deno.version.deno})`);
    return ExitCode.OK;
  },
};
