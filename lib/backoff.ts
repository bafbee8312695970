/**
 * How long to wait before the next attempt.
 *
 * @module
 */

/** How the delay between attempts grows. */
export interface BackoffOptions {
  /** The delay after the first failure, in milliseconds. */
  readonly firstMs: number;
  /** The delay is never longer than this, in milliseconds. */
  readonly maxMs: number;
  /** Doubles the delay at each failure; otherwise `firstMs` is added each time. */
  readonly exponential: boolean;
  /** A number from 0 up to 1; `Math.random` outside tests. */
  readonly random?: () => number;
}

/** At most this share of a delay is taken off at random, so that a fleet does not return as one. */
const JITTER = 0.2;

/**
 * The delays between attempts, growing as libmosquitto's do (mosquitto.h,
 * `mosquitto_reconnect_delay_set`): 1, 2, 4, 8 … with `exponential`, else 1, 2, 3, 4 ….
 */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: () => number;
  #failures = 0;

  /** Starts with no failure seen. */
  constructor(options: BackoffOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
  }

  /** Failures since the last {@linkcode reset}. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure and returns the milliseconds to wait, jitter taken off. */
  next(): number {
    const { firstMs, maxMs, exponential } = this.#options;
    const factor = exponential ? 2 ** Math.min(this.#failures, 30) : this.#failures + 1;
    this.#failures++;
    return this.#jittered(Math.min(firstMs * factor, maxMs));
  }

  /** Counts a failure and returns the longest delay, for what only a person can mend. */
  slowest(): number {
    this.#failures++;
    return this.#jittered(this.#options.maxMs);
  }

  /** Forgets all failures: the next delay is the first again. */
  reset(): void {
    this.#failures = 0;
  }

  #jittered(delayMs: number): number {
    return Math.round(delayMs * (1 - JITTER * this.#random()));
  }
}
