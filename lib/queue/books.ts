/**
 * The books of a connection: what became of every message.
 *
 * @module
 */

import type { GiveUpReason } from "../mqtt/outbox.ts";

/**
 * Why a message was given up.
 *
 * - `too_large`: the queue or the broker does not take as many bytes.
 * - `refused`: the broker said no.
 * - `queue_full`: a bound of the queue or of its spool was reached.
 * - `expired`: it had waited for longer than `spool_max_age`.
 * - `over_rate`: its topic was over `max_rate`.
 * - `breaker_open`: the breaker was open, and sheds its kind.
 * - `disk_full`: memory was full, and the disk had not taken it in time, or not at all.
 * - `damaged`: it was in a spool that was damaged.
 */
export type DropReason =
  | GiveUpReason
  | "queue_full"
  | "expired"
  | "over_rate"
  | "breaker_open"
  | "disk_full"
  | "damaged";

/**
 * The books at a moment:
 * offered = acknowledged + in flight + queued + the sum of dropped.
 */
export interface Books {
  /** Messages that the connection was asked to publish, those found in its spool among them. */
  readonly offered: number;
  /** Acknowledged by the broker; at QoS 0, taken by the socket. */
  readonly acknowledged: number;
  /** Handed to MQTT, not acknowledged yet. */
  readonly inFlight: number;
  /** Waiting. */
  readonly queued: number;
  /** Given up, by reason. */
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
}

/** Counts what was given up. */
export class Drops {
  readonly #byReason: Partial<Record<DropReason, number>> = {};

  /** How many for each reason that there was. */
  get byReason(): Partial<Record<DropReason, number>> {
    return { ...this.#byReason };
  }

  /** Counts some. */
  add(reason: DropReason, count = 1): void {
    this.#byReason[reason] = (this.#byReason[reason] ?? 0) + count;
  }

  /** Counts those that were counted elsewhere. */
  take(byReason: Books["dropped"]): void {
    for (const [reason, count] of Object.entries(byReason)) this.add(reason as DropReason, count);
  }
}
