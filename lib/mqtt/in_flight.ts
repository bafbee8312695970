/**
 * The QoS 1 and 2 messages that MQTT is delivering: what it must remember over a reconnect
 * (MQTT 5.0, section 4.1).
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { Gate } from "./gate.ts";
import type { Delivery, Message, Outbox } from "./outbox.ts";

/** As much of an MQTT packet as a store needs to know. */
export interface StoredPacket {
  /** `publish` or `pubrel`. */
  readonly cmd?: string;
  /** Packet identifier. */
  readonly messageId?: number;
  /** DUP flag of a PUBLISH. */
  readonly dup?: boolean;
  /** Quality of Service of a PUBLISH. */
  readonly qos?: number;
  /** RETAIN flag of a PUBLISH. */
  readonly retain?: boolean;
  /** Properties of a PUBLISH of MQTT 5. */
  readonly properties?: { readonly messageExpiryInterval?: unknown };
}

/** How MQTT.js is answered. */
export type PacketCallback = (error?: Error, packet?: StoredPacket) => void;

interface Entry {
  readonly message: Message;
  readonly publish: StoredPacket;
  /** Whether the broker has said PUBREC: only PUBREL is left to say. */
  released: boolean;
  /** Why the broker has said no, if it has. */
  refusal: string | undefined;
}

/** What a broker takes of what was begun with one that took more. */
export interface BrokerLimits {
  /** The highest QoS that it takes. */
  readonly maximumQos: 0 | 1 | 2;
  /** Whether it stores messages. */
  readonly retainAvailable: boolean;
}

const NO_LIMITS: BrokerLimits = { maximumQos: 2, retainAvailable: true };

/** Hears of a delivery that has ended; `refusal` is there if the broker said no. */
export type DeliveryListener = (message: Message, refusal: string | undefined) => void;

/**
 * A store for MQTT.js (its `IStore`) that outlives its clients. It hears of an acknowledgement by
 * the packet's removal, since a client that has ended answers no callbacks.
 */
export class InFlightStore {
  readonly #entries = new Map<number, Entry>();
  readonly #outbox: Outbox;
  readonly #remembers: boolean;
  #ended: DeliveryListener = () => {};
  #publishing: Message | undefined;
  #emptyWaiters: (() => void)[] = [];
  #isResumed = false;
  #broker: BrokerLimits = NO_LIMITS;
  /** Of the present connection; what a former one had to send is not sent by it any more. */
  #publishes = new Gate();
  #releases = new Gate();

  /**
   * `outbox` remembers deliveries at QoS 2; not so without `remembers`, since a session that does not
   * outlive the process needs none of it.
   */
  constructor(outbox: Outbox, { remembers }: { readonly remembers: boolean }) {
    this.#outbox = outbox;
    this.#remembers = remembers;
  }

  /** `listener` hears from now on of each message that the broker acknowledged or refused. */
  tells(listener: DeliveryListener): void {
    this.#ended = listener;
  }

  /** A connection begins. Says whether the broker still has the session of the stored packets. */
  begin(isResumed: boolean, broker: BrokerLimits = NO_LIMITS): void {
    this.#isResumed = isResumed;
    this.#broker = broker;
    this.#publishes.close();
    this.#releases.close();
    this.#publishes = new Gate();
    this.#releases = new Gate();
  }

  /** Takes over a delivery that an earlier process has begun; `false` if its identifier is taken. */
  adopt(message: Message, { packetId, released }: Delivery): boolean {
    if (this.#entries.has(packetId)) return false;
    const { topic, payload, qos, retain } = message;
    const rest = { topic, payload: asBuffer(payload), retain };
    const publish = { cmd: "publish", messageId: packetId, qos, dup: false, ...rest };
    this.#entries.set(packetId, { message, publish, released, refusal: undefined });
    return true;
  }

  /** Whether a message is being delivered under this packet identifier. */
  has(packetId: number): boolean {
    return this.#entries.has(packetId);
  }

  /** The payload that is being delivered under this packet identifier. */
  payloadOf(packetId: number): Buffer<ArrayBuffer> | undefined {
    const message = this.#entries.get(packetId)?.message;
    return message && asBuffer(message.payload);
  }

  /** How many messages are being delivered. */
  get size(): number {
    return this.#entries.size;
  }

  /** Resolves when no message is being delivered. */
  async emptied(): Promise<void> {
    if (this.size > 0) await new Promise<void>((resolve) => this.#emptyWaiters.push(resolve));
  }

  /**
   * Runs `publish`, which makes MQTT.js store the packet of this message. Returns whether it did:
   * a client that is ending does not, nor one that chose a packet identifier still in use.
   */
  track(message: Message, publish: () => void): boolean {
    this.#publishing = message;
    publish();
    const isStored = this.#publishing === undefined;
    this.#publishing = undefined;
    return isStored;
  }

  /** Marks a message that the broker refused with a reason code; its removal follows. */
  markRefused(messageId: number, refusal: string): void {
    const entry = this.#entries.get(messageId);
    if (entry !== undefined) entry.refusal = refusal;
  }

  /** The message that was sent first of those being delivered. */
  get oldest(): Message | undefined {
    return this.#entries.values().next().value?.message;
  }

  /** Gives up the oldest message: it is not sent again. */
  giveUpOldest(refusal: string): void {
    const [oldest] = this.#entries;
    if (oldest === undefined) return;
    const [id, { message }] = oldest;
    this.#entries.delete(id);
    this.#noteEmpty();
    this.#ended(message, refusal);
  }

  /** Forgets all messages and returns them in the order in which they were sent. */
  clear(): Message[] {
    const messages = [...this.#entries.values()].map(({ message }) => message);
    this.#entries.clear();
    this.#noteEmpty();
    return messages;
  }

  /** Called by MQTT.js before PUBLISH or PUBREL is sent. */
  put(packet: StoredPacket, callback: PacketCallback): this {
    const id = packet.messageId ?? 0;
    const known = this.#entries.get(id);
    if (packet.cmd === "pubrel" && known !== undefined) {
      this.#release(known, id, callback);
      return this;
    }
    if (packet.cmd === "publish" && this.#publishing !== undefined) {
      if (known !== undefined) {
        callback(new Error("packet identifier in use"));
        return this;
      }
      const message = this.#publishing;
      this.#publishing = undefined;
      // MQTT.js would store a copy of the payload; the message's own bytes serve as well.
      const publish = { ...packet, payload: asBuffer(message.payload) };
      this.#entries.set(id, { message, publish, released: false, refusal: undefined });
      this.#publish(message, packet, callback);
      return this;
    }
    callback();
    return this;
  }

  /** PUBLISH packets go in their order, at QoS 2 when their identifier is remembered. */
  #publish(message: Message, { messageId = 0, qos }: StoredPacket, go: () => void): void {
    const delivery = { packetId: messageId, released: false };
    if (qos !== 2 || !this.#remembers) this.#publishes.pass(go);
    else this.#publishes.pass(go, (then) => this.#outbox.remember(message, delivery, then));
  }

  /**
   * PUBREL packets go in their order (section 4.6), when that is remembered: behind one, a PUBLISH
   * would be taken for a new one.
   */
  #release(entry: Entry, packetId: number, go: () => void): void {
    const delivery = { packetId, released: true };
    const release = () => {
      entry.released = true;
      go();
    };
    if (!this.#remembers) this.#releases.pass(release);
    else {
      this.#releases.pass(
        release,
        (then) => this.#outbox.remember(entry.message, delivery, then),
      );
    }
  }

  /** Called by MQTT.js after PUBACK, PUBCOMP, or a refusal, also of what is not tracked here. */
  del(packet: StoredPacket, callback: PacketCallback): this {
    const id = packet.messageId ?? 0;
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      callback();
      return this;
    }
    this.#entries.delete(id);
    callback(undefined, entry.publish);
    this.#ended(entry.message, entry.refusal);
    this.#noteEmpty();
    return this;
  }

  /** Called by MQTT.js to look a packet up. */
  get(packet: StoredPacket, callback: PacketCallback): this {
    const entry = this.#entries.get(packet.messageId ?? 0);
    if (entry === undefined) callback(new Error("missing packet"));
    else callback(undefined, entry.publish);
    return this;
  }

  /**
   * Called by MQTT.js after a reconnect: what to send again. In a session that the broker still
   * has, that is PUBLISH with DUP, or PUBREL (section 4.4). In a new session it knows nothing of
   * them, and a PUBREL would lose the message.
   */
  createStream(): Readable {
    return Readable.from(this.#packets(this.#isResumed), { objectMode: true, highWaterMark: 1 });
  }

  /** What a former connection was about to remember may not be what is sent now. */
  async *#packets(isResumed: boolean): AsyncGenerator<StoredPacket, void> {
    const entries = [...this.#entries];
    await Promise.all(entries.map(([packetId, entry]) => {
      entry.released &&= isResumed;
      if (!this.#remembers || entry.publish.qos !== 2) return;
      const delivery = { packetId, released: entry.released };
      return new Promise<void>((then) => this.#outbox.remember(entry.message, delivery, then));
    }));
    const { maximumQos, retainAvailable } = this.#broker;
    for (const [messageId, { publish, released }] of entries) {
      const qos = Math.min(publish.qos ?? 0, Math.max(1, maximumQos));
      const retain = publish.retain === true && retainAvailable;
      const again = { ...publish, qos, retain, dup: isResumed };
      yield released && qos === 2 ? { cmd: "pubrel", messageId } : again;
    }
  }

  #noteEmpty(): void {
    if (this.size > 0) return;
    for (const resolve of this.#emptyWaiters.splice(0)) resolve();
  }
}

/** The same bytes as a Buffer. */
export function asBuffer(bytes: Uint8Array<ArrayBuffer>): Buffer<ArrayBuffer> {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
