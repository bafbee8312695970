/**
 * Sends events at a pace.
 *
 * @module
 */

import type { EventBlock } from "./block.ts";
import type { ProgressListener } from "./progress.ts";
import type { Pace, SendOrder, Sent } from "./roles.ts";
import { nowMicros } from "./time.ts";

/** Where events go; what it may give resolves when more can be taken. */
export type Sink = (events: Uint8Array<ArrayBuffer>) => Promise<unknown> | undefined;

/** What a sender needs beside an order. */
export interface SenderOptions {
  /** Where the events go. */
  readonly sink: Sink;
  /** Prepared events, to be sent in turn. */
  readonly block: EventBlock;
  /** At most so many of them are given to the sink at once. @default all */
  readonly atOnce?: number;
  /** How much has arrived. */
  readonly progress: Progress;
}

/** What a sender has to know of a {@linkcode ProgressListener}. */
export type Progress = Pick<ProgressListener, "arrived" | "changed">;

/** How long it waits when nothing is due, in milliseconds: the shortest time that a timer can. */
const TICK_MS = 1;

/** Sends events, one order after the other. */
export class Sender {
  /** Events sent in all. */
  #total = 0;

  /** Carries out an order. */
  async send(order: SendOrder, options: SenderOptions): Promise<Sent> {
    const { block, sink, atOnce = Infinity, progress } = options;
    const { events, first, pace } = order;
    const startedAt = nowMicros();
    let sent = 0;
    while (sent < events) {
      const due = this.#due(pace, sent, startedAt, progress);
      if (due <= 0) {
        await wait(pace, progress);
        continue;
      }
      const from = sent % block.count;
      const count = Math.min(due, atOnce, block.count - from, events - sent);
      const full = sink(block.stamped(from, count, first + sent, nowMicros()));
      if (full !== undefined) await full;
      sent += count;
      this.#total += count;
    }
    return { events, startedAt, endedAt: nowMicros() };
  }

  /** How many events may be sent now. */
  #due(pace: Pace, sent: number, startedAt: number, progress: Progress): number {
    switch (pace.kind) {
      case "window":
        return pace.size - (this.#total - progress.arrived);
      case "line":
        return Infinity;
      case "steady":
        return Math.floor((nowMicros() - startedAt) * pace.perSecond / 1e6) + 1 - sent;
    }
  }
}

async function wait(pace: Pace, progress: Progress): Promise<void> {
  if (pace.kind === "steady") await new Promise((tick) => setTimeout(tick, TICK_MS));
  else await progress.changed();
}
