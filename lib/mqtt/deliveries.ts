/**
 * Tells a repeated delivery from a new one.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** A QoS 1 delivery: the packet's own data. */
export interface Delivery {
  /** Packet identifier. */
  readonly messageId: number;
  /** DUP flag: the broker has sent it before, which does not say that it arrived. */
  readonly dup: boolean;
  /** Topic name. */
  readonly topic: string;
  /** Payload. */
  readonly payload: Uint8Array;
}

/**
 * Remembers the QoS 1 deliveries of one session by packet identifier, so that a message whose
 * PUBACK was lost is not taken for another one.
 *
 * QoS 2 needs none of this: MQTT itself hands such a message over once.
 */
export class DeliveryMemory {
  /** At most one entry for each of the 65,535 packet identifiers. */
  readonly #seen = new Map<number, string>();
  #knowsSession = false;

  /**
   * A connection was made. If the broker resumed a session that this process has not seen from its
   * start, nobody can say whether a delivery with DUP arrived before.
   */
  connected(isResumed: boolean): void {
    if (isResumed) return;
    this.#seen.clear();
    this.#knowsSession = true;
  }

  /** Whether the delivery repeats one that has arrived, or may do so. Remembers it in any case. */
  isRepeated({ messageId, dup, topic, payload }: Delivery): boolean {
    const digest = createHash("sha256").update(topic).update("\0").update(payload).digest("base64");
    const seen = this.#seen.get(messageId);
    this.#seen.set(messageId, digest);
    if (!dup) return false;
    // What a used identifier carries next was sent first after that use: this process knows it.
    return seen === undefined ? !this.#knowsSession : seen === digest;
  }
}
