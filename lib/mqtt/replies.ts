/**
 * Replies to requests, on their way to the broker. They go ahead of events, and are in none of
 * their books.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Clock } from "../clock.ts";
import { foreignTopicFault } from "../protocol/mqtt_topics.ts";
import {
  MAX_BINARY_BYTES,
  packetSize,
  type ReplyProperties,
  replyProperties,
} from "./properties.ts";
import { SocketLedger, type WrittenStream } from "./socket_ledger.ts";

/** An answer to publish. */
export interface Reply {
  /** Topic name, complete. */
  readonly topic: string;
  /** Payload, never changed. */
  readonly payload: Uint8Array<ArrayBuffer>;
  /**
   * Quality of Service. At 1 it is sent again, as new, until a broker has acknowledged it: it may
   * arrive twice. At 0 that ends when the socket took it: it may be lost.
   */
  readonly qos: 0 | 1;
  /** What the sender of the request knows it by; left out before MQTT 5. */
  readonly correlationData?: Uint8Array;
  /** Milliseconds after which it is of no use to anybody; a broker of MQTT 5 is told. */
  readonly goodForMs: number;
  /**
   * Whether it goes before others where there is not room for all: so that who gets nothing but
   * refusals cannot push out what others wait for.
   */
  readonly yields?: boolean;
}

/** What a box holds at most, with what is on its way. */
export interface ReplyLimits {
  /** How many. */
  readonly replies: number;
  /** Bytes of topics, payloads and correlation data. */
  readonly bytes: number;
}

/** A reply of a box. */
export interface HeldReply {
  /** The reply itself. */
  readonly reply: Reply;
  /** What it takes of the box. */
  readonly bytes: number;
  /** When it is of no use any more, on the clock's scale. */
  readonly untilMs: number;
  /** Connections that the broker has ended in place of acknowledging it. */
  vainSends: number;
}

/** Hears what becomes of a box. */
export interface ReplyListener {
  /** There may be something to send, or nothing left to wait for. */
  changed(): void;
  /** A reply was dropped. `trouble` is the same for all that were for the same reason. */
  dropped(trouble: string, text: string): void;
}

const DEFAULT_LIMITS: ReplyLimits = { replies: 1_000, bytes: 2 ** 20 };
/** So many connections may the broker end at a reply; its sender does not wait for long. */
const MAX_VAIN_SENDS = 5;

/** Replies that have not arrived yet. It outlives the connections that they go over. */
export class ReplyBox {
  readonly #clock: Clock;
  readonly #limits: ReplyLimits;
  readonly #waiting: HeldReply[] = [];
  #listener: ReplyListener = { changed: () => {}, dropped: () => {} };
  #length = 0;
  #bytes = 0;
  #dropped = 0;

  /**
   * An empty box.
   *
   * @param limits 1,000 replies and 1 MiB, if nothing else is said.
   */
  constructor(clock: Clock, limits: ReplyLimits = DEFAULT_LIMITS) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** How many replies wait or are on their way. */
  get length(): number {
    return this.#length;
  }

  /** How many were given up, for whatever reason. */
  get dropped(): number {
    return this.#dropped;
  }

  /** `listener` hears from now on, in place of another. */
  tells(listener: ReplyListener): void {
    this.#listener = listener;
  }

  /**
   * Sends a reply as soon as there is a broker to take it. Returns `false` if one had to be dropped:
   * the oldest that waits if the box is full, of those that yield if there are any, or this one if it
   * can never be sent.
   */
  add(reply: Reply): boolean {
    const { topic, payload, correlationData, goodForMs } = reply;
    const bytes = Buffer.byteLength(topic) + payload.length + (correlationData?.length ?? 0);
    const held = { reply, bytes, untilMs: this.#clock.now() + goodForMs, vainSends: 0 };
    this.#length++;
    this.#bytes += bytes;
    const fault = this.#faultOf(held);
    if (fault !== undefined) {
      this.drop(held, "a reply that cannot be sent", `Dropped a reply: ${fault}`);
      return false;
    }
    this.#waiting.push(held);
    const isFull = this.#isOver();
    while (this.#isOver()) this.#dropOldest();
    this.#listener.changed();
    return !isFull;
  }

  /** The reply to be sent next, left where it is. Those that come too late are dropped. */
  peek(): HeldReply | undefined {
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined || this.#clock.now() < next.untilMs) return next;
      this.#waiting.shift();
      const { topic, goodForMs } = next.reply;
      this.drop(
        next,
        "replies too late",
        `Dropped a reply for "${topic}": it could not be sent within ${goodForMs / 1000} s`,
      );
    }
  }

  /** Takes that reply out; it is on its way from here on. */
  take(): HeldReply | undefined {
    const next = this.peek();
    this.#waiting.shift();
    return next;
  }

  /** What the broker is told of a reply. */
  propertiesOf({ reply, untilMs }: HeldReply): ReplyProperties {
    return replyProperties(reply.correlationData, untilMs - this.#clock.now());
  }

  /** A reply on its way has arrived. */
  arrived(held: HeldReply): void {
    this.#forget(held);
    this.#listener.changed();
  }

  /** A reply on its way is given up. */
  drop(held: HeldReply, trouble: string, text: string): void {
    this.#forget(held);
    this.#dropped++;
    this.#listener.dropped(trouble, text);
    this.#listener.changed();
  }

  /** Replies on their way go back to the head, in the order given. */
  putBack(replies: readonly HeldReply[]): void {
    this.#waiting.unshift(...replies);
    this.#listener.changed();
  }

  #faultOf({ reply, bytes }: HeldReply): string | undefined {
    const fault = foreignTopicFault(reply.topic);
    if (fault !== undefined) return `its topic ${fault}`;
    if ((reply.correlationData?.length ?? 0) > MAX_BINARY_BYTES) {
      return `its correlation data is over ${MAX_BINARY_BYTES} bytes`;
    }
    return bytes > this.#limits.bytes ? `it is over ${this.#limits.bytes} bytes` : undefined;
  }

  #isOver(): boolean {
    return this.#length > this.#limits.replies || this.#bytes > this.#limits.bytes;
  }

  #dropOldest(): void {
    const yielding = this.#waiting.findIndex(({ reply }) => reply.yields === true);
    const [oldest] = this.#waiting.splice(Math.max(0, yielding), 1);
    if (oldest === undefined) return;
    const { replies, bytes } = this.#limits;
    this.drop(
      oldest,
      "the box of replies is full",
      `Dropped a reply for "${oldest.reply.topic}", the oldest that waits: ${replies} replies of ` +
        `${bytes} bytes together are held at most`,
    );
  }

  #forget({ bytes }: HeldReply): void {
    this.#length--;
    this.#bytes -= bytes;
  }
}

/** What a broker takes. */
export interface ReplyLine {
  /** The highest QoS. */
  readonly maximumQos: 0 | 1 | 2;
  /** The longest packet, in bytes. */
  readonly maximumPacketSize: number;
}

/** A reply that is to be sent now. */
export interface Sending {
  /** The reply. */
  readonly held: HeldReply;
  /** Quality of Service that the broker takes. */
  readonly qos: 0 | 1;
  /** What MQTT 5 tells the broker of it. */
  readonly properties: ReplyProperties;
}

/** Replies that went over one connection, until it is known what became of them. */
export class SentReplies {
  readonly #box: ReplyBox;
  readonly #ledger: SocketLedger<HeldReply>;
  /** With their QoS, in the order sent. */
  readonly #sent = new Map<HeldReply, 0 | 1>();
  #unacknowledged = 0;
  readonly #emptyWaiters: (() => void)[] = [];

  /** Those of a box, over a stream. */
  constructor(box: ReplyBox, stream: WrittenStream) {
    this.#box = box;
    this.#ledger = new SocketLedger(stream);
  }

  /** How many the broker has still to acknowledge; each takes a place of the window. */
  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  /** Whether some at QoS 0 wait for the socket to take them. */
  get hasUnsettled(): boolean {
    return !this.#ledger.isEmpty;
  }

  /** Resolves when the broker has acknowledged all that it has to. */
  async emptied(): Promise<void> {
    if (this.#unacknowledged > 0) {
      await new Promise<void>((resolve) => this.#emptyWaiters.push(resolve));
    }
  }

  /**
   * Takes the next reply out of the box, if one may go now.
   *
   * @param hasRoom Whether the window has a place for one at QoS 1.
   */
  take({ maximumQos, maximumPacketSize }: ReplyLine, hasRoom: boolean): Sending | undefined {
    for (;;) {
      const held = this.#box.peek();
      if (held === undefined || this.#isTrying) return undefined;
      const { topic, payload } = held.reply;
      const qos = held.reply.qos === 1 && maximumQos > 0 ? 1 : 0;
      if (qos === 1 && !hasRoom) return undefined;
      this.#box.take();
      const properties = this.#box.propertiesOf(held);
      if (packetSize(held.reply, qos, properties) <= maximumPacketSize) {
        this.#add(held, qos);
        return { held, qos, properties };
      }
      this.#box.drop(
        held,
        "replies too large",
        `Dropped a reply of ${payload.length} bytes for "${topic}": the broker takes packets of at ` +
          `most ${maximumPacketSize} bytes`,
      );
    }
  }

  /** The broker has acknowledged a reply at QoS 1, or refused it. */
  acknowledged(held: HeldReply, refusal?: string): void {
    if (!this.#remove(held)) return;
    if (refusal === undefined) {
      this.#box.arrived(held);
      return;
    }
    const text = `The broker refused a reply for "${held.reply.topic}": ${refusal}`;
    this.#box.drop(held, `replies refused: ${refusal}`, text);
  }

  /** Ends a batch. */
  flush(): void {
    this.#ledger.seal();
  }

  /** Looks which replies at QoS 0 the socket has taken since. */
  settle(): void {
    for (const held of this.#ledger.settle()) {
      if (this.#remove(held)) this.#box.arrived(held);
    }
  }

  /**
   * The connection is over: what has not arrived goes back into the box.
   *
   * @param isBrokersWord Whether the broker ended it, which may be its answer to a reply.
   */
  close(isBrokersWord: boolean): void {
    const lost: HeldReply[] = [];
    for (const [held, qos] of [...this.#sent]) {
      this.#remove(held);
      if (isBrokersWord && qos === 1) held.vainSends++;
      if (held.vainSends < MAX_VAIN_SENDS) lost.push(held);
      else {
        this.#box.drop(
          held,
          "replies in vain",
          `Gave up a reply of ${held.reply.payload.length} bytes for "${held.reply.topic}": the ` +
            `broker ended ${MAX_VAIN_SENDS} connections at it`,
        );
      }
    }
    this.#box.putBack(lost);
  }

  /**
   * A reply at which a connection has ended goes alone, so that the broker's next word is on it and
   * on no other.
   */
  get #isTrying(): boolean {
    if (this.#unacknowledged === 0) return false;
    return [...this.#sent.keys()].some(({ vainSends }) => vainSends > 0);
  }

  #add(held: HeldReply, qos: 0 | 1): void {
    this.#sent.set(held, qos);
    if (qos === 0) this.#ledger.add(held);
    else this.#unacknowledged++;
  }

  #remove(held: HeldReply): boolean {
    if (this.#sent.get(held) === 1) this.#unacknowledged--;
    if (this.#unacknowledged === 0) this.#emptyWaiters.splice(0).forEach((resolve) => resolve());
    return this.#sent.delete(held);
  }
}
