/**
 * What an agent hands over to the one that takes its place in the same process.
 *
 * @module
 */

import type { CommandCounter } from "../commands/topic.ts";
import type { GapStatus } from "../control/status.ts";
import type { CarriedQueue } from "../queue/event_queue.ts";
import { keyOf } from "./keys.ts";
import type { Model } from "./model.ts";

/** What goes on in the next agent. */
export interface Carried {
  /** The queues by profile and connection ({@linkcode keyOf}). */
  readonly queues: ReadonlyMap<string, CarriedQueue>;
  /** The counters of the topics. */
  readonly counters: CarriedCounters;
  /** `Event-Sequence` of the events that were taken since the next agent listens too. */
  readonly sequences: ReadonlySet<number>;
  /** Gaps in FreeSWITCH's events so far. */
  readonly gaps: { readonly count: number; readonly last: GapStatus | undefined };
}

/** Counters by the topic that they belong to: profile, publisher or subscriber, and name. */
export interface CarriedCounters {
  /** Messages of publishers' topics. */
  readonly messages: ReadonlyMap<string, number>;
  /** What became of the messages of subscribers' topics. */
  readonly commands: ReadonlyMap<string, CommandCounter>;
}

/** The counters of all topics. */
export function countersOf(model: Model): CarriedCounters {
  return {
    messages: new Map(
      publishedTopics(model).map(({ key, topic }) => [key, topic.counter.messages]),
    ),
    commands: new Map(subscribedTopics(model).map(({ key, topic }) => [key, topic.counter])),
  };
}

/** Lets the counters of all topics go on from those. */
export function resumeCounters(model: Model, { messages, commands }: CarriedCounters): void {
  for (const { key, topic } of publishedTopics(model)) {
    topic.counter.messages += messages.get(key) ?? 0;
  }
  for (const { key, topic } of subscribedTopics(model)) {
    const { run = 0, refused = 0, refusedBy = {} } = commands.get(key) ?? {};
    topic.counter.run += run;
    topic.counter.refused += refused;
    Object.assign(topic.counter.refusedBy, refusedBy);
  }
}

function publishedTopics(model: Model) {
  return [...model.values()].flatMap(({ name: profile, publishers }) =>
    [...publishers].flatMap(([publisher, { topics }]) =>
      topics.map((topic) => ({ key: keyOf(profile, publisher, topic.config.name), topic }))
    )
  );
}

function subscribedTopics(model: Model) {
  return [...model.values()].flatMap(({ name: profile, subscribers }) =>
    [...subscribers].flatMap(([subscriber, { topics }]) =>
      topics.map((topic) => ({ key: keyOf(profile, subscriber, topic.config.name), topic }))
    )
  );
}
