/**
 * The topics of a configuration, each with what is around it.
 *
 * @module
 */

import type {
  Config,
  ConnectionConfig,
  Named,
  ProfileConfig,
  PublisherTopicConfig,
  SubscriberTopicConfig,
  Wired,
} from "./config.ts";
import type { Position } from "./position.ts";

/** A topic with all that is around it. */
export interface Placed<Topic> {
  /** The profile that it is of. */
  readonly profile: ProfileConfig;
  /** The publisher or subscriber that it is of. */
  readonly group: Named & { readonly enable: boolean };
  /** Which of the two. */
  readonly kind: "publisher" | "subscriber";
  /** The topic. */
  readonly topic: Topic;
  /** Absent where the topic names none of its profile. */
  readonly connection: ConnectionConfig | undefined;
}

/** A topic that names a connection of its profile. */
export type Connected<Topic> = Placed<Topic> & { readonly connection: ConnectionConfig };

/** A topic that commands are taken from. */
export type Subscription = Connected<SubscriberTopicConfig>;

/** Something that fsmqtt publishes to a broker. */
export interface Publication {
  /** What it is, such as `topic "calls"`. */
  readonly what: string;
  /** Where it is published; a filter where that is not one topic. */
  readonly pattern: string;
  /** Where that stands. */
  readonly at: Position;
  /** The broker, as `brokerName` tells it. */
  readonly broker: string;
}

/** The topics of all publishers. */
export function publishingTopics({ profiles }: Config): Placed<PublisherTopicConfig>[] {
  return profiles.flatMap((profile) =>
    profile.publishers.flatMap((publisher) =>
      publisher.topics.map((topic) => placed(profile, "publisher", publisher, topic))
    )
  );
}

/** The topics of all subscribers. */
export function subscribingTopics({ profiles }: Config): Placed<SubscriberTopicConfig>[] {
  return profiles.flatMap((profile) =>
    profile.subscribers.flatMap((subscriber) =>
      subscriber.topics.map((topic) => placed(profile, "subscriber", subscriber, topic))
    )
  );
}

/** Whether a topic names a connection of its profile. */
export function isConnected<Topic>(placed: Placed<Topic>): placed is Connected<Topic> {
  return placed.connection !== undefined;
}

/** Where the pattern of a topic stands. */
export function patternAt({ source }: Named): Position {
  return source.given.get("pattern") ?? source.at;
}

function placed<Topic extends Wired>(
  profile: ProfileConfig,
  kind: Placed<Topic>["kind"],
  group: Placed<Topic>["group"],
  topic: Topic,
): Placed<Topic> {
  const connection = profile.connections.find(({ name }) => name === topic.connectionName);
  return { profile, kind, group, topic, connection };
}
