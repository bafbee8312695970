/** What many values come to. */

import assert from "node:assert/strict";
import { chanceOfHigher, leastChance } from "../../../scripts/bench/results/chance.ts";
import { Figures, ratios } from "../../../scripts/bench/results/figures.ts";
import { metric } from "../../../scripts/bench/results/metrics.ts";
import { text, withSpread } from "../../../scripts/bench/results/numbers.ts";
import { quantiles } from "../../../scripts/bench/wire/tally.ts";

for (
  const [first, second, chance] of [
    [[2], [1], 1 / 2],
    [[1], [2], 1],
    [[1], [1], 1],
    [[2, 2], [1, 1], 1 / 6],
    [[1, 1], [2, 2], 1],
    // Of the 20 orders of 3 and 3, one has all 9 pairs so, and one has 8.
    [[4, 5, 6], [1, 2, 3], 1 / 20],
    [[3, 5, 6], [1, 2, 4], 2 / 20],
    [[6, 7, 8, 9, 10], [1, 2, 3, 4, 5], 1 / 252],
    [[5, 7, 8, 9, 10], [1, 2, 3, 4, 6], 2 / 252],
    [[1000, 7, 8, 9, 10], [1, 2, 3, 4, 5], 1 / 252],
    [[], [1], 1],
  ] as const
) {
  Deno.test(`chance makes ${first.join(" ")} as high against ${second.join(" ")}`, () => {
    assert.equal(chanceOfHigher(first, second).toFixed(9), chance.toFixed(9));
  });
}

Deno.test("the rank test is quick for many runs, and symmetric", () => {
  const many = Array.from({ length: 40 }, (_, i) => i);
  assert(chanceOfHigher(many, many) > 0.5);
  assert.equal(leastChance(5, 5), 1 / 252);
  assert.equal(leastChance(1, 1), 1 / 2);
  assert.equal(leastChance(3, 5), leastChance(5, 3));
});

for (
  const [count, told] of [
    [0, {}],
    [1, { p50: 1, max: 1 }],
    [99, { p50: 50, max: 99 }],
    [100, { p50: 50, p99: 99, max: 100 }],
    [999, { p50: 500, p99: 990, max: 999 }],
    [1000, { p50: 500, p99: 990, p999: 999, max: 1000 }],
  ] as const
) {
  Deno.test(`of ${count} times only the shares are told that they can tell`, () => {
    const times = Float32Array.from({ length: count }, (_, i) => count - i);
    assert.deepEqual(quantiles(times), told);
  });
}

Deno.test("ratios are taken run by run, as far as both have run", () => {
  assert.deepEqual(ratios([2, 9, 5], [1, 3]), [2, 3]);
  assert.deepEqual(ratios([], [1]), []);
});

for (
  const [samples, name, written] of [
    [[], "out", ""],
    [[12_345.6], "out", "12,346"],
    [[90, 100, 120], "out", "100 ±15%"],
    [[7, 7, 7], "cpu", "7.00"],
    [[0, 0, 3], "lost", "0 ±∞%"],
    [[3 * 2 ** 20], "peak", "3"],
  ] as const
) {
  Deno.test(`${samples.join(", ") || "nothing"} is written as "${written}"`, () => {
    assert.equal(withSpread(samples, metric(name)), written);
  });
}

Deno.test("numbers have commas and a fixed number of digits", () => {
  assert.equal(text(1_234_567.891, 2), "1,234,567.89");
  assert.equal(text(0.5), "1");
});

Deno.test("figures are kept by their place, in the order of the runs", () => {
  const figures = new Figures();
  const row = (out: number) => ({ case: "QoS 0", figures: { out } });
  figures.take("throughput", "fsmqtt", row(1));
  figures.take("throughput", "bridge", row(2));
  figures.take("throughput", "fsmqtt", row(3));
  const place = { suite: "throughput", case: "QoS 0", contender: "fsmqtt", metric: "out" } as const;
  assert.deepEqual(figures.samples(place), [1, 3]);
  assert.deepEqual(figures.samples({ ...place, case: "QoS 1" }), []);
  assert.deepEqual([...new Figures(figures)], [...figures]);
});
