/** What is offered is only lent: it may change at once, and nothing of that is published. */

import assert from "node:assert/strict";
import type { Message, Unwritten } from "../../lib/mqtt/outbox.ts";
import { EventQueue, type QueueSettings } from "../../lib/queue/event_queue.ts";
import type { RateLimit } from "../../lib/queue/holding.ts";
import { TokenBucket } from "../../lib/queue/token_bucket.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { FakeSpools, settled } from "./fake_spools.ts";
import { message } from "./helper.ts";
import { Bench, NO_BOUNDS, PLENTY, SPOOL } from "./spool_bench.ts";

const lent = new Uint8Array(100);

/** Offers messages with these texts, all lent in the same place. */
function lend(
  queue: EventQueue,
  texts: readonly string[],
  { qos = 1, limit, counter }: {
    qos?: 0 | 1 | 2;
    limit?: RateLimit;
    counter?: Message["counter"];
  } = {},
): void {
  for (const text of texts) {
    const { written } = new TextEncoder().encodeInto(text, lent);
    const payload = lent.subarray(0, written);
    const plain = message("t");
    queue.offer({ ...plain, payload, qos, counter: counter ?? plain.counter }, limit);
    lent.fill(0x2a);
  }
}

const text = ({ payload }: { readonly payload: Uint8Array }) => new TextDecoder().decode(payload);

/** The texts of all that may be taken now; it is acknowledged at the end. */
function taken(queue: EventQueue): string[] {
  const messages: Message[] = [];
  for (let one = queue.take(); one !== undefined; one = queue.take()) messages.push(one);
  const texts = messages.map(text);
  for (const one of messages) queue.acknowledge(one);
  return texts;
}

function texts(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => `event ${first + i}`);
}

Deno.test("what waits in memory is as it was offered", () => {
  const { queue } = new Bench({ limits: NO_BOUNDS });
  for (const qos of [0, 1, 2] as const) lend(queue, texts(qos * 10, qos * 10 + 9), { qos });
  assert.deepEqual(taken(queue), texts(0, 29));
});

Deno.test("what is put back is as it was offered", () => {
  const { queue } = new Bench({ limits: NO_BOUNDS });
  lend(queue, texts(1, 5));
  queue.resumed();
  lend(queue, texts(6, 9));
  const messages = [queue.take(), queue.take()].flatMap((one) => one ?? []);
  queue.putBack(messages);
  lend(queue, texts(10, 12));
  assert.deepEqual(taken(queue), texts(1, 12));
});

Deno.test("what is held for its rate is as it was offered, and so is what is released", () => {
  const clock = new ManualClock();
  const { queue } = new Bench({ limits: NO_BOUNDS }, { clock });
  const limit: RateLimit = { bucket: new TokenBucket({ rate: 10, burst: 2 }, clock), over: "hold" };
  const counter = { name: "limited", messages: 0 };
  lend(queue, texts(1, 8), { limit, counter });
  lend(queue, ["free"]);
  assert.deepEqual(taken(queue), [...texts(1, 2), "free"]);
  clock.advance(300);
  lend(queue, ["free"]);
  assert.deepEqual(taken(queue), [...texts(3, 5), "free"]);
  queue.releaseHeld();
  lend(queue, ["free"]);
  assert.deepEqual(taken(queue), [...texts(6, 8), "free"]);
});

Deno.test("what goes to disk, comes back and is written late is as it was offered", async () => {
  const settings: QueueSettings = {
    limits: { messages: 10, bytes: PLENTY },
    spool: SPOOL,
  };
  const bench = await Bench.open(settings);
  const { queue, spools } = bench;
  spools.prompt = false;
  for (let i = 0; i < 10; i++) {
    lend(queue, texts(i * 10 + 1, i * 10 + 10));
    bench.clock.advance(50);
    spools.answer();
    await settled();
  }
  spools.prompt = true;
  spools.answer();
  await bench.pass(200);
  assert.ok(queue.onDiskAlone > 50);
  assert.deepEqual(spools.disk.ordered.map(text), texts(1, 100));
  const all: string[] = [];
  while (queue.length > 0) {
    all.push(...taken(queue));
    await settled();
  }
  assert.deepEqual(all, texts(1, 100));
});

Deno.test("what is gone while it is written is written as it was", async () => {
  const bench = await Bench.open({ limits: NO_BOUNDS, spool: SPOOL });
  const { queue, spools } = bench;
  spools.prompt = false;
  lend(queue, texts(1, 3));
  bench.clock.advance(50);
  await settled();
  assert.deepEqual(taken(queue), texts(1, 3));
  // Its memory could be used again now.
  lend(queue, texts(4, 6));
  spools.answer(1);
  assert.deepEqual(spools.disk.ordered.map(text), texts(1, 3));
  spools.answer();
  await settled();
});

Deno.test("what is handed over is as it was offered", async () => {
  const former = new Bench({ limits: NO_BOUNDS });
  lend(former.queue, texts(1, 3), { qos: 0 });
  lend(former.queue, texts(4, 6), { qos: 2 });
  await former.queue.close();
  const carried = structuredClone(former.queue.handOver());
  const next = new Bench({ limits: NO_BOUNDS }, { spools: new FakeSpools() });
  next.queue.takeOver(carried);
  lend(next.queue, texts(7, 8));
  assert.deepEqual(taken(next.queue), texts(1, 8));
});

/** A queue whose messages are published at once, and what was. */
function atOnce(settings: QueueSettings = { limits: NO_BOUNDS }) {
  const bench = new Bench(settings);
  const published: Unwritten[] = [];
  const state = { isFull: false, woken: 0 };
  bench.queue.wakes(() => state.woken++, (message) => {
    if (state.isFull) return false;
    published.push({ message, payload: new Uint8Array(message.payload) });
    return true;
  });
  return { bench, queue: bench.queue, published, state };
}

Deno.test("QoS 0 that nothing waits before is published at once, and is in flight until it is acknowledged", () => {
  const { bench, queue, published, state } = atOnce();
  lend(queue, texts(1, 3), { qos: 0 });
  assert.deepEqual(published.map(text), texts(1, 3));
  assert.deepEqual([queue.length, queue.bytes, queue.inFlight, state.woken], [0, 0, 3, 0]);
  for (const { message } of published.slice(0, 2)) queue.acknowledge(message);
  assert.deepEqual(published.map(({ message }) => message.counter.messages), [1, 1, 0]);
  assert.deepEqual(queue.books, {
    offered: 3,
    acknowledged: 2,
    inFlight: 1,
    queued: 0,
    dropped: {},
  });
  bench.check();
});

Deno.test("QoS 1 and 2, and what comes behind others, are not", () => {
  const { queue, published, state } = atOnce();
  lend(queue, ["one"], { qos: 1 });
  lend(queue, ["two"], { qos: 2 });
  lend(queue, ["zero"], { qos: 0 });
  assert.deepEqual(published, []);
  assert.equal(state.woken, 3);
  assert.deepEqual(taken(queue), ["one", "two", "zero"]);
  lend(queue, ["at once"], { qos: 0 });
  assert.deepEqual(published.map(text), ["at once"]);
});

Deno.test("what cannot go at once waits, and what follows waits behind it", () => {
  const { queue, published, state } = atOnce();
  state.isFull = true;
  lend(queue, texts(1, 2), { qos: 0 });
  state.isFull = false;
  lend(queue, texts(3, 4), { qos: 0 });
  assert.deepEqual(published, []);
  assert.deepEqual(taken(queue), texts(1, 4));
});

Deno.test("what is over its rate does not go at once", () => {
  const { bench: { clock }, queue, published } = atOnce();
  for (const over of ["hold", "drop"] as const) {
    const limit = { bucket: new TokenBucket({ rate: 10, burst: 2 }, clock), over };
    const counter = { name: over, messages: 0 };
    lend(queue, texts(1, 5), { qos: 0, limit, counter });
    assert.deepEqual(published.splice(0).map(text), texts(1, 2));
    assert.equal(queue.length, over === "hold" ? 3 : 0);
    clock.advance(1_000);
    assert.deepEqual(taken(queue), over === "hold" ? texts(3, 5) : []);
  }
  assert.deepEqual(queue.books.dropped, { over_rate: 3 });
});

Deno.test("what the breaker drops, or is too large, does not go at once", () => {
  const { queue, published } = atOnce({ limits: { messages: 10, bytes: 200 } });
  queue.sheds = (qos) => qos === 0;
  lend(queue, ["a"], { qos: 0 });
  queue.sheds = () => false;
  lend(queue, ["x".repeat(90)], { qos: 0 });
  assert.deepEqual(published, []);
  assert.deepEqual(queue.books.dropped, { breaker_open: 1, too_large: 1 });
});

Deno.test("what was not written after all comes back as it was, to its place and before what came later", () => {
  const { bench, queue, published, state } = atOnce();
  lend(queue, texts(1, 5), { qos: 0 });
  for (const { message } of published.splice(0, 2)) queue.acknowledge(message);
  state.isFull = true;
  lend(queue, texts(6, 7), { qos: 0 });
  lend(queue, ["reliable"], { qos: 1 });
  // Taken from where it waits, as what was full takes more again.
  const waiting = queue.take() ?? assert.fail();
  const payload = new Uint8Array(waiting.payload);
  queue.takeBack([...published, { message: waiting, payload }]);
  for (const one of [...published, { payload }]) one.payload.fill(0x2a);
  bench.check();
  assert.equal(queue.inFlight, 0);
  state.isFull = false;
  lend(queue, texts(8, 9), { qos: 0 });
  assert.deepEqual(taken(queue), [...texts(3, 7), "reliable", ...texts(8, 9)]);
});

Deno.test("what comes back to a full queue is dropped as any other, and counted", () => {
  for (const full of ["drop_oldest", "drop_newest"] as const) {
    const { bench, queue, published } = atOnce({ limits: { messages: 3, bytes: PLENTY }, full });
    lend(queue, texts(1, 5), { qos: 0 });
    queue.takeBack(published);
    for (const { payload } of published) payload.fill(0x2a);
    bench.check();
    assert.deepEqual(queue.books.dropped, { queue_full: 2 });
    assert.deepEqual(taken(queue), full === "drop_oldest" ? texts(3, 5) : texts(1, 3));
  }
});

Deno.test("what was published at once leaves no trace in the queue's memory", () => {
  const { queue, published } = atOnce();
  for (let round = 0; round < 100; round++) {
    lend(queue, texts(1, 10), { qos: 0 });
    for (const { message } of published) queue.acknowledge(message);
    for (const { message } of published.splice(0)) assert.equal(message.payload.length, 0);
  }
  assert.deepEqual([queue.length, queue.bytes, queue.inFlight], [0, 0, 0]);
});

Deno.test("what comes back again and again takes no more memory than once", () => {
  const { queue, published, state } = atOnce();
  const pieces = new Set<ArrayBufferLike>();
  const payload = new Uint8Array(60_000);
  for (let round = 0; round < 200; round++) {
    // One that was published at once and comes back, and one that waited before.
    state.isFull = false;
    queue.offer({ ...message("t"), payload, qos: 0 });
    state.isFull = true;
    queue.offer({ ...message("t"), payload, qos: 0 });
    for (let i = 0; i < 3; i++) {
      queue.takeBack(published.splice(0));
      for (let one = queue.take(); one !== undefined; one = queue.take()) {
        pieces.add(one.payload.buffer);
        published.push({ message: one, payload });
      }
    }
    for (const { message } of published.splice(0)) queue.acknowledge(message);
  }
  assert.deepEqual([queue.length, queue.inFlight], [0, 0]);
  assert.ok(pieces.size <= 3, `${pieces.size} pieces`);
});

Deno.test("another listener takes the place of both", () => {
  const { queue, published } = atOnce();
  let woken = 0;
  queue.wakes(() => woken++);
  lend(queue, ["a"], { qos: 0 });
  assert.deepEqual([published.length, woken, queue.length], [0, 1, 1]);
});
