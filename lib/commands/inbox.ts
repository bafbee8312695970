/**
 * Takes messages from subscribed topics, and runs those that are commands and permitted.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { EslError } from "../esl/errors.ts";
import type { Job } from "../esl/link.ts";
import { answerPlace } from "./answers.ts";
import { Exchange, type ExchangeDeps } from "./exchange.ts";
import { narrowest, subscriptionsFor, type WantedFilter } from "./filters.ts";
import type { CommandMemory } from "./memory.ts";
import { decide, type Permitted } from "./policy.ts";
import { Refusals, summaryText } from "./refusals.ts";
import type { Request } from "./request.ts";
import { type CommandMessage, type Rejection, screen } from "./screening.ts";
import type { CommandTopic } from "./topic.ts";

/** Starts API commands. */
export interface CommandRunner {
  /** Why none can be started at present, if none can. */
  readonly unavailable: string | undefined;
  /** Starts `bgapi <command>` under a Job-UUID, and waits so long for its outcome. */
  bgapi(command: string, uuid: string, timeoutMs: number): Promise<Job>;
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
