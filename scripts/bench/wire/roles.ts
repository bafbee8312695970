/**
 * What the processes of a measurement can be asked for.
 *
 * @module
 */

import type { SeriesName } from "./series.ts";

/** Where an event socket is. */
export interface EventSocket {
  /** Host name or address. */
  readonly hostname: string;
  /** Its port. */
  readonly port: number;
  /** Its password. */
  readonly password: string;
}

/**
 * How fast events are sent.
 *
 * - `window`: as fast as they arrive; at most so many are under way.
 * - `line`: as fast as the connection takes them.
 * - `steady`: so many a second; what is late is caught up with.
 */
export type Pace =
  | { readonly kind: "window"; readonly size: number }
  | { readonly kind: "line" }
  | { readonly kind: "steady"; readonly perSecond: number };

/** Events to be sent. */
export interface SendOrder {
  /** Which. */
  readonly series: SeriesName;
  /** The number of the first. */
  readonly first: number;
  /** How many. */
  readonly events: number;
  /** How fast. */
  readonly pace: Pace;
}

/** What became of an order. Times are microseconds since 1970. */
export interface Sent {
  /** How many were sent. */
  readonly events: number;
  /** When the first was. */
  readonly startedAt: number;
  /** When the last was. */
  readonly endedAt: number;
}

/** A process that sends events. */
export interface Feeder {
  /** Sends events, as soon as somebody listens, and resolves at the end. */
  send(order: SendOrder): Promise<Sent>;
}

/** What a receiver is to expect from now on. */
export interface Expectation {
  /** The number of the first event. */
  readonly first: number;
  /** How many events. */
  readonly events: number;
  /** How often each arrives. */
  readonly copies: number;
}

/** What a receiver has seen since it was told what to expect. */
export interface Received {
  /** Messages in all. */
  readonly messages: number;
  /** When the first was read, in microseconds since 1970; 0 if there was none. */
  readonly firstAt: number;
  /** Messages that are not there. */
  readonly missing: number;
  /** Messages more than there should be. */
  readonly repeated: number;
  /** Messages that carry no stamp, or one that nobody expects. */
  readonly strange: number;
  /** From send to read, in milliseconds, by share; none where there are not enough samples. */
  readonly latency: Readonly<Partial<Record<Quantile, number>>>;
}

/** A share of the messages that arrive within some time. */
export type Quantile = "p50" | "p99" | "p999" | "max";

/** A process that counts what arrives. */
export interface Receiver {
  /** Forgets what it saw. */
  expect(expectation: Expectation): Promise<void>;
  /** Resolves with the time when so many messages have arrived since {@linkcode expect}. */
  reach(messages: number): Promise<number>;
  /** What it saw. */
  report(): Promise<Received>;
}
