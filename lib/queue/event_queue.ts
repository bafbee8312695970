/**
 * What one connection still has to publish, bounded, with books that balance.
 *
 * @module
 */

import { type Clock, systemClock } from "../clock.ts";
import type { Logger } from "../log/logger.ts";
import type {
  Delivery,
  GiveUpReason,
  Message,
  MessageCounter,
  Outbox,
  Unwritten,
} from "../mqtt/outbox.ts";
import { type Books, type DropReason, Drops } from "./books.ts";
import { DropLog } from "./drop_log.ts";
import { clockTimeOf, Entry, wallTimeOf } from "./entry.ts";
import { Holding, type RateLimit } from "./holding.ts";
import { type End, Lane } from "./lane.ts";
import { type Amount, type Damage, type Row, rowBytes, type Spools } from "./spool/rows.ts";
import { Slab, Slabs } from "./slabs.ts";
import { RETRY_MS, Spooler, type SpoolerSettings } from "./spooler.ts";
import { TokenBucket } from "./token_bucket.ts";

/** How much may wait. */
export interface QueueLimits {
  /** So many messages. */
  readonly messages: number;
  /** So many bytes of them. */
  readonly bytes: number;
}

/** How a queue behaves. */
export interface QueueSettings {
  /** What waits in memory. */
  readonly limits: QueueLimits;
  /** What waits on disk, where messages of QoS 1 and 2 are kept there too. */
  readonly spool?: {
    /** All messages of QoS 1 and 2, those in memory among them. */
    readonly limits: QueueLimits;
    /** How long one may be without acknowledgement before it is written, in milliseconds. */
    readonly commitMs: number;
  } | undefined;
  /**
   * What is dropped when a bound is reached.
   * @default "drop_oldest"
   */
  readonly full?: "drop_oldest" | "drop_newest";
  /**
   * How long a message may wait, in milliseconds; 0 is for ever.
   * @default 0
   */
  readonly maxAgeMs?: number;
  /**
   * How many messages a second of what has gathered are sent; 0 is as fast as can be.
   * @default 0
   */
  readonly drainRate?: number;
}

/** What a queue may need. */
export interface QueueDeps {
  /**
   * Time.
   * @default systemClock
   */
  readonly clock?: Clock;
  /** Where it says what it drops. */
  readonly log?: Logger;
  /** The counter of this name, for messages of an earlier process. */
  readonly counter?: (name: string) => MessageCounter;
}

/** What goes on in another queue: what memory alone has, and the books without what is on disk. */
export interface CarriedQueue {
  /** What waits, in its order. */
  readonly rows: readonly Row[];
  /** The books; what is on disk is offered again where its spool is opened. */
  readonly books: Books;
}

/** What a spool holds, for the status. */
export interface SpoolCondition {
  /** Messages on disk. */
  readonly messages: number;
  /** Their bytes. */
  readonly bytes: number;
  /** Messages of an earlier process that were found there. */
  readonly recovered: number;
  /** Why it cannot be used at present. */
  readonly trouble?: string;
}

/** With so much at hand a broker is not kept waiting while more is fetched. */
const AHEAD_BYTES = 2048 * 1024;
/** A broker that has taken nothing for so long takes nothing at present. */
const PROGRESS_MS = 100;
/** A live message does not wait longer for what has gathered; from then on each gets its turn. */
const STARVING_MS = 5_000;
/** As much is read back at once as this share of what memory holds, and no more than this. */
const CHUNK_SHARE = 4;
const CHUNK_BYTES = 1024 * 1024;
/** So many of the next ones are kept at hand, whatever else fills the memory. */
const KEPT_AT_LEAST = 50;

/**
 * Messages in their order. What has gathered while the broker was away (the backlog) goes first; once
 * a live message has waited for five seconds, or where `drainRate` holds the backlog back, live messages
 * go in between. Each of the two keeps its order.
 *
 * When a bound is reached, messages of QoS 0 are dropped before others, and messages over the rate of
 * their topic before those under it. On disk, messages of QoS 1 and 2 that memory has no room for
 * wait there alone.
 */
export class EventQueue implements Outbox {
  readonly #clock: Clock;
  readonly #log: Logger | undefined;
  readonly #counter: (name: string) => MessageCounter;
  readonly #dropLog: DropLog;
  readonly #drops = new Drops();
  readonly #live = new Lane();
  readonly #backlog = new Lane();
  readonly #holding: Holding;
  #settings: QueueSettings;
  #spooler: Spooler | undefined;
  #listener = () => {};
  #publishAtOnce: (message: Message) => boolean = () => false;
  /** Where payloads wait, those of QoS 0 apart: they are dropped before others. */
  readonly #slabs = { volatile: new Slabs(), reliable: new Slabs() };
  /** Whether a message of this QoS is to be dropped at once: the breaker's word. */
  sheds: (qos: 0 | 1 | 2) => boolean = () => false;
  #number = 0;
  /** Messages up to this number belong to the backlog. */
  #backlogEnd = 0;
  #drain: TokenBucket | undefined;
  #drainTimer: (() => void) | undefined;
  #takesTurns = false;
  #lastWasBacklog = false;
  #peeked: Entry | undefined;
  #isReading = false;
  #retryTimer: (() => void) | undefined;
  #starvingTimer: (() => void) | undefined;
  #ageTimer: (() => void) | undefined;
  readonly #volatile = { messages: 0, bytes: 0 };
  readonly #reliable = { messages: 0, bytes: 0 };
  #offered = 0;
  #acknowledged = 0;
  /** When it was seen last that something has gone on, and how much had. */
  #progress = { acknowledged: 0, seenAt: -Infinity };
  #inFlight = 0;
  #recovered = 0;
  #trouble: string | undefined;
  #isClosed = false;

  /** An empty queue. */
  constructor(settings: QueueSettings, deps: QueueDeps = {}) {
    const { clock = systemClock, log, counter = (name) => ({ name, messages: 0 }) } = deps;
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
    this.#counter = counter;
    this.#dropLog = new DropLog(log, clock);
    this.#holding = new Holding(clock, {
      expire: () => this.#expire(),
      release: (entry) => {
        this.#live.push(entry);
        this.#listener();
      },
    });
  }

  /** How many messages wait. */
  get length(): number {
    return this.#volatile.messages + this.#reliable.messages + this.#away.messages;
  }

  /** How many bytes wait. */
  get bytes(): number {
    return this.#volatile.bytes + this.#reliable.bytes + this.#away.bytes;
  }

  /** How many messages wait on disk alone. */
  get onDiskAlone(): number {
    return this.#away.messages;
  }

  /** Messages taken and neither acknowledged, put back nor dropped. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The books at this moment. */
  get books(): Books {
    return {
      offered: this.#offered,
      acknowledged: this.#acknowledged,
      inFlight: this.#inFlight,
      queued: this.length,
      dropped: this.#drops.byReason,
    };
  }

  /**
   * How full it is, from 0 to 1, by the bound that is nearest. What is on disk too fills no memory: that
   * forgets it when it needs the room.
   */
  get fill(): number {
    const { limits, spool } = this.#settings;
    const share = (used: Amount, bound: QueueLimits) =>
      Math.max(used.messages / bound.messages, used.bytes / bound.bytes);
    if (spool === undefined) return share(sum(this.#volatile, this.#reliable), limits);
    return Math.max(
      share(this.#volatile, limits),
      share(this.#spooler?.alone ?? this.#reliable, limits),
      share(this.#spooled, spool.limits),
    );
  }

  /** Whether more waits than can go on in a moment, though some has gone on a moment ago. */
  get isCatchingUp(): boolean {
    const now = this.#clock.now();
    if (this.#acknowledged !== this.#progress.acknowledged) {
      this.#progress = { acknowledged: this.#acknowledged, seenAt: now };
    }
    return this.bytes > AHEAD_BYTES && now - this.#progress.seenAt < PROGRESS_MS;
  }

  /** What its spool holds; `undefined` where it has none. */
  get spool(): SpoolCondition | undefined {
    if (this.#spooler === undefined) return undefined;
    return {
      ...this.#spooler.stored,
      recovered: this.#recovered,
      ...(this.#trouble === undefined ? {} : { trouble: this.#trouble }),
    };
  }

  /** Changes how it behaves; what no longer fits is dropped. */
  configure(settings: QueueSettings): void {
    const { drainRate } = this.#settings;
    this.#settings = settings;
    if (settings.drainRate !== drainRate) this.#beginDrain();
    this.#spooler?.configure(this.#spoolerSettings);
    this.#watchAll();
    this.#ageTimer?.();
    this.#ageTimer = undefined;
    this.#ageLater();
    this.#shed();
    this.#listener();
  }

  /**
   * Opens the spool of this file, for as long as it takes; messages are kept in memory until then.
   * Returns the messages whose delivery an earlier process has begun: they are in flight. There are
   * none if the queue is closed before.
   */
  async open(spools: Spools, path: string): Promise<readonly Message[]> {
    if (this.#isClosed) return [];
    const spooler = this.#spooler ??= this.#makeSpooler();
    this.#watchAll();
    return await spooler.open(spools, path);
  }

  /**
   * Writes to disk what belongs there, and ends the spool; one that is just being opened is waited
   * for. What memory alone has stays in memory.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#ageTimer?.();
    this.#drainTimer?.();
    this.#retryTimer?.();
    this.#starvingTimer?.();
    this.#holding.releaseAll();
    await this.#spooler?.close();
  }

  /** What another queue goes on with, once this one is closed. */
  handOver(): CarriedQueue {
    const isOnDisk = ({ stored }: Entry) => stored === "yes";
    const waiting = [this.#backlog, this.#live].flatMap(({ volatile, reliable }) => [
      ...volatile,
      ...reliable,
    ]).sort((a, b) => a.number - b.number);
    const onDisk = this.#away.messages + waiting.filter(isOnDisk).length;
    const rows = waiting.filter((entry) => !isOnDisk(entry)).map((entry) => ({
      row: entry.number,
      offeredAt: wallTimeOf(entry, this.#clock),
      topic: entry.topic,
      payload: entry.payload,
      qos: entry.qos,
      retain: entry.retain,
      counter: entry.counter.name,
      delivery: undefined,
    }));
    // What is in flight still is on disk, too, and nobody has taken it up.
    const { offered, queued, inFlight, ...books } = this.books;
    const left = { offered: offered - onDisk - inFlight, queued: queued - onDisk, inFlight: 0 };
    return { rows, books: { ...books, ...left } };
  }

  /**
   * Goes on with what another queue has handed over, before anything is offered to this one.
   *
   * @param limitOf The limit of the topic with this counter, where there is one.
   */
  takeOver(
    { rows, books }: CarriedQueue,
    limitOf: (counter: MessageCounter) => RateLimit | undefined = () => undefined,
  ): void {
    this.#offered = books.offered;
    this.#acknowledged = books.acknowledged;
    this.#drops.take(books.dropped);
    for (const { counter, offeredAt, ...row } of rows) {
      const message = { ...row, counter: this.#counter(counter) };
      const entry = new Entry(message, ++this.#number, clockTimeOf(offeredAt, this.#clock));
      this.#count(entry);
      this.#watch(entry);
      const limit = limitOf(entry.counter);
      if (limit?.over !== "hold" || this.#holding.admits(entry, limit)) this.#backlog.push(entry);
      else this.#holding.hold(entry, limit);
    }
    this.#backlogEnd = this.#number;
    this.#ageLater();
    this.#shed();
  }

  wakes(listener: () => void, publishAtOnce: (message: Message) => boolean = () => false): void {
    this.#listener = listener;
    this.#publishAtOnce = publishAtOnce;
  }

  resumed(): void {
    const { reliable, volatile } = this.#live;
    for (let one = volatile.shift(); one !== undefined; one = volatile.shift()) {
      this.#backlog.push(one);
    }
    while (reliable.first !== undefined) {
      // Behind what is on disk alone there can only be more of that.
      if (this.#away.messages > 0) {
        if (this.#spooler?.evict(reliable.first) !== true) break;
        this.#uncount(reliable.first);
        reliable.shift();
      } else this.#backlog.push(reliable.shift() as Entry);
    }
    this.#backlog.order();
    this.#backlogEnd = (reliable.first?.number ?? this.#number + 1) - 1;
    this.#takesTurns = false;
    this.#beginDrain();
  }

  /**
   * Takes a message in, under the limit of its topic where there is one. Its payload is only lent: it may
   * change when this has returned.
   */
  offer(message: Message, limit?: RateLimit): void {
    this.#offered++;
    if (this.sheds(message.qos)) return this.#refuse(message, "breaker_open");
    if (rowBytes(message) > this.#mostBytes(message)) return this.#refuse(message, "too_large");
    const mayPass = this.#holding.admits(message, limit);
    if (!mayPass && limit?.over === "drop") return this.#refuse(message, "over_rate");
    const entry = new Entry(message, ++this.#number, this.#clock.now());
    if (mayPass && this.#goesAtOnce(entry)) return;
    this.#keep(entry, mayPass);
    this.#count(entry);
    this.#watch(entry);
    if (mayPass || limit === undefined) this.#live.push(entry);
    else this.#holding.hold(entry, limit);
    this.#shed();
    this.#ageLater();
    if (mayPass) this.#listener();
  }

  /** What need not wait is never copied here. */
  #goesAtOnce(entry: Entry): boolean {
    if (entry.qos > 0 || this.length > 0 || !this.#publishAtOnce(entry)) return false;
    this.#inFlight++;
    return true;
  }

  /** What is held may wait for much longer than what comes with it, and is apart. */
  #keep(entry: Entry, mayPass: boolean): void {
    const { length } = entry.payload;
    const slabs = entry.qos === 0 ? this.#slabs.volatile : this.#slabs.reliable;
    entry.keep(entry.payload, mayPass ? slabs.for(length) : new Slab(length));
  }

  peek(): Message | undefined {
    return this.#peeked = this.#choose()?.first;
  }

  take(): Message | undefined {
    // A moment later another lane may have its turn.
    const peeked = this.#peeked;
    this.#peeked = undefined;
    const isPeeked = (lane: Lane) => peeked !== undefined && lane.first === peeked;
    const lane = isPeeked(this.#live)
      ? this.#live
      : isPeeked(this.#backlog)
      ? this.#backlog
      : this.#choose();
    const entry = lane?.shift();
    if (entry === undefined) return undefined;
    this.#lastWasBacklog = lane === this.#backlog;
    if (this.#lastWasBacklog) this.#drain?.take();
    this.#uncount(entry);
    this.#inFlight++;
    if (this.length === 0) this.#dropLog.emptied();
    return entry;
  }

  acknowledge(message: Message): void {
    const entry = message as Entry;
    this.#inFlight--;
    this.#acknowledged++;
    entry.counter.messages++;
    this.#forget(entry);
  }

  drop(message: Message, reason: GiveUpReason): void {
    this.#inFlight--;
    this.#drops.add(reason);
    this.#forget(message as Entry);
  }

  putBack(messages: readonly Message[], { keepsDelivery = false } = {}): void {
    const entries = messages as readonly Entry[];
    const isOld = ({ number }: Entry) => number <= this.#backlogEnd;
    for (const entry of entries) {
      this.#inFlight--;
      this.#count(entry);
      this.#watch(entry);
      // Another message may get its packet identifier.
      if (entry.delivery !== undefined && !keepsDelivery) this.remember(entry, undefined, () => {});
    }
    this.#backlog.putBack(entries.filter(isOld));
    this.#live.putBack(entries.filter((entry) => !isOld(entry)));
    this.#ageLater();
    this.#shed();
  }

  takeBack(unwritten: readonly Unwritten[]): void {
    const entries = unwritten.map(({ message, payload }) => {
      const entry = message as Entry;
      if (!entry.isKept) entry.keep(payload, this.#slabs.volatile.for(payload.length));
      return entry;
    });
    this.putBack(entries);
  }

  remember(message: Message, delivery: Delivery | undefined, then: () => void): void {
    const entry = message as Entry;
    if (this.#spooler !== undefined) return this.#spooler.remember(entry, delivery, then);
    entry.delivery = delivery;
    then();
  }

  /** Nothing more comes in: what is over the rate of its topic need not wait any longer. */
  releaseHeld(): void {
    this.#holding.releaseAll();
  }

  /** How far the delivery of a message has come, as far as it is remembered. */
  deliveryOf(message: Message): Delivery | undefined {
    return (message as Entry).delivery;
  }

  get #away(): Amount {
    return this.#spooler?.away ?? NOTHING;
  }

  /** Whether what is on disk alone may come before all of the backlog that is in memory. */
  get #isAhead(): boolean {
    const { first } = this.#backlog.reliable;
    const readTo = this.#spooler?.readTo ?? Infinity;
    return first !== undefined && this.#away.messages > 0 && first.number > readTo;
  }

  /** All that waits of QoS 1 and 2. */
  get #spooled(): Amount {
    return sum(this.#away, this.#reliable);
  }

  get #spoolerSettings(): SpoolerSettings {
    const { limits, spool } = this.#settings;
    return { commitMs: spool?.commitMs, memory: limits };
  }

  #makeSpooler(): Spooler {
    const settings = this.#spoolerSettings;
    return new Spooler({ clock: this.#clock, settings, counter: this.#counter }, {
      opened: (begun) => this.#opened(begun),
      stored: () => this.#shed(),
      trouble: (reason) => this.#noteTrouble(reason),
      damaged: (damage) => this.#log?.alert(damageText(damage)),
      missing: (count) => {
        this.#drops.add("damaged", count);
        this.#log?.error(`${count} events that waited on disk are lost`);
      },
    });
  }

  #opened(begun: readonly Entry[]): void {
    const found = begun.length + this.#away.messages;
    this.#offered += found;
    this.#inFlight += begun.length;
    this.#recovered = found;
    if (found > 0) {
      this.#log?.notice(`${found} events of an earlier run wait on disk for the broker`);
    }
    if (this.#isClosed) return;
    this.#ageLater();
    this.#shed();
    this.#listener();
  }

  /** What waits may be older than the wish for a spool. */
  #watchAll(): void {
    if (this.#spooler === undefined || this.#settings.spool === undefined) return;
    const waiting = [...this.#backlog.reliable, ...this.#holding, ...this.#live.reliable];
    waiting.sort((a, b) => a.number - b.number).forEach((entry) => this.#watch(entry));
  }

  #watch(entry: Entry): void {
    if (entry.qos > 0 && this.#settings.spool !== undefined) this.#spooler?.watch(entry);
  }

  #forget(entry: Entry): void {
    if (this.#spooler === undefined) entry.leave();
    else this.#spooler.forget(entry);
  }

  /** The lane whose first message is the next one; none if there is none, or it may not go yet. */
  #choose(): Lane | undefined {
    const [live, backlog] = [this.#live, this.#backlog];
    this.#expire();
    const away = this.#away.messages;
    if (away > 0) this.#refill();
    if (backlog.length + away === 0) {
      this.#takesTurns = false;
      // What memory has no room for later has not gathered while the broker was away.
      this.#drain = undefined;
      return live.length === 0 ? undefined : live;
    }
    const holdsBack = this.#drain !== undefined && this.#drain.waitMs > 0;
    const isAhead = this.#isReading && this.#isAhead;
    const isReady = backlog.length > 0 && !holdsBack && !isAhead;
    const head = live.first;
    if (head === undefined) {
      if (holdsBack) this.#wakeForDrain();
      return isReady ? backlog : undefined;
    }
    const isStuck = backlog.length === 0 && !this.#isReading;
    this.#takesTurns ||= this.#drain !== undefined || isStuck ||
      this.#clock.now() - head.offeredAt > STARVING_MS;
    if (!this.#takesTurns) {
      if (!isReady) this.#wakeStarving(head);
      return isReady ? backlog : undefined;
    }
    return isReady && !this.#lastWasBacklog ? backlog : live;
  }

  #beginDrain(): void {
    const { drainRate: rate = 0 } = this.#settings;
    const hasBacklog = this.#backlog.length + this.#away.messages > 0;
    this.#drain = rate > 0 && hasBacklog
      ? new TokenBucket({ rate, burst: Math.max(1, rate / 20) }, this.#clock)
      : undefined;
  }

  #wakeForDrain(): void {
    this.#drainTimer ??= this.#clock.after(Math.max(1, this.#drain?.waitMs ?? 0), () => {
      this.#drainTimer = undefined;
      this.#listener();
    });
  }

  /** A disk that is slow to read must not hold up live messages for longer. */
  #wakeStarving({ offeredAt }: Entry): void {
    const dueMs = offeredAt + STARVING_MS - this.#clock.now();
    this.#starvingTimer ??= this.#clock.after(Math.max(0, dueMs) + 1, () => {
      this.#starvingTimer = undefined;
      this.#listener();
    });
  }

  /** Reads back from disk what is to be sent next. */
  async #refill(): Promise<void> {
    const { messages, bytes } = this.#settings.limits;
    const chunk = Math.max(1, Math.ceil(messages / CHUNK_SHARE));
    // What is read where there is no room costs others their place, if only in memory.
    const room = messages - this.#reliable.messages;
    const isEnough = !this.#isAhead &&
      this.#backlog.reliable.length > Math.max(0, Math.min(chunk, room) / 2);
    // Where nothing else can make room, what is read would have to go again.
    const isFull = (room <= 0 || this.#reliable.bytes >= bytes) &&
      (this.#settings.spool === undefined || this.#spooler?.refuses === true);
    if (this.#isReading || isEnough || isFull || this.#isClosed) return;
    this.#isReading = true;
    const limit = {
      messages: Math.max(Math.min(chunk, KEPT_AT_LEAST), Math.min(chunk, room)),
      bytes: Math.min(bytes / CHUNK_SHARE, CHUNK_BYTES),
    };
    const isRead = await this.#spooler?.read(limit, (entry) => {
      this.#count(entry);
      this.#backlog.reliable.push(entry);
    });
    if (this.#isClosed) return;
    if (isRead !== true) {
      this.#retryTimer = this.#clock.after(RETRY_MS, () => {
        this.#isReading = false;
        this.#listener();
      });
      return;
    }
    this.#isReading = false;
    // What an earlier process had begun may be before what is read.
    this.#backlog.order();
    this.#expire();
    // All of it was too old: so may be what follows.
    if (this.#backlog.reliable.length === 0 && this.#away.messages > 0) this.#refill();
    this.#shed();
    this.#listener();
  }

  /** Drops what is over a bound, or lets memory forget what is on disk. */
  #shed(): void {
    const { limits, spool } = this.#settings;
    if (spool === undefined) {
      while (this.#isOver(limits, this.#volatile, this.#reliable)) {
        const isLess = this.#shedOne("volatile", "queue_full") || this.#evictOne() ||
          this.#shedOne("reliable", "queue_full", true);
        if (!isLess) return;
      }
      return;
    }
    while (this.#isOver(limits, this.#volatile) && this.#shedOne("volatile", "queue_full"));
    // Before memory forgets what was read in order to be dropped.
    while (this.#isOver(spool.limits, this.#spooled)) {
      const isNext = this.#backlog.reliable.length > 0 || this.#away.messages === 0;
      if (!isNext && this.#settings.full !== "drop_newest") {
        // The oldest are on disk alone.
        this.#refill();
        break;
      }
      if (!this.#shedOne("reliable", "queue_full")) break;
    }
    while (this.#isOver(limits, this.#reliable)) {
      if (this.#evictOne()) continue;
      // What is about to be written may be more for a moment, as long as there is memory for it.
      const isFull = this.#reliable.bytes > limits.bytes || this.#spooler === undefined ||
        this.#spooler.refuses;
      if (!isFull || !this.#shedOne("reliable", "disk_full", true)) break;
    }
  }

  /** What a message may count for without costing all others their place, in bytes. */
  #mostBytes({ qos }: Message): number {
    const { limits, spool } = this.#settings;
    return qos === 0 || spool === undefined
      ? limits.bytes
      : Math.min(limits.bytes, spool.limits.bytes);
  }

  #isOver(limits: QueueLimits, one: Amount, other: Amount = NOTHING): boolean {
    return one.messages + other.messages > limits.messages ||
      one.bytes + other.bytes > limits.bytes;
  }

  /** Drops one; with `mayWait`, one that is on disk too is not lost, and comes later. */
  #shedOne(which: "volatile" | "reliable", reason: DropReason, mayWait = false): boolean {
    // What is just being written takes its memory whether it is dropped or not.
    const isWriting = reason === "disk_full" && this.#live.reliable.first?.stored === "writing";
    const isNewest = this.#settings.full === "drop_newest" || isWriting;
    const end: End = isNewest ? "newest" : "oldest";
    const [first, last] = end === "oldest"
      ? [this.#backlog, this.#live]
      : [this.#live, this.#backlog];
    // Read back from disk, a held one would go without regard to its rate.
    const held = this.#holding.give(which, end);
    const entry = held ?? first.give(which, end) ?? last.give(which, end);
    if (entry === undefined) return false;
    if (held !== undefined) this.#discard(held, "queue_full");
    else if (mayWait && this.#spooler?.evict(entry) === true) this.#uncount(entry);
    else this.#discard(entry, reason);
    return true;
  }

  /** Lets memory forget a message that is on disk; the oldest live one, since it is sent latest. */
  #evictOne(): boolean {
    const { reliable: live } = this.#live;
    const { reliable: backlog } = this.#backlog;
    if (live.first !== undefined && this.#spooler?.evict(live.first) === true) {
      this.#backlogEnd = Math.max(this.#backlogEnd, live.first.number);
      this.#uncount(live.first);
      live.shift();
      return true;
    }
    const kept = Math.min(KEPT_AT_LEAST, this.#settings.limits.messages / CHUNK_SHARE);
    const last = backlog.length > Math.max(1, kept) ? backlog.pop() : undefined;
    if (last === undefined) return false;
    if (this.#spooler?.evict(last) === true) {
      this.#uncount(last);
      return true;
    }
    backlog.push(last);
    return false;
  }

  #refuse(message: Message, reason: DropReason): void {
    this.#drops.add(reason);
    this.#tell(reason, message);
  }

  /** Gives up a message that waits. */
  #discard(entry: Entry, reason: DropReason): void {
    this.#uncount(entry);
    this.#drops.add(reason);
    this.#tell(reason, entry);
    this.#forget(entry);
  }

  #tell(reason: DropReason, message: Message): void {
    const dropped = this.#settings.full === "drop_newest" ? "the newest" : "the oldest";
    this.#dropLog.note(reason, message, { length: this.length, dropped });
  }

  #expire(): void {
    const { maxAgeMs = 0 } = this.#settings;
    if (maxAgeMs === 0) return;
    const youngest = this.#clock.now() - maxAgeMs;
    for (const entry of this.#holding.older(youngest)) this.#discard(entry, "expired");
    for (const lane of [this.#backlog, this.#live]) {
      while (lane.first !== undefined && lane.first.offeredAt < youngest) {
        this.#discard(lane.shift() as Entry, "expired");
      }
    }
  }

  /** Looks now and then for what is too old, also while nothing is sent. */
  #ageLater(): void {
    const { maxAgeMs = 0 } = this.#settings;
    if (maxAgeMs === 0 || this.#ageTimer !== undefined || this.length === 0) return;
    this.#ageTimer = this.#clock.after(Math.max(100, maxAgeMs / 10), () => {
      this.#ageTimer = undefined;
      this.#expire();
      if (this.#away.messages > 0) this.#refill();
      this.#ageLater();
    });
  }

  /** One line when it begins, one when it is over; the status says what it is at present. */
  #noteTrouble(reason: string | undefined): void {
    if (reason === undefined) this.#log?.notice("The spool can be used again");
    else if (this.#trouble === undefined) {
      this.#log?.error(`${reason}. Events wait in memory until it can be used`);
    }
    this.#trouble = reason;
  }

  #count({ qos, size }: Entry): void {
    const kind = qos === 0 ? this.#volatile : this.#reliable;
    kind.messages++;
    kind.bytes += size;
  }

  #uncount({ qos, size }: Entry): void {
    const kind = qos === 0 ? this.#volatile : this.#reliable;
    kind.messages--;
    kind.bytes -= size;
  }
}

const NOTHING: Amount = { messages: 0, bytes: 0 };

function sum(one: Amount, other: Amount): Amount {
  return { messages: one.messages + other.messages, bytes: one.bytes + other.bytes };
}

function damageText({ reason, setAside, saved, lost }: Damage): string {
  const many = lost === undefined
    ? "how many events are lost is unknown"
    : `at most ${lost} events are lost`;
  const where = setAside === undefined
    ? "The file was emptied"
    : `The damaged file is kept as ${setAside}; remove it when you have seen it`;
  return `THE SPOOL WAS DAMAGED (${reason}): ${many}, ${saved} were saved and are sent. ${where}`;
}
