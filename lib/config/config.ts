/**
 * A loaded configuration: every value typed, defaults and inheritance applied.
 *
 * @module
 */

import type { Secret } from "../secret.ts";
import type { Position } from "./position.ts";
import type {
  connectionParameters,
  profileParameters,
  publisherParameters,
  publisherTopicParameters,
  settingsParameters,
  subscriberParameters,
  subscriberTopicParameters,
  tlsParameters,
  Values,
  willParameters,
} from "./parameters.ts";

/** Where a section and its parameters stand. */
export interface Source {
  /** The section's element. */
  readonly at: Position;
  /**
   * The parameters that were given, by their name in the table; a parameter absent here is a
   * default. A place in another file tells that the value comes from there.
   */
  readonly given: ReadonlyMap<string, Position>;
  /** The files that secrets were read from, by the parameter's name; absent where there are none. */
  readonly secretFiles?: ReadonlyMap<string, string>;
}

/** What each section has beside its values. */
export interface Sourced {
  /** Where it was read from. */
  readonly source: Source;
}

/** What each named section has beside its values. */
export interface Named extends Sourced {
  /** The `name` attribute. */
  readonly name: string;
}

/** `<settings>`; there always is an ESL password. */
export type Settings = Values<typeof settingsParameters> & Sourced & {
  readonly eslPassword: Secret;
};
/** `<tls>` */
export type TlsConfig = Values<typeof tlsParameters> & Sourced;
/** `<will>` */
export type WillConfig = Values<typeof willParameters> & Sourced;
/** What each topic must say. */
export interface Wired {
  /** A connection of the same profile. */
  readonly connectionName: string;
  /** A valid topic name or topic filter. */
  readonly pattern: string;
}
/** A publisher's `<topic>` */
export type PublisherTopicConfig = Values<typeof publisherTopicParameters> & Wired & Named;
/** A subscriber's `<topic>` */
export type SubscriberTopicConfig = Values<typeof subscriberTopicParameters> & Wired & Named;

/** `<connection>` */
export type ConnectionConfig = Values<typeof connectionParameters> & Named & {
  /** Its `<tls>`; all defaults where there is none. */
  readonly tls: TlsConfig;
  /** Its `<will>`; all defaults where there is none. */
  readonly will: WillConfig;
};

/** `<publisher>` */
export type PublisherConfig = Values<typeof publisherParameters> & Named & {
  /** Its topics, in their order. */
  readonly topics: readonly PublisherTopicConfig[];
};

/** `<subscriber>` */
export type SubscriberConfig = Values<typeof subscriberParameters> & Named & {
  /** Its topics, in their order. */
  readonly topics: readonly SubscriberTopicConfig[];
};

/** `<profile>` */
export type ProfileConfig = Values<typeof profileParameters> & Named & {
  /** Its broker connections, in their order. */
  readonly connections: readonly ConnectionConfig[];
  /** Its publishers, in their order. */
  readonly publishers: readonly PublisherConfig[];
  /** Its subscribers, in their order. */
  readonly subscribers: readonly SubscriberConfig[];
};

/** The whole configuration. */
export interface Config {
  /** The file that it was loaded from. */
  readonly file: string;
  /** `<settings>` */
  readonly settings: Settings;
  /** Where the ESL password came from, for the message that it is wrong. */
  readonly eslPasswordSource: string;
  /** The profiles, in their order. */
  readonly profiles: readonly ProfileConfig[];
}
