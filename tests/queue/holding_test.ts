/** Messages over the rate of their topic. */

import assert from "node:assert/strict";
import type { RateLimit } from "../../lib/queue/holding.ts";
import { TokenBucket } from "../../lib/queue/token_bucket.ts";
import { Bench, NO_BOUNDS, PLENTY, SPOOL, topics } from "./spool_bench.ts";

/** Two at once, then ten a second. */
function limit({ clock }: Bench, over: RateLimit["over"]): RateLimit {
  return { bucket: new TokenBucket({ rate: 10, burst: 2 }, clock), over };
}

Deno.test("held messages count as queued, and are released in their order at the rate", async () => {
  const bench = new Bench({ limits: NO_BOUNDS });
  const held = limit(bench, "hold");
  let woken = 0;
  bench.queue.wakes(() => woken++);
  bench.offer(topics(1, 10), 1, held);
  assert.equal(bench.queue.length, 10);
  assert.deepEqual(bench.now(), ["1", "2"]);
  await bench.pass(300);
  assert.deepEqual(bench.now(), ["3", "4", "5"]);
  assert.equal(woken, 5);
  bench.offer(["11"], 1, held);
  bench.offer(["other"]);
  assert.deepEqual(bench.now(), ["other"], "what comes now waits behind what is held");
  await bench.pass(600);
  assert.deepEqual(bench.now(), ["6", "7", "8", "9", "10", "11"]);
  assert.equal(bench.clock.pending, 0);
  assert.deepEqual(bench.dropped, {});
});

Deno.test("over the rate, others are dropped and counted", async () => {
  const bench = new Bench({ limits: NO_BOUNDS });
  const dropping = limit(bench, "drop");
  bench.offer(topics(1, 5), 1, dropping);
  assert.deepEqual(bench.dropped, { over_rate: 3 });
  await bench.pass(100);
  bench.offer(["6"], 1, dropping);
  assert.deepEqual(bench.now(), ["1", "2", "6"]);
  assert.equal(bench.clock.timersSet, 0);
});

Deno.test("held messages are kept on disk too", async () => {
  const settings = { limits: NO_BOUNDS, spool: SPOOL };
  const bench = await Bench.open(settings);
  bench.offer(topics(1, 6), 1, limit(bench, "hold"));
  await bench.pass(50);
  assert.deepEqual(bench.onDisk, topics(1, 6));
  assert.deepEqual(await (await bench.crash()).all(), topics(1, 6));
});

Deno.test("held messages give way before others when a bound is reached", () => {
  const bench = new Bench({ limits: { messages: 6, bytes: PLENTY } });
  bench.offer(["a", "b"]);
  bench.offer(topics(1, 4), 1, limit(bench, "hold"));
  bench.offer(["c"]);
  assert.deepEqual(bench.dropped, { queue_full: 1 });
  assert.deepEqual(bench.now(), ["a", "b", "1", "2", "c"]);
  assert.equal(bench.queue.length, 1);
});

Deno.test("the end of the queue releases what is held", async () => {
  const bench = new Bench({ limits: NO_BOUNDS });
  bench.offer(topics(1, 6), 1, limit(bench, "hold"));
  await bench.queue.close();
  assert.equal(bench.clock.pending, 0);
  assert.deepEqual(bench.now(), topics(1, 6));
});

Deno.test("held messages that are too old go first, and cost those behind them no turn", async () => {
  const bench = new Bench({ limits: NO_BOUNDS, maxAgeMs: 2_000 });
  const held = limit(bench, "hold");
  let published = 0;
  // Twice as many as may pass.
  for (let second = 0; second < 20; second++) {
    for (let i = 0; i < 20; i++) {
      bench.offer([`${second}.${i}`], 1, held);
      await bench.pass(50);
      published += bench.now().length;
    }
  }
  assert.ok(published >= 190, `${published} of 200 tokens were used`);
  assert.ok((bench.dropped.expired ?? 0) > 100);
  assert.ok(bench.queue.length <= 41, `${bench.queue.length} are held`);
});

Deno.test("held messages expire also while nothing else happens", async () => {
  const bench = new Bench({ limits: NO_BOUNDS, maxAgeMs: 1_000 });
  const slow = {
    bucket: new TokenBucket({ rate: 0.01, burst: 1 }, bench.clock),
    over: "hold",
  } as const;
  bench.offer(topics(1, 3), 1, slow);
  await bench.pass(1_200);
  assert.deepEqual([bench.dropped, bench.queue.length], [{ expired: 3 }, 0]);
});

Deno.test("another limit of the topic takes over what is held, and keeps its order", async () => {
  const bench = new Bench({ limits: NO_BOUNDS });
  bench.offer(topics(1, 6), 1, limit(bench, "hold"));
  const faster = {
    bucket: new TokenBucket({ rate: 100, burst: 1 }, bench.clock),
    over: "hold",
  } as const;
  bench.offer(["7"], 1, faster);
  assert.deepEqual(bench.now(), ["1", "2"]);
  const sent: string[] = [];
  for (let i = 0; i < 50; i++) {
    await bench.pass(1);
    sent.push(...bench.now());
  }
  assert.deepEqual(sent, topics(3, 7));
  assert.equal(bench.clock.pending, 0);
});

Deno.test("without a limit any more, what is held goes before what comes", () => {
  const bench = new Bench({ limits: NO_BOUNDS });
  bench.offer(topics(1, 6), 1, limit(bench, "hold"));
  bench.offer(["7"], 1, undefined, bench.counter);
  assert.deepEqual(bench.now(), topics(1, 7));
  assert.equal(bench.clock.pending, 0);
});

Deno.test("what is held is of one QoS: others of the topic make it go", () => {
  const bench = new Bench({ limits: NO_BOUNDS });
  const limit = { bucket: new TokenBucket({ rate: 1 }, bench.clock), over: "hold" } as const;
  bench.offer(["a", "b", "c"], 1, limit);
  assert.deepEqual(bench.now(), ["a"]);
  bench.offer(["d"], 0, limit);
  assert.deepEqual(bench.now(), ["b", "c"]);
  bench.clock.advance(1_000);
  assert.deepEqual(bench.now(), ["d"]);
});
