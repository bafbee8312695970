/**
 * The tables of a spool, in a file that is as it should be. Errors are SQLite's own; a content that
 * cannot be ours is a `DamageError`.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { deliveryChecksum, numbersChecksum, rowChecksum } from "./checksum.ts";
import { DamageError, isNoRoom } from "./fault.ts";
import type { Delivery } from "../../mqtt/outbox.ts";
import { type Amount, type Changes, type Row, rowBytes, SpoolError } from "./rows.ts";

/** Marks a SQLite file as a spool of ours: "fsmq". */
const APPLICATION_ID = 0x66736d71;

/** The form of the tables. */
const VERSION = 1;

/** The -wal file is cut down to this when it has grown beyond; the rest is room on a full disk. */
const WAL_BYTES = 8 * 1024 * 1024;

/** Deliveries lie apart: one that comes on does not write its payload again. */
const SCHEMA = `
  CREATE TABLE messages (
    row INTEGER PRIMARY KEY,
    size INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    offered_at REAL NOT NULL,
    qos INTEGER NOT NULL,
    retain INTEGER NOT NULL,
    topic TEXT NOT NULL,
    counter TEXT NOT NULL,
    payload BLOB NOT NULL
  ) STRICT;
  CREATE TABLE deliveries (
    row INTEGER PRIMARY KEY,
    packet_id INTEGER NOT NULL UNIQUE,
    released INTEGER NOT NULL,
    delivery_checksum INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE books (
    id INTEGER PRIMARY KEY,
    last_row INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT;
`;

/** What makes a message. As text, Deno would cut off a topic or counter at a zero byte. */
export const MESSAGE_COLUMNS: string =
  "row, size, checksum, offered_at, qos, retain, CAST(topic AS BLOB) AS topic, " +
  "CAST(counter AS BLOB) AS counter, payload";

/** So many rows are looked up at once. */
const READ_ROWS = 256;

const COLUMNS = `${MESSAGE_COLUMNS}, packet_id, released, delivery_checksum`;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What a spool knows of itself beside its rows. */
export interface SpoolBooks {
  /** The highest number that a row has or ever had. */
  readonly lastRow: number;
  /** How many rows there are. */
  readonly messages: number;
  /** Their sizes together. */
  readonly bytes: number;
}

/** What SQLite gives for a row. */
export type Columns = Readonly<Record<string, unknown>>;

/** An open spool file. */
export class SpoolDatabase {
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;
  #books: SpoolBooks;
  #durable = false;

  private constructor(database: DatabaseSync) {
    this.#database = database;
    this.#statements = prepare(database);
    this.#books = readBooks(database);
  }

  /** Makes a spool without rows in a file that must not be there yet; only its owner may read it. */
  static create(path: string, lastRow: number): void {
    Deno.openSync(path, { createNew: true, write: true, mode: 0o600 }).close();
    const database = new DatabaseSync(path);
    try {
      configure(database);
      database.exec("PRAGMA synchronous = FULL");
      database.exec(
        `BEGIN; ${SCHEMA} PRAGMA application_id = ${APPLICATION_ID};` +
          `PRAGMA user_version = ${VERSION}; COMMIT`,
      );
      prepare(database).keepBooks.run(...bookColumns({ lastRow, messages: 0, bytes: 0 }));
    } finally {
      database.close();
    }
  }

  /**
   * Opens a spool.
   *
   * @throws {SpoolError} if it was written by a later version of this program.
   */
  static open(path: string): SpoolDatabase {
    const database = new DatabaseSync(path);
    try {
      // Before anything else, so that a file that is not ours stays as it is.
      database.exec("PRAGMA locking_mode = EXCLUSIVE");
      refuseForeign(database, path);
      configure(database);
      // Takes the lock, and tells a file that can only be read.
      database.exec("BEGIN IMMEDIATE; ROLLBACK");
      return new SpoolDatabase(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** What it knows of itself. */
  get books(): SpoolBooks {
    return this.#books;
  }

  /** What new rows may take without making the file larger, in bytes. */
  get freeBytes(): number {
    const [free, page] = ["freelist_count", "page_size"].map((name) =>
      Number(this.#database.prepare(`PRAGMA ${name}`).get()?.[name])
    );
    return (free ?? 0) * (page ?? 0);
  }

  /** Makes all the changes or none; see `Spool.write` for `durable`. */
  apply(batch: readonly Changes[], durable: boolean): void {
    if (durable !== this.#durable) {
      this.#database.exec(`PRAGMA synchronous = ${durable ? "FULL" : "NORMAL"}`);
      this.#durable = durable;
    }
    try {
      this.#transact(batch);
    } catch (error) {
      if (!isNoRoom(error)) throw error;
      // Once its content is in the file, the -wal file is written from its beginning again: there
      // may be room in it for what removes rows, although there is none on the disk.
      try {
        this.#database.exec("PRAGMA wal_checkpoint(PASSIVE)");
      } catch {
        throw error;
      }
      this.#transact(batch);
    }
  }

  /** The next rows. */
  read(after: number, limit: Amount): Row[] {
    const { sizesAfter, rowsBetween } = this.#statements;
    const rows: Row[] = [];
    let bytes = 0;
    for (let last = after;;) {
      const wanted = Math.min(READ_ROWS, limit.messages - rows.length);
      const sizes = sizesAfter.all(last, wanted);
      let fitting = 0;
      for (const { size } of sizes) {
        bytes += Number(size);
        if (rows.length + fitting > 0 && bytes > limit.bytes) break;
        fitting++;
      }
      const end = Number(sizes[fitting - 1]?.row ?? last);
      // Not `iterate`: in Deno it ends without an error where a page cannot be read.
      rows.push(...rowsBetween.all(last, end).map(rowOf));
      last = end;
      if (fitting < READ_ROWS) break;
    }
    // Nobody asks for rows where there are none: they may have gone with a page that looks sound.
    if (rows.length === 0) this.count();
    return rows;
  }

  /** The rows whose delivery has begun, in their order. */
  deliveries(): Row[] {
    return this.#statements.deliveries.all().map(rowOf);
  }

  /**
   * Counts the rows, which reads a good part of the file.
   *
   * @throws {DamageError} if there are not as many as there should be.
   */
  count(): void {
    const found = this.#database.prepare(
      "SELECT count(*) AS messages, coalesce(sum(size), 0) AS bytes FROM messages",
    ).get();
    const { messages, bytes } = this.#books;
    if (found?.messages !== messages || found.bytes !== bytes) {
      throw new DamageError(`it has ${found?.messages} rows instead of ${messages}`);
    }
  }

  /** Ends it; everything is in the one file then, if it can be written. */
  close(): void {
    try {
      this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      this.#database.close();
    }
  }

  #transact(batch: readonly Changes[]): void {
    const { keepBooks } = this.#statements;
    const before = this.#books;
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      for (const changes of batch) this.#change(changes);
      if (this.#books !== before) keepBooks.run(...bookColumns(this.#books));
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#books = before;
      try {
        this.#database.exec("ROLLBACK");
      } catch {
        // Some errors have rolled it back already.
      }
      throw error;
    }
  }

  #change({ remove, insert, update }: Changes): void {
    const { insertRow, deliver, deliverAgain, undeliver } = this.#statements;
    for (const row of remove) this.#remove(row);
    for (const row of insert) {
      if (row.row <= this.#books.lastRow) this.#remove(row.row);
      const size = rowBytes(row);
      insertRow.run(
        row.row,
        size,
        rowChecksum(row),
        row.offeredAt,
        row.qos,
        Number(row.retain),
        row.topic,
        row.counter,
        row.payload,
      );
      if (row.delivery !== undefined) deliver.run(...deliveryColumns(row.row, row.delivery));
      const { lastRow, messages, bytes } = this.#books;
      this.#books = {
        lastRow: Math.max(lastRow, row.row),
        messages: messages + 1,
        bytes: bytes + size,
      };
    }
    for (const { row, delivery } of update) {
      if (delivery === undefined) undeliver.run(row);
      else deliverAgain.run(...deliveryColumns(row, delivery), row);
    }
  }

  #remove(row: number): void {
    const removed = this.#statements.removeRow.get(row);
    if (removed === undefined) return;
    this.#statements.undeliver.run(row);
    const { lastRow, messages, bytes } = this.#books;
    this.#books = { lastRow, messages: messages - 1, bytes: bytes - Number(removed.size) };
  }
}

function configure(database: DatabaseSync): void {
  // With the exclusive lock the index of the -wal file lies in memory, not in a third file.
  database.exec(
    `PRAGMA locking_mode = EXCLUSIVE; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;` +
      `PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = ${WAL_BYTES}`,
  );
  const mode = database.prepare("PRAGMA journal_mode = WAL").get()?.journal_mode;
  if (mode !== "wal") throw new Error("its file system cannot keep a write-ahead log");
}

function refuseForeign(database: DatabaseSync, path: string): void {
  const application = database.prepare("PRAGMA application_id").get()?.application_id;
  if (application !== APPLICATION_ID) throw new DamageError("it is not a spool of fsmqtt");
  const version = Number(database.prepare("PRAGMA user_version").get()?.user_version);
  if (version > VERSION) {
    throw new SpoolError(
      `Cannot use the spool ${path}: it is of version ${version}, and this fsmqtt knows ` +
        `version ${VERSION}. Use the fsmqtt that wrote it, or move the file away`,
    );
  }
  if (version !== VERSION) throw new DamageError(`it says that it is of version ${version}`);
}

function prepare(database: DatabaseSync) {
  const deliver = "INSERT OR REPLACE INTO deliveries (row, packet_id, released, delivery_checksum)";
  return {
    insertRow: database.prepare(
      "INSERT INTO messages (row, size, checksum, offered_at, qos, retain, topic, counter, payload) " +
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    ),
    removeRow: database.prepare("DELETE FROM messages WHERE row = ? RETURNING size"),
    deliver: database.prepare(`${deliver} VALUES (?, ?, ?, ?)`),
    deliverAgain: database.prepare(
      `${deliver} SELECT ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM messages WHERE row = ?)`,
    ),
    undeliver: database.prepare("DELETE FROM deliveries WHERE row = ?"),
    keepBooks: database.prepare(
      "INSERT OR REPLACE INTO books (id, last_row, messages, bytes, checksum) VALUES (0, ?, ?, ?, ?)",
    ),
    sizesAfter: database.prepare(
      "SELECT row, size FROM messages WHERE row > ? ORDER BY row LIMIT ?",
    ),
    rowsBetween: database.prepare(
      `SELECT ${COLUMNS} FROM messages LEFT JOIN deliveries USING (row) ` +
        "WHERE row > ? AND row <= ? ORDER BY row",
    ),
    deliveries: database.prepare(
      `SELECT ${COLUMNS} FROM deliveries JOIN messages USING (row) ORDER BY row`,
    ),
  };
}

/** What a spool knows of itself, or a `DamageError`. */
export function readBooks(database: DatabaseSync): SpoolBooks {
  const found = database.prepare("SELECT * FROM books WHERE id = 0").get();
  const books = {
    lastRow: Number(found?.last_row),
    messages: Number(found?.messages),
    bytes: Number(found?.bytes),
  };
  if (found?.checksum !== bookColumns(books)[3]) {
    throw new DamageError("what it says of itself is wrong");
  }
  return books;
}

function bookColumns({ lastRow, messages, bytes }: SpoolBooks): [number, number, number, number] {
  return [lastRow, messages, bytes, numbersChecksum([lastRow, messages, bytes])];
}

function deliveryColumns(
  row: number,
  delivery: Delivery,
): [number, number, number, number] {
  return [row, delivery.packetId, Number(delivery.released), deliveryChecksum(row, delivery)];
}

/** A row as it was written, or a `DamageError`. */
export function rowOf(columns: Columns): Row {
  const { row, topic, counter, payload, qos, retain } = columns;
  const offeredAt = columns.offered_at;
  if (
    typeof row !== "number" || !(topic instanceof Uint8Array) ||
    !(counter instanceof Uint8Array) ||
    !(payload instanceof Uint8Array) || typeof offeredAt !== "number" ||
    (qos !== 1 && qos !== 2) || (retain !== 0 && retain !== 1)
  ) throw new DamageError("a row makes no sense");
  const message = {
    row,
    offeredAt,
    topic: decoder.decode(topic),
    payload: payload as Uint8Array<ArrayBuffer>,
    qos,
    retain: retain === 1,
    counter: decoder.decode(counter),
  } as const;
  if (rowChecksum(message) !== columns.checksum || rowBytes(message) !== columns.size) {
    throw new DamageError("the checksum of a row is wrong");
  }
  return { ...message, delivery: deliveryOf(row, columns) };
}

function deliveryOf(row: number, columns: Columns): Delivery | undefined {
  if (columns.packet_id === null || columns.packet_id === undefined) return undefined;
  const delivery = { packetId: Number(columns.packet_id), released: columns.released === 1 };
  if (deliveryChecksum(row, delivery) !== columns.delivery_checksum) {
    throw new DamageError("the checksum of a delivery is wrong");
  }
  return delivery;
}
