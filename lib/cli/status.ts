/**
 * `fsmqtt status`
 *
 * @module
 */

import { ask } from "../control/client.ts";
import { type StatusReport, troubles } from "../control/status.ts";
import { ExitCode } from "../exit_code.ts";
import {
  type Command,
  type GivenOptions,
  noWords,
  optionText,
  type Output,
  UsageError,
} from "./command.ts";
import { statusLine } from "./status_line.ts";
import { statusText } from "./status_text.ts";
import { controlOption, controlSocket } from "./steer.ts";
import { type Failure, lookAt, watch } from "./watch.ts";

/** The ways to show it, of which one can be asked for. */
const FORMS = ["json", "brief", "watch"] as const;

/** Looked at more often than this, an agent would have less time for events. */
const LEAST_SECONDS = 0.1;

/** Shows how the running agent is. */
export const status: Command = {
  name: "status",
  words: "",
  summary: "Shows how the agent is. Exit code 1 says that it is degraded.",
  options: {
    ...controlOption,
    json: { help: "Prints it as JSON." },
    brief: { help: "Prints the first line only: `ok: …`, or `degraded: …` and why." },
    watch: { help: "Shows what moves, and how fast, again and again until Ctrl-C." },
    every: { value: "SECONDS", help: "How often --watch looks. Default: 1." },
  },
  async run(words, options, output) {
    noWords("status", words);
    const form = formOf(options);
    const everyMs = interval(options);
    const socket = controlSocket(options);
    if (form === "watch") return await watchOn(socket, everyMs, output);
    const reply = await ask(socket, { do: "status" });
    if (reply.kind !== "status") {
      output.err(reply.kind === "failed" ? reply.error : reply.text);
      return reply.kind === "failed" ? reply.exitCode : ExitCode.FAILED;
    }
    output.out(textOf(reply.status, form));
    return troubles(reply.status).length === 0 ? ExitCode.OK : ExitCode.FAILED;
  },
};

type Form = typeof FORMS[number];

function formOf(options: GivenOptions): Form | undefined {
  const [form, other] = FORMS.filter((name) => options[name] === true);
  if (other !== undefined) {
    throw new UsageError(`fsmqtt status: --${form} and --${other} cannot be given together`);
  }
  return form;
}

/** Milliseconds between two looks. */
function interval(options: GivenOptions): number {
  const text = optionText(options, "every");
  if (text === undefined) return 1000;
  if (options["watch"] !== true) throw new UsageError("fsmqtt status: --every needs --watch");
  const seconds = Number(text);
  if (!(seconds >= LEAST_SECONDS && seconds < 1e6)) {
    throw new UsageError(
      `fsmqtt status: --every needs a number of at least ${LEAST_SECONDS}, not "${text}"`,
    );
  }
  return seconds * 1000;
}

function textOf(status: StatusReport, form: Form | undefined): string {
  switch (form) {
    case "json":
      return JSON.stringify(status, undefined, 2);
    case "brief":
      return statusLine(status);
    default:
      return statusText(status);
  }
}

async function watchOn(socket: string, everyMs: number, output: Output): Promise<number> {
  if (output.view === undefined) {
    throw new UsageError("fsmqtt status: --watch does not end by itself; it needs a terminal");
  }
  const view = output.view();
  let failure: Failure | undefined;
  try {
    failure = await watch({ view, everyMs, look: lookAt(socket) });
  } finally {
    view[Symbol.dispose]();
  }
  if (failure === undefined) return ExitCode.OK;
  output.err(failure.error);
  return failure.exitCode;
}
