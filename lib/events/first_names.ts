/**
 * Looks events up by their names without making strings of them.
 *
 * @module
 */

import { holdsAt } from "../bytes.ts";

const encoder = new TextEncoder();
/** FreeSWITCH writes the name first in what it fires itself (`switch_event_create_subclass`). */
const START = encoder.encode('{"Event-Name":"');
const QUOTE = 0x22;
/** No event has a longer name. */
const MAX_NAME_BYTES = 64;

interface Known<Value> {
  readonly name: Uint8Array;
  readonly value: Value;
}

/** A table of event names for events whose name comes first. */
export class FirstNames<Value> {
  /** By a number made from the bytes of the name; those of several names may be the same. */
  readonly #known = new Map<number, Known<Value>[]>();

  /** Adds a name. */
  set(name: string, value: Value): void {
    const bytes = encoder.encode(name);
    const sum = bytes.reduce(add, 0);
    const others = this.#known.get(sum) ?? [];
    this.#known.set(sum, [...others, { name: bytes, value }]);
  }

  /** What stands behind the name of an event; nothing if that does not come first, or is not known. */
  get(event: Uint8Array): Value | undefined {
    if (!holdsAt(event, 0, START)) return undefined;
    const most = START.length + MAX_NAME_BYTES;
    let sum = 0;
    let end = START.length;
    for (; end < most && event[end] !== QUOTE; end++) sum = add(sum, event[end] ?? 0);
    if (event[end] !== QUOTE) return undefined;
    for (const { name, value } of this.#known.get(sum) ?? []) {
      if (end === START.length + name.length && holdsAt(event, START.length, name)) return value;
    }
    return undefined;
  }
}

function add(sum: number, byte: number): number {
  return (sum * 31 + byte) | 0;
}
