/**
 * Keeps a flood of refused messages from flooding the logs.
 *
 * @module
 */

import type { Clock } from "../clock.ts";

/** Refusals that were not told one by one. */
export interface RefusalSummary {
  /** Of which topic, as {@linkcode Refusals.note} was told. */
  readonly topic: string;
  /** How many. */
  readonly count: number;
  /** How many of them for which reason; the most frequent first. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** How {@linkcode Refusals} are told. */
export interface RefusalsOptions {
  /** Its time that never runs backwards, and its timers. */
  readonly clock: Clock;
  /** Tells of those that were held back, when their minute is over. */
  readonly summarize: (summary: RefusalSummary) => void;
  /**
   * So many of a topic are told one by one in a minute.
   * @default 20
   */
  readonly perMinute?: number;
}

const PER_MINUTE = 20;
const MINUTE_MS = 60_000;

/** A minute of a topic, which begins with a refusal. */
interface Minute {
  readonly endsAt: number;
  told: number;
  readonly heldBack: Map<string, number>;
  cancelSummary: () => void;
}

/**
 * Says of each refusal whether to tell it. The first ones of a topic within a minute are told; those
 * that come on top are counted by reason, and summarized when the minute is over. What one topic
 * refuses takes nothing from the others.
 *
 * Topics are those of the configuration, of which there are few, not those that a sender can choose.
 */
export class Refusals {
  readonly #clock: Clock;
  readonly #summarize: (summary: RefusalSummary) => void;
  readonly #perMinute: number;
  readonly #minutes = new Map<string, Minute>();

  /** Nothing was refused so far. */
  constructor({ clock, summarize, perMinute = PER_MINUTE }: RefusalsOptions) {
    this.#clock = clock;
    this.#summarize = summarize;
    this.#perMinute = perMinute;
  }

  /** Takes notice of a refusal; whether it is to be told by itself. */
  note(topic: string, reason: string): boolean {
    const minute = this.#minuteOf(topic);
    if (minute.told < this.#perMinute) {
      minute.told++;
      return true;
    }
    if (minute.heldBack.size === 0) {
      const leftMs = minute.endsAt - this.#clock.now();
      minute.cancelSummary = this.#clock.after(leftMs, () => this.#end(topic, minute));
    }
    minute.heldBack.set(reason, (minute.heldBack.get(reason) ?? 0) + 1);
    return false;
  }

  /** Summarizes what is held back, and leaves no timer. */
  close(): void {
    for (const [topic, minute] of this.#minutes) this.#end(topic, minute);
  }

  #minuteOf(topic: string): Minute {
    const current = this.#minutes.get(topic);
    const now = this.#clock.now();
    if (current !== undefined && now < current.endsAt) return current;
    // A timer may be late.
    if (current !== undefined) this.#end(topic, current);
    const minute: Minute = {
      endsAt: now + MINUTE_MS,
      told: 0,
      heldBack: new Map(),
      cancelSummary: () => {},
    };
    this.#minutes.set(topic, minute);
    return minute;
  }

  #end(topic: string, { heldBack, cancelSummary }: Minute): void {
    cancelSummary();
    this.#minutes.delete(topic);
    if (heldBack.size === 0) return;
    const reasons = [...heldBack].sort(([, a], [, b]) => b - a);
    const count = reasons.reduce((sum, [, times]) => sum + times, 0);
    this.#summarize({ topic, count, reasons: Object.fromEntries(reasons) });
  }
}

const NUMBER = new Intl.NumberFormat("en-US");

/**
 * A summary as a sentence: `4,312 more messages on topic X were refused within a minute: 4,000
 * not_allowed, 312 malformed`.
 */
export function summaryText({ topic, count, reasons }: RefusalSummary): string {
  const were = count === 1 ? "message on topic" : "messages on topic";
  const list = Object.entries(reasons).map(([reason, times]) =>
    `${NUMBER.format(times)} ${reason}`
  );
  return `${NUMBER.format(count)} more ${were} ${topic} ${count === 1 ? "was" : "were"} refused ` +
    `within a minute: ${list.join(", ")}`;
}
