import assert from "node:assert/strict";
import { TokenBucket } from "../../lib/queue/token_bucket.ts";
import { ManualClock } from "../support/manual_clock.ts";

function takeAll(bucket: TokenBucket): number {
  let taken = 0;
  while (bucket.take()) taken++;
  return taken;
}

Deno.test("it is full at first, and never holds more than its burst", () => {
  const clock = new ManualClock();
  const bucket = new TokenBucket({ rate: 10, burst: 3 }, clock);
  assert.equal(takeAll(bucket), 3);
  clock.advance(86_400_000);
  assert.equal(takeAll(bucket), 3);
});

Deno.test("its burst is its rate where none is given", () => {
  assert.equal(takeAll(new TokenBucket({ rate: 7 }, new ManualClock())), 7);
});

Deno.test("a token comes back when it is due, not before and not later", () => {
  const clock = new ManualClock();
  const bucket = new TokenBucket({ rate: 4, burst: 2 }, clock);
  assert.equal(takeAll(bucket), 2);
  assert.equal(bucket.waitMs, 250);
  clock.advance(249);
  assert.equal(bucket.waitMs, 1);
  assert.equal(bucket.take(), false);
  clock.advance(1);
  assert.equal(bucket.waitMs, 0);
  assert.equal(takeAll(bucket), 1);
  assert.equal(bucket.waitMs, 250);
});

Deno.test("refusals cost nothing, and a part of a token is kept", () => {
  const clock = new ManualClock();
  const bucket = new TokenBucket({ rate: 4, burst: 2 }, clock);
  takeAll(bucket);
  for (let i = 0; i < 24; i++) {
    clock.advance(10);
    assert.equal(bucket.take(), false);
  }
  clock.advance(10);
  assert.equal(bucket.take(), true);
});

for (const rate of [3, 7, 1_000, 2_999]) {
  for (const stepMs of [1, 0.7, 13]) {
    Deno.test(`an hour at ${rate} a second, looked at each ${stepMs} ms, is exact`, () => {
      const clock = { ms: 0, now: () => clock.ms };
      const bucket = new TokenBucket({ rate, burst: 50 }, clock);
      let taken = 0;
      // Some of the hour densely, with a long time between, during which it is not full.
      const seconds = 3_600;
      for (const start of [0, seconds / 2, seconds - 10]) {
        while (clock.ms < start * 1000) {
          clock.ms += 50_000 / rate / 2;
          taken += takeAll(bucket);
        }
        const from = clock.ms;
        for (let step = 0; clock.ms < from + 10_000; step++) {
          clock.ms = from + step * stepMs;
          taken += takeAll(bucket);
        }
      }
      const due = 50 + clock.ms * rate / 1000;
      assert.ok(taken <= due + 1e-6 && taken > due - 1, `${taken} of ${due}`);
    });
  }
}

Deno.test("whoever waits as long as it says always finds a token", () => {
  const clock = { ms: 0.1, now: () => clock.ms };
  const bucket = new TokenBucket({ rate: 3.3, burst: 1 }, clock);
  for (let i = 0; i < 10_000; i++) {
    assert.equal(takeAll(bucket), 1, `token ${i}`);
    assert.ok(bucket.waitMs > 0);
    clock.ms += bucket.waitMs;
  }
});

Deno.test("a burst of less than one would never let anything pass", () => {
  const clock = new ManualClock();
  const bucket = new TokenBucket({ rate: 0.5 }, clock);
  assert.equal(takeAll(bucket), 1);
  assert.equal(bucket.waitMs, 2_000);
});

Deno.test("it sets no timer", () => {
  const clock = new ManualClock();
  const bucket = new TokenBucket({ rate: 1 }, clock);
  takeAll(bucket);
  assert.ok(bucket.waitMs > 0);
  assert.equal(clock.timersSet, 0);
});
