/** A flood in the log: the first ones, then a count. */

import assert from "node:assert/strict";
import {
  OTHERS,
  summaryText,
  TellingLimit,
  type Untold,
} from "../../lib/commands/telling_limit.ts";
import { ManualClock } from "../support/manual_clock.ts";

function bench(perMinute = 20) {
  const clock = new ManualClock();
  const summaries: Untold[] = [];
  const limit = new TellingLimit({
    clock,
    summarize: (summary) => summaries.push(summary),
    perMinute,
  });
  return {
    clock,
    limit,
    /** How many of so many are to be told. */
    told(topic: string, count: number, reason = "not_allowed"): number {
      return Array.from({ length: count }, () => limit.note(topic, reason))
        .filter((isTold) => isTold).length;
    },
    /** The summaries since it was asked last. */
    summaries: () => summaries.splice(0),
  };
}

Deno.test("the first ones within a minute are told, and no timer is set for them", () => {
  const { clock, told } = bench();
  assert.equal(told("t", 20), 20);
  assert.equal(clock.timersSet, 0);
  assert.equal(told("t", 1), 0);
  assert.equal(clock.pending, 1);
});

Deno.test("what is held back is counted by kind, and told once when the minute is over", () => {
  const { clock, told, summaries } = bench(3);
  assert.equal(told("t", 1, "malformed"), 1);
  clock.advance(30_000);
  assert.equal(told("t", 5), 2);
  assert.equal(told("t", 7, "malformed"), 0);
  assert.equal(told("t", 1, "constructor"), 0);
  clock.advance(29_999);
  assert.deepEqual(summaries(), []);
  clock.advance(1);
  const [summary, ...others] = summaries();
  assert.deepEqual([summary?.topic, summary?.count, others], ["t", 11, []]);
  assert.deepEqual(Object.entries(summary?.kinds ?? {}), [
    ["malformed", 7],
    ["not_allowed", 3],
    ["constructor", 1],
  ]);
  assert.deepEqual([clock.pending, clock.timersSet], [0, 1]);
  clock.advance(600_000);
  assert.deepEqual(summaries(), []);
});

Deno.test("each minute begins anew, with the first that comes after the one before", () => {
  const { clock, told, summaries } = bench(3);
  for (let minute = 0; minute < 3; minute++) {
    assert.equal(told("t", 10), 3);
    clock.advance(60_000);
    assert.equal(summaries()[0]?.count, 7);
    clock.advance(50_000);
  }
  assert.equal(told("t", 3), 3);
  clock.advance(60_000);
  assert.equal(told("t", 3), 3);
  assert.deepEqual([summaries(), clock.pending], [[], 0]);
});

Deno.test("a flood on one topic takes nothing from the others", () => {
  const { clock, told, summaries } = bench(3);
  assert.equal(told("flooded", 10_000), 3);
  assert.equal(told("quiet", 3), 3);
  assert.equal(told("__proto__", 4), 3);
  clock.advance(60_000);
  assert.deepEqual(summaries().map(({ topic, count }) => [topic, count]), [
    ["flooded", 9_997],
    ["__proto__", 1],
  ]);
});

Deno.test("a timer that is late mixes no two minutes", () => {
  let now = 0;
  const summaries: Untold[] = [];
  const limit = new TellingLimit({
    clock: { now: () => now, date: () => new Date(), after: () => () => {} },
    summarize: (summary) => summaries.push(summary),
    perMinute: 1,
  });
  limit.note("t", "malformed");
  limit.note("t", "malformed");
  now = 60_000;
  assert.equal(limit.note("t", "stale"), true);
  assert.deepEqual(summaries, [{ topic: "t", count: 1, kinds: { malformed: 1 } }]);
});

Deno.test("closed, it tells what is left and leaves no timer", () => {
  const { clock, limit, told, summaries } = bench(1);
  told("a", 3);
  told("b", 2);
  told("c", 1);
  limit.close();
  assert.deepEqual(summaries().map(({ topic, count }) => [topic, count]), [["a", 2], ["b", 1]]);
  assert.equal(clock.pending, 0);
  limit.close();
  assert.deepEqual(summaries(), []);
});

Deno.test("what a sender chooses is named twenty times, and counted", () => {
  const { clock, told, summaries } = bench(1);
  told("t", 1);
  for (let i = 0; i < 25; i++) told("t", 1, `kind ${i}`);
  told("t", 2, "kind 3");
  told("t", 3, "kind 24");
  clock.advance(60_000);
  const [summary] = summaries();
  const entries = Object.entries(summary?.kinds ?? {});
  assert.deepEqual([summary?.count, entries.length], [30, 21]);
  assert.deepEqual(entries.slice(0, 3), [[OTHERS, 8], ["kind 3", 3], ["kind 0", 1]]);
});

Deno.test("a summary reads as a sentence", () => {
  const refused = { topic: "X", count: 4_312, kinds: { not_allowed: 4_000, malformed: 312 } };
  assert.equal(
    summaryText(refused, "message", "refused"),
    "4,312 more messages on topic X were refused within a minute: 4,000 not_allowed, 312 malformed",
  );
  assert.equal(
    summaryText({ topic: "X", count: 1, kinds: { status: 1 } }, "command", "run"),
    "1 more command on topic X was run within a minute: 1 status",
  );
});
