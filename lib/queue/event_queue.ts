/**
 * What one connection still has to publish, bounded, with books that balance.
 *
 * @module
 */

import type { GiveUpReason, Message, Outbox } from "../mqtt/outbox.ts";

/** Why a message was given up. */
export type DropReason = GiveUpReason | "queue_full";

/**
 * The books of a connection. At any moment
 * offered = acknowledged + in flight + queued + the sum of dropped.
 */
export interface Books {
  /** Messages that the connection was asked to publish. */
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

/** How much a queue holds. */
export interface QueueLimits {
  /** Messages that may wait. */
  readonly messages: number;
  /** Bytes of topics and payloads that may wait. */
  readonly bytes: number;
}

/** What a message takes beside its payload: its topic and the object itself, roughly, in bytes. */
const MESSAGE_OVERHEAD = 128;

function sizeOf(message: Message): number {
  return message.payload.length + message.topic.length + MESSAGE_OVERHEAD;
}

/**
 * A queue in order of arrival. When a bound is reached the oldest waiting messages are dropped,
 * since the newest tell best how things stand.
 */
export class EventQueue implements Outbox {
  #limits: QueueLimits;
  /** A ring: the oldest message is at `#first`. Its length is a power of two. */
  #ring: (Message | undefined)[] = new Array(16);
  #first = 0;
  #length = 0;
  #bytes = 0;
  #offered = 0;
  #acknowledged = 0;
  #inFlight = 0;
  readonly #dropped: Partial<Record<DropReason, number>> = {};
  #droppedTotal = 0;

  /** An empty queue. */
  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  /** How many messages wait. */
  get length(): number {
    return this.#length;
  }

  /** How many bytes wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Messages taken and neither acknowledged, put back nor dropped. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The books at this moment. */
  get books(): Books {
    return {
      offered: this.#offered,
      acknowledged: this.#acknowledged,
      inFlight: this.#inFlight,
      queued: this.#length,
      dropped: { ...this.#dropped },
    };
  }

  /** How many messages were dropped because a bound was reached. */
  get overflowed(): number {
    return this.#dropped.queue_full ?? 0;
  }

  /** How many messages were dropped for any reason. */
  get droppedTotal(): number {
    return this.#droppedTotal;
  }

  /** Changes the bounds; what no longer fits is dropped. */
  resize(limits: QueueLimits): void {
    this.#limits = limits;
    this.#shed();
  }

  /** Takes a message in. */
  offer(message: Message): void {
    this.#offered++;
    const size = sizeOf(message);
    if (size > this.#limits.bytes) {
      this.#countDrop("too_large");
      return;
    }
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#first + this.#length) & (this.#ring.length - 1)] = message;
    this.#length++;
    this.#bytes += size;
    this.#shed();
  }

  /** The oldest waiting message, left where it is. */
  peek(): Message | undefined {
    return this.#ring[this.#first];
  }

  /** Takes the oldest waiting message out; it is in flight from here on. */
  take(): Message | undefined {
    const message = this.#shift();
    if (message !== undefined) this.#inFlight++;
    return message;
  }

  /** A message in flight has arrived. */
  acknowledge(message: Message): void {
    this.#inFlight--;
    this.#acknowledged++;
    message.counter.messages++;
  }

  /** A message in flight is given up. */
  drop(reason: GiveUpReason): void {
    this.#inFlight--;
    this.#countDrop(reason);
  }

  /** Messages in flight go back to the head of the queue, in the order given. */
  putBack(messages: readonly Message[]): void {
    for (const message of messages.toReversed()) {
      if (this.#length === this.#ring.length) this.#grow();
      this.#first = (this.#first - 1) & (this.#ring.length - 1);
      this.#ring[this.#first] = message;
      this.#length++;
      this.#bytes += sizeOf(message);
      this.#inFlight--;
    }
    this.#shed();
  }

  #shed(): void {
    const isOver = () => this.#length > this.#limits.messages || this.#bytes > this.#limits.bytes;
    while (isOver() && this.#shift() !== undefined) this.#countDrop("queue_full");
  }

  #shift(): Message | undefined {
    const message = this.#ring[this.#first];
    if (message === undefined) return undefined;
    this.#ring[this.#first] = undefined;
    this.#first = (this.#first + 1) & (this.#ring.length - 1);
    this.#length--;
    this.#bytes -= sizeOf(message);
    return message;
  }

  #grow(): void {
    const grown: (Message | undefined)[] = new Array(this.#ring.length * 2);
    for (let i = 0; i < this.#length; i++) {
      grown[i] = this.#ring[(this.#first + i) & (this.#ring.length - 1)];
    }
    this.#ring = grown;
    this.#first = 0;
  }

  #countDrop(reason: DropReason): void {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + 1;
    this.#droppedTotal++;
  }
}
