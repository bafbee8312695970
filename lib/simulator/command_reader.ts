/**
 * A client's bytes to commands, as `read_packet` of mod_event_socket reads them.
 *
 * @module
 */

import { byteString } from "./byte_string.ts";

/** A command as it came; byte strings. */
export interface Command {
  /** All header lines. FreeSWITCH looks for the verb here and cuts the line off later. */
  readonly text: string;
  /** The lines after the first, in order; one without a value is not there. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** As many bytes as `Content-Length` announced. */
  readonly body?: string;
}

/** The text before its first CR or, when it has none, before its first LF (`strip_cr`). */
export function firstLine(text: string): string {
  const end = lineEnd(text);
  return end < 0 ? text : text.slice(0, end);
}

function lineEnd(text: string): number {
  const cr = text.indexOf("\r");
  return cr >= 0 ? cr : text.indexOf("\n");
}

/** The client sent what FreeSWITCH does not read on from. */
export class CommandError extends Error {
  /** Its name in a stack trace. */
  override readonly name = "CommandError";
}

const LF = 10;
const CR = 13;
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** Takes bytes as they come and gives the commands that are whole. */
export class CommandReader {
  #pending = new Uint8Array(0);
  #scanned = 0;
  #feeds = 0;

  /** Whether a command has begun and is not whole: FreeSWITCH sends no events meanwhile. */
  get partial(): boolean {
    return this.#pending.length > 0;
  }

  /** Takes the next bytes. */
  push(bytes: Uint8Array): void {
    const joined = new Uint8Array(this.#pending.length + bytes.length);
    joined.set(this.#pending);
    joined.set(bytes, this.#pending.length);
    this.#pending = joined;
  }

  /**
   * The next whole command, if there is one.
   *
   * @throws {CommandError} if the announced body is out of range; FreeSWITCH then disconnects.
   */
  next(): Command | undefined {
    this.#skipBlankLines();
    const end = this.#endOfHeaders();
    if (end === undefined) return undefined;
    // C strings end at a NUL: neither the command nor a header behind one exists.
    const text = byteString(this.#pending.subarray(0, end)).split("\0", 1)[0] ?? "";
    const headers = parseHeaders(text);
    const announced = headers.find(([name]) => name.toLowerCase() === "content-length")?.[1];
    const length = Number.parseInt(announced ?? "0") || 0;
    if (length < 0 || length > MAX_BODY_BYTES) {
      throw new CommandError(`Cannot read a body of ${length} bytes: out of range`);
    }
    if (this.#pending.length < end + length) return undefined;
    const body = byteString(this.#pending.subarray(end, end + length));
    this.#pending = this.#pending.slice(end + length);
    this.#scanned = 0;
    this.#feeds = 0;
    // Without a usable body there is none: `switch_event_add_body` is not called.
    return length === 0 ? { text, headers } : { text, headers, body: body.split("\0", 1)[0] ?? "" };
  }

  #skipBlankLines(): void {
    let start = 0;
    while (this.#pending[start] === LF || this.#pending[start] === CR) start++;
    if (start > 0) this.#pending = this.#pending.slice(start);
  }

  /** Headers end at the second LF in a row; CRs between do not count. */
  #endOfHeaders(): number | undefined {
    while (this.#feeds < 2 && this.#scanned < this.#pending.length) {
      const byte = this.#pending[this.#scanned++];
      if (byte === LF) this.#feeds++;
      else if (byte !== CR) this.#feeds = 0;
    }
    return this.#feeds === 2 ? this.#scanned : undefined;
  }
}

function parseHeaders(text: string): [name: string, value: string][] {
  const headers: [string, string][] = [];
  let rest = afterLine(text);
  while (rest !== undefined) {
    const [name, value] = splitHeader(firstLine(rest));
    if (value !== "") headers.push([name, value]);
    rest = afterLine(rest);
  }
  return headers;
}

function splitHeader(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  if (colon < 0) return [line, ""];
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^ +/, "")];
}

function afterLine(text: string): string | undefined {
  const end = lineEnd(text);
  return end < 0 ? undefined : text.slice(end).replace(/^[\r\n]+/, "");
}
