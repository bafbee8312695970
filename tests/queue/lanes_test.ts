/** What goes first: what has gathered while the broker was away, or what comes now. */

import assert from "node:assert/strict";
import { Bench, NO_BOUNDS, PLENTY, SPOOL, topics } from "./spool_bench.ts";

const MEMORY = { limits: NO_BOUNDS };

Deno.test("after a short outage everything comes in the order in which it was offered", () => {
  const bench = new Bench(MEMORY);
  bench.offer(topics(1, 5));
  bench.queue.resumed();
  bench.offer(topics(6, 8), 0);
  bench.offer(topics(9, 12));
  assert.deepEqual(bench.now(), topics(1, 12));
});

Deno.test("behind a large backlog live messages wait for five seconds, then each gets its turn", async () => {
  const bench = new Bench(MEMORY);
  bench.offer(topics(1, 100));
  bench.queue.resumed();
  bench.offer(["live 1", "live 2"]);
  await bench.pass(5_000);
  assert.equal(bench.take().topic, "1");
  await bench.pass(1);
  const next = Array.from({ length: 6 }, () => bench.take().topic);
  assert.deepEqual(next, ["live 1", "2", "live 2", "3", "4", "5"]);
  bench.offer(["live 3"]);
  assert.deepEqual([bench.take().topic, bench.take().topic], ["live 3", "6"], "no second wait");
});

Deno.test("a drain rate holds the backlog back, and live messages go beside it at once", async () => {
  const bench = new Bench({ ...MEMORY, drainRate: 20 });
  bench.offer(topics(1, 50));
  bench.queue.resumed();
  let woken = 0;
  bench.queue.wakes(() => woken++);
  assert.deepEqual(bench.now(), ["1"]);
  const sent: string[] = [];
  for (let second = 1; second <= 2; second++) {
    bench.offer([`live ${second}`]);
    for (let i = 0; i < 20; i++) {
      sent.push(...bench.now());
      await bench.pass(50);
    }
  }
  assert.deepEqual(sent.filter((topic) => topic.startsWith("live")), ["live 1", "live 2"]);
  assert.deepEqual(sent.filter((topic) => !topic.startsWith("live")), topics(2, 40));
  assert.equal(sent[0], "live 1");
  assert.ok(woken >= 38, `woken ${woken} times`);
});

Deno.test("without a backlog a drain rate holds nothing back", () => {
  const bench = new Bench({ ...MEMORY, drainRate: 1 });
  bench.queue.resumed();
  bench.offer(topics(1, 100));
  assert.deepEqual(bench.now(), topics(1, 100));
});

Deno.test("a drain rate holds for what is read from disk too, and is taken off by a reload", async () => {
  const settings = { limits: { messages: 10, bytes: PLENTY }, spool: SPOOL, drainRate: 10 };
  const bench = await Bench.open(settings);
  bench.offer(topics(1, 40));
  await bench.pass(50);
  bench.queue.resumed();
  const sent: string[] = [];
  for (let i = 0; i < 20; i++) {
    sent.push(...bench.now());
    await bench.pass(50);
  }
  assert.ok(sent.length >= 9 && sent.length <= 11, `${sent.length} in a second`);
  bench.queue.configure({ ...settings, drainRate: 0 });
  sent.push(...await bench.all());
  assert.deepEqual(sent, topics(1, 40));
});

Deno.test("what was looked at is taken, also when a token comes in between", () => {
  const bench = new Bench({ ...MEMORY, drainRate: 10 });
  bench.offer(["old 1", "old 2"]);
  bench.queue.resumed();
  bench.offer(["live"], 0);
  bench.take();
  const looked = bench.queue.peek();
  bench.clock.advance(1_000);
  assert.equal(bench.queue.take(), looked);
});

Deno.test("messages of QoS 0 are shed before others, and for no others on disk", async () => {
  const bench = new Bench({ limits: { messages: 4, bytes: PLENTY } });
  bench.offer(["a", "b"]);
  bench.offer(["zero 1", "zero 2"], 0);
  bench.offer(["c"], 2);
  assert.deepEqual(bench.now(), ["a", "b", "zero 2", "c"]);
  const disk = await Bench.open({ limits: { messages: 4, bytes: PLENTY }, spool: SPOOL });
  disk.offer(["a", "b", "c"]);
  disk.offer(topics(1, 6), 0);
  await disk.pass(100);
  disk.offer(["d", "e", "f"]);
  await disk.pass(100);
  assert.deepEqual(disk.dropped, { queue_full: 2 });
  assert.deepEqual((await disk.all()).toSorted(), [
    "3",
    "4",
    "5",
    "6",
    "a",
    "b",
    "c",
    "d",
    "e",
    "f",
  ]);
});

Deno.test("drop_newest keeps what came first", () => {
  const bench = new Bench({ limits: { messages: 3, bytes: PLENTY }, full: "drop_newest" });
  bench.offer(topics(1, 3));
  bench.queue.resumed();
  bench.offer(topics(4, 6));
  assert.deepEqual(bench.dropped, { queue_full: 3 });
  assert.deepEqual(bench.now(), topics(1, 3));
});

Deno.test("what is put back goes to where it was, in the backlog or behind it", async () => {
  const bench = new Bench(MEMORY);
  bench.offer(topics(1, 4));
  const [one, two] = [bench.take(), bench.take()];
  bench.queue.resumed();
  bench.offer(topics(5, 6));
  await bench.pass(6_000);
  assert.equal(bench.take().topic, "3");
  const live = bench.take();
  assert.equal(live.topic, "5");
  bench.queue.putBack([one, two, live]);
  bench.check();
  const order = Array.from({ length: 5 }, () => bench.take().topic);
  assert.deepEqual(order.filter((topic) => Number(topic) < 5), ["1", "2", "4"]);
  assert.deepEqual(order.filter((topic) => Number(topic) > 4), topics(5, 6));
});

Deno.test("fill tells how full it is by the bound that is nearest", async () => {
  const bench = new Bench({ limits: { messages: 10, bytes: PLENTY } });
  assert.equal(bench.queue.fill, 0);
  bench.offer(topics(1, 5));
  assert.equal(bench.queue.fill, 0.5);
  bench.queue.configure({ limits: { messages: 100, bytes: 5 * 129 } });
  assert.equal(bench.queue.fill, 1);
  const spool = { limits: { messages: 100, bytes: PLENTY }, commitMs: 50 };
  const disk = await Bench.open({ limits: { messages: 10, bytes: PLENTY }, spool });
  disk.offer(topics(1, 20));
  disk.offer(["zero"], 0);
  await disk.pass(50);
  assert.equal(disk.queue.fill, 0.2);
  disk.queue.configure({ limits: { messages: 10, bytes: PLENTY } });
  assert.ok(disk.queue.fill <= 1.1, `${disk.queue.fill}: what is on disk alone fills no memory`);
  const full = await Bench.open({ limits: { messages: 10, bytes: PLENTY }, spool });
  full.spools.insertFault = "the disk is full";
  full.offer(topics(1, 9));
  await full.pass(100);
  assert.equal(full.queue.fill, 0.9, "on a full disk memory is what fills");
  full.now();
  assert.equal(full.queue.fill, 0);
});

Deno.test("what the breaker sheds is counted, and costs nothing else its place", () => {
  const bench = new Bench(MEMORY);
  bench.queue.sheds = (qos) => qos === 0;
  bench.offer(["zero"], 0);
  bench.offer(["one"], 1);
  assert.deepEqual(bench.dropped, { breaker_open: 1 });
  assert.deepEqual(bench.now(), ["one"]);
});

Deno.test("a drain rate is for what has gathered, not for what memory has no room for later", async () => {
  const bench = await Bench.open({
    limits: { messages: 8, bytes: PLENTY },
    spool: SPOOL,
    drainRate: 1,
  });
  bench.queue.resumed();
  bench.offer(topics(1, 40));
  await bench.pass(100);
  assert.deepEqual(await bench.all(), topics(1, 40));
  assert.equal(bench.clock.now(), 100);
});
