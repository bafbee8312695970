/**
 * Says in the log that messages are dropped: once when it begins, and how many when it is over.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { Logger } from "../log/logger.ts";
import type { Message } from "../mqtt/outbox.ts";
import type { DropReason } from "./books.ts";

/** What goes on while the queue is not empty, and what may go on while it is. */
const TEXTS: Readonly<Partial<Record<DropReason, string>>> = {
  expired: "Events are dropped that waited for longer than spool_max_age",
  over_rate: "Events are dropped since their topic is over its max_rate",
  breaker_open: "Events are dropped while the breaker is open",
  disk_full: "Events are dropped: memory is full, and the disk did not take them in time",
};

/** So long nothing is dropped before what has nothing to do with the queue's length is over. */
const QUIET_MS = 10_000;

/** Tells of what one queue drops. */
export class DropLog {
  readonly #log: Logger | undefined;
  readonly #clock: Clock;
  /** What is going on, and how many were dropped by it. */
  readonly #episodes = new Map<DropReason, { count: number; lastAt: number }>();

  /** Writes to `log`, if there is one. */
  constructor(log: Logger | undefined, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Takes notice of a drop from a queue in which so many messages wait. */
  note(reason: DropReason, message: Message, queue: { length: number; dropped: string }): void {
    const episode = this.#episodes.get(reason);
    if (episode !== undefined) {
      episode.count++;
      episode.lastAt = this.#clock.now();
      return;
    }
    this.#episodes.set(reason, { count: 1, lastAt: this.#clock.now() });
    this.#log?.warning(
      reason === "too_large"
        ? `Dropped a message of ${message.payload.length} bytes for "${message.topic}": the queue ` +
          "does not hold as many"
        : TEXTS[reason] ??
          `The queue is full with ${queue.length} events: ${queue.dropped} are dropped`,
    );
  }

  /** Nothing waits any more. */
  emptied(): void {
    for (const [reason, { count, lastAt }] of this.#episodes) {
      const isQuiet = this.#clock.now() - lastAt >= QUIET_MS;
      if (reason !== "queue_full" && !isQuiet) continue;
      this.#episodes.delete(reason);
      const what = reason === "queue_full"
        ? `The queue is empty again; ${count} events were dropped`
        : `${count} events were dropped (${reason})`;
      this.#log?.notice(what);
    }
  }
}
