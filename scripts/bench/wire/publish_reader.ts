/**
 * Reads MQTT 3.1.1 messages of QoS 0 out of a stream, in place (MQTT 3.1.1, sections 2.2 and 3.3).
 *
 * @module
 */

/** Packet types that a subscriber is sent, as the high half of the first byte. */
export const PacketType = { CONNACK: 2, PUBLISH: 3, SUBACK: 9 } as const;

/** Takes a packet: its type, and where its payload is, for a PUBLISH behind the topic. */
export type PacketHandler = (type: number, bytes: Uint8Array, start: number, end: number) => void;

/** Cuts a stream into packets. */
export class PublishReader {
  readonly #handler: PacketHandler;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #filled = 0;

  /** `capacity` is the longest packet. */
  constructor(handler: PacketHandler, capacity = 2 ** 20) {
    this.#handler = handler;
    this.#bytes = new Uint8Array(capacity);
  }

  /** Where the stream is to be read to. */
  get room(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(this.#filled);
  }

  /** Takes what was read into {@linkcode room}: so many bytes. */
  read(count: number): void {
    this.#filled += count;
    let at = 0;
    for (;;) {
      const end = this.#packet(at);
      if (end < 0) break;
      at = end;
    }
    if (at === 0 && this.#filled === this.#bytes.length) throw new Error("a packet is too long");
    this.#bytes.copyWithin(0, at, this.#filled);
    this.#filled -= at;
  }

  /** Takes the packet at `at`, and gives where it ends; -1 if it is not all there. */
  #packet(at: number): number {
    const bytes = this.#bytes;
    let length = 0;
    let start = at + 1;
    for (let shift = 0;; shift += 7) {
      if (start >= this.#filled) return -1;
      const byte = bytes[start++] ?? 0;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const end = start + length;
    if (end > this.#filled) return -1;
    const type = (bytes[at] ?? 0) >> 4;
    if (type === PacketType.PUBLISH) {
      if (((bytes[at] ?? 0) & 0b110) !== 0) throw new Error("a message is not of QoS 0");
      start += 2 + ((bytes[start] ?? 0) << 8) + (bytes[start + 1] ?? 0);
    }
    this.#handler(type, bytes, start, end);
    return end;
  }
}
