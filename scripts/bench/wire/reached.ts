/**
 * Who waits for a count to be reached.
 *
 * @module
 */

import { nowMicros } from "./time.ts";

/** A count that others wait for. */
export class Reached {
  #waiting: { readonly goal: number; readonly resolve: (micros: number) => void }[] = [];

  /** Resolves with the time when the count reaches the goal; at once if it has. */
  async reach(goal: number, count: number): Promise<number> {
    if (count >= goal) return nowMicros();
    return await new Promise((resolve) => this.#waiting.push({ goal, resolve }));
  }

  /** The count was this at that time. */
  at(count: number, micros: number): void {
    if (!this.#waiting.some(({ goal }) => count >= goal)) return;
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ goal }) => count < goal);
    for (const { goal, resolve } of waiting) if (count >= goal) resolve(micros);
  }
}
