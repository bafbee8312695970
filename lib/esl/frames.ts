/**
 * Cuts FreeSWITCH's event socket stream into frames, over bytes.
 *
 * A frame is header lines that end in LF, an empty line, and exactly `Content-Length` bytes of
 * body; the next frame starts at the byte after it (mod_event_socket.c, `read_packet` and
 * `listener_run`).
 *
 * @module
 */

import { holdsAt } from "../bytes.ts";

/** One frame of the event socket. */
export interface Frame {
  /** The `Content-Type`, such as `command/reply`. */
  readonly contentType: string;
  /** The header lines by name; left empty for events, whose two headers are known. */
  readonly headers: ReadonlyMap<string, string>;
  /** The body; empty where there is none. It is only lent: its bytes change after the call. */
  readonly body: Uint8Array<ArrayBuffer>;
}

/** An event or an answer over the limit, which was read past. */
export interface LongFrame {
  /** The `Content-Type`: {@linkcode EVENT_JSON} or {@linkcode API_RESPONSE}. */
  readonly contentType: string;
  /** How long its body is, in bytes. */
  readonly length: number;
  /** The first bytes of the body, 8 KiB at most: enough to know an event by. */
  readonly start: Uint8Array;
}

/** The stream holds something that is no frame, or one over a limit. It cannot be read on. */
export class FrameError extends Error {
  /** Its name, for logs. */
  override readonly name: string = "FrameError";
}

/** Bounds of a frame, in bytes. */
export interface FrameLimits {
  /**
   * The longest header block.
   * @default 65536
   */
  readonly headerBytes?: number;
  /**
   * The longest body. FreeSWITCH itself takes no command over 16 MiB. A longer event or answer is
   * read past.
   * @default 16777216
   */
  readonly bodyBytes?: number;
}

/** The content type of events asked for with `event json`. */
export const EVENT_JSON = "text/event-json";

/** The content type of what `api` answers. */
export const API_RESPONSE = "api/response";

/**
 * What whoever may run a command can make as long as they like. A stream is not given up for it, up
 * to lengths that only a stream which is none can say.
 */
const READ_PAST: ReadonlySet<string> = new Set([EVENT_JSON, API_RESPONSE]);
const MAX_READ_PAST = 2 ** 32;
/** Of a body that is read past, this much is kept. */
const START_BYTES = 8 * 1024;

/** What FreeSWITCH sends before an event (`listener_run`), on both sides of the length. */
const EVENT_HEAD = new TextEncoder().encode("Content-Length: ");
const EVENT_HEAD_END = new TextEncoder().encode(`\nContent-Type: ${EVENT_JSON}\n\n`);
/** Lengths of more digits are over any limit, or no lengths. */
const MAX_DIGITS = 8;
/** A body of this length that comes in several chunks is put together where others were before. */
const REUSED_BYTES = 64 * 1024;

const LF = 10;
const ZERO = 0x30;
const NO_HEADERS: ReadonlyMap<string, string> = new Map();
const EMPTY = new Uint8Array(0);
const HEADER_LINE = /^([!-9;-~]+):[ \t]*(.*)$/s;

const NO_FRAME = "Cannot read a frame: the stream is not an event socket's";

interface Head {
  readonly contentType: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly length: number;
}

/**
 * Cuts a stream into frames. Chunks may end at any byte, and may be reused after each push: a body that
 * came in one chunk is a view of it, since at 100,000 events a second a copy of each would cost more
 * than everything else that is done with it.
 */
export class FrameParser {
  readonly #onFrame: (frame: Frame) => void;
  readonly #onTooLong: (frame: LongFrame) => void;
  readonly #headerLimit: number;
  readonly #bodyLimit: number;
  readonly #text = new TextDecoder();

  /** The start of a header block whose end has not come yet. */
  #head: Uint8Array = EMPTY;
  /** The frame whose body is being filled. */
  #open: Frame | undefined;
  #reused = EMPTY;
  #filled = 0;
  /** The length of its body, and how much of that is still to be read past. */
  #length = 0;
  #past = 0;

  /**
   * Calls `onFrame` for each frame, in order, while it is being pushed; `onTooLong` at the end of one
   * that was read past.
   */
  constructor(
    onFrame: (frame: Frame) => void,
    limits: FrameLimits = {},
    onTooLong: (frame: LongFrame) => void = () => {},
  ) {
    this.#onFrame = onFrame;
    this.#onTooLong = onTooLong;
    this.#headerLimit = limits.headerBytes ?? 64 * 1024;
    this.#bodyLimit = limits.bodyBytes ?? 16 * 1024 * 1024;
  }

  /**
   * Takes the next bytes of the stream.
   *
   * @throws {FrameError} if they are no frame; the parser cannot be used after that.
   */
  push(chunk: Uint8Array<ArrayBuffer>): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#open !== undefined) at = this.#readBody(chunk, at);
      else at = this.#readEvent(chunk, at) ?? this.#readHead(chunk, at);
    }
  }

  /** Whether the stream may end here without cutting a frame. */
  get betweenFrames(): boolean {
    return this.#open === undefined && this.#head.length === 0;
  }

  /**
   * Reads an event that has come whole with a head as FreeSWITCH writes it. Returns where it ends;
   * nothing if it is not such a one.
   */
  #readEvent(chunk: Uint8Array<ArrayBuffer>, start: number): number | undefined {
    if (this.#head.length > 0 || !holdsAt(chunk, start, EVENT_HEAD)) return undefined;
    const first = start + EVENT_HEAD.length;
    let length = 0;
    let at = first;
    for (; at < first + MAX_DIGITS; at++) {
      const digit = (chunk[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) break;
      length = length * 10 + digit;
    }
    if (at === first || length > this.#bodyLimit || !holdsAt(chunk, at, EVENT_HEAD_END)) {
      return undefined;
    }
    const body = at + EVENT_HEAD_END.length;
    const end = body + length;
    if (end > chunk.length) return undefined;
    this.#onFrame({
      contentType: EVENT_JSON,
      headers: NO_HEADERS,
      body: chunk.subarray(body, end),
    });
    return end;
  }

  #readHead(chunk: Uint8Array<ArrayBuffer>, start: number): number {
    // An empty line where a frame should start is no frame, and hurts nobody.
    if (this.#head.length === 0 && chunk[start] === LF) return start + 1;

    let end: number;
    let block: Uint8Array;
    if (this.#head.length > 0 && this.#head.at(-1) === LF && chunk[start] === LF) {
      end = start + 1;
      block = this.#head;
    } else {
      const blank = indexOfBlankLine(chunk, start);
      end = blank < 0 ? chunk.length : blank + 2;
      const part = chunk.subarray(start, blank < 0 ? end : blank + 1);
      if (this.#head.length + part.length > this.#headerLimit) {
        throw new FrameError(
          `Cannot read a frame: its headers are over ${this.#headerLimit} bytes`,
        );
      }
      block = this.#head.length === 0 ? part : concat(this.#head, part);
      if (blank < 0) {
        this.#head = block === part ? new Uint8Array(part) : block;
        return end;
      }
    }
    this.#head = EMPTY;
    this.#begin(this.#parseHead(block));
    return end;
  }

  #parseHead(block: Uint8Array): Head {
    const headers = new Map<string, string>();
    const lines = this.#text.decode(block).split("\n");
    lines.pop();
    for (const line of lines) {
      const [, name, value] = HEADER_LINE.exec(line) ?? [];
      if (name === undefined || value === undefined) {
        throw new FrameError(NO_FRAME);
      }
      headers.set(name, value);
    }
    const contentType = headers.get("Content-Type");
    if (contentType === undefined) throw new FrameError(NO_FRAME);
    const declared = headers.get("Content-Length") ?? "0";
    const length = Number(declared);
    const limit = READ_PAST.has(contentType) ? MAX_READ_PAST : this.#bodyLimit;
    if (!/^\d+$/.test(declared) || length > limit) {
      throw new FrameError(
        `Cannot read a frame: Content-Length is ${declared}, the limit is ${limit} bytes`,
      );
    }
    return { contentType, headers, length };
  }

  #begin({ contentType, headers, length }: Head): void {
    const kept = length > this.#bodyLimit ? Math.min(START_BYTES, this.#bodyLimit) : length;
    const frame: Frame = {
      contentType,
      headers: contentType === EVENT_JSON ? NO_HEADERS : headers,
      body: kept === length ? this.#room(length) : new Uint8Array(kept),
    };
    this.#length = length;
    this.#past = length - kept;
    if (length === 0) {
      this.#onFrame(frame);
    } else {
      this.#open = frame;
      this.#filled = 0;
    }
  }

  /** Where a body is put together; what was there before was lent, and is given back. */
  #room(length: number): Uint8Array<ArrayBuffer> {
    if (length > REUSED_BYTES) return new Uint8Array(length);
    if (length > this.#reused.length) this.#reused = new Uint8Array(REUSED_BYTES);
    return this.#reused.subarray(0, length);
  }

  #readBody(chunk: Uint8Array, start: number): number {
    const frame = this.#open;
    if (frame === undefined) return start;
    const part = chunk.subarray(start, start + frame.body.length - this.#filled);
    frame.body.set(part, this.#filled);
    this.#filled += part.length;
    const end = start + part.length;
    if (this.#filled < frame.body.length) return end;
    if (this.#past > 0) return this.#readPast(chunk, end, frame);
    this.#open = undefined;
    this.#onFrame(frame);
    return end;
  }

  #readPast(chunk: Uint8Array, at: number, { contentType, body: start }: Frame): number {
    const count = Math.min(this.#past, chunk.length - at);
    this.#past -= count;
    if (this.#past === 0) {
      this.#open = undefined;
      this.#onTooLong({ contentType, length: this.#length, start });
    }
    return at + count;
  }
}

/** Where two LF follow each other, or -1. */
function indexOfBlankLine(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at;
  }
  return -1;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
