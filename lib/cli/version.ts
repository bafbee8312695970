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
  words: "",
  summary: "Prints the version of fsmqtt and of the runtime in it.",
  options: {},
  run(words, _options, output) {
    noWords("version", words);
    output.out(`fsmqtt ${VERSION} (deno ${Deno.version.deno})`);
    return ExitCode.OK;
  },
};
