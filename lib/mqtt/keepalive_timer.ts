/**
 * The timer that MQTT.js keeps a connection alive with.
 *
 * @module
 */

import { type Clock, systemClock } from "../clock.ts";

/** A timer as MQTT.js takes one (`timerVariant`). */
export interface KeepaliveTimer {
  /** Calls again and again, after so many milliseconds each. */
  set(call: () => void, ms: number): number;
  /** Calls no more. */
  clear(id: number): void;
}

/**
 * A timer that is cheap to set anew: MQTT.js does that at each acknowledgement, and a timer of the system
 * for each would take as long as the acknowledgement itself. Here one goes on, and looks when it ends
 * whether it was set meanwhile. It is one at a time: to set it is to set it anew.
 */
export function keepaliveTimer(clock: Clock = systemClock): KeepaliveTimer {
  let call: (() => void) | undefined;
  let everyMs = 0;
  let dueAt = 0;
  let cancelTimer: (() => void) | undefined;
  let firesAt = 0;
  const wait = () => {
    firesAt = dueAt;
    // The system cuts fractions off, and would call before it is time.
    cancelTimer = clock.after(Math.ceil(dueAt - clock.now()), look);
  };
  const look = () => {
    cancelTimer = undefined;
    const now = clock.now();
    const due = now >= dueAt ? call : undefined;
    // From now: to make up for calls that were held up would leave the broker no time to answer.
    if (due !== undefined) dueAt = now + everyMs;
    if (call !== undefined) wait();
    due?.();
  };
  const stop = () => {
    cancelTimer?.();
    cancelTimer = undefined;
  };
  return {
    set(next, ms) {
      call = next;
      everyMs = ms;
      dueAt = clock.now() + ms;
      if (cancelTimer !== undefined && dueAt < firesAt) stop();
      if (cancelTimer === undefined) wait();
      return 1;
    },
    clear() {
      if (call === undefined) return;
      call = undefined;
      // It is set anew at once, or never.
      queueMicrotask(() => {
        if (call === undefined) stop();
      });
    },
  };
}
