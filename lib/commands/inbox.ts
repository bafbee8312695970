/**
 * Takes messages from subscribed topics, and runs those that are commands and permitted.
 *
 * @module
 */

import { type EslError, isFailure } from "../esl/errors.ts";
import type { JobOutcome } from "../esl/jobs.ts";
import type { Job } from "../esl/link.ts";
import type { Logger } from "../log/logger.ts";
import { filterCovers, sharedGroup, topicMatches } from "../protocol/mqtt_topics.ts";
import { type Permissions, refusalOf } from "./policy.ts";
import { type CommandRequest, parseCommand } from "./request.ts";

/** A subscribed topic that commands may come from. */
export interface CommandTopic extends Permissions {
  /** Its name, for the log. */
  readonly name: string;
  /** The topic filter, complete. */
  readonly filter: string;
  /** The QoS at which messages are wanted. */
  readonly qos: 0 | 1 | 2;
  /** What became of its messages. */
  readonly counter: CommandCounter;
}

/** What became of the messages of a topic. */
export interface CommandCounter {
  /** Commands that FreeSWITCH took on. */
  run: number;
  /** Messages of which nothing ran, as far as is known. */
  refused: number;
}

/** A message, with what the transport knows of it. */
export interface CommandMessage {
  /** The topic that it was published to. */
  readonly topic: string;
  /** Its payload. */
  readonly payload: Uint8Array;
  /** It was stored, and comes because of a new subscription. */
  readonly retained: boolean;
  /** It came before, or may have come before. */
  readonly repeated: boolean;
}

/** Starts `bgapi <command>` under a Job-UUID. */
export type CommandRunner = (command: string, uuid: string) => Promise<Job>;

/** The commands of one broker connection. */
export class CommandInbox {
  readonly #run: CommandRunner;
  readonly #log: Logger;
  readonly #newUuid: () => string;
  #topics: readonly CommandTopic[] = [];

  /** `newUuid` makes the Job-UUID where the sender chose none. */
  constructor(run: CommandRunner, log: Logger, newUuid: () => string = () => crypto.randomUUID()) {
    this.#run = run;
    this.#log = log;
    this.#newUuid = newUuid;
  }

  /** Says which topics commands may come from; from others nothing runs. */
  listen(topics: readonly CommandTopic[]): void {
    this.#topics = topics;
  }

  /**
   * What to subscribe to. A filter that another covers is left out, since a broker may deliver a
   * message once for each filter that matches it; a shared subscription stands for itself.
   */
  get subscriptions(): readonly { readonly filter: string; readonly qos: 0 | 1 | 2 }[] {
    const covers = (outer: CommandTopic, inner: CommandTopic) =>
      sharedGroup(outer.filter) === undefined && sharedGroup(inner.filter) === undefined &&
      filterCovers(outer.filter, inner.filter);
    const widest = this.#topics.reduce<readonly CommandTopic[]>(
      (kept, topic) =>
        kept.some((other) => covers(other, topic))
          ? kept
          : [...kept.filter((other) => !covers(topic, other)), topic],
      [],
    );
    return widest.map((topic) => {
      const covered = this.#topics.filter((other) => covers(topic, other));
      const qos = Math.max(topic.qos, ...covered.map((other) => other.qos)) as 0 | 1 | 2;
      return { filter: topic.filter, qos };
    });
  }

  /** Runs what a message asks for, or says in the log why not. */
  async take(message: CommandMessage): Promise<void> {
    const topic = this.#topicOf(message.topic);
    if (topic === undefined) {
      this.#log.warning(`Refused a message on "${message.topic}": no enabled topic listens there`);
      return;
    }
    const request = this.#accept(message, topic);
    if ("refusal" in request) {
      topic.counter.refused++;
      this.#log.warning(
        `Refused a command on "${message.topic}" (topic ${topic.name}): ${request.refusal}` +
          this.#details(message),
      );
      return;
    }
    await this.#start(request, message, topic);
  }

  #accept(message: CommandMessage, topic: CommandTopic): CommandRequest | { refusal: string } {
    if (message.retained) return { refusal: "it is retained, and retained messages never run" };
    if (message.repeated) return { refusal: "it is a repeated delivery and may have run already" };
    const request = parseCommand(message.payload);
    if ("refusal" in request) return request;
    const refusal = refusalOf(request, topic);
    return refusal === undefined ? request : { refusal };
  }

  async #start(request: CommandRequest, message: CommandMessage, topic: CommandTopic) {
    const uuid = request.uuid ?? this.#newUuid();
    const what = `"${verbOf(request.command)}" from "${message.topic}"`;
    try {
      const job = await this.#run(request.command, uuid);
      topic.counter.run++;
      this.#log.notice(`Running ${what} as job ${uuid}` + this.#details(message));
      this.#log.info(this.#describe(uuid, await job.outcome));
    } catch (error) {
      topic.counter.refused++;
      const { kind, message: text } = error as EslError;
      const fate = kind === "lost" ? "It is unknown whether it runs" : "It does not run";
      this.#log.error(`Cannot run ${what}: ${text}. ${fate}`);
    }
  }

  /** The narrowest topic that matches says what is permitted; of several, each has to permit it. */
  #topicOf(name: string): CommandTopic | undefined {
    const matching = this.#topics.filter(({ filter }) => topicMatches(filter, name));
    const isNarrower = (a: CommandTopic, b: CommandTopic) =>
      filterCovers(b.filter, a.filter) && !filterCovers(a.filter, b.filter);
    const narrowest = matching.filter((b) => !matching.some((a) => isNarrower(a, b)));
    const [first] = narrowest;
    return first && {
      ...first,
      originateAuthorized: narrowest.every(({ originateAuthorized }) => originateAuthorized),
      bgapiAuthorized: narrowest.every(({ bgapiAuthorized }) => bgapiAuthorized),
    };
  }

  /** A result may hold what does not belong in a log; a failure is a few words of FreeSWITCH's. */
  #describe(uuid: string, outcome: JobOutcome): string {
    if (outcome.kind === "unknown") {
      return `The outcome of job ${uuid} is unknown: ${outcome.reason}`;
    }
    const failed = isFailure(outcome.text);
    const result = failed || this.#log.details ? `: ${firstLine(outcome.text)}` : "";
    return `Job ${uuid} ${failed ? "failed" : "finished"}${result}`;
  }

  #details({ payload }: CommandMessage): string {
    if (!this.#log.details) return "";
    return `; the message: ${new TextDecoder().decode(payload.subarray(0, 1000))}`;
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
