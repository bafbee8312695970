import assert from "node:assert/strict";
import type { CarriedQueue } from "../../lib/queue/event_queue.ts";
import { FakeSpools } from "./fake_spools.ts";
import { Bench, NO_BOUNDS, SPOOL } from "./spool_bench.ts";

const MEMORY = { limits: NO_BOUNDS };
const DISK = { limits: NO_BOUNDS, spool: SPOOL };

/** Closes a queue and has another one, on the same disk, go on with it. */
async function handedOver(former: Bench): Promise<{ next: Bench; carried: CarriedQueue }> {
  await former.queue.close();
  const carried = structuredClone(former.queue.handOver());
  const spools = new FakeSpools(former.spools.disk.copy());
  const next = new Bench(former.settings, { spools, clock: former.clock });
  next.queue.takeOver(carried);
  next.check();
  return { next, carried };
}

const topicsOf = ({ rows }: CarriedQueue) => rows.map(({ topic }) => topic);

Deno.test("what memory holds goes on in its order, whatever its QoS, before what comes later", async () => {
  const former = new Bench(MEMORY);
  former.offer(["a"], 0);
  former.offer(["b"], 2);
  former.offer(["c"], 0);
  former.offer(["d"], 1);
  // What was in flight is put back before.
  former.queue.putBack([former.take()]);
  const { next } = await handedOver(former);
  next.offer(["e"], 1);
  assert.deepEqual(next.now(), ["a", "b", "c", "d", "e"]);
});

Deno.test("the books go on, what was dropped and acknowledged included", async () => {
  const former = new Bench({ limits: { messages: 3, bytes: NO_BOUNDS.bytes } });
  former.offer(["a", "b", "c", "d"], 1);
  const taken = former.take();
  former.queue.acknowledge(taken);
  const { next } = await handedOver(former);
  assert.deepEqual(next.queue.books, {
    offered: 4,
    acknowledged: 1,
    inFlight: 0,
    queued: 2,
    dropped: { queue_full: 1 },
  });
});

Deno.test("what is on disk is not handed over, but found there, and comes once", async () => {
  const former = await Bench.open(DISK);
  former.offer(["a", "b"], 1);
  await former.pass(100);
  former.offer(["c"], 1);
  former.offer(["d"], 0);
  const { next, carried } = await handedOver(former);
  assert.deepEqual(topicsOf(carried), ["d"]);
  await next.open();
  await next.pass(100);
  next.check();
  assert.equal(next.queue.books.offered, 4);
  assert.deepEqual((await next.all()).toSorted(), ["a", "b", "c", "d"]);
});

Deno.test("what the disk refused is handed over", async () => {
  const former = await Bench.open(DISK);
  former.offer(["a"], 1);
  await former.pass(100);
  former.spools.insertFault = "it is full";
  former.offer(["b"], 1);
  await former.pass(100);
  const { next, carried } = await handedOver(former);
  assert.deepEqual(topicsOf(carried), ["b"]);
  await next.open();
  await next.pass(100);
  assert.equal(next.queue.books.offered, 2);
  assert.deepEqual(await next.all(), ["a", "b"]);
});

Deno.test("how long a message has waited counts on", async () => {
  const former = new Bench({ ...MEMORY, maxAgeMs: 1_000 });
  former.offer(["old"], 1);
  await former.pass(800);
  former.offer(["young"], 1);
  const { next } = await handedOver(former);
  await next.pass(400);
  assert.deepEqual(next.now(), ["young"]);
  assert.deepEqual(next.queue.books.dropped, { expired: 1 });
});
