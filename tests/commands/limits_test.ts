import assert from "node:assert/strict";
import { CommandLimits, type Limits } from "../../lib/commands/limits.ts";
import { ManualClock } from "../support/manual_clock.ts";

const NONE: Limits = { rateLimit: 0, maxConcurrent: 100, maxCallsPerDay: 0 };

function limits(change: Partial<Limits> = {}) {
  const clock = new ManualClock();
  const limits = new CommandLimits({ ...NONE, ...change }, clock);
  /** Begins and ends commands until a limit is reached; how many there were, and which limit it is. */
  const runUntilReached = (most: number): [count: number, reason: string | undefined] => {
    for (let count = 0; count < most; count++) {
      const reached = limits.reached(undefined);
      if (reached !== undefined) return [count, reached.reason];
      limits.begin();
      limits.end();
    }
    return [most, undefined];
  };
  return { clock, limits, runUntilReached };
}

Deno.test("without a rate limit any number of commands may come", () => {
  const { runUntilReached } = limits();
  assert.deepEqual(runUntilReached(10_000), [10_000, undefined]);
});

Deno.test("a rate limit counts commands a minute, which may come at once", () => {
  const { clock, runUntilReached } = limits({ rateLimit: 6 });
  assert.deepEqual(runUntilReached(100), [6, "rate_limited"]);
  clock.advance(9_999);
  assert.deepEqual(runUntilReached(100), [0, "rate_limited"]);
  clock.advance(1);
  assert.deepEqual(runUntilReached(100), [1, "rate_limited"]);
  clock.advance(60_000);
  assert.deepEqual(runUntilReached(100), [6, "rate_limited"]);
  clock.advance(86_400_000);
  assert.deepEqual(runUntilReached(100), [6, "rate_limited"]);
});

Deno.test("a burst may be smaller or larger than the rate", () => {
  for (const rateBurst of [1, 20]) {
    const { clock, runUntilReached } = limits({ rateLimit: 6, rateBurst });
    assert.deepEqual(runUntilReached(100), [rateBurst, "rate_limited"]);
    clock.advance(10_000);
    assert.deepEqual(runUntilReached(100), [1, "rate_limited"]);
  }
});

Deno.test("over a long time no more commands run than the rate allows", () => {
  const { clock, runUntilReached } = limits({ rateLimit: 100, rateBurst: 5 });
  let total = 0;
  for (let i = 0; i < 600; i++) {
    total += runUntilReached(1_000)[0];
    clock.advance(100);
  }
  assert(total <= 105 && total >= 104, `${total}`);
});

Deno.test("asking whether a limit is reached uses up nothing", () => {
  const { limits: asked, runUntilReached } = limits({ rateLimit: 3 });
  for (let i = 0; i < 100; i++) assert.equal(asked.reached(undefined), undefined);
  assert.deepEqual(runUntilReached(100), [3, "rate_limited"]);
});

Deno.test("only so many commands are under way at once", () => {
  const { limits: busy } = limits({ maxConcurrent: 2 });
  busy.begin();
  assert.equal(busy.reached(undefined), undefined);
  busy.begin();
  assert.equal(busy.running, 2);
  assert.deepEqual(busy.reached(undefined), {
    reason: "busy",
    fault: "max_concurrent of 2 is reached",
    isNews: true,
  });
  busy.end();
  assert.equal(busy.reached(undefined), undefined);
});

Deno.test("calls of a day are limited, and other commands are not", () => {
  const { limits: day } = limits({ maxCallsPerDay: 3 });
  assert.equal(day.reached(2), undefined);
  assert.deepEqual(day.reached(3), {
    reason: "call_limit",
    fault: "max_calls_per_day of 3 is reached",
    isNews: true,
  });
  assert.equal(day.reached(Infinity)?.reason, "call_limit");
  assert.equal(day.reached(undefined), undefined);
});

Deno.test("without max_calls_per_day the calls of a day do not matter", () => {
  const { limits: day } = limits();
  assert.equal(day.reached(1_000_000), undefined);
});

Deno.test("a limit is news once, and again after a minute in which it was not reached", () => {
  const { clock, limits: day } = limits({ maxCallsPerDay: 1, maxConcurrent: 1 });
  const isNews = () => day.reached(1)?.isNews;
  assert.equal(isNews(), true);
  assert.equal(isNews(), false);
  clock.advance(60_000);
  assert.equal(isNews(), false);
  clock.advance(60_001);
  assert.equal(isNews(), true);
  day.begin();
  assert.equal(day.reached(undefined)?.isNews, true, "each limit is news for itself");
});

Deno.test("other limits count at once, and what is under way counts on", () => {
  const { limits: changed, runUntilReached } = limits({ rateLimit: 2 });
  changed.begin();
  changed.configure({ ...NONE, rateLimit: 2, maxConcurrent: 1 });
  assert.equal(changed.reached(undefined)?.reason, "busy");
  changed.end();
  assert.deepEqual(runUntilReached(100), [1, "rate_limited"]);
  changed.configure({ ...NONE, rateLimit: 5 });
  assert.deepEqual(runUntilReached(100), [5, "rate_limited"]);
  changed.configure(NONE);
  assert.deepEqual(runUntilReached(100), [100, undefined]);
});

Deno.test("the same limits again give nothing back", () => {
  const { limits: same, runUntilReached } = limits({ rateLimit: 2, rateBurst: 2 });
  runUntilReached(100);
  same.configure({ ...NONE, rateLimit: 2, rateBurst: 2 });
  assert.deepEqual(runUntilReached(100), [0, "rate_limited"]);
});
