/** What is written to disk, when, and what becomes of it. */

import assert from "node:assert/strict";
import { settled } from "./fake_spools.ts";
import { Bench, NO_BOUNDS, PLENTY, SPOOL, topics } from "./spool_bench.ts";

const DISK = { limits: NO_BOUNDS, spool: SPOOL };
/** Memory for ten messages, each of which takes 129 or 130 bytes. */
const SMALL = { limits: { messages: 10, bytes: PLENTY }, spool: SPOOL };

Deno.test("a broker that acknowledges in time costs the disk nothing", async () => {
  const bench = await Bench.open(DISK);
  for (let i = 0; i < 200; i++) {
    bench.offer([`${i}`], i % 2 === 0 ? 1 : 2);
    const taken = bench.take();
    bench.queue.remember(taken, { packetId: 1, released: false }, () => {});
    await bench.pass(49);
    bench.queue.acknowledge(taken);
  }
  await bench.pass(1_000);
  assert.deepEqual([bench.spools.writes, bench.spools.reads], [[], 0]);
  assert.equal(bench.clock.pending, 0);
});

Deno.test("what the broker does not acknowledge is on disk after commitMs, in flight or not", async () => {
  const bench = await Bench.open(DISK);
  bench.offer(["1", "2"]);
  bench.take();
  bench.offer(["zero"], 0);
  await bench.pass(49);
  assert.deepEqual(bench.onDisk, []);
  await bench.pass(1);
  assert.deepEqual(bench.onDisk, ["1", "2"]);
  assert.deepEqual(bench.spools.writes.map(({ durable }) => durable), [true]);
  assert.equal(bench.queue.spool?.bytes, 2 * 129);
  bench.now();
  await bench.pass(100);
  assert.equal(bench.queue.spool?.bytes, 129);
});

Deno.test("a burst is one write, and what is half due goes along", async () => {
  const bench = await Bench.open(DISK);
  for (let i = 0; i < 10; i++) {
    bench.offer(topics(i * 10, i * 10 + 9));
    bench.clock.advance(4);
  }
  await bench.pass(10);
  assert.equal(bench.spools.writes.length, 1);
  assert.deepEqual(bench.onDisk, topics(0, 69));
  await bench.pass(50);
  assert.equal(bench.spools.writes.length, 2);
  assert.equal(bench.onDisk.length, 100);
});

Deno.test("what is acknowledged is removed within 100 ms, many at once", async () => {
  const bench = await Bench.open(DISK);
  bench.offer(topics(1, 50));
  await bench.pass(50);
  const before = bench.spools.writes.length;
  bench.now();
  await bench.pass(99);
  assert.equal(bench.onDisk.length, 50);
  await bench.pass(1);
  assert.deepEqual(bench.onDisk, []);
  assert.equal(bench.spools.writes.length, before + 1);
});

Deno.test("after a crash what was written comes again, in its order, and what was removed does not", async () => {
  const bench = await Bench.open(DISK);
  bench.offer(topics(1, 30));
  await bench.pass(50);
  for (let i = 0; i < 10; i++) bench.queue.acknowledge(bench.take());
  for (let i = 0; i < 5; i++) bench.take();
  await bench.pass(100);
  bench.offer(["young"]);
  const second = await bench.crash();
  assert.equal(second.queue.books.offered, 20);
  assert.equal(second.queue.spool?.recovered, 20);
  second.offer(["new"]);
  assert.deepEqual(await second.all(), [...topics(11, 30), "new"]);
  await second.pass(100);
  assert.deepEqual(second.onDisk, []);
});

Deno.test("numbers go on after a crash: rows of two processes do not take each other's place", async () => {
  let bench = await Bench.open(DISK);
  for (let life = 0; life < 4; life++) {
    bench.offer(topics(life * 5, life * 5 + 4));
    await bench.pass(50);
    bench = await bench.crash();
  }
  assert.deepEqual(await bench.all(), topics(0, 19));
});

Deno.test("memory holds its bound, the rest waits on disk and comes in order", async () => {
  const bench = await Bench.open(SMALL);
  for (let i = 0; i < 20; i++) {
    bench.offer(topics(i * 5, i * 5 + 4));
    await bench.pass(50);
    assert.ok(bench.queue.length - bench.queue.onDiskAlone <= 10);
  }
  assert.equal(bench.queue.length, 100);
  bench.queue.resumed();
  assert.deepEqual(await bench.all(), topics(0, 99));
  await bench.pass(100);
  assert.deepEqual([bench.onDisk, bench.dropped], [[], {}]);
});

Deno.test("memory is over its bound only by what is being written, and by a chunk that is read", async () => {
  const bench = await Bench.open(SMALL);
  bench.spools.prompt = false;
  bench.offer(topics(1, 25));
  assert.equal(bench.queue.length - bench.queue.onDiskAlone, 25);
  await bench.pass(50);
  bench.spools.prompt = true;
  bench.spools.answer();
  await settled();
  assert.equal(bench.queue.length - bench.queue.onDiskAlone, 10);
  for (let i = 0; i < 100; i++) {
    bench.queue.peek();
    await settled();
    assert.ok(bench.queue.length - bench.queue.onDiskAlone <= 13);
  }
});

Deno.test("what is acknowledged while the disk cannot remove it is not handed out again", async () => {
  const bench = await Bench.open(SMALL);
  bench.offer(topics(1, 14));
  await bench.pass(50);
  assert.equal(bench.queue.onDiskAlone, 4);
  bench.spools.writeFault = "no";
  // The live ones were there before the backlog was read.
  bench.clock.advance(2_000);
  const found = await bench.all();
  assert.deepEqual(found.toSorted((a, b) => Number(a) - Number(b)), topics(1, 14));
  assert.equal(bench.onDisk.length, 14);
  bench.spools.writeFault = undefined;
  await bench.pass(1_100);
  assert.deepEqual(bench.onDisk, []);
});

Deno.test("full by the spool's bound, the oldest on disk give way, or the newest", async () => {
  for (const full of ["drop_oldest", "drop_newest"] as const) {
    const limits = { messages: 30, bytes: PLENTY };
    const bench = await Bench.open({ ...SMALL, spool: { limits, commitMs: 50 }, full });
    for (let i = 0; i < 10; i++) {
      bench.offer(topics(i * 5, i * 5 + 4));
      await bench.pass(50);
    }
    assert.deepEqual(bench.dropped, { queue_full: 20 });
    assert.equal(bench.queue.fill, 1);
    bench.queue.resumed();
    const left = full === "drop_oldest" ? topics(20, 49) : topics(0, 29);
    assert.deepEqual(await bench.all(), left);
  }
});

Deno.test("on a full disk events are dropped only when memory is full, and written once there is room", async () => {
  const bench = await Bench.open(SMALL);
  bench.offer(topics(1, 10));
  await bench.pass(100);
  bench.offer(topics(11, 15));
  await bench.pass(100);
  assert.equal(bench.queue.onDiskAlone, 5);
  bench.spools.writeFault = "the disk is full";
  for (let i = 16; i <= 25; i++) {
    bench.offer([`${i}`]);
    await bench.pass(100);
  }
  assert.deepEqual(bench.dropped, {}, "what is on disk leaves memory first");
  assert.equal(bench.queue.spool?.trouble, "the disk is full");
  bench.offer(topics(26, 28));
  assert.deepEqual(bench.dropped, { disk_full: 3 });
  bench.spools.writeFault = undefined;
  await bench.pass(1_200);
  assert.equal(bench.queue.spool?.trouble, undefined);
  assert.deepEqual(bench.onDisk, [...topics(1, 15), ...topics(19, 28)]);
  assert.equal(bench.log.filter((line) => line.includes("the disk is full")).length, 1);
  bench.queue.resumed();
  assert.deepEqual(await bench.all(), [...topics(1, 15), ...topics(19, 28)]);
});

Deno.test("a full disk costs nothing that is on it, even while it is looked for what is too old", async () => {
  const bench = await Bench.open({ ...SMALL, maxAgeMs: 60_000 });
  bench.offer(topics(1, 30));
  await bench.pass(50);
  bench.spools.writeFault = "the disk is full";
  bench.offer(topics(31, 45));
  await bench.pass(30_000);
  bench.offer(["46"]);
  await bench.pass(20_000);
  assert.deepEqual(bench.dropped, { disk_full: 6 });
  assert.deepEqual(bench.onDisk, topics(1, 30));
});

Deno.test("a spool that cannot be opened is tried again, and memory holds its bound meanwhile", async () => {
  const bench = new Bench(SMALL);
  bench.spools.openFault = "no such place";
  const opened = bench.open();
  await settled();
  bench.offer(topics(1, 12));
  assert.deepEqual(bench.dropped, { disk_full: 2 });
  await bench.pass(5_000);
  bench.spools.openFault = undefined;
  await bench.pass(5_100);
  await opened;
  assert.deepEqual(bench.onDisk, topics(3, 12));
  assert.deepEqual(await bench.all(), topics(3, 12));
});

Deno.test("a chunk that cannot be read is tried again", async () => {
  const bench = await Bench.open(SMALL);
  bench.offer(topics(1, 20));
  await bench.pass(50);
  bench.queue.resumed();
  bench.spools.readFault = "no";
  bench.now();
  await bench.pass(1_000);
  bench.spools.readFault = undefined;
  await bench.pass(5_000);
  assert.equal((await bench.all()).length + bench.queue.books.acknowledged >= 20, true);
  assert.equal(bench.queue.books.acknowledged, 20);
});

Deno.test("what damage takes from the disk alone is counted, the rest is written again", async () => {
  const bench = await Bench.open(SMALL);
  bench.offer(topics(1, 30));
  await bench.pass(50);
  assert.equal(bench.queue.onDiskAlone, 20);
  bench.spools.damage(({ row }) => row % 2 === 0);
  // Another one is on disk alone then.
  bench.offer(["31"]);
  await bench.pass(200);
  assert.match(
    bench.log.join(),
    /THE SPOOL WAS DAMAGED \(a test\): at most 15 events are lost, 15 were saved/,
  );
  bench.queue.resumed();
  const left = await bench.all();
  assert.equal(left.length + (bench.dropped.damaged ?? 0), 31);
  assert.deepEqual(bench.dropped, { damaged: 11 });
  assert.equal(bench.queue.bytes, 0);
});

Deno.test("memory to disk by a reload: what waits is written; disk to memory: what is there is delivered", async () => {
  const memory = { limits: NO_BOUNDS };
  const bench = new Bench(memory);
  bench.offer(topics(1, 5));
  bench.queue.configure(DISK);
  await bench.open();
  await bench.pass(50);
  assert.deepEqual(bench.onDisk, topics(1, 5));
  bench.queue.configure({ limits: { messages: 2, bytes: PLENTY } });
  assert.deepEqual([bench.queue.length, bench.dropped], [5, {}], "on disk there is room");
  bench.offer(["6"]);
  await bench.pass(200);
  assert.deepEqual(bench.onDisk, topics(1, 5));
  bench.queue.configure(DISK);
  await bench.pass(50);
  assert.deepEqual(bench.onDisk, topics(1, 6), "also where the spool was open all the time");
  bench.queue.resumed();
  assert.deepEqual(await bench.all(), topics(1, 6));
});

Deno.test("what waits on disk from before is delivered by a queue that keeps nothing there", async () => {
  const bench = await Bench.open(DISK);
  bench.offer(topics(1, 100));
  await bench.pass(50);
  const second = await bench.crash(0, { limits: { messages: 10, bytes: PLENTY } });
  second.offer(topics(101, 108));
  assert.deepEqual(second.dropped, {});
  second.clock.advance(2_000);
  const found = await second.all();
  assert.deepEqual(found.toSorted((a, b) => Number(a) - Number(b)), topics(1, 108));
  assert.deepEqual(second.dropped, {});
});

Deno.test("deliveries at QoS 2 are remembered before it says so, and begun ones come back in flight", async () => {
  const bench = await Bench.open(DISK);
  bench.offer(["a", "b", "c"], 2);
  const [a, b] = [bench.take(), bench.take()];
  let early = false;
  bench.queue.remember(a, { packetId: 7, released: false }, () => early = true);
  assert.ok(early, "what is not on disk needs nothing remembered");
  await bench.pass(50);
  assert.deepEqual(bench.spools.disk.ordered[0]?.delivery, { packetId: 7, released: false });
  bench.spools.prompt = false;
  const told: string[] = [];
  bench.queue.remember(a, { packetId: 7, released: true }, () => told.push("a"));
  bench.queue.remember(b, { packetId: 8, released: false }, () => told.push("b"));
  await settled();
  assert.deepEqual([told, bench.spools.asked], [[], 1]);
  bench.spools.answer();
  await settled();
  assert.deepEqual(told, ["a", "b"]);
  const second = await bench.crash();
  assert.deepEqual(
    second.begun.map((one) => [one.topic, second.queue.deliveryOf(one)]),
    [["a", { packetId: 7, released: true }], ["b", { packetId: 8, released: false }]],
  );
  assert.deepEqual([second.queue.inFlight, second.queue.length], [2, 1]);
  second.queue.putBack(second.begun);
  assert.deepEqual(await second.all(), ["a", "b", "c"]);
});

Deno.test("a disk that says no holds up no delivery, and remembers when it can", async () => {
  const bench = await Bench.open(DISK);
  bench.offer(["a"], 2);
  const a = bench.take();
  await bench.pass(50);
  bench.spools.writeFault = "no";
  let isTold = false;
  bench.queue.remember(a, { packetId: 7, released: true }, () => isTold = true);
  await settled();
  assert.ok(isTold);
  bench.spools.writeFault = undefined;
  await bench.pass(1_000);
  assert.deepEqual(bench.spools.disk.ordered[0]?.delivery, { packetId: 7, released: true });
});

Deno.test("begun deliveries put back come in their place, not before what is on disk alone", async () => {
  const bench = await Bench.open(DISK);
  bench.offer(topics(1, 20), 2);
  const taken = topics(1, 12).map(() => bench.take());
  await bench.pass(50);
  bench.queue.remember(taken[11] ?? bench.take(), { packetId: 1, released: false }, () => {});
  const second = await bench.crash(0, SMALL);
  assert.deepEqual(second.begun.map(({ topic }) => topic), ["12"]);
  second.queue.putBack(second.begun);
  assert.deepEqual(await second.all(), topics(1, 20));
});

Deno.test("too old is dropped: in memory, on disk, over a restart, and while nothing is sent", async () => {
  const settings = { ...SMALL, maxAgeMs: 10_000 };
  const bench = await Bench.open(settings);
  bench.offer(topics(1, 30));
  bench.offer(["zero"], 0);
  await bench.pass(5_000);
  bench.offer(topics(31, 33));
  await bench.pass(4_900);
  assert.deepEqual(bench.dropped, {});
  await bench.pass(20_000);
  assert.deepEqual(bench.dropped, { expired: 34 });
  assert.deepEqual(bench.onDisk, []);

  const other = await Bench.open(settings);
  other.offer(topics(1, 30));
  await other.pass(6_000);
  other.offer(topics(31, 33));
  await other.pass(50);
  const second = await other.crash(4_000);
  assert.deepEqual(await second.all(), topics(31, 33));
  assert.deepEqual(second.dropped, { expired: 30 });
  const third = await other.crash(100_000);
  await third.pass(20_000);
  assert.deepEqual([third.dropped, third.onDisk], [{ expired: 33 }, []]);
});

Deno.test("an age that is set or shortened by a reload holds for what waits already", async () => {
  const bench = await Bench.open({ ...SMALL, maxAgeMs: 86_400_000 });
  bench.offer(topics(1, 20));
  await bench.pass(1_000);
  bench.queue.configure({ ...SMALL, maxAgeMs: 2_000 });
  await bench.pass(10_000);
  assert.deepEqual(bench.dropped, { expired: 20 });
});

Deno.test("closed, everything is on disk, and no timer is left, whatever was under way", async () => {
  for (const fault of ["none", "write", "read", "open"] as const) {
    const bench = new Bench({ ...SMALL, maxAgeMs: 60_000, drainRate: 1 });
    if (fault === "open") bench.spools.openFault = "no";
    const opened = bench.open();
    await settled();
    bench.offer(topics(1, 20));
    await bench.pass(50);
    bench.queue.resumed();
    bench.queue.peek();
    await settled();
    if (fault === "write") bench.spools.writeFault = "no";
    if (fault === "read") bench.spools.readFault = "no";
    bench.queue.acknowledge(bench.take());
    bench.queue.peek();
    await settled();
    bench.offer(["21"]);
    await bench.queue.close();
    await opened;
    await settled();
    assert.equal(bench.clock.pending, 0, fault);
    if (fault === "none" || fault === "read") assert.deepEqual(bench.onDisk, topics(2, 21));
  }
});

Deno.test("a spool whose keeper has died is opened anew, and not after the end", async () => {
  for (const isEnded of [false, true]) {
    const bench = await Bench.open(SMALL);
    bench.offer(topics(1, 5));
    bench.spools.writeFault = bench.spools.openFault = "it has died";
    bench.spools.isLost = true;
    await bench.pass(3_000);
    assert.deepEqual([bench.onDisk, bench.dropped], [[], {}]);
    if (isEnded) {
      await bench.queue.close();
      assert.equal(bench.clock.pending, 0);
      continue;
    }
    bench.spools.writeFault = bench.spools.openFault = undefined;
    await bench.pass(3_000);
    assert.deepEqual(bench.onDisk, topics(1, 5));
    assert.deepEqual(await bench.all(), topics(1, 5));
  }
});

Deno.test("what is on disk makes room before anything is dropped, though it is the oldest", async () => {
  const bench = await Bench.open(SMALL);
  bench.offer(topics(1, 6));
  await bench.pass(50);
  bench.spools.writeFault = "no room";
  bench.offer(topics(7, 10));
  await bench.pass(100);
  bench.queue.resumed();
  bench.offer(topics(11, 16));
  assert.deepEqual([bench.dropped, bench.onDisk], [{}, topics(1, 6)]);
  bench.spools.writeFault = undefined;
  await bench.pass(2_000);
  assert.deepEqual((await bench.all()).toSorted((a, b) => Number(a) - Number(b)), topics(1, 16));
});
