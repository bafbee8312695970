/**
 * `fsmqtt check`
 *
 * @module
 */

import { loadAndCheck } from "../config/check.ts";
import { checkTlsFiles } from "../config/check_tls_files.ts";
import type { Config } from "../config/config.ts";
import { eslUserXml } from "../config/esl_user.ts";
import { isFreeswitchs } from "../config/find.ts";
import { withPaths } from "../config/paths.ts";
import { type Finding, formatFinding } from "../config/position.ts";
import { ExitCode } from "../exit_code.ts";
import { type Command, noWords, type Output, UsageError } from "./command.ts";
import { configFile, configOption } from "./config_option.ts";
import { permissionsText } from "./permissions_text.ts";

/** What can be printed in place of the findings. */
const FORMS = ["json", "esl-user", "permissions"] as const;

/** Says what is wrong with a configuration. */
export const check: Command = {
  name: "check",
  words: "",
  summary: "Says what is wrong with a configuration, or may be.",
  options: {
    ...configOption,
    json: { help: "Prints the findings as JSON." },
    "esl-user": {
      help: "Prints an entry for FreeSWITCH's directory: a user of its event socket that may do " +
        "what this configuration needs, and little more. Findings go to standard error.",
    },
    permissions: {
      help:
        "Prints what `run` lets the agent do with this configuration: which addresses, files and " +
        "the like. Findings go to standard error.",
    },
  },
  run(words, options, output) {
    noWords("check", words);
    const [form, other] = FORMS.filter((name) => options[name] === true);
    if (other !== undefined) {
      throw new UsageError(`fsmqtt check: --${form} and --${other} cannot be given together`);
    }
    const chosen = configFile("check", options, output);
    if ("exitCode" in chosen) return chosen.exitCode;
    const { file, origin } = chosen;
    const look = { more: checkTlsFiles, withoutCredentials: true };
    const { config, findings } = loadAndCheck(file, look);
    switch (form) {
      case "json":
        output.out(
          JSON.stringify(findings.map(({ at, ...rest }) => ({ ...at, ...rest })), null, 2),
        );
        break;
      case "esl-user":
        printFor(config, findings, output, eslUserXml);
        break;
      case "permissions":
        printFor(config, findings, output, (config) => permissionsText(withPaths(config)));
        break;
      case undefined:
        for (const finding of findings) output.out(formatFinding(finding));
        output.err(summary(file, findings));
    }
    if (origin === "place" && config !== undefined && isFreeswitchs(file)) output.err(offer(file));
    return config === undefined ? ExitCode.CONFIG : ExitCode.OK;
  },
};

/** Prints what is made from the configuration, if it can be used; its findings go elsewhere. */
function printFor(
  config: Config | undefined,
  findings: readonly Finding[],
  output: Output,
  make: (config: Config) => string,
): void {
  for (const finding of findings) output.err(formatFinding(finding));
  if (config !== undefined) output.out(make(config));
}

/** How fsmqtt is given a file of FreeSWITCH's. */
function offer(file: string): string {
  return `It can be used where it is: \`fsmqtt run --config ${file}\`, ` +
    `or for the service FSMQTT_CONFIG=${file} in /etc/default/fsmqtt`;
}

/** How many errors and warnings there are, in words. */
export function summary(file: string, findings: readonly Finding[]): string {
  const count = (severity: Finding["severity"]) => {
    const number = findings.filter((finding) => finding.severity === severity).length;
    return `${number === 0 ? "no" : number} ${severity}${number === 1 ? "" : "s"}`;
  };
  return `${file}: ${count("error")}, ${count("warning")}`;
}
