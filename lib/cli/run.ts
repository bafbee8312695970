/**
 * `fsmqtt run`
 *
 * @module
 */

import { userName } from "../config/accounts.ts";
import { loadAndCheck } from "../config/check.ts";
import { checkTlsFiles } from "../config/check_tls_files.ts";
import type { Config } from "../config/config.ts";
import type { LoadResult } from "../config/load.ts";
import { withPaths } from "../config/paths.ts";
import { type Finding, formatFinding, formatPlain } from "../config/position.ts";
import { ControlSocketError } from "../control/server.ts";
import { ExitCode } from "../exit_code.ts";
import { StartError } from "../service/served_agent.ts";
import { runService, type ServiceOptions, startConfined } from "../service/service.ts";
import { answerConsole } from "./console.ts";
import { type Command, type GivenOptions, noWords, optionText, UsageError } from "./command.ts";
import { requiredConfigFile } from "./config_option.ts";
import { statusLine } from "./status_line.ts";

/** Runs the agent until it is told to stop. */
export const run: Command = {
  name: "run",
  words: "",
  summary: "Runs the agent until SIGTERM or Ctrl-C. SIGHUP reloads.",
  options: {
    config: { value: "FILE", required: true, help: "The configuration, a mosquitto.conf.xml." },
    control: { value: "SOCKET", help: "Where to be steered, in place of control-socket." },
    esl: {
      value: "HOST:PORT",
      help: "FreeSWITCH's event socket, in place of esl-host and esl-port.",
    },
    unconfined: {
      help: "Runs all in one thread, which may do whatever the process may: in less memory.",
    },
  },
  async run(words, options, output) {
    noWords("run", words);
    const file = requiredConfigFile("run", options);
    const override = overrides(options);
    const env = Deno.env.toObject();
    const placed = (config: Config) => withPaths(override(config), (name) => env[name]);
    const { config, findings } = read(file, env);
    if (config === undefined) {
      for (const finding of findings) output.err(formatFinding(finding));
      output.err(`fsmqtt is not started: ${file} has errors`);
      return ExitCode.CONFIG;
    }
    const inForce = placed(config);
    const stranger = strangersFolder(inForce.settings.stateDir, file);
    if (stranger !== undefined) {
      output.err(`fsmqtt is not started: ${stranger}`);
      return ExitCode.NOT_PERMITTED;
    }
    const load = () => {
      const { config, findings } = read(file, env);
      if (config !== undefined) {
        return { config: placed(config), warnings: findings.map(formatPlain) };
      }
      const errors = findings.filter(({ severity }) => severity === "error");
      return { errors: errors.map(formatPlain) };
    };
    try {
      return await runService({
        config: inForce,
        warnings: findings.map(formatPlain),
        load,
        env,
        start: await starter(options["unconfined"] !== true),
        console: answerConsole,
        summary: statusLine,
        complain: (text) => output.err(text),
      });
    } catch (error) {
      if (!(error instanceof StartError || error instanceof ControlSocketError)) throw error;
      output.err(`fsmqtt is not started: ${error.message}`);
      return isDenied(error) ? ExitCode.NOT_PERMITTED : ExitCode.FAILED;
    }
  },
};

/** How the agent is started; what only one of the ways needs is only loaded for that. */
async function starter(confined: boolean): Promise<ServiceOptions["start"]> {
  if (confined) return startConfined;
  const { startLocalAgent } = await import("../service/local_agent.ts");
  return (options) => Promise.resolve(startLocalAgent(options));
}

/**
 * Why root may not use a state folder, although nothing would keep it: what root leaves there its
 * owner could not write any more, and the owner's own agent would publish the same events.
 */
function strangersFolder(folder: string | undefined, file: string): string | undefined {
  const owner = folder === undefined || Deno.uid() !== 0 ? undefined : ownerOf(folder);
  if (owner === undefined || owner === 0) return undefined;
  const name = userName(owner);
  const who = name === undefined ? `the user with uid ${owner}` : `the user ${name} (uid ${owner})`;
  return `${folder} belongs to ${who}: run it as that user: ` +
    `sudo -u ${name ?? `'#${owner}'`} fsmqtt run --config ${file}`;
}

function ownerOf(folder: string): number | undefined {
  try {
    return Deno.statSync(folder).uid ?? undefined;
  } catch {
    // Whether it can be made is found out where it is.
    return undefined;
  }
}

function isDenied(error: StartError | ControlSocketError): boolean {
  return error instanceof StartError
    ? error.isDenied
    : error.cause instanceof Deno.errors.PermissionDenied;
}

/** The configuration, and what the log should say of it. */
function read(file: string, env: Readonly<Record<string, string>>): LoadResult {
  // What TLS lacks holds up its own connection, and that only until it is there.
  const more = (config: Config) => checkTlsFiles(config).map(lessen);
  const { findings, ...loaded } = loadAndCheck(file, { more, env: (name) => env[name] });
  return { ...loaded, findings: findings.filter(({ severity }) => severity !== "note") };
}

function lessen(finding: Finding): Finding {
  return finding.severity === "error" ? { ...finding, severity: "warning" } : finding;
}

/** What the command line puts in place of the configuration's settings. */
function overrides(options: GivenOptions): (config: Config) => Config {
  const controlSocket = optionText(options, "control");
  const esl = optionText(options, "esl");
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(esl ?? "") ?? [];
  if (esl !== undefined && (host === undefined || Number(port) > 65_535)) {
    throw new UsageError(`fsmqtt run: --esl needs HOST:PORT, not "${esl}"`);
  }
  return (config) => ({
    ...config,
    settings: {
      ...config.settings,
      ...(controlSocket === undefined ? {} : { controlSocket }),
      ...(host === undefined ? {} : {
        eslHost: host.replace(/^\[(.*)\]$/, "$1"),
        eslPort: Number(port),
      }),
    },
  });
}
