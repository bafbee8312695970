/** MQTT.js's keepalive by a timer that is set anew all the time. */

import assert from "node:assert/strict";
import { keepaliveTimer } from "../../lib/mqtt/keepalive_timer.ts";
import { numbers } from "../queue/random.ts";
import { ManualClock } from "../support/manual_clock.ts";

/** A timer on a clock of its own, and when it has called. */
function rig() {
  const clock = new ManualClock();
  const timer = keepaliveTimer(clock);
  const calls: number[] = [];
  const call = () => void calls.push(clock.now());
  return { clock, timer, calls, call };
}

Deno.test("it calls again and again, each time when it is due", () => {
  const { clock, timer, calls, call } = rig();
  timer.set(call, 30_000);
  clock.advance(29_999);
  assert.deepEqual(calls, []);
  clock.advance(1);
  assert.deepEqual(calls, [30_000]);
  clock.advance(65_000);
  assert.deepEqual(calls, [30_000, 60_000, 90_000]);
});

Deno.test("set anew a thousand times, it takes one timer of the system at a time, and few in all", () => {
  const { clock, timer, calls, call } = rig();
  let id = timer.set(call, 30_000);
  for (let i = 0; i < 1_000; i++) {
    clock.advance(100);
    timer.clear(id);
    id = timer.set(call, 30_000);
    assert.equal(clock.pending, 1);
  }
  assert.deepEqual(calls, []);
  assert.ok(clock.timersSet <= 5, `${clock.timersSet}`);
  clock.advance(29_999);
  assert.deepEqual(calls, []);
  clock.advance(1);
  assert.deepEqual(calls, [130_000]);
});

Deno.test("cleared, it calls no more, and no timer is left", async () => {
  const { clock, timer, calls, call } = rig();
  const id = timer.set(call, 1_000);
  timer.clear(id);
  clock.advance(5_000);
  await Promise.resolve();
  assert.deepEqual([calls, clock.pending], [[], 0]);
  timer.clear(id);
  await Promise.resolve();
  assert.equal(clock.pending, 0);
  // It can be used again.
  timer.set(call, 1_000);
  clock.advance(1_000);
  assert.deepEqual(calls, [6_000]);
});

Deno.test("cleared by what it calls, it calls no more", async () => {
  const { clock, timer, calls, call } = rig();
  const id = timer.set(() => {
    call();
    timer.clear(id);
  }, 1_000);
  clock.advance(1_000);
  await Promise.resolve();
  assert.equal(clock.pending, 0);
  clock.advance(10_000);
  assert.deepEqual(calls, [1_000]);
});

Deno.test("cleared, set and cleared again in one task, it calls no more", async () => {
  const { clock, timer, calls, call } = rig();
  timer.clear(timer.set(call, 1_000));
  timer.clear(timer.set(call, 1_000));
  await Promise.resolve();
  assert.equal(clock.pending, 0);
  clock.advance(10_000);
  assert.deepEqual(calls, []);
});

Deno.test("a shorter time after a longer one counts at once, and so does a longer one", () => {
  const { clock, timer, calls, call } = rig();
  timer.clear(timer.set(call, 60_000));
  timer.clear(timer.set(call, 1_000));
  timer.set(call, 500);
  assert.equal(clock.pending, 1);
  clock.advance(500);
  assert.deepEqual(calls, [500]);
  timer.set(call, 10_000);
  clock.advance(9_999);
  assert.deepEqual(calls, [500]);
  clock.advance(10_001);
  assert.deepEqual(calls, [500, 10_500, 20_500]);
});

Deno.test("a process that stood still calls once, and then leaves the broker its time", () => {
  const calls: number[] = [];
  let now = 0;
  let due: { at: number; callback: () => void } | undefined;
  const timer = keepaliveTimer({
    now: () => now,
    date: () => new Date(now),
    after: (ms, callback) => {
      due = { at: now + ms, callback };
      return () => due = undefined;
    },
  });
  /** Calls back what is due by then, as late as it is. */
  const go = (until: number) => {
    now = until;
    while (due !== undefined && due.at <= now) {
      const { callback } = due;
      due = undefined;
      callback();
    }
  };
  timer.set(() => void calls.push(now), 500);
  go(4_000);
  assert.deepEqual(calls, [4_000]);
  go(4_499);
  assert.deepEqual(calls, [4_000]);
  go(4_500);
  assert.deepEqual(calls, [4_000, 4_500]);
});

Deno.test("a system that cuts fractions off, or calls too soon, makes it call no sooner", () => {
  const calls: number[] = [];
  const delays: number[] = [];
  let now = 0.7;
  let callback = () => {};
  const timer = keepaliveTimer({
    now: () => now,
    date: () => new Date(now),
    after: (ms, then) => {
      delays.push(ms);
      callback = then;
      return () => {};
    },
  });
  timer.set(() => void calls.push(now), 100.5);
  assert.deepEqual(delays, [101]);
  now = 101;
  callback();
  assert.deepEqual([calls, delays], [[], [101, 1]]);
  now = 101.2;
  callback();
  assert.deepEqual(calls, [101.2]);
});

for (let seed = 1; seed <= 20; seed++) {
  Deno.test(`it calls when a timer of its own for each would (seed ${seed})`, async () => {
    const below = numbers(seed);
    const { clock, timer, calls, call } = rig();
    const wanted: number[] = [];
    let cancel = () => {};
    let id: number | undefined;
    const repeat = (ms: number) => {
      cancel = clock.after(ms, () => {
        wanted.push(clock.now());
        repeat(ms);
      });
    };
    for (let step = 0; step < 500; step++) {
      const choice = below(10);
      if (choice < 4) {
        if (id !== undefined) timer.clear(id);
        cancel();
        const ms = 1 + below(2_000);
        id = timer.set(call, ms);
        repeat(ms);
      } else if (choice < 5) {
        if (id !== undefined) timer.clear(id);
        cancel();
        id = undefined;
      } else if (choice < 6) await Promise.resolve();
      else clock.advance(below(1_500));
      assert.deepEqual(calls, wanted);
    }
    if (id !== undefined) timer.clear(id);
    cancel();
    await Promise.resolve();
    assert.equal(clock.pending, 0);
  });
}

Deno.test("by the system's time it is never early, and leaves nothing behind", async () => {
  const timer = keepaliveTimer();
  const setAt = performance.now();
  const { promise, resolve } = Promise.withResolvers<number>();
  const id = timer.set(() => resolve(performance.now()), 30);
  assert.ok(await promise >= setAt + 30);
  timer.clear(id);
});
