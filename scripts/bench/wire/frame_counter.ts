/**
 * Counts the events in an event socket's stream, and keeps nothing.
 *
 * @module
 */

const LF = 10;
const EVENT = "text/event-json";

/** Counts events; chunks may end at any byte. */
export class FrameCounter {
  readonly #decoder = new TextDecoder();
  /** The head of a frame, as far as it has come. */
  #head = "";
  /** What is still to come of a frame's body. */
  #rest = 0;
  #isEvent = false;
  #events = 0;

  /** How many events have come whole. */
  get events(): number {
    return this.#events;
  }

  /** Takes the next bytes. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#rest > 0) {
        const skipped = Math.min(this.#rest, chunk.length - at);
        this.#rest -= skipped;
        at += skipped;
        if (this.#rest === 0 && this.#isEvent) this.#events++;
      } else at = this.#readLine(chunk, at);
    }
  }

  #readLine(chunk: Uint8Array, start: number): number {
    const lineEnd = chunk.indexOf(LF, start);
    const end = lineEnd < 0 ? chunk.length : lineEnd + 1;
    this.#head += this.#decoder.decode(chunk.subarray(start, end));
    if (!this.#head.endsWith("\n\n")) return end;
    this.#rest = Number(/^Content-Length: (\d+)$/m.exec(this.#head)?.[1] ?? 0);
    this.#isEvent = this.#head.includes(EVENT);
    this.#head = "";
    return end;
  }
}
