/**
 * A bound on what a broker may send in one packet.
 *
 * MQTT.js puts a packet together before anybody can look at it, so what the broker sends goes through
 * here first. A PUBLISH over the limit is read past, and a short one takes its place, with the same
 * flags and packet identifier: MQTT.js acknowledges it as any other, and the broker does not send it
 * again at each connect. It has no topic, by which it is known: no broker sends that (MQTT 3.1.1,
 * section 4.7.3), unless it was offered topic aliases.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { type Duplex, Transform, type TransformCallback } from "node:stream";
import { sizeText } from "../size_text.ts";

/**
 * The longest packet that is taken from a broker, in bytes. A command is 64 KiB at most, and no
 * topic and no single property of MQTT 5 is longer.
 */
export const MAX_RECEIVED_BYTES: number = 2 ** 20;

/** What is known of a message that was read past. */
export interface LongMessage {
  /** How long its packet was, in bytes. */
  readonly length: number;
  /** Its topic, of which only the start if that is long. */
  readonly topic: string;
}

/** The kind of packet, in the upper half of its first byte (section 2.2.1). */
const PUBLISH = 3;
/** Of a long topic this much is told. */
const TOLD_TOPIC_BYTES = 200;
/** The longest topic with its length and with a packet identifier behind it (section 3.3.2). */
const LONGEST_HEAD = 2 + 0xffff + 2;
const EMPTY = Buffer.alloc(0);

/** A PUBLISH that is being read past. */
class LongPublish {
  readonly #first: number;
  readonly #length: number;
  readonly #head = Buffer.alloc(LONGEST_HEAD);
  #filled = 0;

  constructor(first: number, length: number) {
    this.#first = first;
    this.#length = length;
  }

  take(bytes: Buffer): void {
    this.#filled += bytes.copy(this.#head, this.#filled);
  }

  standIn(isV5: boolean): Buffer {
    const identifierAt = 2 + this.#head.readUInt16BE(0);
    const hasIdentifier = (this.#first & 0b0110) !== 0;
    const topic = this.#head.subarray(2, Math.min(identifierAt, 2 + TOLD_TOPIC_BYTES));
    const body = Buffer.concat([
      Uint8Array.of(0, 0),
      this.#head.subarray(identifierAt, identifierAt + (hasIdentifier ? 2 : 0)),
      // No properties.
      new Uint8Array(isV5 ? 1 : 0),
      Buffer.from(`${this.#length} `),
      topic,
    ]);
    const header = body.length < 0x80
      ? Uint8Array.of(this.#first, body.length)
      : Uint8Array.of(this.#first, 0x80 | (body.length & 0x7f), body.length >> 7);
    return Buffer.concat([header, body]);
  }
}

/** What comes of a broker's packets. A packet of another kind over the limit is an error. */
export class PacketLimit extends Transform {
  readonly #isV5: boolean;
  /** The start of a packet whose length is not known yet. */
  #start: Buffer = EMPTY;
  /** Bytes that are still to come of the present packet. */
  #left = 0;
  #long: LongPublish | undefined;

  /** `isV5` says whether MQTT 5 is spoken. */
  constructor(isV5: boolean) {
    super();
    this.#isV5 = isV5;
  }

  /** Part of `Transform`. Short packets pass in the chunks in which they come. */
  override _transform(part: Buffer, _encoding: string, done: TransformCallback): void {
    const chunk = this.#start.length === 0 ? part : Buffer.concat([this.#start, part]);
    this.#start = EMPTY;
    let passed = 0;
    for (let at = 0; at < chunk.length;) {
      if (this.#left === 0) {
        const header = readHeader(chunk, at);
        if (header === undefined) {
          this.#pass(chunk.subarray(passed, at));
          this.#start = chunk.subarray(at);
          done();
          return;
        }
        const [first, length, headerLength] = header;
        if (headerLength + length > MAX_RECEIVED_BYTES) {
          this.#pass(chunk.subarray(passed, at));
          if (first >> 4 !== PUBLISH || length === Infinity) {
            done(unreadable(headerLength + length));
            return;
          }
          this.#long = new LongPublish(first, headerLength + length);
        }
        at += headerLength;
        this.#left = length;
      }
      const end = Math.min(at + this.#left, chunk.length);
      this.#left -= end - at;
      if (this.#long !== undefined) {
        this.#long.take(chunk.subarray(at, end));
        passed = end;
        this.#endLong();
      }
      at = end;
    }
    this.#pass(chunk.subarray(passed));
    done();
  }

  #endLong(): void {
    if (this.#left > 0 || this.#long === undefined) return;
    this.push(this.#long.standIn(this.#isV5));
    this.#long = undefined;
  }

  #pass(bytes: Buffer): void {
    if (bytes.length > 0) this.push(bytes);
  }
}

/**
 * Puts the limit between a stream and what it is going to be piped into. Everything else of the
 * stream stays as it is.
 */
export function limitPackets(stream: Duplex, isV5: boolean): PacketLimit {
  const limit = new PacketLimit(isV5);
  const pipe = stream.pipe.bind(stream);
  stream.pipe = (destination, options) => pipe(limit).pipe(destination, options);
  return limit;
}

/** What a message stands for that has no topic. */
export function longMessage(payload: Uint8Array): LongMessage {
  const text = Buffer.from(payload).toString();
  const [, length, topic = ""] = /^(\d+) (.*)$/s.exec(text) ?? [];
  return { length: Number(length ?? payload.length), topic };
}

/**
 * First byte, remaining length (section 2.2.3), and how many bytes both take; nothing if they have not
 * all come.
 */
function readHeader(chunk: Buffer, start: number): [number, number, number] | undefined {
  let length = 0;
  for (let i = 1; i <= 4; i++) {
    const byte = chunk[start + i];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) << (7 * (i - 1));
    if (byte < 0x80) return [chunk[start] ?? 0, length, 1 + i];
  }
  return [chunk[start] ?? 0, Infinity, 5];
}

function unreadable(length: number): Error {
  if (length === Infinity) return new Error("the broker sends a malformed packet");
  const limit = sizeText(MAX_RECEIVED_BYTES);
  return new Error(`the broker sends a packet of ${length} bytes; the limit is ${limit}`);
}
