/**
 * The circuit breaker of a connection: says when it is in lasting trouble, and what is then dropped
 * at once.
 *
 * @module
 */

import type { Clock } from "../clock.ts";

/**
 * - `closed`: all is well, or not bad for long enough.
 * - `open`: in lasting trouble; events are shed as configured.
 * - `half_open`: put to the test; everything is admitted.
 */
export type BreakerState = "closed" | "open" | "half_open";

/**
 * Which events are dropped at once, as `breaker_open`, while the breaker is open. It decides about
 * new events alone: what waits already goes on waiting.
 *
 * - `none`: none. Nothing is lost that the queue has room for; the breaker only tells, in the log and
 *   in `status`, that something is wrong for longer.
 * - `qos0`: those of QoS 0, which nobody was promised. The whole queue is kept for QoS 1 and 2.
 * - `all`: every event, of QoS 1 and 2 too. What was queued when the trouble began is still
 *   delivered, and nothing of what happened since: for receivers that have no use for old events and
 *   are not to be flooded with them. Events are lost for as long as it is open.
 */
export type BreakerShed = "none" | "qos0" | "all";

/** When a breaker opens, and what it does then. */
export interface BreakerOptions {
  /** So many failures in a row open it; 0 never. */
  readonly failures: number;
  /** How full a queue is too full, as a share from 0 to 1. */
  readonly highMark: number;
  /** A queue too full for so many milliseconds opens it; 0 never. */
  readonly highMs: number;
  /** How many milliseconds it stays open before the test, if there is no connection sooner. */
  readonly openMs: number;
  /** What is dropped at once while it is open. */
  readonly shed: BreakerShed;
}

/** A breaker's state, and how it came to it. */
export interface BreakerCondition {
  /** The state. */
  readonly state: BreakerState;
  /** Since when; absent while it has never changed. */
  readonly since?: Date;
  /** Why, in words; absent while it has never changed. */
  readonly reason?: string;
}

/** A change of state. */
export interface BreakerChange extends Required<BreakerCondition> {
  /** Whether it belongs to a trouble that was told before: a test that failed, or another test. */
  readonly isRepeated: boolean;
}

/**
 * A test takes so long. A connection that ends sooner never was well, and a queue that is too full and
 * has not shrunk then did not get better.
 */
const TEST_MS = 10_000;

/**
 * The breaker of one connection. It is told what happens and asked nothing of the network.
 *
 * It opens when `failures` attempts failed or connections were lost in a row, or when the queue was
 * over `highMark` for `highMs`. A row ends with a connection that holds for 10 s. After `openMs`, or as
 * soon as there is a connection, it is half open: one failure opens it again, and so does a queue over
 * the mark that did not shrink in 10 s. Connected, with the queue below half of the mark, for 10 s
 * without a break, it closes.
 *
 * A limit of 0 takes that cause out of the whole: with `failures` 0 no failure opens it again either,
 * and with `highMs` 0 it does not look at the queue.
 *
 * It has a timer while it is open and while a test runs, and none while it is closed.
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #changed: (change: BreakerChange) => void;
  #options: BreakerOptions;
  #condition: BreakerCondition = { state: "closed" };
  /** When the present state began. */
  #enteredAt = 0;
  /** Failures since a connection held. */
  #row = 0;
  /** Since when there is a connection. */
  #connectedAt: number | undefined;
  #fill = 0;
  /** Since when the queue is over the mark. */
  #highSince: number | undefined;
  /** Half open, connected, and the queue well below the mark. */
  #isCalm = false;
  #tests = 0;
  #cancelTimer = () => {};
  #cancelCalm = () => {};

  /** A closed breaker; `changed` hears of each change of state once. */
  constructor(options: BreakerOptions, clock: Clock, changed: (change: BreakerChange) => void) {
    this.#options = options;
    this.#clock = clock;
    this.#changed = changed;
  }

  /** Its state, since when, and why. */
  get condition(): BreakerCondition {
    return this.#condition;
  }

  /** Whether it wants to be told how full the queue is. */
  get watchesQueue(): boolean {
    return this.#options.highMs > 0;
  }

  /** Whether an event of this QoS is to be dropped at once. */
  sheds(qos: 0 | 1 | 2): boolean {
    if (this.#condition.state !== "open") return false;
    const { shed } = this.#options;
    return shed === "all" || (shed === "qos0" && qos === 0);
  }

  /** An attempt failed, or the connection was lost. */
  failed(reason: string): void {
    this.#settleRow();
    this.#connectedAt = undefined;
    this.#row++;
    const { failures } = this.#options;
    const { state } = this.#condition;
    if (state === "half_open") {
      if (failures > 0) this.#open(`the test failed: ${reason}`);
      else this.#noteCalm();
    } else if (state === "closed" && failures > 0 && this.#row >= failures) {
      const times = this.#row === 1 ? "the connection failed" : `${this.#row} failures in a row`;
      this.#open(`${times}: ${reason}`);
    }
  }

  /** There is a connection. */
  connected(): void {
    this.#connectedAt ??= this.#clock.now();
    if (this.#condition.state === "open") this.#test("there is a connection");
    else this.#noteCalm();
  }

  /** The connection was ended on purpose, which is no failure. */
  ended(): void {
    this.#settleRow();
    this.#connectedAt = undefined;
    this.#noteCalm();
  }

  /**
   * How full the queue is, as a share from 0 to 1. To be told about once a second while anything is
   * queued, and once more when nothing is.
   */
  filled(share: number): void {
    this.#fill = share;
    const now = this.#clock.now();
    if (!this.#isHigh) this.#highSince = undefined;
    else this.#highSince ??= now;
    const { highMs } = this.#options;
    const { state } = this.#condition;
    if (state === "closed") {
      if (this.#highSince === undefined || now - this.#highSince < highMs) return;
      this.#open(`the queue was over ${this.#mark} for ${seconds(highMs)}`);
    } else if (state === "half_open") {
      this.#noteCalm();
    }
  }

  /** Takes other limits. What is open stays open by the new ones, unless they open nothing at all. */
  configure(options: BreakerOptions): void {
    const { state } = this.#condition;
    this.#options = options;
    if (!this.#isHigh) this.#highSince = undefined;
    if (state === "closed") return;
    if (options.failures === 0 && options.highMs === 0) {
      this.#close("it is switched off");
    } else if (state === "open") {
      this.#testIn(Math.max(0, this.#enteredAt + options.openMs - this.#clock.now()));
    } else {
      this.#noteCalm();
    }
  }

  /** Forgets what it heard: the connection is to another broker, or of another kind, from here on. */
  reset(): void {
    this.#row = 0;
    this.#connectedAt = undefined;
    if (this.#condition.state !== "closed") this.#close("the connection is another one now");
  }

  /** Ends its timers; it changes no more by itself. */
  close(): void {
    this.#cancelTimer();
    this.#cancelCalm();
  }

  get #isHigh(): boolean {
    return this.watchesQueue && this.#fill > this.#options.highMark;
  }

  /** The mark, for people. */
  get #mark(): string {
    return `${Math.round(this.#options.highMark * 100)} %`;
  }

  /** A connection that held ends the row of failures. */
  #settleRow(): void {
    if (this.#connectedAt === undefined) return;
    if (this.#clock.now() - this.#connectedAt >= TEST_MS) this.#row = 0;
  }

  #open(reason: string): void {
    this.#enter("open", reason);
    this.#testIn(this.#options.openMs);
  }

  #testIn(delayMs: number): void {
    this.#cancelTimer();
    const reason = `put to the test after ${seconds(this.#options.openMs)}`;
    this.#cancelTimer = this.#clock.after(delayMs, () => this.#test(reason));
  }

  #test(reason: string): void {
    this.#enter("half_open", reason);
    this.#tests++;
    this.#judgeLater();
    this.#noteCalm();
  }

  /** A full queue has some time to get better, and for as long as it does. */
  #judgeLater(): void {
    const before = this.#fill;
    this.#cancelTimer = this.#clock.after(TEST_MS, () => {
      if (this.#isHigh && this.#fill >= before) this.#open(`the queue is still over ${this.#mark}`);
      else this.#judgeLater();
    });
  }

  /** Looks, half open, whether it is time to close. */
  #noteCalm(): void {
    const isCalm = this.#condition.state === "half_open" && this.#connectedAt !== undefined &&
      !(this.watchesQueue && this.#fill >= this.#options.highMark / 2);
    if (isCalm === this.#isCalm) return;
    this.#isCalm = isCalm;
    this.#cancelCalm();
    if (!isCalm) return;
    this.#cancelCalm = this.#clock.after(TEST_MS, () => {
      this.#close(`connected and without trouble for ${seconds(TEST_MS)}`);
    });
  }

  #close(reason: string): void {
    this.#enter("closed", reason);
    this.#tests = 0;
  }

  #enter(state: BreakerState, reason: string): void {
    this.#cancelTimer();
    this.#cancelCalm();
    this.#isCalm = false;
    this.#enteredAt = this.#clock.now();
    const isRepeated = state !== "closed" && this.#tests > 0;
    const condition = { state, since: this.#clock.date(), reason };
    this.#condition = condition;
    this.#changed({ ...condition, isRepeated });
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
