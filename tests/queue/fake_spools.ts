/**
 * A disk in memory, which answers when the test says so, in the order of asking.
 *
 * @module
 */

import {
  type Changes,
  type Contents,
  type Damage,
  type Row,
  rowBytes,
  type Spool,
  SpoolError,
  type SpoolHandlers,
  type Spools,
} from "../../lib/queue/spool/rows.ts";

/** Something asked for: done and answered, or refused. */
type Task = () => void;

/** What a spool file holds. */
export class FakeDisk {
  /** The rows by their numbers. */
  readonly rows = new Map<number, Row>();
  /** The highest number that a row ever had. */
  lastRow = 0;

  /** The same content, of its own. */
  copy(): FakeDisk {
    const copy = new FakeDisk();
    for (const [number, row] of this.rows) copy.rows.set(number, row);
    copy.lastRow = this.lastRow;
    return copy;
  }

  /** The rows in their order. */
  get ordered(): Row[] {
    return [...this.rows.values()].sort((a, b) => a.row - b.row);
  }

  /** As a spool tells of it. */
  get contents(): Contents {
    const rows = this.ordered;
    return {
      lastRow: this.lastRow,
      messages: rows.length,
      bytes: rows.reduce((sum, row) => sum + rowBytes(row), 0),
      deliveries: rows.filter(({ delivery }) => delivery !== undefined),
    };
  }

  /** How often a row has claimed the packet identifier of another one. */
  clashes = 0;

  /** Makes changes. */
  change({ remove, insert, update }: Changes): void {
    for (const row of remove) this.rows.delete(row);
    for (const row of insert) {
      this.#claim(row);
      this.lastRow = Math.max(this.lastRow, row.row);
    }
    for (const { row, delivery } of update) {
      const known = this.rows.get(row);
      if (known !== undefined) this.#claim({ ...known, delivery });
    }
  }

  /** A packet identifier is that of the row which claimed it last. */
  #claim(row: Row): void {
    const packetId = row.delivery?.packetId;
    for (const other of packetId === undefined ? [] : this.rows.values()) {
      if (other.row === row.row || other.delivery?.packetId !== packetId) continue;
      this.clashes++;
      this.rows.set(other.row, { ...other, delivery: undefined });
    }
    // A disk has its own bytes.
    this.rows.set(row.row, { ...row, payload: new Uint8Array(row.payload) });
  }
}

/** The spools of one process over one disk. */
export class FakeSpools implements Spools {
  /** What is written. */
  readonly disk: FakeDisk;
  /** Whether everything is answered at once; else by {@linkcode answer}. */
  prompt = true;
  /** Why nothing can be opened, written or read at present. */
  openFault: string | undefined;
  writeFault: string | undefined;
  readFault: string | undefined;
  /** Why no new rows can be written at present, as on a full disk. */
  insertFault: string | undefined;
  /** Why it cannot be closed. */
  closeFault: string | undefined;
  /** What was asked to be written. */
  readonly writes: { readonly changes: Changes; readonly durable: boolean }[] = [];
  /** How often it was read. */
  reads = 0;
  isClosed = false;
  /** Whether what keeps the spool has died. */
  isLost = false;
  readonly #tasks: Task[] = [];
  #handlers: SpoolHandlers | undefined;
  #damage: (() => Damage) | undefined;

  /** Over a disk, an empty one if there is none yet. */
  constructor(disk: FakeDisk = new FakeDisk()) {
    this.disk = disk;
  }

  /** How much is not answered yet. */
  get asked(): number {
    return this.#tasks.length;
  }

  /** Answers the first thing that was asked for, or all. */
  answer(count = Infinity): void {
    for (let i = 0; i < count && this.#tasks.length > 0; i++) this.#tasks.shift()?.();
  }

  /** The rows that are not kept are lost; that is found when the next thing is done. */
  damage(keeps: (row: Row) => boolean): void {
    this.#damage = () => {
      const before = this.disk.rows.size;
      for (const row of this.disk.ordered) if (!keeps(row)) this.disk.rows.delete(row.row);
      const saved = this.disk.rows.size;
      return { reason: "a test", setAside: "aside", saved, lost: before - saved };
    };
  }

  open(_path: string, handlers: SpoolHandlers): ReturnType<Spools["open"]> {
    return this.#ask(() => this.openFault, () => {
      this.#handlers = handlers;
      this.isLost = false;
      const isLost = () => this.isLost;
      const spool: Spool = {
        get isLost() {
          return isLost();
        },
        write: (changes, durable) => {
          this.writes.push({ changes, durable });
          const fault = () =>
            this.writeFault ?? (changes.insert.length > 0 ? this.insertFault : undefined);
          return this.#ask(fault, () => this.disk.change(changes));
        },
        read: (after, limit) => {
          this.reads++;
          return this.#ask(() => this.readFault, () => this.#read(after, limit));
        },
        close: () => this.#ask(() => this.closeFault, () => void (this.isClosed = true)),
      };
      return { spool, contents: this.disk.contents, damage: undefined };
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #read(after: number, limit: { readonly messages: number; readonly bytes: number }): Row[] {
    const found: Row[] = [];
    let bytes = 0;
    for (const row of this.disk.ordered) {
      if (row.row <= after) continue;
      bytes += rowBytes(row);
      if (found.length >= limit.messages || (found.length > 0 && bytes > limit.bytes)) break;
      found.push(row);
    }
    return found;
  }

  #ask<T>(fault: () => string | undefined, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#tasks.push(() => {
        const damage = this.#damage?.();
        this.#damage = undefined;
        if (damage !== undefined) this.#handlers?.damaged(damage, this.disk.contents);
        const reason = fault();
        if (reason === undefined) resolve(work());
        else reject(new SpoolError(reason));
      });
      if (this.prompt) queueMicrotask(() => this.answer());
    });
  }
}

/** Resolves when all that follows from what was answered has happened. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 40; i++) await Promise.resolve();
}
