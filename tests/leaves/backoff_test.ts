/** The delays between attempts. */

import assert from "node:assert/strict";
import { Backoff, type BackoffOptions } from "../../lib/backoff.ts";

function delays(options: BackoffOptions, count: number): number[] {
  const backoff = new Backoff(options);
  return Array.from({ length: count }, () => backoff.next());
}

const exact = { random: () => 0 };

// The examples of `mosquitto_reconnect_delay_set` in mosquitto.h.
Deno.test("linear, it grows as libmosquitto's does: 2, 4, 6, 8, 10, 10", () => {
  assert.deepEqual(delays({ firstMs: 2000, maxMs: 10_000, exponential: false, ...exact }, 6), [
    2000,
    4000,
    6000,
    8000,
    10_000,
    10_000,
  ]);
});

Deno.test("exponential, it grows as libmosquitto's does: 3, 6, 12, 24, 30, 30", () => {
  assert.deepEqual(delays({ firstMs: 3000, maxMs: 30_000, exponential: true, ...exact }, 6), [
    3000,
    6000,
    12_000,
    24_000,
    30_000,
    30_000,
  ]);
});

Deno.test("with both the same, as is libmosquitto's default, it does not grow", () => {
  for (const exponential of [true, false]) {
    const options = { firstMs: 1000, maxMs: 1000, exponential, ...exact };
    assert.deepEqual(delays(options, 3), [1000, 1000, 1000]);
  }
});

Deno.test("it is never longer than the longest, not even after years", () => {
  for (const exponential of [true, false]) {
    const backoff = new Backoff({ firstMs: 250, maxMs: 5000, exponential, ...exact });
    for (let i = 0; i < 10_000; i++) assert.ok(backoff.next() <= 5000);
    assert.equal(backoff.next(), 5000);
    assert.equal(backoff.failures, 10_001);
  }
});

Deno.test("jitter takes off at most a fifth, and never adds", () => {
  for (const share of [0, 0.25, 0.5, 0.999_999]) {
    const options = { firstMs: 1000, maxMs: 8000, exponential: true, random: () => share };
    const expected = [1000, 2000, 4000, 8000, 8000].map((ms) => Math.round(ms * (1 - share / 5)));
    assert.deepEqual(delays(options, 5), expected);
  }
});

Deno.test("without a given randomness the delays differ, within their bounds", () => {
  const seen = new Set<number>();
  for (let i = 0; i < 100; i++) {
    const [delay = 0] = delays({ firstMs: 100_000, maxMs: 100_000, exponential: true }, 1);
    assert.ok(delay >= 80_000 && delay <= 100_000);
    seen.add(delay);
  }
  assert.ok(seen.size > 50);
});

Deno.test("after a success it begins anew", () => {
  const backoff = new Backoff({ firstMs: 1000, maxMs: 8000, exponential: true, ...exact });
  backoff.next();
  backoff.next();
  assert.equal(backoff.failures, 2);
  backoff.reset();
  assert.equal(backoff.failures, 0);
  assert.equal(backoff.next(), 1000);
});

Deno.test("what only a person can mend waits the longest at once, and counts as a failure", () => {
  const options = { firstMs: 1000, maxMs: 8000, exponential: true };
  const backoff = new Backoff({ ...options, random: () => 0.5 });
  assert.equal(backoff.slowest(), 7200);
  assert.equal(backoff.failures, 1);
  assert.equal(new Backoff({ ...options, ...exact }).slowest(), 8000);
});
