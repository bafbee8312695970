/**
 * `fsmqtt check`
 *
 * @module
 */

import { loadAndCheck } from "../config/check.ts";
import { checkTlsFiles } from "../config/check_tls_files.ts";
import type { Config } from "../config/config.ts";
import { eslUserXml } from "../config/esl_user.ts";
import { type Finding, formatFinding } from "../config/position.ts";
import { ExitCode } from "../exit_code.ts";
import { type Command, noWords, type Output, requiredOption, UsageError } from "./command.ts";

/** Says what is wrong with a configuration. */
export const check: Command = {
  name: "check",
  words: "",
  summary: "Says what is wrong with a configuration, or may be.",
  options: {
    config: { value: "FILE", required: true, help: "The configuration, a mosquitto.conf.xml." },
    json: { help: "Prints the findings as JSON." },
    "esl-user": {
      help: "Prints an entry for FreeSWITCH's directory: a user of its event socket that may do " +
        "what this configuration needs, and little more. Findings go to standard error.",
    },
  },
  run(words, options, output) {
    noWords("check", words);
    const file = requiredOption("check", options, "config");
    if (options["json"] === true && options["esl-user"] === true) {
      throw new UsageError("fsmqtt check: --json and --esl-user cannot be given together");
    }
    const { config, findings } = loadAndCheck(file, { more: checkTlsFiles });
    if (options["esl-user"] === true) {
      printEslUser(config, findings, output);
    } else if (options["json"] === true) {
      output.out(JSON.stringify(findings.map(({ at, ...rest }) => ({ ...at, ...rest })), null, 2));
    } else {
      for (const finding of findings) output.out(formatFinding(finding));
      output.err(summary(file, findings));
    }
    return config === undefined ? ExitCode.CONFIG : ExitCode.OK;
  },
};

function printEslUser(
  config: Config | undefined,
  findings: readonly Finding[],
  output: Output,
): void {
  for (const finding of findings) output.err(formatFinding(finding));
  if (config !== undefined) output.out(eslUserXml(config));
}

/** How many errors and warnings there are, in words. */
export function summary(file: string, findings: readonly Finding[]): string {
  const count = (severity: Finding["severity"]) => {
    const number = findings.filter((finding) => finding.severity === severity).length;
    return `${number === 0 ? "no" : number} ${severity}${number === 1 ? "" : "s"}`;
  };
  return `${file}: ${count("error")}, ${count("warning")}`;
}
