/**
 * How many events a second may pass.
 *
 * @module
 */

import type { Clock } from "../clock.ts";

/** What a {@linkcode TokenBucket} allows. */
export interface TokenBucketOptions {
  /** Tokens that come back each second; more than 0. */
  readonly rate: number;
  /**
   * Tokens that it holds at most, and at the start: so many may be taken at once; 1 or more.
   * @default rate
   */
  readonly burst?: number | undefined;
}

/**
 * A token bucket: over any time of t seconds, at most `burst + rate × t` tokens are taken from it.
 *
 * It has no timer. Each token has its own due time, counted from the moment at which the bucket was
 * full last, so that rounding does not add up, however long it is in use.
 */
export class TokenBucket {
  readonly #clock: Pick<Clock, "now">;
  readonly #msPerToken: number;
  readonly #burst: number;
  /** When it was full last. */
  #fullAt: number;
  /** Tokens taken since then. */
  #taken = 0;

  /** A full bucket. */
  constructor({ rate, burst = rate }: TokenBucketOptions, clock: Pick<Clock, "now">) {
    this.#clock = clock;
    this.#msPerToken = 1000 / rate;
    // Less than one token would never let anything pass.
    this.#burst = Math.max(1, burst);
    this.#fullAt = clock.now();
  }

  /** Takes a token; `false` if there is none at present. */
  take(): boolean {
    const now = this.#clock.now();
    // All that were taken have come back.
    if (now >= this.#fullAt + this.#taken * this.#msPerToken) {
      this.#fullAt = now;
      this.#taken = 0;
    }
    if (now < this.#nextAt) return false;
    this.#taken++;
    return true;
  }

  /**
   * Whole milliseconds until a token is there, for `Clock.after`; 0 if there is one. Whoever holds
   * events until then takes as many tokens as there are, since several may come in a millisecond.
   */
  get waitMs(): number {
    return Math.max(0, Math.ceil(this.#nextAt - this.#clock.now()));
  }

  /** When the next token is there. */
  get #nextAt(): number {
    return this.#fullAt + (this.#taken + 1 - this.#burst) * this.#msPerToken;
  }
}
