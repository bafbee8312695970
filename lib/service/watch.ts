/**
 * Watches whether the loop that moves events goes round.
 *
 * @module
 */

import type { Clock } from "../clock.ts";

/** What is watched, and who hears of it. */
export interface WatchOptions {
  /** Resolves as soon as the loop comes round. */
  readonly ping: () => Promise<void>;
  /** The loop has come round. */
  readonly alive: () => void;
  /** It has not for the time of {@linkcode STUCK_ROUNDS} looks. */
  readonly stuck: () => void;
  /** How often it is looked at, in milliseconds. */
  readonly intervalMs: number;
  /** Time. */
  readonly clock: Clock;
}

/** A loop that has not come round at so many looks in a row will not. */
export const STUCK_ROUNDS = 6;

/** Begins to watch; what is returned ends it. */
export function watchLoop({ ping, alive, stuck, intervalMs, clock }: WatchOptions): () => void {
  let cancel = () => {};
  // Counted in looks, not in time: a machine that was asleep has looked at nothing.
  let unanswered = 0;
  let isAsking = false;
  const look = () => {
    cancel = clock.after(intervalMs, look);
    if (++unanswered > STUCK_ROUNDS) {
      cancel();
      stuck();
      return;
    }
    // One question is enough, however late it is answered.
    if (!isAsking) ask();
  };
  const ask = async () => {
    isAsking = true;
    try {
      await ping();
      unanswered = 0;
      alive();
    } catch {
      // Who was asked has gone, and its successor is asked next.
    }
    isAsking = false;
  };
  look();
  return () => cancel();
}
