/**
 * From the model to who gets which event, and who may send commands.
 *
 * @module
 */

import type { CommandTopic } from "../commands/topic.ts";
import type { Route } from "../events/router.ts";
import { expandTopic, type SwitchNames } from "../events/template.ts";
import { holdsTemplate } from "../config/template.ts";
import type { Message } from "../mqtt/outbox.ts";
import type { RateLimit } from "../queue/holding.ts";
import { keyOf } from "./keys.ts";
import type { ManagedConnection } from "./managed_connection.ts";
import type { Model, Profile } from "./model.ts";

/** Where an event goes: everything of a message but its payload. */
export interface Target extends Omit<Message, "payload"> {
  /** The connection that publishes it. */
  readonly connection: ManagedConnection;
  /** How fast its topic may be published to. */
  readonly limit: RateLimit | undefined;
}

/** The routes of all topics that are switched on, with their publisher, connection and profile. */
export function eventRoutes(model: Model, names: SwitchNames | undefined): Route<Target>[] {
  return [...model.values()].filter(({ enabled }) => enabled).flatMap((profile) =>
    [...profile.publishers.values()].filter(({ enabled }) => enabled).flatMap(({ topics }) =>
      topics.flatMap(({ config, counter, limit }) => {
        const connection = profile.connections.get(config.connectionName);
        const topic = complete(config.pattern, names);
        if (!config.enable || connection?.enabled !== true || topic === undefined) return [];
        const { qos, retain, event } = config;
        return [{ events: event, target: { connection, topic, qos, retain, counter, limit } }];
      })
    )
  );
}

/** The topics from which a connection of this profile takes commands. */
export function commandTopics(
  profile: Profile,
  connection: string,
  names: SwitchNames | undefined,
): CommandTopic[] {
  return [...profile.subscribers].filter(([, { enabled }]) => enabled).flatMap((
    [subscriber, { topics }],
  ) =>
    topics.flatMap(({ config, counter, limits }) => {
      const filter = complete(config.pattern, names);
      if (!config.enable || config.connectionName !== connection || filter === undefined) return [];
      const { responsePrefix, responsePattern } = config;
      return [{
        rules: config,
        key: keyOf(profile.name, subscriber, config.name),
        filter,
        switchname: names?.switchname ?? null,
        limits,
        counter,
        responsePrefix: responsePrefix && complete(responsePrefix, names),
        responsePattern: responsePattern && complete(responsePattern, names),
      }];
    })
  );
}

/** All filters that commands are taken by, and those that could be switched on. */
export function commandFilters(model: Model, names: SwitchNames | undefined): string[] {
  return [...model.values()].flatMap(({ subscribers }) =>
    [...subscribers.values()].flatMap(({ topics }) =>
      topics.flatMap(({ config }) => complete(config.pattern, names) ?? [])
    )
  );
}

/** The pattern with FreeSWITCH's names put in; `undefined` while it needs them in vain. */
export function complete(pattern: string, names: SwitchNames | undefined): string | undefined {
  if (names === undefined) return holdsTemplate(pattern) ? undefined : pattern;
  return expandTopic(pattern, names);
}
