/**
 * The QoS 2 messages that the broker has sent and not released yet: what MQTT must remember over a
 * reconnect, so that each is handed over once (MQTT 5.0, section 4.3.3).
 *
 * @module
 */

import type { PacketCallback, StoredPacket } from "./in_flight.ts";

/** A store for MQTT.js (its `IStore`) that outlives its clients. */
export class IncomingStore {
  readonly #packets = new Map<number, StoredPacket>();

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
    this.#packets.set(packet.messageId ?? 0, packet);
    callback();
    return this;
  }

  /** Called by MQTT.js when PUBREL has come. */
  get(packet: StoredPacket, callback: PacketCallback): this {
    const known = this.#packets.get(packet.messageId ?? 0);
    if (known === undefined) callback(new Error("missing packet"));
    else callback(undefined, known);
    return this;
  }

  /** Called by MQTT.js once the message was handed over. */
  del(packet: StoredPacket, callback: PacketCallback): this {
    this.#packets.delete(packet.messageId ?? 0);
    callback();
    return this;
  }
}
