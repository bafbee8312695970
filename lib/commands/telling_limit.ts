/**
 * Keeps a flood of messages from flooding the logs.
 *
 * @module
 */

import type { Clock } from "../clock.ts";

/** What was not told one by one. */
export interface Untold {
  /** Of which topic, as {@linkcode TellingLimit.note} was told. */
  readonly topic: string;
  /** How many. */
  readonly count: number;
  /** How many of them of which kind; the most frequent first, and {@linkcode OTHERS} as one. */
  readonly kinds: Readonly<Record<string, number>>;
}

/** How a {@linkcode TellingLimit} is kept. */
export interface TellingLimitOptions {
  /** Its time that never runs backwards, and its timers. */
  readonly clock: Clock;
  /** So many of a topic are told one by one in a minute. */
  readonly perMinute: number;
  /** Tells of those that were held back, when their minute is over. */
  readonly summarize: (untold: Untold) => void;
}

/** Stands for the kinds that are too many to be named. */
export const OTHERS = "…";
/** So many kinds are named: senders may choose them. */
const MOST_KINDS = 20;
const MINUTE_MS = 60_000;

/** A minute of a topic, which begins with the first that is noted. */
interface Minute {
  readonly endsAt: number;
  told: number;
  readonly heldBack: Map<string, number>;
  cancelSummary: () => void;
}

/**
 * Says of each thing that happens whether to tell it. The first ones of a topic within a minute are
 * told; those that come on top are counted by kind, and summarized when the minute is over. What one
 * topic has to tell takes nothing from the others.
 *
 * Topics are those of the configuration, of which there are few, not those that a sender can choose.
 */
export class TellingLimit {
  readonly #clock: Clock;
  readonly #summarize: (untold: Untold) => void;
  readonly #perMinute: number;
  readonly #minutes = new Map<string, Minute>();

  /** Nothing has happened so far. */
  constructor({ clock, summarize, perMinute }: TellingLimitOptions) {
    this.#clock = clock;
    this.#summarize = summarize;
    this.#perMinute = perMinute;
  }

  /** Takes notice of something; whether it is to be told by itself. */
  note(topic: string, kind: string): boolean {
    const minute = this.#minuteOf(topic);
    if (minute.told < this.#perMinute) {
      minute.told++;
      return true;
    }
    const { heldBack } = minute;
    if (heldBack.size === 0) {
      const leftMs = minute.endsAt - this.#clock.now();
      minute.cancelSummary = this.#clock.after(leftMs, () => this.#end(topic, minute));
    }
    const name = heldBack.has(kind) || heldBack.size < MOST_KINDS ? kind : OTHERS;
    heldBack.set(name, (heldBack.get(name) ?? 0) + 1);
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
    const kinds = [...heldBack].sort(([, a], [, b]) => b - a);
    const count = kinds.reduce((sum, [, times]) => sum + times, 0);
    this.#summarize({ topic, count, kinds: Object.fromEntries(kinds) });
  }
}

const NUMBER = new Intl.NumberFormat("en-US");

/**
 * A summary as a sentence: `4,312 more messages on topic X were refused within a minute: 4,000
 * not_allowed, 312 malformed`.
 *
 * @param noun What they are: `message`.
 * @param fate What became of them: `refused`.
 */
export function summaryText({ topic, count, kinds }: Untold, noun: string, fate: string): string {
  const were = count === 1 ? "was" : "were";
  const list = Object.entries(kinds).map(([kind, times]) => `${NUMBER.format(times)} ${kind}`);
  return `${NUMBER.format(count)} more ${noun}${count === 1 ? "" : "s"} on topic ${topic} ` +
    `${were} ${fate} within a minute: ${list.join(", ")}`;
}
