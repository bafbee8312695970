/**
 * Takes messages from subscribed topics, and runs those that are commands and permitted.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { atMost } from "../clock.ts";
import { EslError } from "../esl/errors.ts";
import type { JobOutcome } from "../esl/jobs.ts";
import type { Job } from "../esl/link.ts";
import type { Ending } from "./answers.ts";
import { Exchange, type ExchangeDeps } from "./exchange.ts";
import { narrowest, subscriptionsFor, type WantedFilter } from "./filters.ts";
import type { CommandMemory } from "./memory.ts";
import { type Allowed, judge } from "./judgement.ts";
import { Recorder } from "./record.ts";
import type { Request } from "./request.ts";
import type { CommandMessage, Rejection } from "./screening.ts";
import type { CommandTopic, TopicRules } from "./topic.ts";

/** Starts API commands. */
export interface CommandRunner {
  /** Why none can be started at present, if none can. */
  readonly unavailable: string | undefined;
  /** Whether a job of this id is under way. */
  isRunning(uuid: string): boolean;
  /** Starts `bgapi <command>` under a Job-UUID. */
  bgapi(command: string, uuid: string): Promise<Job>;
}

/** What an inbox needs. */
export interface InboxDeps extends ExchangeDeps {
  /** Runs what is permitted. */
  readonly runner: CommandRunner;
  /** What was run before. */
  readonly memory: CommandMemory;
  /** Whether any connection takes commands from a topic. */
  readonly takesCommands: (topic: string) => boolean;
  /** Makes a Job-UUID where the sender chose none; `crypto.randomUUID` outside tests. */
  readonly newUuid?: () => string;
}

/** The commands of one broker connection. */
export class CommandInbox {
  readonly #deps: InboxDeps;
  readonly #recorder: Recorder;
  #topics: readonly CommandTopic[] = [];

  /** An inbox that listens to nothing. */
  constructor(deps: InboxDeps) {
    this.#deps = deps;
    this.#recorder = new Recorder(deps);
  }

  /** Says which topics commands may come from; from others nothing runs. */
  listen(topics: readonly CommandTopic[]): void {
    this.#topics = topics;
  }

  /** Says what was not said yet of the messages that came, and leaves no timer. */
  close(): void {
    this.#recorder.close();
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
      this.#recorder.refusedUnread(message, why);
      return;
    }
    const { clock, takesCommands } = this.#deps;
    const { request, place, verdict } = judge(message, {
      rules: topic.rules,
      answers: topic,
      takesCommands,
      now: clock.date().getTime(),
    });
    const record = this.#recorder.of(message, topic, request);
    const exchange = new Exchange(message, topic, place, request, record, this.#deps);
    if ("fault" in verdict) {
      exchange.reject(verdict);
      return;
    }
    const hindrance = this.#hindrance(verdict, exchange);
    if (hindrance !== undefined) exchange.reject(hindrance);
    else await this.#run(verdict, exchange);
  }

  /** What is refused here has used up neither its id nor the limits: it may be sent again. */
  #hindrance(
    { request, placesCalls }: Allowed,
    { topic, message }: Exchange,
  ): Rejection | undefined {
    const { runner, memory } = this.#deps;
    const { unavailable } = runner;
    if (unavailable !== undefined) return { reason: "unavailable", fault: unavailable };
    if (request.job !== undefined && runner.isRunning(request.job)) {
      return { reason: "duplicate", fault: "a job of its id is still running" };
    }
    const calls = placesCalls ? memory.callsInADay(topic.key) : undefined;
    return topic.limits.reached(calls) ?? this.#remember(request, placesCalls, topic, message);
  }

  /** Remembers what must be known of a command later, before it runs. */
  #remember(
    request: Request,
    placesCalls: boolean,
    { rules, key }: CommandTopic,
    message: CommandMessage,
  ): Rejection | undefined {
    const { memory } = this.#deps;
    const isCounted = placesCalls && rules.maxCallsPerDay > 0;
    const unwritten = rejectionUnwritten(rules, isCounted);
    if (unwritten !== undefined && !memory.isLasting) return unwritten;
    const id = idOf(request, message);
    const claimed = id === undefined ? undefined : this.#claim(id, request, rules, key);
    if (claimed !== undefined) return claimed;
    if (isCounted) memory.noteCall(key);
    // Either may be what the disk did not take.
    if (unwritten === undefined || memory.isLasting) return undefined;
    if (id !== undefined) memory.release(id);
    return unwritten;
  }

  #claim(
    id: string,
    { issuedAt = 0 }: Request,
    rules: TopicRules,
    owner: string,
  ): Rejection | undefined {
    const { clock, memory } = this.#deps;
    const rememberedUntil = clock.date().getTime() + rules.replayWindow * 1000;
    // Longer than it could be in time, to the second.
    const tooOldFrom = issuedAt + (rules.maxCommandAge + 1) * 1000;
    switch (memory.claim(id, Math.max(rememberedUntil, tooOldFrom), owner)) {
      case "new":
        return undefined;
      case "used":
        return { reason: "duplicate", fault: "a command of this id came within replay_window" };
      case "full":
        return { reason: "busy", fault: "no more ids can be remembered: shorten replay_window" };
    }
  }

  async #run(command: Allowed, exchange: Exchange) {
    const { runner, newUuid = () => crypto.randomUUID() } = this.#deps;
    const { request, line } = command;
    const { topic } = exchange;
    const uuid = request.job ?? newUuid();
    topic.limits.begin();
    exchange.permitted(command, uuid);
    try {
      const { outcome } = await runner.bgapi(line, uuid);
      exchange.begun(line, uuid);
      exchange.ended(line, await this.#inTime(outcome, topic.rules), uuid);
      // It counts as under way for as long as FreeSWITCH is at it.
      await outcome;
    } catch (error) {
      if (!(error instanceof EslError)) throw error;
      exchange.failed(line, uuid, error);
    } finally {
      topic.limits.end();
    }
  }

  /** How a job ended within `command_timeout`. */
  async #inTime(outcome: Promise<JobOutcome>, { commandTimeout }: TopicRules): Promise<Ending> {
    let ending: Ending = { kind: "timed_out" };
    const ended = outcome.then((known) => {
      ending = known;
    });
    await atMost(this.#deps.clock, commandTimeout * 1000, ended);
    return ending;
  }
}

/** What is said of a command that must not be forgotten over a restart, where it would be. */
function rejectionUnwritten({ hmacKey }: TopicRules, isCounted: boolean): Rejection | undefined {
  if (hmacKey === undefined && !isCounted) return undefined;
  const risk = hmacKey === undefined
    ? "a restart would forget calls of max_calls_per_day"
    : "after a restart what was signed could run again";
  return { reason: "busy", fault: `what ran cannot be written to disk, and ${risk}` };
}

/**
 * What makes a command known again: its own id, or what its sender knows the request by. It counts
 * for the topic that it was published to, whichever connection it comes over.
 */
function idOf(
  { id }: Request,
  { topic, responseTopic, correlationData }: CommandMessage,
): string | undefined {
  const name = id !== undefined
    ? `id ${id}`
    : correlationData !== undefined
    ? `correlation ${responseTopic} ${correlationData.join(" ")}`
    : undefined;
  return name && createHash("sha256").update(`${topic}\n${name}`).digest("base64url");
}
