/**
 * Reading what can be read of a spool that is damaged.
 *
 * @module
 */

import { DatabaseSync, type StatementSync } from "node:sqlite";
import { type Columns, MESSAGE_COLUMNS, readBooks, rowOf, type SpoolBooks } from "./database.ts";
import type { Row } from "./rows.ts";

/** After so many numbers that cannot be read the rest is given up. */
const MAX_PROBES = 1_000_000;

/** How many numbers are tried where the highest one is not known. */
const UNKNOWN_ROWS = 100_000;

/** A damaged file. It is only read, but SQLite may move what is in the -wal file into it. */
export class DamagedDatabase {
  /** What it knows of itself, if that can be read. */
  readonly books: SpoolBooks | undefined;
  readonly #database: DatabaseSync;

  /** Opens it. */
  constructor(path: string) {
    // With its defences a file that was cut off is refused as a whole. Deno's types lack the option.
    const options = { open: true, defensive: false };
    this.#database = new DatabaseSync(path, options);
    attempt(() => {
      this.#database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA writable_schema = ON");
    });
    this.books = attempt(() => readBooks(this.#database));
  }

  /**
   * Each row whose checksum is right, once, in no particular order. One whose delivery cannot be read
   * is given as if that had not begun: sent twice is better than lost. `lastRow` is the highest
   * number that there can be, if it is known.
   */
  *rows(lastRow: number | undefined): Generator<Row> {
    const query = (order: string) =>
      attempt(() =>
        this.#database.prepare(
          `SELECT ${MESSAGE_COLUMNS} FROM messages WHERE row BETWEEN ? AND ? ` +
            `ORDER BY row ${order} LIMIT 1`,
        )
      );
    const upwards = query("ASC");
    const downwards = query("DESC");
    if (upwards === undefined || downwards === undefined) return;
    const first = yield* this.#scan(upwards, 0, Number.MAX_SAFE_INTEGER, 1);
    if (first === undefined) return;
    const end = yield* this.#scan(downwards, first, Number.MAX_SAFE_INTEGER, -1);
    if (end === undefined) return;
    const known = end < Number.MAX_SAFE_INTEGER ? end : lastRow ?? first + UNKNOWN_ROWS;
    // Between what could be read from both ends, each number may lie on a page that is whole.
    let next = first;
    for (let probes = 0; next <= known && probes < MAX_PROBES; probes++) {
      const failed = yield* this.#scan(upwards, next, known, 1);
      if (failed === undefined) return;
      next = Math.max(failed, next + 1);
    }
  }

  /** Ends it. */
  close(): void {
    this.#database.close();
  }

  /** Reads on until it fails, and tells the first number that is not read; else `undefined`. */
  *#scan(
    statement: StatementSync,
    from: number,
    to: number,
    direction: 1 | -1,
  ): Generator<Row, number | undefined> {
    let low = from;
    let high = to;
    for (;;) {
      let columns: Columns | undefined;
      try {
        columns = low > high ? undefined : statement.get(low, high);
      } catch {
        return direction > 0 ? low : high;
      }
      if (columns === undefined) return undefined;
      const number = Number(columns.row);
      // Pages that do not lie where they should.
      if (number < low || number > high) return direction > 0 ? low : high;
      const row = attempt(() => this.#row(columns));
      if (row !== undefined) yield row;
      if (direction > 0) low = number + 1;
      else high = number - 1;
    }
  }

  #row(columns: Columns): Row {
    const delivery = attempt(() =>
      this.#database.prepare("SELECT * FROM deliveries WHERE row = ?").get(Number(columns.row))
    );
    return attempt(() => rowOf({ ...columns, ...delivery })) ?? rowOf(columns);
  }
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
