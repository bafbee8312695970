/** A disk that refuses, that is full, that is slow or stands still. */

import assert from "node:assert/strict";
import { FakeSpools, settled } from "./fake_spools.ts";
import { Bench, NO_BOUNDS, PLENTY, SPOOL, topics } from "./spool_bench.ts";

const DISK = { limits: NO_BOUNDS, spool: SPOOL };
/** Memory for ten messages, each of which takes 129 or 130 bytes. */
const SMALL = { limits: { messages: 10, bytes: PLENTY }, spool: SPOOL };

/** The lines of the log about the spool's trouble. */
function told({ log }: Bench): string[] {
  return log.filter((line) => /Events wait in memory|can be used again/.test(line));
}

Deno.test("a disk that takes no new rows is told once, and its end once", async () => {
  const bench = await Bench.open(DISK);
  bench.offer(topics(1, 20));
  await bench.pass(50);
  bench.spools.insertFault = "the disk is full";
  for (let i = 0; i < 100; i++) {
    bench.offer([`more ${i}`]);
    // Removals succeed all the time.
    bench.queue.acknowledge(bench.take());
    await bench.pass(100);
    if (i > 0) assert.equal(bench.queue.spool?.trouble, "the disk is full");
  }
  assert.deepEqual(told(bench), [
    "[ERROR] the disk is full. Events wait in memory until it can be used",
  ]);
  bench.spools.insertFault = undefined;
  await bench.pass(1_100);
  assert.equal(bench.queue.spool?.trouble, undefined);
  assert.equal(told(bench).length, 2);
});

Deno.test("a full disk is no trouble any more when nothing had to be written for a minute", async () => {
  const bench = await Bench.open(DISK);
  bench.spools.insertFault = "the disk is full";
  bench.offer(["1"]);
  await bench.pass(5_000);
  bench.now();
  await bench.pass(59_000);
  assert.equal(bench.queue.spool?.trouble, "the disk is full");
  await bench.pass(2_000);
  assert.deepEqual([bench.queue.spool?.trouble, bench.clock.pending], [undefined, 0]);
  assert.equal(told(bench).length, 2);
});

Deno.test("a disk that cannot be read is not healed by what can be written", async () => {
  const bench = await Bench.open(SMALL);
  bench.offer(topics(1, 30));
  await bench.pass(100);
  bench.spools.readFault = "it cannot be read";
  bench.queue.resumed();
  bench.now();
  await bench.pass(1_000);
  assert.equal(bench.queue.spool?.trouble, "it cannot be read");
  bench.offer(topics(31, 60));
  await bench.pass(1_000);
  assert.deepEqual(bench.dropped, {}, "new ones can be written all the same");
  assert.equal(told(bench).length, 1);
  bench.spools.readFault = undefined;
  await bench.pass(1_000);
  await bench.all();
  assert.equal(bench.queue.books.acknowledged, 60);
  assert.equal(told(bench).length, 2);
});

Deno.test("a disk that stands still holds up a delivery for ten seconds, and others not at all", async () => {
  const bench = await Bench.open(DISK);
  bench.offer(["a", "b"], 2);
  const [a, b] = [bench.take(), bench.take()];
  await bench.pass(50);
  bench.spools.prompt = false;
  const went: string[] = [];
  bench.queue.remember(a, { packetId: 7, released: false }, () => went.push("a"));
  await bench.pass(9_900);
  assert.deepEqual([went, bench.queue.spool?.trouble], [[], undefined]);
  await bench.pass(200);
  assert.deepEqual(went, ["a"]);
  assert.match(bench.queue.spool?.trouble ?? "", /spool: the disk does not answer$/);
  bench.queue.remember(b, { packetId: 8, released: false }, () => went.push("b"));
  assert.deepEqual(went, ["a", "b"]);
  bench.spools.prompt = true;
  bench.spools.answer();
  await bench.pass(100);
  assert.deepEqual(went, ["a", "b"], "each goes once");
  assert.equal(bench.queue.spool?.trouble, undefined);
  assert.equal(told(bench).length, 2);
  assert.deepEqual(bench.spools.disk.ordered.map(({ delivery }) => delivery?.packetId), [7, 8]);
});

Deno.test("a disk that stands still while events are written or the file is opened is told, too", async () => {
  const writing = await Bench.open(DISK);
  writing.spools.prompt = false;
  writing.offer(["a"]);
  await writing.pass(10_200);
  assert.match(writing.queue.spool?.trouble ?? "", /the disk does not answer/);
  const opening = new Bench(DISK);
  opening.spools.prompt = false;
  opening.open();
  await opening.pass(10_200);
  assert.match(opening.queue.spool?.trouble ?? "", /the disk does not answer/);
});

Deno.test("a healthy disk drops nothing, however much comes before commitMs", async () => {
  for (const limits of [{ messages: PLENTY, bytes: 1_300 }, { messages: 10, bytes: PLENTY }]) {
    const bench = await Bench.open({ limits, spool: { limits: NO_BOUNDS, commitMs: 60_000 } });
    for (const topic of topics(1, 100)) {
      bench.offer([topic]);
      await bench.pass(1);
    }
    assert.deepEqual(bench.dropped, {});
    assert.ok(bench.queue.length - bench.queue.onDiskAlone <= 10);
    assert.ok(bench.spools.writes.length < 40, `${bench.spools.writes.length} writes`);
    bench.queue.resumed();
    assert.deepEqual(await bench.all(), topics(1, 100));
  }
});

Deno.test("a disk that does not keep up drops what memory has no room for, and no more", async () => {
  const limits = { messages: PLENTY, bytes: 1_300 };
  const bench = await Bench.open({ limits, spool: { limits: NO_BOUNDS, commitMs: 60_000 } });
  bench.spools.prompt = false;
  bench.offer(topics(10, 29));
  assert.deepEqual(bench.dropped, { disk_full: 10 });
  bench.spools.prompt = true;
  bench.spools.answer();
  await bench.pass(50);
  bench.offer(topics(30, 34));
  assert.deepEqual(bench.dropped, { disk_full: 10 });
});

Deno.test("a spool that is open only later tells then what was begun, and is asked until then", async () => {
  const former = await Bench.open(DISK);
  former.offer(["a", "b"], 2);
  await former.pass(50);
  former.queue.remember(former.take(), { packetId: 5, released: true }, () => {});
  await settled();
  const bench = new Bench(DISK, { spools: new FakeSpools(former.spools.disk.copy()) });
  bench.spools.openFault = "no such place";
  let begun: readonly string[] | undefined;
  bench.open().then(() => begun = bench.begun.map(({ topic }) => topic));
  await bench.pass(20_000);
  assert.deepEqual([begun, bench.queue.books.offered], [undefined, 0]);
  assert.equal(told(bench).length, 1);
  bench.spools.openFault = undefined;
  await bench.pass(1_100);
  assert.deepEqual(begun, ["a"]);
  const { offered, inFlight, queued } = bench.queue.books;
  assert.deepEqual([offered, inFlight, queued], [2, 1, 1]);
  assert.equal(told(bench).length, 2);
});

Deno.test("a spool that is open only after the end is closed, with what was to be written", async () => {
  const bench = new Bench(DISK);
  bench.spools.prompt = false;
  bench.open();
  bench.offer(topics(1, 3));
  const closed = bench.queue.close();
  await settled();
  assert.equal(bench.spools.isClosed, false);
  bench.spools.prompt = true;
  bench.spools.answer();
  await closed;
  assert.deepEqual([bench.spools.isClosed, bench.onDisk], [true, topics(1, 3)]);
  assert.equal(bench.clock.pending, 0);
});

Deno.test("so is one that is opened again because its keeper had died", async () => {
  const bench = await Bench.open(DISK);
  bench.offer(topics(1, 3));
  bench.spools.writeFault = "it has died";
  bench.spools.isLost = true;
  await bench.pass(50);
  bench.spools.writeFault = undefined;
  bench.spools.prompt = false;
  await bench.pass(1_000);
  assert.equal(bench.spools.asked, 1, "it is being opened");
  const closed = bench.queue.close();
  await settled();
  bench.spools.prompt = true;
  bench.spools.answer();
  await closed;
  assert.deepEqual([bench.spools.isClosed, bench.onDisk], [true, topics(1, 3)]);
  assert.equal(bench.clock.pending, 0);
});

Deno.test("a spool that cannot be closed does not keep the queue from its end", async () => {
  const bench = await Bench.open(DISK);
  bench.spools.closeFault = "the disk is gone";
  bench.offer(["a"]);
  await bench.queue.close();
  assert.match(bench.log.join(), /the disk is gone/);
  assert.deepEqual(bench.onDisk, ["a"]);
});

Deno.test("a disk that is slow to read does not hold up live events for longer than five seconds", async () => {
  const bench = await Bench.open(SMALL);
  bench.offer(topics(1, 20));
  await bench.pass(100);
  bench.queue.resumed();
  bench.spools.prompt = false;
  bench.now();
  bench.offer(["live"]);
  let woken = 0;
  bench.queue.wakes(() => woken++);
  assert.equal(bench.queue.peek(), undefined);
  await bench.pass(5_000);
  assert.equal(woken, 0);
  await bench.pass(10);
  assert.equal(woken, 1);
  assert.equal(bench.take().topic, "live");
});

Deno.test("what could not be remembered is remembered later as it is then", async () => {
  const bench = await Bench.open(DISK);
  bench.offer(["a"], 2);
  const a = bench.take();
  await bench.pass(50);
  bench.spools.prompt = false;
  for (const released of [false, true]) {
    bench.queue.remember(a, { packetId: 7, released }, () => {});
    await settled();
  }
  bench.spools.writeFault = "no";
  bench.spools.answer(1);
  bench.spools.writeFault = undefined;
  bench.spools.answer(1);
  await settled();
  assert.equal(bench.spools.disk.ordered[0]?.delivery?.released, true);
  bench.spools.prompt = true;
  await bench.pass(2_000);
  assert.equal(bench.spools.disk.ordered[0]?.delivery?.released, true);
});
