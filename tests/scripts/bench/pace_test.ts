/** How fast events are sent, and how the sender hears of those that arrived. */

import assert from "node:assert/strict";
import { EventBlock } from "../../../scripts/bench/wire/block.ts";
import { ProgressListener, ProgressTeller } from "../../../scripts/bench/wire/progress.ts";
import { Sender, type SenderOptions } from "../../../scripts/bench/wire/sender.ts";
import { seriesEvents } from "../../../scripts/bench/wire/series.ts";
import { findStamp, stampedSequence } from "../../../scripts/bench/wire/stamp.ts";

const BLOCK = new EventBlock(seriesEvents("small"), { head: () => "", leastBytes: 1 });
const ORDER = { series: "small", first: 100, events: 25 } as const;

/** Takes events, and knows when so many of them have come. */
class Numbers {
  readonly seen: number[] = [];
  #goal = Infinity;
  #resolve = () => {};

  readonly sink: SenderOptions["sink"] = (bytes) => {
    this.seen.push(stampedSequence(bytes, findStamp(bytes, 0, bytes.length)));
    if (this.seen.length === this.#goal) this.#resolve();
    // Whoever waits goes on later.
    return Promise.resolve();
  };

  async reach(goal: number): Promise<void> {
    if (this.seen.length >= goal) return;
    this.#goal = goal;
    await new Promise<void>((resolve) => this.#resolve = resolve);
  }
}

const HUNDREDS = Array.from({ length: 25 }, (_, i) => 100 + i);

Deno.test("no more are under way than the window holds, until they are said to have arrived", async () => {
  const progress = ProgressListener.listen();
  const teller = await ProgressTeller.connect(progress.port);
  const numbers = new Numbers();
  const sending = new Sender().send(
    { ...ORDER, pace: { kind: "window", size: 10 } },
    { sink: numbers.sink, block: BLOCK, progress },
  );
  await numbers.reach(10);
  // All that waits for nothing has been done by then.
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(numbers.seen.length, 10);
  teller.tell(4, 1);
  await numbers.reach(14);
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual([numbers.seen.length, progress.arrived], [14, 4]);
  teller.tell(25, 1);
  assert.equal((await sending).events, 25);
  assert.deepEqual(numbers.seen, HUNDREDS);
  teller.close();
  progress.close();
});

Deno.test("little is told at a time, and clocks of one process do not differ", async () => {
  const progress = ProgressListener.listen();
  const teller = await ProgressTeller.connect(progress.port);
  assert(Math.abs(teller.offsetMicros) <= 100, `${teller.offsetMicros}`);
  const changed = progress.changed();
  teller.tell(3, 4);
  teller.tell(4, 4);
  await changed;
  assert.equal(progress.arrived, 4);
  teller.close();
  progress.close();
});

Deno.test("who is told that nothing waits sends on at once, and otherwise not", async () => {
  for (const kind of ["line", "steady"] as const) {
    const pace = kind === "line" ? { kind } as const : { kind, perSecond: 500 } as const;
    const numbers = new Numbers();
    const never = { arrived: 0, changed: () => new Promise<void>(() => {}) };
    const { events, startedAt, endedAt } = await new Sender().send(
      { ...ORDER, pace },
      { sink: numbers.sink, block: BLOCK, progress: never, atOnce: 1 },
    );
    assert.deepEqual([events, numbers.seen], [25, HUNDREDS]);
    // The last of 25 is due when the time of 24 is over.
    if (kind === "steady") assert(endedAt - startedAt >= 48_000, `${endedAt - startedAt}`);
  }
});
