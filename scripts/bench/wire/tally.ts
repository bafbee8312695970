/**
 * What has arrived: how often each event, and how long it took.
 *
 * @module
 */

import type { Expectation, Quantile, Received } from "./roles.ts";
import { findStamp, stampedMicros, stampedSequence } from "./stamp.ts";

/** A share is only told where at least so many samples lie beyond it, but for the highest. */
const QUANTILES: readonly (readonly [Quantile, number, number])[] = [
  ["p50", 0.5, 1],
  ["p99", 0.99, 100],
  ["p999", 0.999, 1000],
  ["max", 1, 1],
];

/** Counts the messages that are expected. Taking one costs no memory. */
export class Tally {
  #first = 0;
  #copies = 1;
  #seen = new Uint8Array(0);
  #latencies = new Float32Array(0);
  #samples = 0;
  #messages = 0;
  #firstAt = 0;
  #repeated = 0;
  #strange = 0;

  /** Forgets everything, and expects these from now on. */
  expect({ first, events, copies }: Expectation): void {
    this.#first = first;
    this.#copies = copies;
    this.#seen = new Uint8Array(events);
    this.#latencies = new Float32Array(events * copies);
    this.#samples =
      this.#messages =
      this.#repeated =
      this.#strange =
        0;
  }

  /** How many messages have arrived. */
  get messages(): number {
    return this.#messages;
  }

  /** Takes the message from `start` up to `end`, which was read at that time. */
  take(bytes: Uint8Array, start: number, end: number, micros: number): void {
    if (this.#messages++ === 0) this.#firstAt = micros;
    const at = findStamp(bytes, start, end);
    const index = at < 0 ? -1 : stampedSequence(bytes, at) - this.#first;
    const seen = this.#seen[index];
    if (seen === undefined) {
      this.#strange++;
      return;
    }
    if (seen === this.#copies) {
      this.#repeated++;
      return;
    }
    this.#seen[index] = seen + 1;
    this.#latencies[this.#samples++] = (micros - stampedMicros(bytes, at)) / 1000;
  }

  /** What was seen. */
  report(): Received {
    const seen = this.#seen.reduce((sum, each) => sum + each, 0);
    return {
      messages: this.#messages,
      firstAt: this.#firstAt,
      missing: this.#seen.length * this.#copies - seen,
      repeated: this.#repeated,
      strange: this.#strange,
      latency: quantiles(this.#latencies.slice(0, this.#samples)),
    };
  }
}

/** The shares of some times for which there are enough of them. */
export function quantiles(times: Float32Array): Received["latency"] {
  const sorted = times.toSorted();
  const told: Partial<Record<Quantile, number>> = {};
  for (const [name, share, least] of QUANTILES) {
    const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
    if (value !== undefined && sorted.length >= least) told[name] = value;
  }
  return told;
}
