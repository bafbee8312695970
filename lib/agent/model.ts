/**
 * The running agent's profiles, and what is switched on in them.
 *
 * @module
 */

import type { CommandCounter } from "../commands/inbox.ts";
import type {
  Config,
  ConnectionConfig,
  ProfileConfig,
  PublisherTopicConfig,
  Sourced,
  SubscriberTopicConfig,
} from "../config/config.ts";
import type { MessageCounter } from "../mqtt/outbox.ts";
import type { QueueLimits } from "../queue/event_queue.ts";
import type { ManagedConnection } from "./managed_connection.ts";

/** A topic of a publisher. */
export interface PublisherTopic {
  /** Its configuration. */
  readonly config: PublisherTopicConfig;
  /** What was published. */
  readonly counter: MessageCounter;
}

/** A topic of a subscriber. */
export interface SubscriberTopic {
  /** Its configuration. */
  readonly config: SubscriberTopicConfig;
  /** What became of its messages. */
  readonly counter: CommandCounter;
}

/** A publisher or a subscriber. */
export interface TopicGroup<Topic> {
  /** Whether it is switched on. */
  enabled: boolean;
  /** Its topics, in their order. */
  readonly topics: readonly Topic[];
}

/** A profile; its parts by name, in their order. */
export interface Profile {
  /** Its name. */
  readonly name: string;
  /** Its configuration. */
  readonly config: ProfileConfig;
  /** Whether it is switched on. */
  enabled: boolean;
  /** Its broker connections. */
  readonly connections: Map<string, ManagedConnection>;
  /** Its publishers. */
  readonly publishers: Map<string, TopicGroup<PublisherTopic>>;
  /** Its subscribers. */
  readonly subscribers: Map<string, TopicGroup<SubscriberTopic>>;
}

/** The profiles by name, in their order. */
export type Model = Map<string, Profile>;

/** Makes a connection that a configuration names. */
export type ConnectionMaker = (
  profile: string,
  config: ConnectionConfig,
  limits: QueueLimits,
) => ManagedConnection;

/** How much each connection's queue holds. */
export function queueLimits({ settings }: Config): QueueLimits {
  return { messages: settings.eventQueueSize, bytes: settings.eventQueueBytes };
}

/**
 * The model of a configuration. What `former` has by the same name goes on: connections with their
 * queues, and counters.
 */
export function buildModel(config: Config, former: Model, make: ConnectionMaker): Model {
  const limits = queueLimits(config);
  return new Map(config.profiles.map((profile) => {
    const known = former.get(profile.name);
    const connections = profile.connections.map((connection) => {
      const managed = known?.connections.get(connection.name);
      managed?.configure(connection, limits);
      return [connection.name, managed ?? make(profile.name, connection, limits)] as const;
    });
    const publishers = profile.publishers.map((publisher) =>
      [
        publisher.name,
        group(publisher, known?.publishers.get(publisher.name), () => ({ messages: 0 })),
      ] as const
    );
    const subscribers = profile.subscribers.map((subscriber) =>
      [
        subscriber.name,
        group(subscriber, known?.subscribers.get(subscriber.name), () => ({ run: 0, refused: 0 })),
      ] as const
    );
    return [profile.name, {
      name: profile.name,
      config: profile,
      enabled: profile.enable,
      connections: new Map(connections),
      publishers: new Map(publishers),
      subscribers: new Map(subscribers),
    }];
  }));
}

function group<TopicConfig extends Sourced & { readonly name: string }, Counter>(
  config: { readonly enable: boolean; readonly topics: readonly TopicConfig[] },
  former: TopicGroup<{ config: TopicConfig; counter: Counter }> | undefined,
  newCounter: () => Counter,
): TopicGroup<{ config: TopicConfig; counter: Counter }> {
  const topics = config.topics.map((topic) => ({
    config: topic,
    counter: former?.topics.find((known) => known.config.name === topic.name)?.counter ??
      newCounter(),
  }));
  return { enabled: config.enable, topics };
}

/** All connections of a model. */
export function connectionsOf(model: Model): ManagedConnection[] {
  return [...model.values()].flatMap(({ connections }) => [...connections.values()]);
}
