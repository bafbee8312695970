/**
 * Messages over the rate of their topic, until it is their turn.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { Deque } from "./deque.ts";
import type { Entry } from "./entry.ts";
import type { End } from "./lane.ts";
import type { TokenBucket } from "./token_bucket.ts";

/** How fast a topic may be published to. */
export interface RateLimit {
  /** What may pass. */
  readonly bucket: TokenBucket;
  /** What becomes of the rest. */
  readonly over: "hold" | "drop";
}

interface Held {
  readonly entries: Deque<Entry>;
  cancelTimer: () => void;
}

/** The messages that are held, by their limit; those of one limit keep their order. */
export class Holding {
  readonly #clock: Clock;
  readonly #release: (entry: Entry) => void;
  readonly #held = new Map<RateLimit, Held>();

  /** `release` gets each message when it may go. */
  constructor(clock: Clock, release: (entry: Entry) => void) {
    this.#clock = clock;
    this.#release = release;
  }

  /** Whether a new message of this limit may pass at once; it counts as passed then. */
  admits(limit: RateLimit): boolean {
    return !this.#held.has(limit) && limit.bucket.take();
  }

  /** Holds a message that may not pass yet. */
  hold(limit: RateLimit, entry: Entry): void {
    let held = this.#held.get(limit);
    if (held === undefined) {
      held = { entries: new Deque(), cancelTimer: () => {} };
      this.#held.set(limit, held);
      this.#wait(limit, held);
    }
    held.entries.push(entry);
  }

  /** Removes and returns one, of the topic of which most are held. */
  give(which: "volatile" | "reliable", end: End): Entry | undefined {
    const isVolatile = which === "volatile";
    const [most] = [...this.#held.values()].map(({ entries }) => entries)
      .filter(({ first }) => first !== undefined && (first.qos === 0) === isVolatile)
      .sort((a, b) => b.length - a.length);
    return end === "oldest" ? most?.shift() : most?.pop();
  }

  /** All that is held. */
  *[Symbol.iterator](): Generator<Entry, void> {
    for (const { entries } of this.#held.values()) yield* entries;
  }

  /** Holds nothing any more; what is held is released at once. */
  releaseAll(): void {
    for (const { entries, cancelTimer } of this.#held.values()) {
      cancelTimer();
      for (let entry = entries.shift(); entry !== undefined; entry = entries.shift()) {
        this.#release(entry);
      }
    }
    this.#held.clear();
  }

  #wait(limit: RateLimit, held: Held): void {
    // A timer of 0 ms would come before the token that is due within this millisecond.
    held.cancelTimer = this.#clock.after(Math.max(1, limit.bucket.waitMs), () => {
      while (held.entries.length > 0 && limit.bucket.take()) {
        const entry = held.entries.shift();
        if (entry !== undefined) this.#release(entry);
      }
      if (held.entries.length > 0) this.#wait(limit, held);
      else this.#held.delete(limit);
    });
  }
}
