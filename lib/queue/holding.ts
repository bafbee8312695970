/**
 * Messages over the rate of their topic, until it is their turn.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { Message, MessageCounter } from "../mqtt/outbox.ts";
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

/** What the holder of messages is told. */
export interface HoldingHandlers {
  /** Some may go now: what is too old is to be taken out before it costs others their turn. */
  expire(): void;
  /** A message may go. */
  release(entry: Entry): void;
}

interface Held {
  limit: RateLimit;
  readonly entries: Deque<Entry>;
  cancelTimer: () => void;
}

/** The messages that are held, by the counter of their topic; those of one topic keep their order. */
export class Holding {
  readonly #clock: Clock;
  readonly #handlers: HoldingHandlers;
  readonly #held = new Map<MessageCounter, Held>();

  /** Holds nothing yet. */
  constructor(clock: Clock, handlers: HoldingHandlers) {
    this.#clock = clock;
    this.#handlers = handlers;
  }

  /**
   * Whether a new message of a topic may pass at once; it counts as passed then. What is held of the
   * topic is under this limit from now on; without one, it goes.
   */
  admits(message: Message, limit: RateLimit | undefined): boolean {
    const { counter, qos } = message;
    const held = this.#held.get(counter);
    // What is held is of one kind, by which it is shed.
    const isOther = held?.entries.first !== undefined && held.entries.first.qos !== qos;
    if (held !== undefined && (limit === undefined || isOther)) {
      this.#releaseAll(counter, held);
      return this.admits(message, limit);
    }
    if (limit === undefined) return true;
    if (held !== undefined && held.limit !== limit) {
      held.limit = limit;
      held.cancelTimer();
      this.#wait(counter, held);
    }
    return (held === undefined || held.entries.length === 0) && limit.bucket.take();
  }

  /** Holds a message that may not pass yet. */
  hold(entry: Entry, limit: RateLimit): void {
    let held = this.#held.get(entry.counter);
    if (held === undefined) {
      held = { limit, entries: new Deque(), cancelTimer: () => {} };
      this.#held.set(entry.counter, held);
      this.#wait(entry.counter, held);
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

  /** Removes and returns those that were offered before this moment. */
  *older(offeredAt: number): Generator<Entry, void> {
    for (const { entries } of this.#held.values()) {
      while (entries.first !== undefined && entries.first.offeredAt < offeredAt) {
        yield entries.shift() as Entry;
      }
    }
  }

  /** All that is held. */
  *[Symbol.iterator](): Generator<Entry, void> {
    for (const { entries } of this.#held.values()) yield* entries;
  }

  /** Holds nothing any more; what is held is released at once. */
  releaseAll(): void {
    for (const [counter, held] of this.#held) this.#releaseAll(counter, held);
  }

  #releaseAll(counter: MessageCounter, { entries, cancelTimer }: Held): void {
    cancelTimer();
    this.#held.delete(counter);
    for (let entry = entries.shift(); entry !== undefined; entry = entries.shift()) {
      this.#handlers.release(entry);
    }
  }

  #wait(counter: MessageCounter, held: Held): void {
    const { entries, limit: { bucket } } = held;
    // A timer of 0 ms would come before the token that is due within this millisecond.
    held.cancelTimer = this.#clock.after(Math.max(1, bucket.waitMs), () => {
      this.#handlers.expire();
      while (entries.length > 0 && bucket.take()) {
        const entry = entries.shift();
        if (entry !== undefined) this.#handlers.release(entry);
      }
      if (entries.length > 0) this.#wait(counter, held);
      else this.#held.delete(counter);
    });
  }
}
