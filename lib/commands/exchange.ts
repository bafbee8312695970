/**
 * What is said of a message: to its sender, in the log, in the audit log, and in the counters.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { type EslError, isFailure } from "../esl/errors.ts";
import type { JobOutcome } from "../esl/jobs.ts";
import type { Logger } from "../log/logger.ts";
import type { Reply } from "../mqtt/replies.ts";
import {
  accepted,
  type AnswerPlace,
  type AnswerText,
  asksForAnswer,
  ended,
  refusedByFreeswitch,
  rejected,
} from "./answers.ts";
import type { AuditDecision, AuditLog } from "./audit.ts";
import type { CommandState, RejectionReason, ReplyDocument } from "./contract.ts";
import { maskedArguments } from "./masking.ts";
import { originateArguments } from "./originate.ts";
import type { Refusals } from "./refusals.ts";
import type { Command, Request } from "./request.ts";
import type { CommandMessage, Rejection } from "./screening.ts";
import type { CommandTopic } from "./topic.ts";

/** What an exchange speaks through. */
export interface ExchangeDeps {
  /** Whose commands they are. */
  readonly where: { readonly profile: string; readonly connection: string };
  /** Writes down what was decided. */
  readonly audit: AuditLog;
  /** Publishes an answer. */
  readonly reply: (reply: Reply) => void;
  /** Its log. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
}

/** Nobody waits longer for an answer that the broker cannot take. */
const ANSWER_GOOD_FOR_MS = 300_000;

/** One message on a topic of ours, from its arrival to its end. */
export class Exchange {
  readonly #deps: ExchangeDeps;
  readonly #refusals: Refusals;
  readonly #request: Request | Rejection;

  /** An exchange of which nothing was said yet. */
  constructor(
    /** The message. */
    readonly message: CommandMessage,
    /** The topic that it came to. */
    readonly topic: CommandTopic,
    /** Where it is answered. */
    readonly place: AnswerPlace,
    request: Request | Rejection,
    refusals: Refusals,
    deps: ExchangeDeps,
  ) {
    this.#request = request;
    this.#refusals = refusals;
    this.#deps = deps;
  }

  /** Nothing runs. */
  reject({ reason, fault, isNews = true }: Rejection): void {
    const { topic, message } = this;
    this.#count(reason);
    const isTold = this.#refusals.note(topic.rules.name, reason);
    const text = `Refused a command on "${message.topic}" (topic ${topic.rules.name}): ${fault}`;
    this.#deps.log.log(isTold && isNews ? "warning" : "debug", text + this.#details());
    if (isTold) this.#audit({ event: "refused", reason, detail: fault });
    if (asksForAnswer(message, this.#request)) this.#answer(rejected(reason));
  }

  /** It is about to be handed to FreeSWITCH. */
  permitted(job: string): void {
    this.#audit({ event: "run", job });
  }

  /** FreeSWITCH has begun it. */
  begun(line: string, job: string): void {
    this.topic.counter.run++;
    this.#deps.log.notice(`Running ${this.#naming(line)} as job ${job}` + this.#details());
    this.#answer(accepted(job));
  }

  /** FreeSWITCH is done, or nobody can know. */
  ended(outcome: JobOutcome, job: string): void {
    this.#deps.log.info(this.#describe(job, outcome));
    const answer = ended(outcome, job, this.#command?.kind === "originate");
    this.#auditResult(answer.state, job, detailOf(outcome));
    this.#answer(answer);
  }

  /** It was not begun, or nobody can know. */
  failed(line: string, job: string, { kind, message }: EslError): void {
    const isLost = kind === "lost";
    const fate = isLost ? "It is unknown whether it runs" : "It does not run";
    this.#count(kind === "unreachable" ? "unavailable" : "failed");
    this.#deps.log.error(`Cannot run ${this.#naming(line)}: ${message}. ${fate}`);
    this.#auditResult(isLost ? "unknown" : "failed", job, message);
    if (isLost) this.#answer({ state: "unknown", job });
    else if (kind === "unreachable") this.#answer(rejected("unavailable"));
    else this.#answer(refusedByFreeswitch(message));
  }

  get #command(): Command | undefined {
    return "command" in this.#request ? this.#request.command : undefined;
  }

  #audit(decision: Pick<AuditDecision, "event" | "reason" | "detail" | "job">): void {
    const { topic, message } = this;
    const request = this.#request;
    this.#deps.audit.write({
      ...decision,
      ...this.#deps.where,
      topic: message.topic,
      subscriber_topic: topic.rules.name,
      ...(this.#command === undefined ? {} : describeCommand(this.#command)),
      ...(request.id === undefined ? {} : { id: request.id }),
      ...("sender" in request ? { claimed_sender: request.sender } : {}),
      ...("command" in request ? { signed: topic.rules.hmacKey !== undefined } : {}),
    });
  }

  #auditResult(state: CommandState, job: string, detail: string | undefined): void {
    if (state === "accepted" || state === "rejected") return;
    this.#deps.audit.write({
      event: "result",
      ...this.#deps.where,
      topic: this.message.topic,
      subscriber_topic: this.topic.rules.name,
      job,
      ...(this.#id === undefined ? {} : { id: this.#id }),
      result: state,
      ...(detail === undefined ? {} : { detail }),
    });
  }

  get #id(): string | undefined {
    return this.#request.id;
  }

  #count(reason: RejectionReason | "failed"): void {
    const { counter } = this.topic;
    counter.refused++;
    counter.refusedBy[reason] = (counter.refusedBy[reason] ?? 0) + 1;
  }

  #answer(text: AnswerText): void {
    const { place, message, topic } = this;
    if (typeof place !== "string") return;
    const document: ReplyDocument = {
      id: this.#id ?? null,
      ...text,
      time: this.#deps.clock.date().toISOString(),
    };
    const { correlationData } = message;
    this.#deps.reply({
      topic: place,
      payload: new TextEncoder().encode(JSON.stringify(document)),
      qos: topic.rules.qos === 0 ? 0 : 1,
      goodForMs: ANSWER_GOOD_FOR_MS,
      ...(correlationData === undefined ? {} : { correlationData }),
    });
  }

  #naming(line: string): string {
    return `"${verbOf(line)}" from "${this.message.topic}"`;
  }

  #describe(job: string, outcome: JobOutcome): string {
    switch (outcome.kind) {
      case "unknown":
        return `The outcome of job ${job} is unknown: ${outcome.reason}`;
      case "timed_out":
        return `Job ${job} has not ended within ${this.topic.rules.commandTimeout} s`;
      case "finished": {
        const fault = detailOf(outcome);
        if (fault !== undefined) return `Job ${job} failed: ${fault}`;
        const result = this.#deps.log.details ? `: ${firstLine(outcome.text)}` : "";
        return `Job ${job} finished${result}`;
      }
    }
  }

  #details(): string {
    if (!this.#deps.log.details) return "";
    return `; the message: ${new TextDecoder().decode(this.message.payload.subarray(0, 1000))}`;
  }
}

/** What it is, as far as that may be written down. */
function describeCommand(command: Command): Pick<AuditDecision, "command" | "arguments"> {
  if (command.kind === "bgapi") {
    return { command: command.name, arguments: maskedArguments(command.name, command.args) };
  }
  const { call } = command;
  const args = typeof call === "string" ? call : originateArguments(call);
  return { command: "originate", arguments: maskedArguments("originate", args) };
}

/** A result may hold what does not belong in a log; a failure is a few words of FreeSWITCH's. */
function detailOf(outcome: JobOutcome): string | undefined {
  switch (outcome.kind) {
    case "unknown":
      return outcome.reason;
    case "timed_out":
      return undefined;
    case "finished":
      return isFailure(outcome.text) ? firstLine(outcome.text) : undefined;
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
