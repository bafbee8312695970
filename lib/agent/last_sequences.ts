/**
 * The `Event-Sequence` of the last events. It is asked for when the link is lost, and not at each event:
 * to find it in an event takes longer than everything else that is done with one.
 *
 * @module
 */

import { holdsAt } from "../bytes.ts";
import { eventSequence } from "../esl/event_json.ts";

/** Of so many last events. */
const KEPT = 64;
/** FreeSWITCH writes it among the first headers, behind its own name and those of its source. */
const HEAD_BYTES = 1536;
/** What FreeSWITCH fires itself begins so (`switch_event_create_subclass`). */
const OWN = new TextEncoder().encode('{"Event-Name":"');

/** Keeps the beginnings of the last events. */
export class LastSequences {
  readonly #heads = new Uint8Array(KEPT * HEAD_BYTES);
  /** How much of each place is in use; what was read at once has none. */
  readonly #lengths = new Uint32Array(KEPT);
  readonly #known: (number | undefined)[] = new Array(KEPT).fill(undefined);
  #count = 0;

  /** Takes an event that is only lent. */
  note(event: Uint8Array): void {
    const place = this.#count++ % KEPT;
    // In what is fired by others, their headers come first, however many they are.
    const isOwn = holdsAt(event, 0, OWN);
    this.#known[place] = isOwn ? undefined : sequenceOf(event);
    this.#lengths[place] = isOwn ? Math.min(event.length, HEAD_BYTES) : 0;
    if (isOwn) this.#heads.set(event.subarray(0, HEAD_BYTES), place * HEAD_BYTES);
  }

  /** Those that are known, in no order. */
  read(): number[] {
    const sequences: number[] = [];
    for (let place = 0; place < Math.min(this.#count, KEPT); place++) {
      const start = place * HEAD_BYTES;
      const head = this.#heads.subarray(start, start + (this.#lengths[place] ?? 0));
      const sequence = this.#known[place] ?? sequenceOf(head);
      if (sequence !== undefined) sequences.push(sequence);
    }
    return sequences;
  }

  /** Knows of none any more. */
  forget(): void {
    this.#count = 0;
  }
}

/** The `Event-Sequence` of an event, where it has one. */
export function sequenceOf(event: Uint8Array): number | undefined {
  return countIn(eventSequence(event));
}

/** The number that a header holds. */
export function countIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
