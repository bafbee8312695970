/**
 * Randomness that can be had again.
 *
 * @module
 */

import { numbers } from "../queue/random.ts";

/** Choices that look random and are the same for the same seed. */
export class Random {
  readonly #below: (limit: number) => number;

  /** Begins at a seed, a whole number. */
  constructor(seed: number) {
    this.#below = numbers(seed);
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.#below(Math.floor(most) - Math.ceil(least) + 1);
  }

  /** One of these. */
  pick<T>(...choices: readonly [T, ...T[]]): T {
    return choices[this.#below(choices.length)] ?? choices[0];
  }
}
