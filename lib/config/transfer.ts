/**
 * A loaded configuration on its way from one thread to another, where only plain values pass.
 *
 * @module
 */

import type { Config } from "./config.ts";
import type { Parameter } from "./parameter.ts";
import {
  type Parameters,
  propertyName,
  type SectionName,
  sections,
  valueOf,
} from "./parameters.ts";
import { Secret } from "../secret.ts";

/** A configuration as plain values, its secrets among them: for another thread, and nobody else. */
export interface PackedConfig {
  /** What {@linkcode unpackConfig} reads. */
  readonly packed: unknown;
}

/** The configuration as plain values. */
export function packConfig(config: Config): PackedConfig {
  return { packed: mapValues(config, pack) };
}

/** The configuration that was packed. */
export function unpackConfig({ packed }: PackedConfig): Config {
  return mapValues(packed as Config, unpack);
}

type Change = (parameter: Parameter<unknown>, value: unknown) => unknown;

function pack({ secret, repeatable, write }: Parameter<unknown>, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (secret) return (value as Secret).reveal();
  return repeatable ? (value as readonly unknown[]).map(write) : value;
}

function unpack({ secret, repeatable, read }: Parameter<unknown>, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (secret) return new Secret(value as string);
  return repeatable ? (value as readonly string[]).map((text) => valueIn(read(text))) : value;
}

function valueIn(reading: ReturnType<Parameter<unknown>["read"]>): unknown {
  if ("value" in reading) return reading.value;
  throw new Error(`Cannot read what was written: expected ${reading.expected}`);
}

/** The same configuration, each value of each parameter changed. */
function mapValues({ settings, profiles, ...rest }: Config, change: Change): Config {
  const section = <S extends object>(name: SectionName, given: S): S => {
    const table: Parameters = sections[name].parameters;
    const changed = Object.entries(table).map(([parameterName, parameter]) =>
      [propertyName(parameterName), change(parameter, valueOf(given, parameterName))] as const
    );
    return { ...given, ...Object.fromEntries(changed) };
  };
  return {
    ...rest,
    settings: section("settings", settings),
    profiles: profiles.map((profile) => ({
      ...section("profile", profile),
      connections: profile.connections.map((connection) => ({
        ...section("connection", connection),
        tls: section("tls", connection.tls),
        will: section("will", connection.will),
      })),
      publishers: profile.publishers.map((publisher) => ({
        ...section("publisher", publisher),
        topics: publisher.topics.map((topic) => section("publisherTopic", topic)),
      })),
      subscribers: profile.subscribers.map((subscriber) => ({
        ...section("subscriber", subscriber),
        topics: subscriber.topics.map((topic) => section("subscriberTopic", topic)),
      })),
    })),
  };
}
