/**
 * Which messages of a queue are on disk: writes those that the broker does not acknowledge in time,
 * removes those that it has, and reads back what memory had no room for.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { Delivery, MessageCounter } from "../mqtt/outbox.ts";
import { Deque } from "./deque.ts";
import { clockTimeOf, Entry, wallTimeOf } from "./entry.ts";
import {
  type Amount,
  type Changes,
  type Contents,
  type Damage,
  type OpenedSpool,
  type Row,
  type Spool,
  SpoolError,
  type Spools,
} from "./spool/rows.ts";

/** When a spooler writes. */
export interface SpoolerSettings {
  /**
   * How long a message may be without acknowledgement before it is written, in milliseconds. Without
   * it none is written any more.
   */
  readonly commitMs: number | undefined;
  /** What memory may hold. Once half of that is not on disk it is written, whatever its age. */
  readonly memory: Amount;
}

/** What a spooler needs. */
export interface SpoolerOptions {
  /** Time. */
  readonly clock: Clock;
  /** When it writes. */
  readonly settings: SpoolerSettings;
  /** The counter of this name. */
  readonly counter: (name: string) => MessageCounter;
}

/** What a spooler tells. */
export interface SpoolerHandlers {
  /** It is open: what was found there is away, but for messages whose delivery has begun. */
  opened(begun: readonly Entry[]): void;
  /** Messages are on disk now, which memory may forget. */
  stored(): void;
  /** Why it cannot be used at present, if that has changed; `undefined` when it can be again. */
  trouble(reason: string | undefined): void;
  /** The file was damaged. */
  damaged(damage: Damage): void;
  /** So many messages that were on disk alone are lost. */
  missing(count: number): void;
}

/** What is asked of the disk. Each kind fails and works again by itself; `answer` is any of them. */
type Deed = "open" | "insert" | "settle" | "read" | "answer";

/** What has failed is tried again after this time. */
export const RETRY_MS = 1_000;
/** A disk that says nothing for so long is not waited for. */
const ANSWER_MS = 10_000;
/** Messages that could not be written are no trouble any more when none had to be for so long. */
const CALM_MS = 60_000;
/** What is acknowledged is removed within this time, and many removals at once. */
const REMOVE_MS = 100;
/** More that are gone than are not, and than this, are not remembered. */
const PRUNE_OVER = 1_000;

/** Keeps the messages of QoS 1 and 2 of one queue on disk, as far as they need it. */
export class Spooler {
  readonly #clock: Clock;
  readonly #counter: SpoolerOptions["counter"];
  readonly #handlers: SpoolerHandlers;
  #settings: SpoolerSettings;
  #path = "";
  #spool: Spool | undefined;
  #open: () => Promise<OpenedSpool> = () => Promise.reject(new SpoolError("There is no spool"));
  /** Settles when it is open, or closed before. */
  #opening: Promise<unknown> | undefined;
  #endPause = () => {};
  /** The row of a message is its number and this. */
  #base = 0;
  /** Messages that are not written yet, in the order in which they were offered; and gone ones. */
  readonly #unwritten = new Deque<Entry>();
  /** Messages that are not on disk as far as it has said: those not written, or being written. */
  readonly #alone = { messages: 0, bytes: 0 };
  /** Messages in memory that are on disk too, or are being written. */
  readonly #resident = new Map<number, Entry>();
  #residentBytes = 0;
  /** Rows that are gone, and still on disk as far as it has said. */
  readonly #gone = new Set<number>();
  /** Everything on disk at and below this number is in memory too. */
  #cursor = 0;
  /** Where the cursor has to go back to after the present reading. */
  #cursorAtMost = Infinity;
  #away = { messages: 0, bytes: 0 };
  #remove: number[] = [];
  /** Whose delivery has come on, by row; it is written as it is then. */
  #updated = new Map<number, Entry>();
  /** Who is to be told when that is written. */
  #remembered: (() => void)[] = [];
  /** Those who wait for what is being written. */
  readonly #waiting = new Set<(() => void)[]>();
  #settleScheduled = false;
  /** Messages are being written: others wait, so that a disk which stands still holds up few. */
  #writing: Promise<void> | undefined;
  #cancelCommit: (() => void) | undefined;
  #cancelRemove: (() => void) | undefined;
  #cancelCalm: (() => void) | undefined;
  readonly #troubles = new Map<Deed, string>();
  #closed = false;

  /** Makes one that writes nothing until {@linkcode open}. */
  constructor(options: SpoolerOptions, handlers: SpoolerHandlers) {
    this.#clock = options.clock;
    this.#settings = options.settings;
    this.#counter = options.counter;
    this.#handlers = handlers;
  }

  /** Messages that are on disk and not in memory. */
  get away(): Amount {
    return this.#away;
  }

  /** Messages that are in memory alone, those in flight and those being written among them. */
  get alone(): Amount {
    return this.#alone;
  }

  /** Everything on disk at and below this number is in memory too. */
  get readTo(): number {
    return this.#cursor;
  }

  /** Messages on disk, those being written among them. */
  get stored(): Amount {
    return {
      messages: this.#away.messages + this.#resident.size,
      bytes: this.#away.bytes + this.#residentBytes,
    };
  }

  /** Whether nothing more can be written at present. */
  get refuses(): boolean {
    const troubles = this.#troubles;
    return troubles.has("insert") || troubles.has("open") || troubles.has("answer");
  }

  /** Changes when a message is written. */
  configure(settings: SpoolerSettings): void {
    this.#settings = settings;
    this.#cancelCommit?.();
    this.#cancelCommit = undefined;
    this.#commitLater();
  }

  /**
   * Opens the spool, as often as it takes, and returns the messages in it whose delivery has begun. The
   * others are away. If it is closed before that has worked, there are none.
   */
  async open(spools: Spools, path: string): Promise<readonly Entry[]> {
    this.#path = path;
    this.#open = () =>
      spools.open(path, { damaged: (damage, contents) => this.#damaged(damage, contents) });
    const opening = this.#begin();
    this.#opening = opening;
    return await opening;
  }

  /** A new message: it is written unless it is gone in time. */
  watch(entry: Entry): void {
    if (entry.isWatched) return;
    entry.isWatched = true;
    this.#unwritten.push(entry);
    this.#alone.messages++;
    this.#alone.bytes += entry.size;
    // With a long commitMs most of them are gone long before the first is due.
    if (this.#unwritten.length > 2 * this.#alone.messages + PRUNE_OVER) {
      this.#unwritten.keep(({ isGone }) => !isGone);
    }
    this.#commitLater();
  }

  /** A message is acknowledged or given up. */
  forget(entry: Entry): void {
    entry.leave();
    if (entry.isWatched && entry.stored !== "yes") this.#isAloneNoMore(entry);
    if (entry.stored === "no") return;
    const row = this.#base + entry.number;
    this.#leaveMemory(entry);
    this.#gone.add(row);
    this.#remove.push(row);
    this.#cancelRemove ??= this.#clock.after(REMOVE_MS, () => this.#settle());
  }

  /** Lets memory forget a message that is on disk. Returns whether it is. */
  evict(entry: Entry): boolean {
    if (entry.stored !== "yes") return false;
    this.#leaveMemory(entry);
    this.#away.messages++;
    this.#away.bytes += entry.size;
    this.#cursor = Math.min(this.#cursor, entry.number - 1);
    this.#cursorAtMost = Math.min(this.#cursorAtMost, entry.number - 1);
    entry.leave();
    return true;
  }

  /**
   * Remembers how far a delivery has come, and calls back when that would outlive the process, or the
   * disk refuses it or does not answer in time: it holds up no delivery.
   */
  remember(entry: Entry, delivery: Delivery | undefined, then: () => void): void {
    entry.delivery = delivery;
    if (entry.stored === "no" || this.#closed) {
      then();
      return;
    }
    this.#updated.set(this.#base + entry.number, entry);
    if (this.#troubles.has("answer")) then();
    else this.#remembered.push(then);
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
  async read(limit: Amount, take: (entry: Entry) => void): Promise<boolean> {
    const spool = this.#spool;
    if (spool === undefined) return false;
    this.#settle();
    this.#cursorAtMost = Infinity;
    try {
      const rows = await this.#answer(spool.read(this.#base + this.#cursor, limit));
      const last = rows.at(-1);
      if (last !== undefined) this.#cursor = Math.min(last.row - this.#base, this.#cursorAtMost);
      else if (this.#cursorAtMost === Infinity) this.#miss(this.#away.messages);
      for (const row of rows) {
        const isKnown = this.#resident.has(row.row - this.#base) || this.#gone.has(row.row);
        if (isKnown) continue;
        const entry = this.#restore(row);
        // It was put back, and what the disk has of its delivery could not be removed yet.
        if (entry.delivery !== undefined) this.remember(entry, undefined, () => {});
        take(entry);
      }
      this.#note("read", undefined);
      return true;
    } catch (error) {
      this.#failed("read", error as Error);
      return false;
    }
  }

  /** Writes what is left to write, and ends; what is being opened is waited for. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelCommit?.();
    this.#cancelCalm?.();
    this.#endPause();
    await this.#opening;
    await this.#writing;
    await this.#commit(() => true);
    await this.#settle();
    this.#cancelRemove?.();
    this.#cancelCalm?.();
    try {
      // A file that was removed meanwhile is noticed when it is written to.
      await this.#spool?.write({ remove: [], insert: [], update: [] }, false);
      await this.#spool?.close();
    } catch (error) {
      this.#note("settle", (error as Error).message);
    }
  }

  async #begin(): Promise<readonly Entry[]> {
    const opened = await this.#opened();
    if (opened === undefined) return [];
    const { spool, contents, damage } = opened;
    this.#spool = spool;
    this.#base = contents.lastRow;
    this.#cursor = -this.#base;
    this.#away = { messages: contents.messages, bytes: contents.bytes };
    const begun = contents.deliveries.map((row) => this.#restore(row));
    if (damage !== undefined) this.#handlers.damaged(damage);
    this.#handlers.opened(begun);
    this.#commitLater();
    return begun;
  }

  async #reopen(): Promise<void> {
    await this.#pause();
    const opened = await this.#opened();
    if (opened === undefined) return;
    const { spool, contents, damage } = opened;
    this.#spool = spool;
    if (damage !== undefined) this.#damaged(damage, contents);
    this.#commitLater();
  }

  /** Tries until it is open; `undefined` if it is closed before. */
  async #opened(): Promise<OpenedSpool | undefined> {
    while (!this.#closed) {
      try {
        const opened = await this.#answer(this.#open());
        this.#note("open", undefined);
        return opened;
      } catch (error) {
        this.#note("open", (error as Error).message);
      }
      if (!this.#closed) await this.#pause();
    }
    return undefined;
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancelTimer = this.#clock.after(RETRY_MS, resolve);
      this.#endPause = () => {
        cancelTimer();
        resolve();
      };
    });
  }

  /** Waits for the disk; those who wait for it in vain are let go on. */
  async #answer<T>(asked: Promise<T>): Promise<T> {
    const cancelTimer = this.#clock.after(ANSWER_MS, () => {
      this.#note("answer", `Cannot use the spool ${this.#path}: the disk does not answer`);
      for (const waiting of [...this.#waiting, this.#remembered]) callAll(waiting);
    });
    try {
      return await asked;
    } finally {
      cancelTimer();
      this.#note("answer", undefined);
    }
  }

  /** Whether so much is in memory alone that it is not to wait for its time. */
  get #isCrowded(): boolean {
    const { messages, bytes } = this.#settings.memory;
    return this.#alone.messages > messages / 2 || this.#alone.bytes > bytes / 2;
  }

  #restore(row: Row): Entry {
    const { topic, payload, qos, retain, counter, offeredAt, delivery } = row;
    const message = { topic, payload, qos, retain, counter: this.#counter(counter) };
    const number = row.row - this.#base;
    const entry = new Entry(message, number, clockTimeOf(offeredAt, this.#clock));
    entry.isWatched = true;
    entry.stored = "yes";
    entry.delivery = delivery;
    this.#enterMemory(entry);
    this.#away.messages--;
    // After damage nobody knows how many bytes are away.
    this.#away.bytes = this.#away.messages === 0 ? 0 : this.#away.bytes - entry.size;
    return entry;
  }

  #commitLater(): void {
    if (this.#isCrowded && this.#hurry()) return;
    const oldest = this.#oldestUnwritten();
    const { commitMs } = this.#settings;
    const isBusy = this.#cancelCommit !== undefined || this.#writing !== undefined;
    if (oldest === undefined || commitMs === undefined || isBusy || this.#closed) return;
    if (this.#spool === undefined) return;
    const dueMs = this.#troubles.has("insert")
      ? RETRY_MS
      : oldest.offeredAt + commitMs - this.#clock.now();
    this.#cancelCommit = this.#clock.after(Math.max(0, dueMs), () => {
      this.#cancelCommit = undefined;
      const now = this.#clock.now();
      const isDue = (this.#oldestUnwritten()?.offeredAt ?? Infinity) + commitMs <= now;
      if (this.#isCrowded) this.#commit(() => true);
      // Those that are due soon go along, so that the disk is not asked for each of them.
      else if (isDue) this.#commit(({ offeredAt }) => offeredAt <= now - commitMs / 2);
      else this.#commitLater();
    });
  }

  /** Writes at once what is in memory alone. Returns whether that begins now. */
  #hurry(): boolean {
    const isBusy = this.#writing !== undefined || this.#spool === undefined || this.#closed;
    const { commitMs } = this.#settings;
    if (isBusy || this.refuses || commitMs === undefined) return false;
    if (this.#oldestUnwritten() === undefined) return false;
    this.#cancelCommit?.();
    this.#cancelCommit = undefined;
    this.#commit(() => true);
    return true;
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
      if (entry.stored === "yes") {
        this.#alone.messages++;
        this.#alone.bytes += entry.size;
      }
      entry.stored = "writing";
      this.#enterMemory(entry);
    }
    const insert = entries.map((entry) => this.#row(entry));
    try {
      await this.#answer(spool.write({ remove: [], insert, update: [] }, true));
      for (const entry of entries) {
        if (!entry.isGone) this.#isAloneNoMore(entry);
        entry.stored = "yes";
      }
      this.#note("insert", undefined);
      this.#handlers.stored();
    } catch (error) {
      // Of a spool that is lost nobody knows what it has written.
      this.#takeBack(entries, spool.isLost ? new Set() : absent);
      this.#failed("insert", error as Error);
      this.#cancelCalm?.();
      if (!this.#closed) {
        this.#cancelCalm = this.#clock.after(CALM_MS, () => this.#note("insert", undefined));
      }
    }
  }

  /** Writes what has gone and how far deliveries have come. */
  async #settle(): Promise<void> {
    this.#settleScheduled = false;
    this.#cancelRemove?.();
    this.#cancelRemove = undefined;
    const [remove, updated] = [this.#remove, this.#updated];
    const remembered = this.#remembered.splice(0);
    if (remove.length + updated.size > 0) {
      [this.#remove, this.#updated] = [[], new Map()];
      this.#waiting.add(remembered);
      await this.#change(remove, updated);
      this.#waiting.delete(remembered);
    }
    // A disk that says no holds up no delivery.
    callAll(remembered);
  }

  async #change(remove: readonly number[], updated: ReadonlyMap<number, Entry>): Promise<void> {
    const spool = this.#spool;
    const update = [...updated].map(([row, { delivery }]) => ({ row, delivery }));
    const changes: Changes = { remove, insert: [], update };
    try {
      if (spool === undefined) throw new SpoolError("The spool is not open");
      await this.#answer(spool.write(changes, false));
      for (const row of remove) this.#gone.delete(row);
      this.#note("settle", undefined);
    } catch (error) {
      this.#remove = [...remove, ...this.#remove];
      this.#updated = new Map([...updated, ...this.#updated]);
      if (!this.#closed) {
        this.#cancelRemove ??= this.#clock.after(RETRY_MS, () => this.#settle());
      }
      // Why there is none has been told.
      if (spool !== undefined) this.#failed("settle", error as Error);
    }
  }

  #failed(deed: Deed, error: Error): void {
    this.#note(deed, error.message);
    if (this.#spool?.isLost !== true || this.#closed) return;
    this.#spool = undefined;
    this.#opening = this.#reopen();
  }

  /** Messages could not be written; those that are absent are not on disk, of others nobody knows. */
  #takeBack(entries: readonly Entry[], absent: ReadonlySet<Entry>): void {
    for (const entry of entries.toReversed()) {
      if (entry.isGone) continue;
      this.#unwritten.unshift(entry);
      if (!absent.has(entry)) continue;
      this.#leaveMemory(entry);
      entry.stored = "no";
    }
  }

  #row(entry: Entry): Row {
    const { number, topic, payload, qos, retain, counter, delivery } = entry;
    return {
      row: this.#base + number,
      offeredAt: wallTimeOf(entry, this.#clock),
      topic,
      payload,
      qos,
      retain,
      counter: counter.name,
      delivery,
    };
  }

  /** A deed has failed, or gone well: what went wrong at another is not over by that. */
  #note(deed: Deed, reason: string | undefined): void {
    if (reason === undefined && !this.#troubles.has(deed)) return;
    const [before] = this.#troubles.values();
    if (reason === undefined) this.#troubles.delete(deed);
    else this.#troubles.set(deed, reason);
    const [now] = this.#troubles.values();
    if (now !== before) this.#handlers.trouble(now);
  }

  #isAloneNoMore({ size }: Entry): void {
    this.#alone.messages--;
    this.#alone.bytes -= size;
  }

  #enterMemory(entry: Entry): void {
    if (!this.#resident.has(entry.number)) this.#residentBytes += entry.size;
    this.#resident.set(entry.number, entry);
  }

  #leaveMemory({ number, size }: Entry): void {
    if (this.#resident.delete(number)) this.#residentBytes -= size;
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
    if (left === 0) this.#note("read", undefined);
    this.#handlers.missing(count);
  }
}

function callAll(functions: (() => void)[]): void {
  for (const call of functions.splice(0)) call();
}
