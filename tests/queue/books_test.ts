/** offered = acknowledged + in flight + queued + dropped, at any moment. */

import assert from "node:assert/strict";
import type { Message } from "../../lib/mqtt/outbox.ts";
import { EventQueue } from "../../lib/queue/event_queue.ts";
import { droppedIn, message, OVERHEAD } from "./helper.ts";
import { numbers } from "./random.ts";

Deno.test("a new queue has offered nothing", () => {
  const queue = new EventQueue({ limits: { messages: 10, bytes: 10_000 } });
  assert.deepEqual(queue.books, {
    offered: 0,
    acknowledged: 0,
    inFlight: 0,
    queued: 0,
    dropped: {},
  });
  assert.equal(queue.take(), undefined);
  assert.equal(queue.peek(), undefined);
});

Deno.test("a message is queued, in flight, and acknowledged in the books of its topic too", () => {
  const queue = new EventQueue({ limits: { messages: 10, bytes: 10_000 } });
  const one = message("one");
  queue.offer(one);
  assert.deepEqual([queue.books.offered, queue.books.queued, queue.bytes], [1, 1, OVERHEAD + 3]);
  const taken = queue.take() ?? assert.fail();
  assert.equal(taken.topic, "one");
  assert.deepEqual([queue.books.queued, queue.books.inFlight, queue.bytes], [0, 1, 0]);
  assert.equal(one.counter.messages, 0);
  queue.acknowledge(taken);
  assert.deepEqual([queue.books.inFlight, queue.books.acknowledged], [0, 1]);
  assert.equal(one.counter.messages, 1);
});

Deno.test("a message given up in flight is counted with its reason", () => {
  const queue = new EventQueue({ limits: { messages: 10, bytes: 10_000 } });
  for (const reason of ["refused", "too_large", "refused"] as const) {
    queue.offer(message("x"));
    queue.drop(queue.take() ?? assert.fail(), reason);
  }
  assert.deepEqual(queue.books.dropped, { refused: 2, too_large: 1 });
  assert.equal(queue.inFlight, 0);
});

Deno.test("the books are a copy of their moment", () => {
  const queue = new EventQueue({ limits: { messages: 0, bytes: 10_000 } });
  queue.offer(message("x"));
  const { books } = queue;
  queue.offer(message("x"));
  assert.deepEqual(books.dropped, { queue_full: 1 });
  assert.equal(books.offered, 1);
});

for (let seed = 1; seed <= 20; seed++) {
  Deno.test(`whatever is done to it, the books balance and the order holds (seed ${seed})`, () => {
    const below = numbers(seed);
    const limits = () => ({ messages: below(40), bytes: below(40) * 200 });
    let bounds = limits();
    const queue = new EventQueue({ limits: bounds });
    // The model: plain arrays of the messages that must be waiting and in flight.
    let waiting: Message[] = [];
    const inFlight: Message[] = [];
    let offered = 0;
    let acknowledged = 0;
    const bytesOf = (messages: readonly Message[]) =>
      messages.reduce((sum, one) => sum + one.payload.length + one.topic.length + OVERHEAD, 0);
    const shed = () => {
      while (waiting.length > bounds.messages || bytesOf(waiting) > bounds.bytes) waiting.shift();
    };

    for (let step = 0; step < 2000; step++) {
      const choice = below(100);
      if (choice < 50) {
        const one = message(`${step}`, OVERHEAD + 10 + below(200));
        queue.offer(one);
        offered++;
        if (bytesOf([one]) <= bounds.bytes) waiting.push(one);
        shed();
      } else if (choice < 75) {
        assert.equal(queue.peek()?.topic, waiting[0]?.topic);
        const taken = queue.take();
        assert.equal(taken?.topic, waiting.shift()?.topic);
        if (taken !== undefined) inFlight.push(taken);
      } else if (choice < 85) {
        // Acknowledgements may come in any order.
        const [one] = inFlight.splice(below(inFlight.length), 1);
        if (one === undefined) continue;
        queue.acknowledge(one);
        acknowledged++;
      } else if (choice < 89) {
        const one = inFlight.pop();
        if (one !== undefined) queue.drop(one, "refused");
      } else if (choice < 96) {
        const back = inFlight.splice(below(inFlight.length + 1));
        // What the queue gives up loses its payload.
        waiting = [
          ...back.map(({ topic, payload }) => ({ ...message(topic), payload })),
          ...waiting,
        ];
        queue.putBack(back);
        shed();
      } else {
        bounds = limits();
        queue.configure({ limits: bounds });
        shed();
      }

      const { books } = queue;
      assert.equal(books.offered, offered);
      assert.equal(books.acknowledged, acknowledged);
      assert.equal(books.inFlight, inFlight.length);
      assert.equal(queue.inFlight, inFlight.length);
      assert.equal(books.queued, waiting.length);
      assert.equal(queue.length, waiting.length);
      assert.equal(queue.bytes, bytesOf(waiting));
      assert.equal(
        books.offered,
        books.acknowledged + books.inFlight + books.queued + droppedIn(books),
      );
    }
    assert.ok(offered > 500 && acknowledged > 50 && droppedIn(queue.books) > 50);
    while (waiting.length > 0) assert.equal(queue.take()?.topic, waiting.shift()?.topic);
    assert.equal(queue.take(), undefined);
    assert.equal(queue.bytes, 0);
  });
}
