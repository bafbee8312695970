/** What the log says of drops: once when it begins, and how many when it is over. */

import assert from "node:assert/strict";
import { TokenBucket } from "../../lib/queue/token_bucket.ts";
import { Bench, NO_BOUNDS, PLENTY, SPOOL, topics } from "./spool_bench.ts";

Deno.test("a full queue is told once, and how many were dropped when it is empty again", () => {
  const bench = new Bench({ limits: { messages: 3, bytes: PLENTY } });
  for (let outage = 1; outage <= 2; outage++) {
    bench.offer(topics(1, 10));
    bench.now();
    bench.offer(["x"]);
    bench.now();
    assert.deepEqual(bench.log.splice(0), [
      "[WARNING] The queue is full with 3 events: the oldest are dropped",
      "[NOTICE] The queue is empty again; 7 events were dropped",
    ]);
  }
});

Deno.test("drop_newest is named", () => {
  const bench = new Bench({ limits: { messages: 3, bytes: PLENTY }, full: "drop_newest" });
  bench.offer(topics(1, 10));
  assert.deepEqual(bench.log, [
    "[WARNING] The queue is full with 3 events: the newest are dropped",
  ]);
});

Deno.test("what may go on while the queue is empty is over after ten quiet seconds", async () => {
  const bench = new Bench({ limits: NO_BOUNDS });
  const bucket = new TokenBucket({ rate: 1, burst: 1 }, bench.clock);
  const limit = { bucket, over: "drop" } as const;
  for (let i = 0; i < 5; i++) {
    bench.offer(["x", "x", "x"], 1, limit);
    bench.now();
    await bench.pass(9_900);
  }
  const first = "[WARNING] Events are dropped since their topic is over its max_rate";
  assert.deepEqual(bench.log, [first]);
  await bench.pass(200);
  bench.offer(["y"]);
  bench.now();
  assert.deepEqual(bench.log, [first, "[NOTICE] 10 events were dropped (over_rate)"]);
});

Deno.test("each reason has its text", async () => {
  const small = { messages: 2, bytes: PLENTY };
  const bench = await Bench.open({ limits: small, spool: SPOOL, maxAgeMs: 1_000 });
  bench.offer(["old"], 0);
  await bench.pass(2_000);
  bench.queue.sheds = () => true;
  bench.offer(["shed"]);
  bench.queue.sheds = () => false;
  bench.spools.writeFault = "no room";
  bench.offer(topics(1, 2));
  await bench.pass(100);
  bench.offer(["3"]);
  bench.queue.configure({ limits: { messages: 2, bytes: 200 } });
  bench.offer(["t".repeat(100)]);
  assert.deepEqual(bench.log.filter((line) => !line.includes("no room")), [
    "[WARNING] Events are dropped that waited for longer than spool_max_age",
    "[WARNING] Events are dropped while the breaker is open",
    "[WARNING] Events are dropped: memory is full, and the disk did not take them in time",
    "[WARNING] The queue is full with 1 events: the oldest are dropped",
    '[WARNING] Dropped a message of 0 bytes for "' + "t".repeat(100) +
    '": the queue does not hold as many',
  ]);
});
