/** What a queue holds, and what it gives up. */

import assert from "node:assert/strict";
import { EventQueue } from "../../lib/queue/event_queue.ts";
import { droppedIn, message, OVERHEAD } from "./helper.ts";

const PLENTY = 1_000_000;

/** The topics of all that waits, taken out. */
function drain(queue: EventQueue): string[] {
  const topics: string[] = [];
  for (let one = queue.take(); one !== undefined; one = queue.take()) topics.push(one.topic);
  return topics;
}

Deno.test("messages come out in the order they went in, far more than it first has room for", () => {
  const queue = new EventQueue({ limits: { messages: PLENTY, bytes: PLENTY } });
  const topics = Array.from({ length: 1000 }, (_, i) => `${i}`);
  for (const topic of topics) queue.offer(message(topic));
  assert.deepEqual(drain(queue), topics);
});

Deno.test("full by number, the oldest give way to the newest", () => {
  const queue = new EventQueue({ limits: { messages: 3, bytes: PLENTY } });
  for (const topic of ["a", "b", "c", "d", "e"]) queue.offer(message(topic));
  assert.deepEqual(queue.books.dropped, { queue_full: 2 });
  assert.deepEqual(drain(queue), ["c", "d", "e"]);
});

Deno.test("full by bytes, as many of the oldest give way as the newest needs", () => {
  const queue = new EventQueue({ limits: { messages: 100, bytes: 1000 } });
  for (const topic of ["a", "b", "c", "d"]) queue.offer(message(topic, 250));
  assert.equal(queue.bytes, 1000);
  assert.equal(queue.length, 4);
  queue.offer(message("e", 251));
  assert.deepEqual(queue.books.dropped, { queue_full: 2 });
  assert.equal(queue.bytes, 751);
  assert.deepEqual(drain(queue), ["c", "d", "e"]);
});

Deno.test("the overhead counts: messages without payload do not fill the memory", () => {
  const queue = new EventQueue({ limits: { messages: PLENTY, bytes: 10 * (OVERHEAD + 1) } });
  for (let i = 0; i < 100; i++) queue.offer(message("x"));
  assert.equal(queue.length, 10);
});

Deno.test("what alone is over the bound is dropped, and pushes out nothing else", () => {
  const queue = new EventQueue({ limits: { messages: 10, bytes: 1000 } });
  queue.offer(message("small", 500));
  queue.offer(message("huge", 1001));
  assert.deepEqual(queue.books.dropped, { too_large: 1 });
  queue.offer(message("fits", 500));
  assert.deepEqual(drain(queue), ["small", "fits"]);
  queue.offer(message("exact", 1000));
  assert.equal(queue.length, 1);
});

Deno.test("put back, messages are the next again, in their order", () => {
  const queue = new EventQueue({ limits: { messages: 10, bytes: PLENTY } });
  for (const topic of ["a", "b", "c", "d"]) queue.offer(message(topic));
  const [a, b] = [queue.take() ?? assert.fail(), queue.take() ?? assert.fail()];
  queue.putBack([a, b]);
  assert.equal(queue.inFlight, 0);
  assert.deepEqual(drain(queue), ["a", "b", "c", "d"]);
});

Deno.test("put back into a full queue, the oldest give way: the ones put back first", () => {
  const queue = new EventQueue({ limits: { messages: 3, bytes: PLENTY } });
  for (const topic of ["a", "b"]) queue.offer(message(topic));
  const [a, b] = [queue.take() ?? assert.fail(), queue.take() ?? assert.fail()];
  for (const topic of ["c", "d"]) queue.offer(message(topic));
  queue.putBack([a, b]);
  assert.deepEqual(queue.books.dropped, { queue_full: 1 });
  assert.equal(queue.inFlight, 0);
  assert.deepEqual(drain(queue), ["b", "c", "d"]);
});

Deno.test("many put back at once find room", () => {
  const queue = new EventQueue({ limits: { messages: PLENTY, bytes: PLENTY } });
  const topics = Array.from({ length: 100 }, (_, i) => `${i}`);
  for (const topic of topics) queue.offer(message(topic));
  const taken = topics.map(() => queue.take() ?? assert.fail());
  for (const topic of topics) queue.offer(message(`later ${topic}`));
  queue.putBack(taken);
  assert.deepEqual(drain(queue), [...topics, ...topics.map((topic) => `later ${topic}`)]);
});

Deno.test("made smaller, the oldest give way at once; made bigger, more fit", () => {
  const queue = new EventQueue({ limits: { messages: 5, bytes: PLENTY } });
  for (const topic of ["a", "b", "c", "d", "e"]) queue.offer(message(topic, 200));
  queue.configure({ limits: { messages: 4, bytes: PLENTY } });
  assert.equal(queue.length, 4);
  queue.configure({ limits: { messages: 4, bytes: 500 } });
  assert.equal(queue.length, 2);
  assert.deepEqual(queue.books.dropped, { queue_full: 3 });
  queue.configure({ limits: { messages: 6, bytes: PLENTY } });
  for (const topic of ["f", "g", "h", "i"]) queue.offer(message(topic, 200));
  assert.deepEqual(drain(queue), ["d", "e", "f", "g", "h", "i"]);
});

Deno.test("a bound that nothing can meet empties the queue and ends", () => {
  for (const limits of [{ messages: 0, bytes: 0 }, { messages: -1, bytes: -1 }]) {
    const queue = new EventQueue({ limits: { messages: 10, bytes: PLENTY } });
    for (const topic of ["a", "b"]) queue.offer(message(topic));
    queue.configure({ limits });
    queue.offer(message("c"));
    assert.equal(queue.length, 0);
    assert.equal(queue.bytes, 0);
    assert.equal(droppedIn(queue.books), 3);
  }
});
