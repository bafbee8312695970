/**
 * Packets on their way to the socket, many in one write.
 *
 * MQTT.js writes the parts of each packet one by one. Here they are put together in memory that is used
 * again and again, and so are the packets of QoS 0 messages, which need nothing of MQTT.js: a write takes
 * as long for one packet as for twenty, and nothing is left to the garbage collector.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import type { Message, Unwritten } from "./outbox.ts";
import { SocketLedger, type WrittenStream } from "./socket_ledger.ts";

/** A batch is written when what comes next does not fit. */
const BATCH_BYTES = 64 * 1024;
/** So many batches are kept to be used again. */
const SPARE_BATCHES = 16;
/** So many topics are known by their bytes. */
const KNOWN_TOPICS = 1000;
/** PUBLISH at QoS 0, and what RETAIN adds to it (MQTT 5.0, section 3.3.1). */
const PUBLISH = 0x30;
const RETAIN = 0x01;

interface Batch {
  readonly bytes: Buffer<ArrayBuffer>;
  /** Where the next packet begins. */
  end: number;
  readonly messages: Message[];
  /** Where each of their packets ends, and with it the payload. */
  readonly ends: number[];
}

type Write = (bytes: Uint8Array, written: (error?: Error | null) => void) => boolean;

/** Puts what is written to a stream into batches, and knows of each QoS 0 message in them. */
export class Batches {
  readonly #stream: Duplex & WrittenStream;
  readonly #write: Write;
  readonly #isV5: boolean;
  readonly #settled: () => void;
  readonly #ledger: SocketLedger<Batch>;
  readonly #topics = new Map<string, Uint8Array>();
  readonly #spare: Batch[] = [];
  #open: Batch | undefined;
  /** Those that came to be written when the stream took no more. */
  readonly #late: Batch[] = [];
  #isFlushDue = false;
  #isOver = false;

  /**
   * Batches for one stream, which from now on writes at the end of the present task. `settled` hears when
   * the socket may have taken some.
   */
  constructor(stream: Duplex & WrittenStream, isV5: boolean, settled: () => void) {
    this.#stream = stream;
    this.#isV5 = isV5;
    this.#settled = settled;
    this.#ledger = new SocketLedger(stream);
    this.#write = stream.write.bind(stream) as Write;
    stream.write = (part: Uint8Array | string) => this.#addPart(part);
    // MQTT.js would hold the stream until its own packet is whole.
    stream.cork = () => {};
    stream.uncork = () => {};
  }

  /** Adds a message, whose payload may change from here on. */
  add(message: Message, retain: boolean): void {
    const { payload } = message;
    const topic = this.#topicBytes(message.topic);
    const remaining = topic.length + (this.#isV5 ? 1 : 0) + payload.length;
    const batch = this.#batchFor(5 + remaining);
    const { bytes } = batch;
    let at = batch.end;
    bytes[at++] = retain ? PUBLISH | RETAIN : PUBLISH;
    at = putLength(bytes, at, remaining);
    bytes.set(topic, at);
    at += topic.length;
    // No properties.
    if (this.#isV5) bytes[at++] = 0;
    bytes.set(payload, at);
    at += payload.length;
    batch.end = at;
    batch.messages.push(message);
    batch.ends.push(at);
  }

  /** Writes what was added. */
  flush(): void {
    const batch = this.#open;
    if (batch === undefined) return;
    this.#open = undefined;
    // A stream counts nothing of what it is given after its end.
    if (!this.#stream.writable) {
      this.#late.push(batch);
      return;
    }
    this.#write(batch.bytes.subarray(0, batch.end), (error) => {
      // While it breaks, a stream takes what it has not written for written.
      if (!error && !this.#isOver) this.#settled();
    });
    this.#ledger.add(batch);
    this.#ledger.seal();
  }

  /** Tells each message that the socket has taken since the last call. */
  settle(taken: (message: Message) => void): void {
    if (this.#ledger.isEmpty) return;
    for (const batch of this.#ledger.settle()) {
      for (const message of batch.messages) taken(message);
      this.#use(batch);
    }
  }

  /** After the end: those that the socket never took. */
  rest(): Unwritten[] {
    this.#isOver = true;
    const batches = [...this.#ledger.rest(), ...this.#late.splice(0)];
    if (this.#open !== undefined) batches.push(this.#open);
    this.#open = undefined;
    return batches.flatMap(({ bytes, messages, ends }) =>
      messages.map((message, i) => {
        const end = ends[i] ?? 0;
        return { message, payload: bytes.subarray(end - message.payload.length, end) };
      })
    );
  }

  #addPart(part: Uint8Array | string): boolean {
    const size = typeof part === "string" ? Buffer.byteLength(part) : part.length;
    const batch = this.#batchFor(size);
    if (typeof part === "string") batch.bytes.write(part, batch.end);
    else batch.bytes.set(part, batch.end);
    batch.end += size;
    return !this.#stream.writableNeedDrain;
  }

  #batchFor(size: number): Batch {
    this.#flushSoon();
    if (this.#open !== undefined && this.#open.end + size > BATCH_BYTES) this.flush();
    if (size > BATCH_BYTES) return this.#open = newBatch(size);
    return this.#open ??= this.#spare.pop() ?? newBatch(BATCH_BYTES);
  }

  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    queueMicrotask(() => {
      this.#isFlushDue = false;
      this.flush();
    });
  }

  /** Once all of it is taken it can be filled again. */
  #use(batch: Batch): void {
    if (batch.bytes.length !== BATCH_BYTES || this.#spare.length >= SPARE_BATCHES) return;
    batch.end = 0;
    batch.messages.length = 0;
    batch.ends.length = 0;
    this.#spare.push(batch);
  }

  /** The topic name with its length (section 1.5.4). */
  #topicBytes(topic: string): Uint8Array {
    let bytes = this.#topics.get(topic);
    if (bytes === undefined) {
      const text = Buffer.from(topic);
      bytes = Buffer.concat([Uint8Array.of(text.length >> 8, text.length & 0xff), text]);
      if (this.#topics.size >= KNOWN_TOPICS) this.#topics.clear();
      this.#topics.set(topic, bytes);
    }
    return bytes;
  }
}

function newBatch(size: number): Batch {
  return { bytes: Buffer.alloc(size), end: 0, messages: [], ends: [] };
}

/** Writes a variable byte integer (section 1.5.5), and returns where it ends. */
function putLength(bytes: Uint8Array, start: number, length: number): number {
  let at = start;
  let rest = length;
  do {
    const digit = rest & 0x7f;
    rest >>= 7;
    bytes[at++] = rest > 0 ? digit | 0x80 : digit;
  } while (rest > 0);
  return at;
}
