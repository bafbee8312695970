/**
 * Calls at a rate, or as fast as the listeners read.
 *
 * @module
 */

import type { Clock } from "../clock.ts";

/** Calls being made at a rate. */
export interface CallGenerator {
  /** How many were made so far. */
  readonly made: number;
  /** Makes no more. */
  stop(): void;
}

/** What a flood came to. */
export interface FloodResult {
  /** Events fired. */
  readonly events: number;
}

/** The shortest sleep between two bursts; at high rates each burst is more than one call. */
const MIN_SLEEP_MS = 10;

/** Makes calls at a rate: as many as the time since the start asks for. */
export function generateCalls(
  perSecond: number,
  clock: Clock,
  after: (delayMs: number, callback: () => void) => () => void,
  call: () => void,
): CallGenerator {
  const startedAt = clock.now();
  const sleepMs = Math.max(1000 / perSecond, MIN_SLEEP_MS);
  let made = 0;
  let cancel: () => void;
  const burst = () => {
    const due = 1 + Math.floor((clock.now() - startedAt) * perSecond / 1000 + 1e-9);
    for (; made < due; made++) call();
    cancel = after(sleepMs, burst);
  };
  burst();
  return {
    get made() {
      return made;
    },
    stop: () => cancel(),
  };
}

/** How often the event loop gets a turn although every listener has room. */
const TURN = 64;

/** Does `fire` that often, and waits for `room` in between. */
export async function flood(
  count: number,
  fire: () => void,
  room: () => Promise<unknown>,
  events: () => number,
): Promise<FloodResult> {
  for (let i = 1; i <= count; i++) {
    fire();
    if (i % TURN === 0) await room();
  }
  return { events: events() };
}
