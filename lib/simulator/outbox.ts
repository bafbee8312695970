/**
 * The events that wait for one listener.
 *
 * @module
 */

const WRITE_BYTES = 256 * 1024;
/** Refused events in a row after which FreeSWITCH gives a listener up. */
const MAX_MISSED = 500;

/** A bounded queue of frames, taken out in blocks fit for one write. */
export class Outbox {
  readonly #limit: number;
  #frames: Uint8Array[] = [];
  #head = 0;
  #missedInARow = 0;
  #block = new Uint8Array(0);
  #dropped = 0;

  /** A queue that holds at most `limit` frames. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many frames wait. */
  get size(): number {
    return this.#frames.length - this.#head;
  }

  /** How many frames did not fit. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether so many were refused in a row that FreeSWITCH would close the connection. */
  get overrun(): boolean {
    return this.#missedInARow > MAX_MISSED;
  }

  /** Adds a frame, or drops and counts it when the queue is full. */
  push(frame: Uint8Array): void {
    if (this.size >= this.#limit) {
      this.#dropped++;
      this.#missedInARow++;
      return;
    }
    this.#missedInARow = 0;
    this.#frames.push(frame);
  }

  /** Forgets what waits. */
  clear(): void {
    this.#frames = [];
    this.#head = 0;
  }

  /** The next bytes to write; valid until the next call. Empty when nothing waits. */
  take(): Uint8Array {
    const first = this.#next();
    if (first === undefined) return new Uint8Array(0);
    const run = this.#takeNeighbours(first);
    // A long run is worth a write of its own; else gather what lies apart.
    return run.length >= WRITE_BYTES / 4 || this.size === 0 ? run : this.#gather(run);
  }

  #next(): Uint8Array | undefined {
    const frame = this.#frames[this.#head];
    if (frame === undefined) return undefined;
    this.#head++;
    if (this.#head === this.#frames.length) this.clear();
    else if (this.#head > 8192) {
      this.#frames = this.#frames.slice(this.#head);
      this.#head = 0;
    }
    return frame;
  }

  /** Frames that lie behind each other in memory are one already. */
  #takeNeighbours(first: Uint8Array): Uint8Array {
    let end = first.byteOffset + first.byteLength;
    for (;;) {
      const frame = this.#frames[this.#head];
      const adjoins = frame?.buffer === first.buffer && frame.byteOffset === end;
      if (!adjoins || end - first.byteOffset >= WRITE_BYTES) break;
      end += frame.byteLength;
      this.#next();
    }
    return new Uint8Array(first.buffer, first.byteOffset, end - first.byteOffset);
  }

  #gather(first: Uint8Array): Uint8Array {
    if (this.#block.length === 0) this.#block = new Uint8Array(WRITE_BYTES);
    this.#block.set(first);
    let length = first.length;
    for (;;) {
      const frame = this.#frames[this.#head];
      if (frame === undefined || length + frame.length > WRITE_BYTES) break;
      this.#block.set(frame, length);
      length += frame.length;
      this.#next();
    }
    return this.#block.subarray(0, length);
  }
}
