/**
 * The QoS 2 messages that the broker has sent and not released yet: what MQTT must remember over a
 * reconnect, so that each is handed over once (MQTT 5.0, section 4.3.3).
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { PacketCallback, StoredPacket } from "./in_flight.ts";

/** A store for MQTT.js (its `IStore`) that outlives its clients. */
export class IncomingStore {
  readonly #clock: Clock;
  readonly #packets = new Map<
    number,
    { readonly packet: StoredPacket; readonly sinceMs: number }
  >();

  /** `clock` says how long a message has waited. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many messages wait for their release. */
  get size(): number {
    return this.#packets.size;
  }

  /** Forgets all messages: the broker has begun a new session. */
  clear(): void {
    this.#packets.clear();
  }

  /** Called by MQTT.js before PUBREC is sent. */
  put(packet: StoredPacket, callback: PacketCallback): this {
    this.#packets.set(packet.messageId ?? 0, { packet, sinceMs: this.#clock.now() });
    callback();
    return this;
  }

  /** Called by MQTT.js when PUBREL has come. The time for which the message was held is over for it. */
  get(packet: StoredPacket, callback: PacketCallback): this {
    const known = this.#packets.get(packet.messageId ?? 0);
    if (known === undefined) callback(new Error("missing packet"));
    else callback(undefined, aged(known.packet, this.#clock.now() - known.sinceMs));
    return this;
  }

  /** Called by MQTT.js once the message was handed over. */
  del(packet: StoredPacket, callback: PacketCallback): this {
    this.#packets.delete(packet.messageId ?? 0);
    callback();
    return this;
  }
}

/** A packet with so much less of its expiry interval, as a broker passes it on (section 3.3.2.3.3). */
function aged(packet: StoredPacket, ms: number): StoredPacket {
  const { messageExpiryInterval: seconds } = packet.properties ?? {};
  if (typeof seconds !== "number") return packet;
  const messageExpiryInterval = Math.max(0, seconds - Math.floor(ms / 1000));
  return { ...packet, properties: { ...packet.properties, messageExpiryInterval } };
}
