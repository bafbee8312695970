/**
 * Which messages of a queue are on disk: writes those that the broker does not acknowledge in time,
 * removes those that it has, and reads back what memory had no room for.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { Delivery, MessageCounter } from "../mqtt/outbox.ts";
import { Deque } from "./deque.ts";
import { Entry } from "./entry.ts";
import {
  type Changes,
  type Contents,
  type Damage,
  type Row,
  type Spool,
  SpoolError,
  type Spools,
} from "./spool/rows.ts";

/** What a spooler needs. */
export interface SpoolerOptions {
  /** Time. */
  readonly clock: Clock;
  /**
   * How long a message may be without acknowledgement before it is written, in milliseconds. Without
   * it none is written any more.
   */
  readonly commitMs: number | undefined;
  /** The counter of this name. */
  readonly counter: (name: string) => MessageCounter;
}

/** What a spooler tells. */
export interface SpoolerHandlers {
  /** Messages are on disk now, which memory may forget. */
  stored(): void;
  /** Writing or reading has failed (a reason), or works again. */
  trouble(reason: string | undefined): void;
  /** The file was damaged. */
  damaged(damage: Damage): void;
  /** So many messages that were on disk alone are lost. */
  missing(count: number): void;
}

/** How much to read at once. */
export interface ReadLimit {
  /** So many messages. */
  readonly messages: number;
  /** So many bytes, but one message in any case. */
  readonly bytes: number;
}

/** A failed write or read is tried again after this time. */
const RETRY_MS = 1_000;
/** What is acknowledged is removed within this time, and many removals at once. */
const REMOVE_MS = 100;
/** More that are gone than are not, and than this, are not remembered. */
const PRUNE_OVER = 1_000;

/** Keeps the messages of QoS 1 and 2 of one queue on disk, as far as they need it. */
export class Spooler {
  readonly #clock: Clock;
  readonly #counter: SpoolerOptions["counter"];
  readonly #handlers: SpoolerHandlers;
  #commitMs: number;
  #spool: Spool | undefined;
  /** Opens it again after its keeper was lost. */
  #reopen: () => Promise<void> = () => Promise.resolve();
  /** The row of a message is its number and this. */
  #base = 0;
  /** Messages that are not written yet, in the order in which they were offered; and gone ones. */
  readonly #unwritten = new Deque<Entry>();
  /** How many of them are not gone. */
  #unwrittenPresent = 0;
  /** Messages in memory that are on disk too, or are being written. */
  readonly #resident = new Map<number, Entry>();
  /** Rows that are gone, and still on disk as far as it has said. */
  readonly #gone = new Set<number>();
  /** Everything on disk at and below this number is in memory too. */
  #cursor = 0;
  /** Where the cursor has to go back to after the present reading. */
  #cursorAtMost = Infinity;
  #away = { messages: 0, bytes: 0 };
  #remove: number[] = [];
  #update: { row: number; delivery: Delivery | undefined }[] = [];
  #remembered: (() => void)[] = [];
  #settleScheduled = false;
  /** Messages are being written: others wait, so that a disk which stands still holds up few. */
  #writing: Promise<void> | undefined;
  #cancelCommit: (() => void) | undefined;
  #cancelRemove: (() => void) | undefined;
  #cancelReopen: (() => void) | undefined;
  #hasTrouble = false;
  #closed = false;

  /** Makes one that writes nothing until {@linkcode open}. */
  constructor(options: SpoolerOptions, handlers: SpoolerHandlers) {
    this.#clock = options.clock;
    this.#commitMs = options.commitMs ?? Infinity;
    this.#counter = options.counter;
    this.#handlers = handlers;
  }

  /** Messages that are on disk and not in memory. */
  get away(): { readonly messages: number; readonly bytes: number } {
    return this.#away;
  }

  /** Everything on disk at and below this number is in memory too. */
  get readTo(): number {
    return this.#cursor;
  }

  /** Messages on disk, those being written among them. */
  get stored(): number {
    return this.#away.messages + this.#resident.size;
  }

  /** Whether the disk said no to the last thing that it was asked for. */
  get hasTrouble(): boolean {
    return this.#hasTrouble;
  }

  /** Changes when a message is written. */
  configure(commitMs: number | undefined): void {
    this.#commitMs = commitMs ?? Infinity;
    this.#cancelCommit?.();
    this.#cancelCommit = undefined;
    this.#commitLater();
  }

  /**
   * Opens the spool and returns the messages in it whose delivery has begun. The others are away.
   *
   * @throws {SpoolError} if there can be none.
   */
  async open(spools: Spools, path: string): Promise<readonly Entry[]> {
    const open = () =>
      spools.open(path, { damaged: (damage, contents) => this.#damaged(damage, contents) });
    const { spool, contents, damage } = await open();
    this.#spool = spool;
    this.#reopen = async () => {
      const { spool, contents, damage } = await open();
      this.#spool = spool;
      if (damage !== undefined) this.#damaged(damage, contents);
    };
    this.#base = contents.lastRow;
    this.#cursor = -this.#base;
    this.#away = { messages: contents.messages, bytes: contents.bytes };
    const begun = contents.deliveries.map((row) => this.#restore(row));
    if (damage !== undefined) this.#handlers.damaged(damage);
    this.#commitLater();
    return begun;
  }

  /** A new message: it is written unless it is gone in time. */
  watch(entry: Entry): void {
    if (entry.isWatched) return;
    entry.isWatched = true;
    this.#unwritten.push(entry);
    this.#unwrittenPresent++;
    // With a long commitMs most of them are gone long before the first is due.
    if (this.#unwritten.length > 2 * this.#unwrittenPresent + PRUNE_OVER) {
      this.#unwritten.keep(({ isGone }) => !isGone);
    }
    this.#commitLater();
  }

  /** A message is acknowledged or given up. */
  forget(entry: Entry): void {
    entry.leave();
    if (entry.stored === "no") {
      if (entry.isWatched) this.#unwrittenPresent--;
      return;
    }
    const row = this.#base + entry.number;
    this.#resident.delete(entry.number);
    this.#gone.add(row);
    this.#remove.push(row);
    this.#cancelRemove ??= this.#clock.after(REMOVE_MS, () => this.#settle());
  }

  /** Lets memory forget a message that is on disk. Returns whether it is. */
  evict(entry: Entry): boolean {
    if (entry.stored !== "yes") return false;
    this.#resident.delete(entry.number);
    this.#away.messages++;
    this.#away.bytes += entry.size;
    this.#cursor = Math.min(this.#cursor, entry.number - 1);
    this.#cursorAtMost = Math.min(this.#cursorAtMost, entry.number - 1);
    entry.leave();
    return true;
  }

  /** Remembers how far a delivery has come, and calls back when that would outlive the process. */
  remember(entry: Entry, delivery: Delivery | undefined, then: () => void): void {
    entry.delivery = delivery;
    if (entry.stored === "no" || this.#closed) {
      then();
      return;
    }
    this.#update.push({ row: this.#base + entry.number, delivery });
    this.#remembered.push(then);
    if (this.#settleScheduled) return;
    this.#settleScheduled = true;
    // What is published in one go is remembered in one go.
    queueMicrotask(() => this.#settle());
  }

  /**
   * Reads the next messages that are away, oldest first, and hands each to `take`; they are in memory
   * from then on. There may be none among what was read, and more behind it. One reading at a time.
   * Returns whether anything can be read at present.
   */
  async read(limit: ReadLimit, take: (entry: Entry) => void): Promise<boolean> {
    const spool = this.#spool;
    if (spool === undefined) return false;
    this.#settle();
    this.#cursorAtMost = Infinity;
    try {
      const rows = await spool.read(this.#base + this.#cursor, limit);
      const last = rows.at(-1);
      if (last !== undefined) this.#cursor = Math.min(last.row - this.#base, this.#cursorAtMost);
      else if (this.#cursorAtMost === Infinity) this.#miss(this.#away.messages);
      for (const row of rows) {
        const isKnown = this.#resident.has(row.row - this.#base) || this.#gone.has(row.row);
        if (!isKnown) take(this.#restore(row));
      }
      this.#noteTrouble(undefined);
      return true;
    } catch (error) {
      this.#failed(error as Error);
      return false;
    }
  }

  /** Writes what is left to write, and ends. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelCommit?.();
    this.#cancelReopen?.();
    await this.#writing;
    await this.#commit(() => true);
    await this.#settle();
    this.#cancelRemove?.();
    try {
      // A file that was removed meanwhile is noticed when it is written to.
      await this.#write({ remove: [], insert: [], update: [] });
      await this.#spool?.close();
    } catch (error) {
      this.#noteTrouble((error as Error).message);
    }
  }

  #restore(row: Row): Entry {
    const { topic, payload, qos, retain, counter, offeredAt, delivery } = row;
    const waitedMs = Math.max(0, this.#clock.date().getTime() - offeredAt);
    const message = { topic, payload, qos, retain, counter: this.#counter(counter) };
    const number = row.row - this.#base;
    const entry = new Entry(message, number, this.#clock.now() - waitedMs);
    entry.isWatched = true;
    entry.stored = "yes";
    entry.delivery = delivery;
    this.#resident.set(number, entry);
    this.#away.messages--;
    // After damage nobody knows how many bytes are away.
    this.#away.bytes = this.#away.messages === 0 ? 0 : this.#away.bytes - entry.size;
    return entry;
  }

  #commitLater(): void {
    const oldest = this.#oldestUnwritten();
    const isIdle = oldest === undefined || this.#commitMs === Infinity || this.#closed;
    const isBusy = this.#cancelCommit !== undefined || this.#writing !== undefined;
    if (isIdle || isBusy || this.#spool === undefined) return;
    const dueMs = this.#hasTrouble
      ? RETRY_MS
      : oldest.offeredAt + this.#commitMs - this.#clock.now();
    this.#cancelCommit = this.#clock.after(Math.max(0, dueMs), () => {
      this.#cancelCommit = undefined;
      const now = this.#clock.now();
      const due = (this.#oldestUnwritten()?.offeredAt ?? Infinity) + this.#commitMs <= now;
      // Those that are due soon go along, so that the disk is not asked for each of them.
      if (due) this.#commit(({ offeredAt }) => offeredAt <= now - this.#commitMs / 2);
      else this.#commitLater();
    });
  }

  #oldestUnwritten(): Entry | undefined {
    while (this.#unwritten.first?.isGone === true) this.#unwritten.shift();
    return this.#unwritten.first;
  }

  async #commit(isDue: (entry: Entry) => boolean): Promise<void> {
    const entries: Entry[] = [];
    for (let next = this.#oldestUnwritten(); next !== undefined && isDue(next);) {
      entries.push(next);
      this.#unwritten.shift();
      this.#unwrittenPresent--;
      next = this.#oldestUnwritten();
    }
    // What has gone makes room for what comes, and frees its packet identifiers.
    this.#settle();
    this.#writing = this.#insert(entries);
    await this.#writing;
    this.#writing = undefined;
    this.#commitLater();
  }

  async #insert(entries: readonly Entry[]): Promise<void> {
    const spool = this.#spool;
    const absent = new Set(entries.filter(({ stored }) => stored === "no"));
    if (spool === undefined || entries.length === 0) {
      this.#takeBack(entries, absent);
      return;
    }
    for (const entry of entries) {
      entry.stored = "writing";
      this.#resident.set(entry.number, entry);
    }
    const insert = entries.map((entry) => this.#row(entry));
    try {
      await spool.write({ remove: [], insert, update: [] }, true);
      for (const entry of entries) entry.stored = "yes";
      this.#noteTrouble(undefined);
      this.#handlers.stored();
    } catch (error) {
      // Of a spool that is lost nobody knows what it has written.
      this.#takeBack(entries, spool.isLost ? new Set() : absent);
      this.#failed(error as Error);
    }
  }

  /** Writes what has gone and how far deliveries have come. */
  async #settle(): Promise<void> {
    this.#settleScheduled = false;
    this.#cancelRemove?.();
    this.#cancelRemove = undefined;
    const [remove, update] = [this.#remove.splice(0), this.#update.splice(0)];
    const remembered = this.#remembered.splice(0);
    try {
      if (remove.length + update.length > 0) await this.#write({ remove, insert: [], update });
      for (const row of remove) this.#gone.delete(row);
    } catch (error) {
      this.#remove = [...remove, ...this.#remove];
      this.#update = [...update, ...this.#update];
      if (!this.#closed) {
        this.#cancelRemove ??= this.#clock.after(RETRY_MS, () => this.#settle());
      }
      this.#failed(error as Error);
    }
    // A disk that says no holds up no delivery.
    for (const then of remembered) then();
  }

  async #write(changes: Changes): Promise<void> {
    if (this.#spool === undefined) throw new SpoolError("The spool is not open");
    await this.#spool.write(changes, false);
    this.#noteTrouble(undefined);
  }

  #failed(error: Error): void {
    this.#noteTrouble(error.message);
    if (this.#spool?.isLost !== true || this.#closed) return;
    this.#spool = undefined;
    const reopen = () => {
      this.#cancelReopen = this.#clock.after(RETRY_MS, async () => {
        try {
          await this.#reopen();
          this.#commitLater();
        } catch {
          if (!this.#closed) reopen();
        }
      });
    };
    reopen();
  }

  /** Messages could not be written; those that are absent are not on disk, of others nobody knows. */
  #takeBack(entries: readonly Entry[], absent: ReadonlySet<Entry>): void {
    for (const entry of entries.toReversed()) {
      if (entry.isGone) continue;
      this.#unwritten.unshift(entry);
      this.#unwrittenPresent++;
      if (!absent.has(entry)) continue;
      this.#resident.delete(entry.number);
      entry.stored = "no";
    }
  }

  #row(entry: Entry): Row {
    const { number, topic, payload, qos, retain, counter, delivery, offeredAt } = entry;
    return {
      row: this.#base + number,
      offeredAt: this.#clock.date().getTime() - Math.round(this.#clock.now() - offeredAt),
      topic,
      payload,
      qos: qos === 2 ? 2 : 1,
      retain,
      counter: counter.name,
      delivery,
    };
  }

  #noteTrouble(reason: string | undefined): void {
    if (reason === undefined && !this.#hasTrouble) return;
    this.#hasTrouble = reason !== undefined;
    this.#handlers.trouble(reason);
  }

  /**
   * Nobody knows which of the messages in memory were saved, so each is written again, except those
   * that are about to be. What was away is found when it is read; there cannot be more of it than was
   * saved.
   */
  #damaged(damage: Damage, { messages }: Contents): void {
    this.#insert([...this.#resident.values()].filter(({ stored }) => stored === "yes"));
    this.#handlers.damaged(damage);
    this.#miss(this.#away.messages - messages);
  }

  /** Messages that were away are not there. */
  #miss(count: number): void {
    if (count <= 0) return;
    const { messages, bytes } = this.#away;
    const left = messages - count;
    this.#away = { messages: left, bytes: left === 0 ? 0 : bytes * (left / messages) };
    this.#handlers.missing(count);
  }
}
