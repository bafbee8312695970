/**
 * `fsmqtt config`
 *
 * @module
 */

import { loadConfig } from "../config/load.ts";
import { effectiveXml } from "../config/effective.ts";
import { formatFinding } from "../config/position.ts";
import { ExitCode } from "../exit_code.ts";
import { type Command, noWords, requiredOption } from "./command.ts";

/** Prints a configuration as it counts. */
export const config: Command = {
  name: "config",
  words: "",
  summary: "Prints a configuration as it counts, with each value's origin.",
  options: {
    config: { value: "FILE", required: true, help: "The configuration, a mosquitto.conf.xml." },
  },
  run(words, options, output) {
    noWords("config", words);
    const { config, findings } = loadConfig(requiredOption("config", options, "config"));
    for (const finding of findings) output.err(formatFinding(finding));
    if (config === undefined) return ExitCode.CONFIG;
    output.out(effectiveXml(config));
    return ExitCode.OK;
  },
};
