/**
 * Time, passed in from outside so that no test has to sleep.
 *
 * @module
 */

/** What the rooms may ask of time. */
export interface Clock {
  /** Milliseconds on a scale that never runs backwards; only differences mean anything. */
  now(): number;
  /** The wall clock. */
  date(): Date;
  /** Calls `callback` once after `delayMs` milliseconds; the returned function cancels that. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
