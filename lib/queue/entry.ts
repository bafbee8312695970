/**
 * A message in the queue, with what the queue knows of it.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { Delivery, Message, MessageCounter } from "../mqtt/outbox.ts";
import { rowBytes } from "./spool/rows.ts";

/**
 * Whether a message is on disk.
 *
 * - `no`: nothing was written.
 * - `writing`: it may be there, and will be unless the disk says no.
 * - `yes`: it is there.
 */
export type Stored = "no" | "writing" | "yes";

/** A message that was offered. */
export class Entry implements Message {
  /** See `Message.topic`. */
  readonly topic: string;
  /** See `Message.qos`. */
  readonly qos: 0 | 1 | 2;
  /** See `Message.retain`. */
  readonly retain: boolean;
  /** See `Message.counter`. */
  readonly counter: MessageCounter;
  /** What it counts for in the bounds, in bytes. */
  readonly size: number;
  /** Whether a spooler knows of it. */
  isWatched = false;
  /** Whether it is on disk. */
  stored: Stored = "no";
  /** What MQTT has to remember of it. */
  delivery: Delivery | undefined;
  /** Its place; those of an earlier process are 0 and below. */
  readonly number: number;
  /** When it was offered, by the clock. */
  readonly offeredAt: number;
  #payload: Uint8Array<ArrayBuffer>;
  #isGone = false;

  /** An entry for what was offered. */
  constructor(message: Message, number: number, offeredAt: number) {
    this.number = number;
    this.offeredAt = offeredAt;
    this.topic = message.topic;
    this.#payload = message.payload;
    this.qos = message.qos;
    this.retain = message.retain;
    this.counter = message.counter;
    this.size = rowBytes(message);
  }

  /** The payload, until it is gone. */
  get payload(): Uint8Array<ArrayBuffer> {
    return this.#payload;
  }

  /** Whether it is acknowledged, dropped, or on disk alone. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** It is needed no more here: whoever still holds it holds no payload. */
  leave(): void {
    this.#isGone = true;
    this.#payload = NOTHING;
  }
}

/** When a message was offered, in milliseconds of the wall clock since 1970. */
export function wallTimeOf({ offeredAt }: Entry, clock: Clock): number {
  return clock.date().getTime() - Math.round(clock.now() - offeredAt);
}

/** The time by the clock of a wall time that is past, or now where that was set back since. */
export function clockTimeOf(wallTime: number, clock: Clock): number {
  return clock.now() - Math.max(0, clock.date().getTime() - wallTime);
}

const NOTHING = new Uint8Array();
