/**
 * What is written down of messages: in the log, and in the audit log.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { type EslError, isFailure } from "../esl/errors.ts";
import type { LogLevel } from "../log/levels.ts";
import type { Logger } from "../log/logger.ts";
import { MASK } from "../secret.ts";
import type { Ending } from "./answers.ts";
import type { AuditDecision, AuditLog, AuditResult } from "./audit.ts";
import { CALLER_ID, maskedArguments } from "./masking.ts";
import { type Originate, originateArguments } from "./originate.ts";
import type { Permitted } from "./policy.ts";
import type { Command, Request } from "./request.ts";
import type { CommandMessage, Rejection } from "./screening.ts";
import { summaryText, TellingLimit } from "./telling_limit.ts";
import type { CommandTopic } from "./topic.ts";

/** What a recorder writes to. */
export interface RecorderDeps {
  /** Whose commands they are. */
  readonly where: { readonly profile: string; readonly connection: string };
  /** Writes down what was decided. */
  readonly audit: AuditLog;
  /** Its log. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
}

/** So many refusals of a topic have lines of their own in a minute. */
const REFUSALS_A_MINUTE = 20;
/** The same of commands that run; those that place calls always have theirs. */
const RUNS_A_MINUTE = 60;

/** Writes down what becomes of the messages of a broker connection, a flood of them in few lines. */
export class Recorder {
  readonly #deps: RecorderDeps;
  readonly #limits: TellingLimits;

  /** Nothing was written so far. */
  constructor(deps: RecorderDeps) {
    const { where, audit, log, clock } = deps;
    this.#deps = deps;
    this.#limits = {
      refusals: new TellingLimit({
        clock,
        perMinute: REFUSALS_A_MINUTE,
        summarize: (untold) => {
          log.warning(summaryText(untold, "message", "refused"));
          const { topic, count, kinds: reasons } = untold;
          audit.write({ event: "refused_more", ...where, subscriber_topic: topic, count, reasons });
        },
      }),
      runs: new TellingLimit({
        clock,
        perMinute: RUNS_A_MINUTE,
        summarize: (untold) => {
          log.notice(summaryText(untold, "command", "run"));
          const { topic, count, kinds: commands } = untold;
          audit.write({ event: "ran_more", ...where, subscriber_topic: topic, count, commands });
        },
      }),
    };
  }

  /** The record of a message on a topic of ours. */
  of(message: CommandMessage, topic: CommandTopic, request: Request | Rejection): CommandRecord {
    return new CommandRecord(message, topic, request, this.#limits, this.#deps);
  }

  /** A message that came to no topic of ours was refused. */
  refusedUnread({ topic }: CommandMessage, detail: string): void {
    if (!this.#limits.refusals.note("none", "not_allowed")) return;
    const { where, audit, log } = this.#deps;
    log.warning(`Refused a message on "${topic}": ${detail}`);
    audit.write({ event: "refused", ...where, topic, reason: "not_allowed", detail });
  }

  /** Says what was held back, and leaves no timer. */
  close(): void {
    this.#limits.refusals.close();
    this.#limits.runs.close();
  }
}

/** How much is written of a connection's messages. */
export interface TellingLimits {
  /** Of what is refused. */
  readonly refusals: TellingLimit;
  /** Of what runs and places no calls. */
  readonly runs: TellingLimit;
}

/** What is written of one message. */
export class CommandRecord {
  readonly #message: CommandMessage;
  readonly #topic: CommandTopic;
  readonly #request: Request | Rejection;
  readonly #limits: TellingLimits;
  readonly #deps: RecorderDeps;
  /** Whether its command has lines of its own. */
  #isTold = true;

  /** A message of which nothing was written yet. */
  constructor(
    message: CommandMessage,
    topic: CommandTopic,
    request: Request | Rejection,
    limits: TellingLimits,
    deps: RecorderDeps,
  ) {
    this.#message = message;
    this.#topic = topic;
    this.#request = request;
    this.#limits = limits;
    this.#deps = deps;
  }

  /** Nothing runs. */
  refused({ reason, fault, isNews = true }: Rejection): void {
    const { name } = this.#topic.rules;
    const isTold = this.#limits.refusals.note(name, reason);
    const text = `Refused a command on "${this.#message.topic}" (topic ${name}${this.#idText}): ` +
      fault;
    this.#deps.log.log(isTold && isNews ? "warning" : "debug", text + this.#details());
    if (isTold) this.#audit({ event: "refused", reason, detail: fault });
  }

  /** It is about to be handed to FreeSWITCH. */
  permitted({ line, placesCalls }: Permitted, job: string): void {
    this.#isTold = placesCalls || this.#limits.runs.note(this.#topic.rules.name, verbOf(line));
    if (this.#isTold) this.#audit({ event: "run", job });
  }

  /** FreeSWITCH has begun it. */
  begun(line: string, job: string): void {
    this.#log("notice", `Running ${this.#naming(line)} as job ${job}${this.#details()}`);
  }

  /** FreeSWITCH is done, or nobody can know. */
  ended(line: string, job: string, ending: Ending): void {
    this.#log(...this.#describe(line, job, ending));
    this.#auditResult(resultOf(ending), job, detailOf(ending));
  }

  /** It was not begun, or nobody can know. */
  failed(line: string, job: string, { kind, message }: EslError): void {
    const isLost = kind === "lost";
    const fate = isLost ? "It is unknown whether it runs" : "It does not run";
    this.#log("error", `Cannot run ${this.#naming(line)}: ${message}. ${fate}`);
    this.#auditResult(isLost ? "unknown" : "failed", job, message);
  }

  #log(level: LogLevel, text: string): void {
    this.#deps.log.log(this.#isTold ? level : "debug", text);
  }

  #audit(decision: Pick<AuditDecision, "event" | "reason" | "detail" | "job">): void {
    const request = this.#request;
    this.#deps.audit.write({
      ...decision,
      ...this.#deps.where,
      topic: this.#message.topic,
      subscriber_topic: this.#topic.rules.name,
      ...("command" in request ? describeCommand(request.command) : {}),
      ...(request.id === undefined ? {} : { id: request.id }),
      ...("sender" in request ? { claimed_sender: request.sender } : {}),
      ...("command" in request ? { signed: this.#topic.rules.hmacKey !== undefined } : {}),
    });
  }

  #auditResult(result: AuditResult["result"], job: string, detail: string | undefined): void {
    if (!this.#isTold) return;
    const { id } = this.#request;
    this.#deps.audit.write({
      event: "result",
      ...this.#deps.where,
      topic: this.#message.topic,
      subscriber_topic: this.#topic.rules.name,
      job,
      ...(id === undefined ? {} : { id }),
      result,
      ...(detail === undefined ? {} : { detail }),
    });
  }

  get #idText(): string {
    const { id } = this.#request;
    return id === undefined ? "" : `, id ${id}`;
  }

  #naming(line: string): string {
    return `"${verbOf(line)}" from "${this.#message.topic}"${this.#idText}`;
  }

  #describe(line: string, job: string, ending: Ending): [level: LogLevel, text: string] {
    const what = `${this.#naming(line)}, job ${job},`;
    switch (ending.kind) {
      case "unknown":
        return ["warning", `The outcome of ${what} is unknown: ${ending.reason}`];
      case "timed_out": {
        const { commandTimeout } = this.#topic.rules;
        return ["warning", `${what} has not ended within ${commandTimeout} s`];
      }
      case "finished": {
        const fault = detailOf(ending);
        if (fault !== undefined) return ["notice", `${what} failed: ${fault}`];
        const result = this.#deps.log.details ? `: ${firstLine(ending.text)}` : "";
        return ["info", `${what} finished${result}`];
      }
    }
  }

  /** What was understood is shown without what may be a secret. */
  #details(): string {
    if (!this.#deps.log.details) return "";
    if ("command" in this.#request) {
      const { command, arguments: args } = describeCommand(this.#request.command);
      return `; the command: ${command} ${args}`.trimEnd();
    }
    return `; the message: ${new TextDecoder().decode(this.#message.payload.subarray(0, 1000))}`;
  }
}

/** What it is, as far as that may be written down. */
function describeCommand(command: Command): Pick<AuditDecision, "command" | "arguments"> {
  if (command.kind === "bgapi") {
    return { command: command.name, arguments: maskedArguments(command.name, command.args) };
  }
  const { call } = command;
  const args = typeof call === "string" ? call : originateArguments(masked(call));
  // Where a block ends is not for sure then.
  const isClear = args.split("{").length <= 2 && args.split("}").length <= 2;
  return {
    command: "originate",
    arguments: isClear ? maskedArguments("originate", args) : `(${args.length} characters)`,
  };
}

function masked(call: Originate): Originate {
  const variables = call.variables.map(([name, value]) =>
    [name, CALLER_ID.test(name) ? value : MASK] as const
  );
  return { ...call, variables };
}

function resultOf(ending: Ending): AuditResult["result"] {
  if (ending.kind !== "finished") return ending.kind;
  return isFailure(ending.text) ? "failed" : "succeeded";
}

/** A result may hold what does not belong in a log; a failure is a few words of FreeSWITCH's. */
function detailOf(ending: Ending): string | undefined {
  switch (ending.kind) {
    case "unknown":
      return ending.reason;
    case "timed_out":
      return undefined;
    case "finished":
      return isFailure(ending.text) ? firstLine(ending.text) : undefined;
  }
}

/** The API command alone: its arguments may hold what does not belong in a log. */
function verbOf(command: string): string {
  return short(command.split(" ", 1)[0] ?? "", 40);
}

function firstLine(text: string): string {
  const [line = ""] = text.trim().split("\n", 1);
  return short(line, 200);
}

function short(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
