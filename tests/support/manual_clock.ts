/** A clock that stands still until it is told to go on. */

import type { Clock } from "../../lib/clock.ts";

export class ManualClock implements Clock {
  #now = 0;
  #timers: { at: number; callback: () => void }[] = [];
  #waiting: (() => void)[] = [];
  /** How many timers were ever set. */
  timersSet = 0;

  now(): number {
    return this.#now;
  }

  date(): Date {
    return new Date(Date.UTC(2026, 10, 22, 12) + this.#now);
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.#now + delayMs, callback };
    this.#timers.push(timer);
    this.timersSet++;
    for (const resolve of this.#waiting.splice(0)) resolve();
    return () => this.#timers = this.#timers.filter((one) => one !== timer);
  }

  /** Goes on by that time, and does in order what is due. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = end;
  }

  /** Resolves when so many timers were ever set. */
  async timers(count: number): Promise<void> {
    while (this.timersSet < count) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  get pending(): number {
    return this.#timers.length;
  }
}
