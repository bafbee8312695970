/**
 * A message in the queue, with what the queue knows of it.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { Delivery, Message, MessageCounter } from "../mqtt/outbox.ts";
import type { Slab } from "./slabs.ts";
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
  /** The payload where it is lent; else it is in the slab, and a view of it is made when it is asked for. */
  #lent: Uint8Array<ArrayBuffer> | undefined;
  #slab: Slab | undefined;
  #start = 0;
  #length: number;
  #isGone = false;

  /** An entry for what was offered. Its payload is that of the message, which may only be lent. */
  constructor(message: Message, number: number, offeredAt: number) {
    this.number = number;
    this.offeredAt = offeredAt;
    this.topic = message.topic;
    this.#lent = message.payload;
    this.#length = message.payload.length;
    this.qos = message.qos;
    this.retain = message.retain;
    this.counter = message.counter;
    this.size = rowBytes(message);
  }

  /** The payload, until it is gone. */
  get payload(): Uint8Array<ArrayBuffer> {
    return this.#lent ?? this.#slab?.view(this.#start, this.#length) ?? NOTHING;
  }

  /** Whether it is acknowledged, dropped, or on disk alone. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Whether its payload is a copy of its own. */
  get isKept(): boolean {
    return this.#slab !== undefined;
  }

  /** A copy of the payload is its own from here on, at the given place. */
  keep(payload: Uint8Array, slab: Slab): void {
    this.#slab = slab;
    this.#start = slab.add(payload);
    this.#lent = undefined;
  }

  /** It is needed no more here: whoever still holds it holds no payload. */
  leave(): void {
    this.#isGone = true;
    this.#lent = undefined;
    // What is just being written to disk has to stay as it is.
    if (this.stored !== "writing") this.#slab?.release();
    this.#slab = undefined;
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
