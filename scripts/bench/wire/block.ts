/**
 * Prepared bytes of many events one after the other, which are sent again and again.
 *
 * @module
 */

import { bytesOf } from "../../../lib/simulator/byte_string.ts";
import { frameHead } from "../../../lib/simulator/event.ts";
import { seriesEvents, type SeriesName } from "./series.ts";
import { EMPTY_STAMP, findStamp, writeStamp } from "./stamp.ts";

/** How a block is made. */
export interface BlockOptions {
  /** What stands before each event, by its length. @default {the head of an event's frame} */
  readonly head?: (length: number) => string;
  /** How long the block is at least, in bytes. @default {131072} */
  readonly leastBytes?: number;
}

/** A series of events, as often as it takes to fill a block. */
export class EventBlock {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  /** Where each begins; one more for the end. */
  readonly #starts: readonly number[];
  readonly #stamps: readonly number[];
  /** How many events it holds. */
  readonly count: number;

  /** A block of these events. */
  constructor(events: readonly Uint8Array[], options: BlockOptions = {}) {
    const { head = (length) => frameHead(length, "json"), leastBytes = 128 * 1024 } = options;
    const frames = events.map((event) => joined(bytesOf(head(event.length)), event));
    const once = frames.reduce((sum, { length }) => sum + length, 0);
    const repeated = Array(Math.ceil(leastBytes / once)).fill(frames).flat();
    const starts = [0];
    const stamps: number[] = [];
    this.#bytes = new Uint8Array(repeated.reduce((sum, { length }) => sum + length, 0));
    for (const frame of repeated) {
      const start = starts.at(-1) ?? 0;
      this.#bytes.set(frame, start);
      starts.push(start + frame.length);
      stamps.push(start + findStamp(frame, 0, frame.length) - EMPTY_STAMP.indexOf("@"));
    }
    this.#starts = starts;
    this.#stamps = stamps;
    this.count = repeated.length;
  }

  /** How long it is, in bytes. */
  get length(): number {
    return this.#bytes.length;
  }

  /** How long the first so many events of an endless repetition of it are, in bytes. */
  lengthOf(events: number): number {
    const rest = this.#starts[events % this.count] ?? 0;
    return Math.floor(events / this.count) * this.length + rest;
  }

  /** Stamps `count` events from `first` on, and gives their bytes; they are good until the next. */
  stamped(first: number, count: number, sequence: number, micros: number): Uint8Array<ArrayBuffer> {
    for (let i = 0; i < count; i++) {
      writeStamp(this.#bytes, this.#stamps[first + i] ?? 0, sequence + i, micros);
    }
    return this.#bytes.subarray(this.#starts[first], this.#starts[first + count]);
  }
}

/** The blocks of all series, each made when it is wanted first. */
export class Blocks {
  readonly #options: BlockOptions;
  readonly #made = new Map<SeriesName, EventBlock>();

  /** All are made in this way. */
  constructor(options: BlockOptions = {}) {
    this.#options = options;
  }

  /** That of a series. */
  of(series: SeriesName): EventBlock {
    const made = this.#made.get(series) ?? new EventBlock(seriesEvents(series), this.#options);
    this.#made.set(series, made);
    return made;
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
