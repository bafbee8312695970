/**
 * `fsmqtt run`
 *
 * @module
 */

import { Agent } from "../agent/agent.ts";
import { StateDirError } from "../agent/state_dir.ts";
import { loadAndCheck } from "../config/check.ts";
import { checkTlsFiles } from "../config/check_tls_files.ts";
import type { Config } from "../config/config.ts";
import type { LoadResult } from "../config/load.ts";
import { resolveControlSocket } from "../config/paths.ts";
import { type Finding, formatFinding, formatPlain } from "../config/position.ts";
import { ControlServer, ControlSocketError } from "../control/server.ts";
import { ExitCode } from "../exit_code.ts";
import { stderrSink } from "../log/sink.ts";
import { answerConsole } from "./console.ts";
import {
  type Command,
  type GivenOptions,
  noWords,
  optionText,
  requiredOption,
  UsageError,
} from "./command.ts";

/** At the end, a reader of standard error may take this long. */
const LOG_FLUSH_MS = 500;

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
  },
  async run(words, options, output) {
    noWords("run", words);
    const file = requiredOption("run", options, "config");
    const override = overrides(options);
    const { config, findings } = read(file);
    if (config === undefined) {
      for (const finding of findings) output.err(formatFinding(finding));
      output.err(`fsmqtt is not started: ${file} has errors`);
      return ExitCode.CONFIG;
    }
    const load = () => {
      const { config, findings } = read(file);
      if (config !== undefined) {
        return { config: override(config), warnings: findings.map(formatPlain) };
      }
      const errors = findings.filter(({ severity }) => severity === "error");
      return { errors: errors.map(formatPlain) };
    };
    try {
      return await runAgent(override(config), findings.map(formatPlain), load);
    } catch (error) {
      if (!(error instanceof StateDirError || error instanceof ControlSocketError)) throw error;
      output.err(`fsmqtt is not started: ${error.message}`);
      return error.cause instanceof Deno.errors.PermissionDenied
        ? ExitCode.NOT_PERMITTED
        : ExitCode.FAILED;
    }
  },
};

/** The configuration, and what the log should say of it. */
function read(file: string): LoadResult {
  // What TLS lacks holds up its own connection, and that only until it is there.
  const more = (config: Config) => checkTlsFiles(config).map(lessen);
  const { findings, ...loaded } = loadAndCheck(file, { more });
  return { ...loaded, findings: findings.filter(({ severity }) => severity !== "note") };
}

function lessen(finding: Finding): Finding {
  return finding.severity === "error" ? { ...finding, severity: "warning" } : finding;
}

async function runAgent(
  config: Config,
  warnings: readonly string[],
  reload: ConstructorParameters<typeof Agent>[0]["reload"],
): Promise<number> {
  const agent = new Agent({ config, warnings, reload });
  const { settings } = config;
  const socket = resolveControlSocket(settings);
  const control = await ControlServer.listen(
    socket,
    settings.controlGroup,
    (request) => agent.handle(request),
    { console: (words) => answerConsole(words, socket) },
  );
  // `deno task` passes Ctrl-C on besides the terminal: a second signal means nothing of its own.
  const stopped = new Promise<void>((resolve) => {
    Deno.addSignalListener("SIGTERM", resolve);
    Deno.addSignalListener("SIGINT", resolve);
  });
  Deno.addSignalListener("SIGHUP", () => {
    // The log files are opened anew even if the configuration is refused.
    agent.reopenLogs();
    agent.handle({ do: "reload" });
  });
  agent.start();
  await stopped;
  await Promise.all([agent.stop(), control.close()]);
  await stderrSink.flush(LOG_FLUSH_MS);
  return ExitCode.OK;
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
