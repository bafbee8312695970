/**
 * Takes messages from subscribed topics, runs those that are commands and permitted, and answers.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Clock } from "../clock.ts";
import { type EslError, isFailure } from "../esl/errors.ts";
import type { JobOutcome } from "../esl/jobs.ts";
import type { Job } from "../esl/link.ts";
import type { Logger } from "../log/logger.ts";
import type { Reply } from "../mqtt/replies.ts";
import {
  accepted,
  type AnswerPlace,
  answerPlace,
  type AnswerRules,
  type AnswerText,
  asksForAnswer,
  ended,
  refusedByFreeswitch,
  rejected,
} from "./answers.ts";
import type { AuditDecision, AuditLog } from "./audit.ts";
import type { CommandState, RejectionReason, ReplyDocument } from "./contract.ts";
import { narrowest, subscriptionsFor, type WantedFilter } from "./filters.ts";
import type { CommandLimits, Limits } from "./limits.ts";
import { maskedArguments } from "./masking.ts";
import type { CommandMemory } from "./memory.ts";
import { originateArguments } from "./originate.ts";
import { decide, type Permissions, type Permitted } from "./policy.ts";
import { Refusals, summaryText } from "./refusals.ts";
import type { Command, Request } from "./request.ts";
import { type CommandMessage, type Rejection, screen, type ScreeningRules } from "./screening.ts";

/** What the parameters of a subscriber's topic say of its commands. */
export interface TopicRules extends Permissions, ScreeningRules, Limits {
  /** Its name, for the log. */
  readonly name: string;
  /** The QoS at which messages are wanted. */
  readonly qos: 0 | 1 | 2;
  /** How long an id is remembered, in seconds. */
  readonly replayWindow: number;
  /** How long a result is waited for, in seconds. */
  readonly commandTimeout: number;
}

/** A subscribed topic that commands may come from. */
export interface CommandTopic extends AnswerRules {
  /** Its parameters. */
  readonly rules: TopicRules;
  /** Tells it from every other one, over restarts too. */
  readonly key: string;
  /** The topic filter, complete. */
  readonly filter: string;
  /** How much its commands have used of its limits. */
  readonly limits: CommandLimits;
  /** What became of its messages. */
  readonly counter: CommandCounter;
}

/** What became of the messages of a topic. */
export interface CommandCounter {
  /** Commands that FreeSWITCH took on. */
  run: number;
  /** Messages of which nothing ran, as far as is known. */
  refused: number;
  /** Of these, how many for which reason. */
  readonly refusedBy: Partial<Record<RejectionReason | "failed", number>>;
}

/** Starts API commands. */
export interface CommandRunner {
  /** Why none can be started at present, if none can. */
  readonly unavailable: string | undefined;
  /** Starts `bgapi <command>` under a Job-UUID, and waits so long for its outcome. */
  bgapi(command: string, uuid: string, timeoutMs: number): Promise<Job>;
}

/** What an inbox needs. */
export interface InboxDeps {
  /** Whose commands they are. */
  readonly where: { readonly profile: string; readonly connection: string };
  /** Runs what is permitted. */
  readonly runner: CommandRunner;
  /** What was run before. */
  readonly memory: CommandMemory;
  /** Writes down what was decided. */
  readonly audit: AuditLog;
  /** Publishes an answer. */
  readonly reply: (reply: Reply) => void;
  /** Whether any connection takes commands from a topic. */
  readonly takesCommands: (topic: string) => boolean;
  /** Its log. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
  /** Makes a Job-UUID where the sender chose none; `crypto.randomUUID` outside tests. */
  readonly newUuid?: () => string;
}

/** Nobody waits longer for an answer that the broker cannot take. */
const ANSWER_GOOD_FOR_MS = 300_000;

/** The commands of one broker connection. */
export class CommandInbox {
  readonly #deps: InboxDeps;
  readonly #refusals: Refusals;
  #topics: readonly CommandTopic[] = [];

  /** An inbox that listens to nothing. */
  constructor(deps: InboxDeps) {
    const { clock, log, audit, where } = deps;
    this.#deps = deps;
    this.#refusals = new Refusals({
      clock,
      summarize: (summary) => {
        log.warning(summaryText(summary));
        const { topic, ...rest } = summary;
        audit.write({ event: "refused_more", ...where, subscriber_topic: topic, ...rest });
      },
    });
  }

  /** Says which topics commands may come from; from others nothing runs. */
  listen(topics: readonly CommandTopic[]): void {
    this.#topics = topics;
  }

  /** Says what was not said yet of messages that were refused, and leaves no timer. */
  close(): void {
    this.#refusals.close();
  }

  /** What to subscribe to. */
  get subscriptions(): readonly WantedFilter[] {
    return subscriptionsFor(
      this.#topics.map(({ filter, rules: { qos } }) => ({ filter, qos })),
    );
  }

  /** Runs what a message asks for, or says in the log why not. Resolves when its end is known. */
  async take(message: CommandMessage): Promise<void> {
    const topics = narrowest(this.#topics, message.topic);
    const [topic] = topics;
    if (topic === undefined || topics.length > 1) {
      // `check` keeps two that have topics in common from being configured for one connection.
      const why = topic === undefined ? "no enabled topic listens there" : "two topics match it";
      this.#refuseUnread(message, why);
      return;
    }
    const { clock } = this.#deps;
    const place = answerPlace(message, topic, this.#deps.takesCommands);
    const request = screen(message, topic.rules, clock.date().getTime());
    const exchange = new Exchange(message, topic, place, request, this.#refusals, this.#deps);
    if ("fault" in request) {
      exchange.reject(request);
      return;
    }
    const permitted = this.#permit(request, exchange);
    if ("fault" in permitted) exchange.reject(permitted);
    else await this.#run(request, permitted, exchange);
  }

  #refuseUnread({ topic }: CommandMessage, detail: string): void {
    if (!this.#refusals.note("none", "not_allowed")) return;
    this.#deps.log.warning(`Refused a message on "${topic}": ${detail}`);
    this.#deps.audit.write({
      event: "refused",
      ...this.#deps.where,
      topic,
      reason: "not_allowed",
      detail,
    });
  }

  /** What is refused here has used up neither its id nor the limits: it may be sent again. */
  #permit(
    request: Request,
    { topic, message, place }: Exchange,
  ): Permitted | Rejection {
    const { runner, memory } = this.#deps;
    if (typeof place === "object") return { reason: "not_allowed", ...place };
    const decision = decide(request.command, topic.rules);
    if ("fault" in decision) return { reason: "not_allowed", ...decision };
    const { unavailable } = runner;
    if (unavailable !== undefined) return { reason: "unavailable", fault: unavailable };
    const calls = decision.placesCalls ? memory.callsInADay(topic.key) : undefined;
    return topic.limits.reached(calls) ?? this.#claim(request, topic, message) ?? decision;
  }

  /** An id counts for the topic that it was published to, whichever connection it comes over. */
  #claim(
    request: Request,
    { rules, key }: CommandTopic,
    message: CommandMessage,
  ): Rejection | undefined {
    const name = idOf(request, message);
    if (name === undefined) return undefined;
    const { clock, memory } = this.#deps;
    const rememberedUntil = clock.date().getTime() + rules.replayWindow * 1000;
    // Longer than it could be in time, to the second.
    const tooOldFrom = (request.issuedAt ?? 0) + (rules.maxCommandAge + 1) * 1000;
    const id = createHash("sha256").update(`${message.topic}\n${name}`).digest("base64url");
    switch (memory.claim(id, Math.max(rememberedUntil, tooOldFrom), key)) {
      case "new":
        return undefined;
      case "used":
        return { reason: "duplicate", fault: "a command of its id came before" };
      case "full":
        return { reason: "busy", fault: "no more ids can be remembered: shorten replay_window" };
    }
  }

  async #run(request: Request, { line, placesCalls }: Permitted, exchange: Exchange) {
    const { runner, memory, newUuid = () => crypto.randomUUID() } = this.#deps;
    const { topic } = exchange;
    const uuid = request.job ?? newUuid();
    topic.limits.begin();
    if (placesCalls && topic.rules.maxCallsPerDay > 0) memory.noteCall(topic.key);
    exchange.permitted(uuid);
    try {
      const job = await runner.bgapi(line, uuid, topic.rules.commandTimeout * 1000);
      exchange.begun(line, uuid);
      exchange.ended(await job.outcome, uuid);
    } catch (error) {
      exchange.failed(line, uuid, error as EslError);
    } finally {
      topic.limits.end();
    }
  }
}

/** What makes a command known again: its own id, or what its sender knows the request by. */
function idOf(request: Request, { responseTopic, correlationData }: CommandMessage) {
  if (request.id !== undefined) return `id ${request.id}`;
  if (correlationData === undefined) return undefined;
  return `correlation ${responseTopic} ${correlationData.join(" ")}`;
}

/** One message, with what is said of it to its sender, in the log and in the audit log. */
class Exchange {
  readonly #deps: InboxDeps;
  readonly #refusals: Refusals;
  readonly #request: Request | Rejection;

  constructor(
    readonly message: CommandMessage,
    readonly topic: CommandTopic,
    readonly place: AnswerPlace,
    request: Request | Rejection,
    refusals: Refusals,
    deps: InboxDeps,
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
