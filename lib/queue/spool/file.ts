/**
 * One spool file, used synchronously. It outlives damage: a file that cannot be what was written is
 * set aside, and a new one is begun with what can be read of it.
 *
 * @module
 */

import { type SpoolBooks, SpoolDatabase } from "./database.ts";
import { DamageError, isDamage, isInputOutput, spoolFault } from "./fault.ts";
import {
  type Amount,
  type Changes,
  type Contents,
  type Damage,
  type Row,
  rowBytes,
  SpoolError,
  type SpoolHandlers,
} from "./rows.ts";
import { leavesRoom } from "./room.ts";
import { createEmpty, endSalvage, exists, salvage, sizeOf } from "./salvage.ts";

/** An empty spool whose file is larger gives the disk back, in bytes. */
const TRIM_BYTES = 16 * 1024 * 1024;

/** What a spool file needs from outside. */
export interface SpoolFileOptions {
  /** Hears of damage that was found while the file was in use. */
  readonly damaged: SpoolHandlers["damaged"];
  /** The wall clock, for the names of files set aside. */
  readonly date: () => Date;
}

/** A spool file that is open. */
export class SpoolFile {
  readonly #path: string;
  readonly #options: SpoolFileOptions;
  /** `undefined` after a failure that it may not have survived; it is opened again when needed. */
  #database: SpoolDatabase | undefined;
  /** Which file it is: whoever removes it from its folder leaves SQLite with one of no name. */
  #inode: number | null | undefined;
  /** What the file holds, as far as it has confirmed it. */
  #books: SpoolBooks | undefined;

  private constructor(path: string, options: SpoolFileOptions) {
    this.#path = path;
    this.#options = options;
  }

  /**
   * Opens or makes the file.
   *
   * @throws {SpoolError} if that cannot be, with the reason.
   */
  static open(
    path: string,
    options: SpoolFileOptions,
  ): {
    readonly file: SpoolFile;
    readonly contents: Contents;
    readonly damage: Damage | undefined;
  } {
    const file = new SpoolFile(path, options);
    let damage = file.#start();
    try {
      return { file, contents: file.contents(), damage };
    } catch (error) {
      if (!isDamage(error)) throw file.#failure("use", error);
      damage = file.#salvage(error);
      return { file, contents: file.contents(), damage };
    }
  }

  /**
   * Makes all the changes, one after the other, or none; see `Spool.write` for `durable`.
   *
   * @throws {SpoolError} if nothing was written.
   */
  apply(batch: readonly Changes[], durable: boolean): void {
    const rows = batch.flatMap(({ insert }) => insert);
    const bytes = rows.reduce((sum, row) => sum + rowBytes(row), 0);
    if (rows.length > 0 && !leavesRoom(this.#path, bytes, () => this.#database?.freeBytes ?? 0)) {
      throw this.#failure("write", new Error("the disk is full"));
    }
    this.#use("write", (database) => database.apply(batch, durable));
  }

  /**
   * The next rows after this number; see `Spool.read`.
   *
   * @throws {SpoolError} if they cannot be read.
   */
  read(after: number, limit: Amount): Row[] {
    return this.#use("read", (database) => database.read(after, limit));
  }

  /** What it holds. */
  contents(): Contents {
    const database = this.#database ?? this.#reopen();
    return { ...database.books, deliveries: database.deliveries() };
  }

  /** Whether there is nothing in it, and its file is large all the same. */
  get wasteful(): boolean {
    if (this.#database?.books.messages !== 0) return false;
    try {
      return (sizeOf(this.#path) ?? 0) > TRIM_BYTES;
    } catch {
      // What is out of reach gives nothing back.
      return false;
    }
  }

  /** Gives the disk back if it is wasteful. */
  trim(): void {
    if (!this.wasteful) return;
    const lastRow = this.#database?.books.lastRow ?? 0;
    try {
      // An empty file of its own in its place takes as long whatever the size; and Deno refuses
      // VACUUM to a program that may not do everything.
      this.#letGo();
      // What could not be moved out of it still counts.
      if (!exists(`${this.#path}-wal`)) createEmpty(this.#path, lastRow);
      this.#reopen();
    } catch {
      // Nothing in it is at stake, and it is opened again when needed.
      this.#letGo();
    }
  }

  /** Ends it; everything is in the one file then, if the disk allows. */
  close(): void {
    this.trim();
    this.#letGo();
  }

  /** Opens the file for the first time. */
  #start(): Damage | undefined {
    const { date } = this.#options;
    let before: Damage | undefined;
    try {
      if (exists(this.#path) && !Deno.statSync(this.#path).isFile) {
        throw new Error("there is something of that name that is not a file");
      }
      before = endSalvage(this.#path, date());
      const logBytes = sizeOf(`${this.#path}-wal`) ?? 0;
      if (!exists(this.#path) && logBytes === 0) createEmpty(this.#path);
      const database = this.#reopen();
      // After an orderly end there is no such file. What it lacks is not missed by SQLite.
      if (logBytes > 0) database.count();
      return before;
    } catch (error) {
      if (!isDamage(error)) {
        this.#letGo();
        throw this.#failure("use", error);
      }
      return this.#salvage(error);
    }
  }

  /** Opens the file, which has to hold what it held before. */
  #reopen(): SpoolDatabase {
    // SQLite would make a new file of one that is empty or gone.
    const bytes = sizeOf(this.#path);
    if (bytes === undefined) throw new DamageError("it is gone");
    if (bytes === 0) throw new DamageError("it is empty");
    const database = SpoolDatabase.open(this.#path);
    this.#database = database;
    this.#inode = inodeOf(this.#path);
    const { lastRow, messages, bytes: size } = database.books;
    const known = this.#books;
    if (
      known !== undefined &&
      (known.lastRow !== lastRow || known.messages !== messages || known.bytes !== size)
    ) throw new DamageError("it does not hold what was written last");
    this.#books = database.books;
    return database;
  }

  #use<T>(what: "read" | "write", work: (database: SpoolDatabase) => T): T {
    try {
      return this.#once(work);
    } catch (error) {
      if (!isDamage(error)) throw this.#failure(what, error);
      const damage = this.#salvage(error);
      try {
        this.#options.damaged(damage, this.contents());
        return this.#once(work);
      } catch (again) {
        throw this.#failure(what, again);
      }
    }
  }

  #once<T>(work: (database: SpoolDatabase) => T): T {
    const database = this.#database ?? this.#reopen();
    if (inodeOf(this.#path) !== this.#inode) {
      throw new DamageError("it was removed or replaced while fsmqtt ran");
    }
    try {
      const result = work(database);
      this.#books = database.books;
      return result;
    } catch (error) {
      // Of a file that could not be read or written, what SQLite has in memory may be wrong.
      if (isInputOutput(error)) this.#letGo();
      throw error;
    }
  }

  #salvage(error: unknown): Damage {
    const reason = spoolFault(error);
    this.#letGo();
    try {
      const damage = salvage(this.#path, reason, this.#books, this.#options.date());
      this.#books = undefined;
      this.#reopen();
      return damage;
    } catch (failed) {
      this.#letGo();
      throw new SpoolError(
        `Cannot use the spool ${this.#path}: it is damaged (${reason}), and no new one can be ` +
          `begun: ${spoolFault(failed)}`,
      );
    }
  }

  #letGo(): void {
    const database = this.#database;
    this.#database = undefined;
    try {
      database?.close();
    } catch {
      // What is in the -wal file stays there until the next start.
    }
  }

  #failure(what: "read" | "write" | "use", error: unknown): SpoolError {
    if (error instanceof SpoolError) return error;
    return new SpoolError(`Cannot ${what} the spool ${this.#path}: ${this.#reason(error)}`);
  }

  /** SQLite does not tell why a file cannot be opened, the system does. */
  #reason(error: unknown): string {
    const reason = spoolFault(error);
    if (!reason.includes("unable to open database file")) return reason;
    try {
      Deno.openSync(this.#path, { read: true, write: true }).close();
      return reason;
    } catch (refused) {
      return spoolFault(refused);
    }
  }
}

function inodeOf(path: string): number | null | undefined {
  try {
    return Deno.statSync(path).ino;
  } catch {
    return undefined;
  }
}
