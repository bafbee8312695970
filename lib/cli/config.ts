/**
 * `fsmqtt config`
 *
 * @module
 */

import { loadConfig } from "../config/load.ts";
import { effectiveXml } from "../config/effective.ts";
import { formatFinding } from "../config/position.ts";
import { ExitCode } from "../exit_code.ts";
import { type Command, noWords } from "./command.ts";
import { configFile, configOption } from "./config_option.ts";

/** Prints a configuration as it counts. */
export const config: Command = {
  name: "config",
  words: "",
  summary: "Prints a configuration as it counts, with each value's origin.",
  options: configOption,
  run(words, options, output) {
    noWords("config", words);
    const chosen = configFile("config", options, output);
    if ("exitCode" in chosen) return chosen.exitCode;
    const { config, findings } = loadConfig(chosen.file, { withoutCredentials: true });
    for (const finding of findings) output.err(formatFinding(finding));
    if (config === undefined) return ExitCode.CONFIG;
    output.out(effectiveXml(config));
    return ExitCode.OK;
  },
};
