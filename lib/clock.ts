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

/** `setTimeout` takes no more (some 24 days), and calls back at once instead. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  after(delayMs, callback) {
    let timer: ReturnType<typeof setTimeout>;
    const wait = (leftMs: number) => {
      const isLast = leftMs <= LONGEST_TIMEOUT_MS;
      timer = isLast
        ? setTimeout(callback, leftMs)
        : setTimeout(() => wait(leftMs - LONGEST_TIMEOUT_MS), LONGEST_TIMEOUT_MS);
    };
    wait(delayMs);
    return () => clearTimeout(timer);
  },
};

/** Resolves when the work is done, or after `ms` milliseconds if that is sooner. */
export async function atMost(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  let cancelTimer = () => {};
  const late = new Promise<void>((resolve) => {
    cancelTimer = clock.after(ms, resolve);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    cancelTimer();
  }
}
