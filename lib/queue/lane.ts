/**
 * Messages that wait, in their order, those of QoS 0 apart from the others.
 *
 * @module
 */

import { Deque } from "./deque.ts";
import type { Entry } from "./entry.ts";

/** The end of a lane. */
export type End = "oldest" | "newest";

/**
 * Messages of all QoS. Of the first ones of both kinds, the one with the lower number is next. Those
 * that were held join behind others of higher numbers.
 */
export class Lane {
  /** Those of QoS 0. */
  readonly volatile = new Deque<Entry>();
  /** Those of QoS 1 and 2. */
  readonly reliable = new Deque<Entry>();

  /** How many there are. */
  get length(): number {
    return this.volatile.length + this.reliable.length;
  }

  /** The next one. */
  get first(): Entry | undefined {
    return this.#next.first;
  }

  /** Removes and returns the next one. */
  shift(): Entry | undefined {
    return this.#next.shift();
  }

  /** Adds one behind all others. */
  push(entry: Entry): void {
    this.#of(entry).push(entry);
  }

  /** Puts some back to where they were. */
  putBack(entries: readonly Entry[]): void {
    for (const entry of entries.toReversed()) this.#of(entry).unshift(entry);
    this.order();
  }

  /** Brings all into the order of their numbers. */
  order(): void {
    for (const row of [this.volatile, this.reliable]) row.sort((a, b) => a.number - b.number);
  }

  /** Removes and returns one from an end, of QoS 0 or of the others. */
  give(which: "volatile" | "reliable", end: End): Entry | undefined {
    return end === "oldest" ? this[which].shift() : this[which].pop();
  }

  get #next(): Deque<Entry> {
    const { volatile, reliable } = this;
    if (volatile.first === undefined) return reliable;
    if (reliable.first === undefined) return volatile;
    return volatile.first.number < reliable.first.number ? volatile : reliable;
  }

  #of({ qos }: Entry): Deque<Entry> {
    return qos === 0 ? this.volatile : this.reliable;
  }
}
