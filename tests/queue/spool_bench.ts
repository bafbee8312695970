/** A queue with a disk, a clock and a log that a test can see through. */

import assert from "node:assert/strict";
import type { LogLevel } from "../../lib/log/levels.ts";
import { Logger } from "../../lib/log/logger.ts";
import type { Message } from "../../lib/mqtt/outbox.ts";
import { EventQueue, type QueueSettings } from "../../lib/queue/event_queue.ts";
import type { RateLimit } from "../../lib/queue/holding.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { FakeSpools, settled } from "./fake_spools.ts";
import { droppedIn, message } from "./helper.ts";

/** More than any test needs. */
export const PLENTY = 1_000_000;
/** Bounds that no test reaches. */
export const NO_BOUNDS = { messages: PLENTY, bytes: PLENTY };
/** A spool without bounds. */
export const SPOOL = { limits: NO_BOUNDS, commitMs: 50 };

/** The queue and what belongs to it. */
export class Bench {
  readonly clock: ManualClock;
  readonly spools: FakeSpools;
  readonly queue: EventQueue;
  readonly log: string[] = [];
  readonly counter = { name: "limited", messages: 0 };
  /** Deliveries that an earlier process has begun. */
  begun: readonly Message[] = [];

  /** Makes one; its spool is not open yet. */
  constructor(
    readonly settings: QueueSettings,
    { spools = new FakeSpools(), clock = new ManualClock() } = {},
  ) {
    this.spools = spools;
    this.clock = clock;
    const sink = { write: (line: string) => void this.log.push(line.slice(line.indexOf("["))) };
    const level: LogLevel = "info";
    const log = new Logger({ level, details: false, sinks: [sink] }, clock);
    this.queue = new EventQueue(settings, { clock, log });
  }

  /** One whose spool is open. */
  static async open(...args: ConstructorParameters<typeof Bench>): Promise<Bench> {
    const bench = new Bench(...args);
    await bench.open();
    return bench;
  }

  /** Opens the spool. */
  async open(): Promise<void> {
    this.begun = await this.queue.open(this.spools, "spool");
  }

  /** The process dies, and another one begins with what is on disk. */
  async crash(downMs = 0, settings: QueueSettings = this.settings): Promise<Bench> {
    await settled();
    const clock = new ManualClock();
    clock.advance(this.clock.now() + downMs);
    return await Bench.open(settings, { spools: new FakeSpools(this.spools.disk.copy()), clock });
  }

  /** Offers a message for each topic; those under a limit have one counter, as if of one topic. */
  offer(
    topics: readonly string[],
    qos?: 0 | 1 | 2,
    limit?: RateLimit,
    counter = limit === undefined ? undefined : this.counter,
  ): void {
    for (const topic of topics) {
      const plain = message(topic);
      const one = { ...plain, qos: qos ?? 1, counter: counter ?? plain.counter };
      this.queue.offer(one, limit);
    }
    this.check();
  }

  /** Time passes, and what follows from it happens. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 50) {
      this.clock.advance(Math.min(50, left));
      await settled();
    }
    this.check();
  }

  /** Takes one. */
  take(): Message {
    return this.queue.take() ?? assert.fail("there is none");
  }

  /** Takes what may be taken now, acknowledges it and returns the topics. */
  now(): string[] {
    const topics: string[] = [];
    for (let one = this.queue.take(); one !== undefined; one = this.queue.take()) {
      topics.push(one.topic);
      this.queue.acknowledge(one);
    }
    this.check();
    return topics;
  }

  /** Takes everything, however often the disk has to be read for it. */
  async all(): Promise<string[]> {
    const topics: string[] = [];
    for (let i = 0; i < 1_000 && this.queue.length > 0; i++) {
      topics.push(...this.now());
      await settled();
    }
    assert.equal(this.queue.length, 0);
    return topics;
  }

  /** The topics on disk. */
  get onDisk(): string[] {
    return this.spools.disk.ordered.map(({ topic }) => topic);
  }

  /** Why how many were dropped. */
  get dropped() {
    return this.queue.books.dropped;
  }

  /** Sees that the books balance. */
  check(): void {
    const { books } = this.queue;
    const { offered, acknowledged, inFlight, queued } = books;
    assert.equal(offered, acknowledged + inFlight + queued + droppedIn(books));
  }
}

/** Topics from one number to another. */
export function topics(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => String(first + index));
}
