/**
 * What an agent hands over to the one that takes its place in the same process.
 *
 * @module
 */

import type { CommandCounter } from "../commands/topic.ts";
import type { ReceivedMessage } from "../mqtt/connection.ts";
import type { CarriedQueue } from "../queue/event_queue.ts";
import type { CarriedGaps } from "./gaps.ts";
import { keyOf } from "./keys.ts";
import type { Model } from "./model.ts";

/** What goes on in the next agent. */
export interface Carried {
  /** The queues by profile and connection ({@linkcode keyOf}). */
  readonly queues: ReadonlyMap<string, CarriedQueue>;
  /** The counters of the topics. */
  readonly counters: CarriedCounters;
  /** Marks of the events that were taken since the next agent listens too (`eventMark`). */
  readonly taken: ReadonlySet<string>;
  /** Gaps in FreeSWITCH's events so far. */
  readonly gaps: CarriedGaps;
  /** How long the agent and those before it have run, in milliseconds. */
  readonly uptimeMs: number;
  /** What they have counted of their links to FreeSWITCH. */
  readonly link: LinkCounts;
  /** Messages for commands that came while it ended, by profile and connection. */
  readonly commands: ReadonlyMap<string, readonly ReceivedMessage[]>;
}

/** What is counted of a link to FreeSWITCH. */
export interface LinkCounts {
  /** Events read. */
  readonly eventsReceived: number;
  /** Events that were too long to be read. */
  readonly eventsTooLong: number;
  /** How often it was made again. */
  readonly reconnects: number;
  /** How often what came was no frame. */
  readonly protocolErrors: number;
}

/** The counts of two links, one after the other. */
export function sumOfCounts(one: LinkCounts, other: LinkCounts): LinkCounts {
  return {
    eventsReceived: one.eventsReceived + other.eventsReceived,
    eventsTooLong: one.eventsTooLong + other.eventsTooLong,
    reconnects: one.reconnects + other.reconnects,
    protocolErrors: one.protocolErrors + other.protocolErrors,
  };
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
