/**
 * What an event says of itself, so that it can be recognised when it arrives: its number and when it
 * was sent. It is the last header, of a fixed width, and is written over in place.
 *
 * @module
 */

const SEQUENCE_DIGITS = 10;
const TIME_DIGITS = 16;
const AT_SIGN = "@".charCodeAt(0);
const ZERO = "0".charCodeAt(0);
/** Digits of a number that still is a small integer in V8, which costs no memory. */
const HALF = 1e8;
/** What may stand behind the stamp: what other programs add to an event, and its end. */
const MOST_BEHIND = 64;

/** An empty stamp, as the value of a header. */
export const EMPTY_STAMP: string = `${"0".repeat(SEQUENCE_DIGITS)}@${"0".repeat(TIME_DIGITS)}`;

/** Writes a stamp over another at `at`; whole microseconds. */
export function writeStamp(bytes: Uint8Array, at: number, sequence: number, micros: number): void {
  writeDigits(bytes, at, SEQUENCE_DIGITS, sequence);
  const high = Math.floor(micros / HALF);
  const timeAt = at + SEQUENCE_DIGITS + 1;
  writeDigits(bytes, timeAt, TIME_DIGITS / 2, high);
  writeDigits(bytes, timeAt + TIME_DIGITS / 2, TIME_DIGITS / 2, Math.floor(micros) - high * HALF);
}

/** Where the `@` of an event's stamp is, the event being from `start` up to `end`; -1 if nowhere. */
export function findStamp(bytes: Uint8Array, start: number, end: number): number {
  const least = Math.max(start + SEQUENCE_DIGITS, end - TIME_DIGITS - MOST_BEHIND);
  for (let at = end - TIME_DIGITS; at >= least; at--) {
    if (bytes[at] === AT_SIGN) return at;
  }
  return -1;
}

/** The number that the stamp at `at`, as {@linkcode findStamp} gave it, says. */
export function stampedSequence(bytes: Uint8Array, at: number): number {
  return readDigits(bytes, at - SEQUENCE_DIGITS, SEQUENCE_DIGITS);
}

/** The time that it says, in microseconds. */
export function stampedMicros(bytes: Uint8Array, at: number): number {
  const high = readDigits(bytes, at + 1, TIME_DIGITS / 2);
  return high * HALF + readDigits(bytes, at + 1 + TIME_DIGITS / 2, TIME_DIGITS / 2);
}

function writeDigits(bytes: Uint8Array, at: number, count: number, value: number): void {
  let rest = value;
  for (let i = at + count - 1; i >= at; i--) {
    const next = Math.floor(rest / 10);
    bytes[i] = ZERO + rest - 10 * next;
    rest = next;
  }
}

function readDigits(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) value = 10 * value + (bytes[i] ?? ZERO) - ZERO;
  return value;
}
