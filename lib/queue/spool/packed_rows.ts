/**
 * Rows on their way between threads: a few large pieces that change hands instead
 * of thousands of small ones that are copied.
 *
 * @module
 */

import type { Changes, Row } from "./rows.ts";

/** Many rows as three pieces. */
export interface PackedRows {
  /** Nine numbers a row. */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** Topics and counters, each once. */
  readonly strings: readonly string[];
  /** All payloads, one after the other. */
  readonly payloads: Uint8Array<ArrayBuffer>;
}

/** Changes without their new rows. */
export interface PackedChanges {
  /** As in `Changes`. */
  readonly remove: Float64Array<ArrayBuffer>;
  /** How many of the packed rows are new here. */
  readonly inserted: number;
  /** Three numbers an update: the row, the packet identifier or 0, and whether it is released. */
  readonly update: Float64Array<ArrayBuffer>;
}

/** Changes that are made one after the other. */
export interface PackedBatch {
  /** The new rows of all of them. */
  readonly rows: PackedRows;
  /** Each of them. */
  readonly changes: readonly PackedChanges[];
}

const NUMBERS = 9;

/** Packs rows. The payloads are copied, since whoever gave them may still be sending them. */
export function packRows(rows: readonly Row[]): PackedRows {
  const numbers = new Float64Array(rows.length * NUMBERS);
  const payloads = new Uint8Array(rows.reduce((sum, { payload }) => sum + payload.length, 0));
  const strings = new Map<string, number>();
  const indexOf = (text: string) => {
    const known = strings.get(text);
    if (known !== undefined) return known;
    strings.set(text, strings.size);
    return strings.size - 1;
  };
  let at = 0;
  let end = 0;
  for (const { row, offeredAt, topic, payload, qos, retain, counter, delivery } of rows) {
    payloads.set(payload, end);
    end += payload.length;
    numbers[at++] = row;
    numbers[at++] = offeredAt;
    numbers[at++] = end;
    numbers[at++] = indexOf(topic);
    numbers[at++] = indexOf(counter);
    numbers[at++] = qos;
    numbers[at++] = Number(retain);
    numbers[at++] = delivery?.packetId ?? 0;
    numbers[at++] = Number(delivery?.released ?? false);
  }
  return { numbers, strings: [...strings.keys()], payloads };
}

/** Unpacks rows. Their payloads are views of one buffer, which lives as long as the last of them. */
export function unpackRows({ numbers, strings, payloads }: PackedRows): Row[] {
  const rows: Row[] = [];
  let start = 0;
  for (let at = 0; at < numbers.length; at += NUMBERS) {
    const [
      row = 0,
      offeredAt = 0,
      end = 0,
      topic = 0,
      counter = 0,
      qos,
      retain,
      packetId = 0,
      out,
    ] = numbers.subarray(at, at + NUMBERS);
    rows.push({
      row,
      offeredAt,
      topic: strings[topic] ?? "",
      payload: payloads.subarray(start, end),
      qos: qos === 2 ? 2 : qos === 1 ? 1 : 0,
      retain: retain === 1,
      counter: strings[counter] ?? "",
      delivery: packetId === 0 ? undefined : { packetId, released: out === 1 },
    });
    start = end;
  }
  return rows;
}

/** Packs changes. */
export function packBatch(batch: readonly Changes[]): PackedBatch {
  return {
    rows: packRows(batch.flatMap(({ insert }) => insert)),
    changes: batch.map(({ remove, insert, update }) => ({
      remove: Float64Array.from(remove),
      inserted: insert.length,
      update: Float64Array.from(
        update.flatMap((
          { row, delivery },
        ) => [row, delivery?.packetId ?? 0, Number(delivery?.released ?? false)]),
      ),
    })),
  };
}

/** Unpacks changes. */
export function unpackBatch({ rows, changes }: PackedBatch): Changes[] {
  const inserts = unpackRows(rows);
  let next = 0;
  return changes.map(({ remove, inserted, update }) => ({
    remove: Array.from(remove),
    insert: inserts.slice(next, next += inserted),
    update: Array.from({ length: update.length / 3 }, (_, index) => {
      const [row = 0, packetId = 0, released] = update.subarray(index * 3, index * 3 + 3);
      return {
        row,
        delivery: packetId === 0 ? undefined : { packetId, released: released === 1 },
      };
    }),
  }));
}

/** The pieces of packed rows that change hands. */
export function piecesOf({ numbers, payloads }: PackedRows): ArrayBuffer[] {
  return [numbers.buffer, payloads.buffer];
}
