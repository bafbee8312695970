/** Packet identifiers of deliveries at QoS 2, in memory and on disk. */

import assert from "node:assert/strict";
import { settled } from "./fake_spools.ts";
import { Bench, NO_BOUNDS, PLENTY, SPOOL, topics } from "./spool_bench.ts";

const DISK = { limits: NO_BOUNDS, spool: SPOOL };

Deno.test("what is put back gives its packet identifier back, in memory and on disk", async () => {
  const bench = await Bench.open(DISK);
  bench.offer(["a", "b"], 2);
  const [a, b] = [bench.take(), bench.take()];
  await bench.pass(50);
  bench.queue.remember(a, { packetId: 7, released: false }, () => {});
  await settled();
  bench.queue.putBack([a]);
  assert.equal(bench.queue.deliveryOf(a), undefined);
  await settled();
  assert.deepEqual(bench.spools.disk.ordered.map(({ delivery }) => delivery), [
    undefined,
    undefined,
  ]);
  bench.queue.remember(b, { packetId: 7, released: false }, () => {});
  const second = await bench.crash();
  assert.deepEqual(second.begun.map(({ topic }) => topic), ["b"]);
  assert.deepEqual(bench.spools.disk.clashes, 0);
});

Deno.test("at the end of the agent it keeps it, for the next one to go on", async () => {
  const bench = await Bench.open(DISK);
  bench.offer(["a"], 2);
  const a = bench.take();
  await bench.pass(50);
  bench.queue.remember(a, { packetId: 7, released: true }, () => {});
  bench.queue.putBack([a], { keepsDelivery: true });
  await bench.queue.close();
  const second = await bench.crash();
  assert.deepEqual(second.begun.map((one) => second.queue.deliveryOf(one)), [
    { packetId: 7, released: true },
  ]);
});

Deno.test("also where the disk refused to forget it before memory forgot the message", async () => {
  const bench = await Bench.open({ limits: { messages: 4, bytes: PLENTY }, spool: SPOOL });
  bench.offer(["a"], 2);
  const a = bench.take();
  await bench.pass(50);
  bench.queue.remember(a, { packetId: 7, released: true }, () => {});
  await settled();
  bench.spools.writeFault = "no";
  bench.queue.putBack([a]);
  bench.offer(topics(1, 4));
  assert.equal(bench.queue.onDiskAlone, 1);
  for (let i = 0; i < 5 && bench.queue.onDiskAlone > 0; i++) {
    bench.now();
    await settled();
  }
  const again = bench.take();
  assert.deepEqual([again.topic, bench.queue.deliveryOf(again)], ["a", undefined]);
  bench.spools.writeFault = undefined;
  await bench.pass(2_000);
  assert.deepEqual(bench.spools.disk.ordered.map(({ delivery }) => delivery), [undefined]);
});
