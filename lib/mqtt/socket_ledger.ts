/**
 * The QoS 0 messages that were written, until the socket has taken their bytes.
 *
 * @module
 */

import type { Message } from "./outbox.ts";

/** What the ledger asks of a stream; a `net.Socket` has it. */
export interface WrittenStream {
  /** Bytes written so far, those still waiting included. */
  readonly bytesWritten: number;
  /** Bytes that wait in the process. */
  readonly writableLength: number;
}

/**
 * A QoS 0 message counts as acknowledged when the operating system has its last byte. The write
 * that was under way when the socket broke counts as taken: nobody can say how much of it went,
 * and at QoS 0 nothing is sent twice.
 */
export class SocketLedger<T = Message> {
  readonly #stream: WrittenStream;
  /** Messages in the order written; those of one batch share the offset of its end. */
  readonly #batches: { readonly messages: T[]; readonly end: number }[] = [];
  #open: T[] = [];

  /** A ledger for one stream. */
  constructor(stream: WrittenStream) {
    this.#stream = stream;
  }

  /** Whether messages wait for the socket. */
  get isEmpty(): boolean {
    return this.#batches.length === 0 && this.#open.length === 0;
  }

  /** Notes a message that was just written. */
  add(message: T): void {
    this.#open.push(message);
  }

  /** Ends a batch: counting the waiting bytes for each message would cost more than writing it. */
  seal(): void {
    if (this.#open.length === 0) return;
    this.#batches.push({ messages: this.#open, end: this.#stream.bytesWritten });
    this.#open = [];
  }

  /** Removes and returns the messages that the socket has taken since the last call. */
  settle(): T[] {
    this.seal();
    const taken = this.#stream.bytesWritten - this.#stream.writableLength;
    const settled: T[] = [];
    while (this.#batches[0] !== undefined && this.#batches[0].end <= taken) {
      settled.push(...this.#batches.shift()?.messages ?? []);
    }
    return settled;
  }

  /** Removes and returns what the socket never took, after it has broken. */
  rest(): T[] {
    this.seal();
    return this.#batches.splice(0).flatMap(({ messages }) => messages);
  }
}
