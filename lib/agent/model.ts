/**
 * The running agent's profiles, and what is switched on in them.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { CommandLimits } from "../commands/limits.ts";
import type { CommandCounter } from "../commands/topic.ts";
import type {
  Config,
  ConnectionConfig,
  Named,
  ProfileConfig,
  PublisherTopicConfig,
  SubscriberTopicConfig,
} from "../config/config.ts";
import type { MessageCounter } from "../mqtt/outbox.ts";
import type { QueueLimits } from "../queue/event_queue.ts";
import type { RateLimit } from "../queue/holding.ts";
import { keyOf } from "./keys.ts";
import type { ManagedConnection } from "./managed_connection.ts";
import { rateLimit } from "./queue_settings.ts";

/** A topic of a publisher. */
export interface PublisherTopic {
  /** Its configuration. */
  readonly config: PublisherTopicConfig;
  /** What was published. */
  readonly counter: MessageCounter;
  /** How fast it may be published to. */
  readonly limit: RateLimit | undefined;
}

/** A topic of a subscriber. */
export interface SubscriberTopic {
  /** Its configuration. */
  readonly config: SubscriberTopicConfig;
  /** What became of its messages. */
  readonly counter: CommandCounter;
  /** How much its commands have used of its limits. */
  readonly limits: CommandLimits;
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
export function buildModel(
  config: Config,
  former: Model,
  clock: Clock,
  make: ConnectionMaker,
): Model {
  const limits = queueLimits(config);
  return new Map(config.profiles.map((profile) => {
    const known = former.get(profile.name);
    const connections = profile.connections.map((connection) => {
      const managed = known?.connections.get(connection.name);
      managed?.configure(connection, limits);
      return [connection.name, managed ?? make(profile.name, connection, limits)] as const;
    });
    const publishers = profile.publishers.map((publisher) => {
      const { name } = publisher;
      const topics = group(publisher, known?.publishers.get(name), (config, former) => ({
        config,
        counter: former?.counter ?? { name: keyOf(name, config.name), messages: 0 },
        limit: rateLimit(config, clock, former),
      }));
      return [name, topics] as const;
    });
    const subscribers = profile.subscribers.map((subscriber) => {
      const { name } = subscriber;
      const topics = group(subscriber, known?.subscribers.get(name), (config, former) => ({
        config,
        counter: former?.counter ?? { run: 0, refused: 0, refusedBy: {} },
        limits: limitsOf(config, former, clock),
      }));
      return [name, topics] as const;
    });
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

function limitsOf(
  config: SubscriberTopicConfig,
  former: SubscriberTopic | undefined,
  clock: Clock,
): CommandLimits {
  former?.limits.configure(config);
  return former?.limits ?? new CommandLimits(config, clock);
}

function group<Config extends Named, Topic extends { readonly config: Config }>(
  config: { readonly enable: boolean; readonly topics: readonly Config[] },
  former: TopicGroup<Topic> | undefined,
  make: (config: Config, former: Topic | undefined) => Topic,
): TopicGroup<Topic> {
  const topics = config.topics.map((topic) =>
    make(topic, former?.topics.find((known) => known.config.name === topic.name))
  );
  return { enabled: config.enable, topics };
}

/** The counter of a topic by its name, also of one that is no more. */
export function counterOf(profile: Profile | undefined, name: string): MessageCounter {
  for (const [publisher, { topics }] of profile?.publishers ?? []) {
    for (const { config, counter } of topics) {
      if (keyOf(publisher, config.name) === name) return counter;
    }
  }
  return { name, messages: 0 };
}

/** All connections of a model. */
export function connectionsOf(model: Model): ManagedConnection[] {
  return [...model.values()].flatMap(({ connections }) => [...connections.values()]);
}
