/** `--compare`: what became worse, and what is noise. */

import assert from "node:assert/strict";
import { compare, comparisonText } from "../../../scripts/bench/results/comparison.ts";
import { type Figure, Figures } from "../../../scripts/bench/results/figures.ts";
import type { MetricName } from "../../../scripts/bench/results/metrics.ts";
import type { Contender } from "../../../scripts/bench/rig/contenders.ts";

const STEADY = [98, 99, 100, 101, 102];

function times(samples: readonly number[], factor: number): number[] {
  return samples.map((sample) => sample * factor);
}

function figure(metric: MetricName, samples: readonly number[], contender: Contender = "fsmqtt") {
  return { suite: "s", case: "c", contender, metric, samples } satisfies Figure;
}

/** The changes between two runs of these figures. */
function changes(before: Figure[], now: Figure[]) {
  return compare(new Figures(now), new Figures(before)).worse;
}

for (
  const [what, metric, before, now, worse] of [
    ["memory that grew by a fifth", "peak", STEADY, times(STEADY, 1.2), 0.2],
    ["memory that grew by less than a tenth", "peak", STEADY, times(STEADY, 1.09), undefined],
    ["memory that shrank", "peak", STEADY, times(STEADY, 0.5), undefined],
    ["a rate that fell", "out", STEADY, times(STEADY, 1 / 1.25), 0.25],
    ["a rate that rose", "out", STEADY, times(STEADY, 1.25), undefined],
    ["what spreads as far as it grew", "p99", [1, 2, 3, 9, 9], [2, 3, 4, 8, 9], undefined],
    ["what grew beyond its spread", "p99", [1, 2, 3, 4, 5], [4.9, 6, 7, 8, 9], 4 / 3],
    ["one run that is worse", "peak", [100], [120], 0.2],
    ["three runs that are all worse", "peak", [99, 100, 101], [119, 120, 121], 0.2],
    ["three runs of which one is not", "peak", [99, 100, 101], [100.5, 120, 121], undefined],
    ["the longest of all times", "max", STEADY, times(STEADY, 9), undefined],
    ["losses where there were none", "lost", [0, 0, 0], [1, 2, 3], Infinity],
    ["no losses, as before", "lost", [0, 0, 0], [0, 0, 0], undefined],
  ] as const
) {
  Deno.test(`compared: ${what}`, () => {
    const [change] = changes([figure(metric, before)], [figure(metric, now)]);
    assert.equal(change?.worse.toFixed(3), worse?.toFixed(3));
  });
}

Deno.test("speed is compared as a share of publishing alone, so a slower machine is no change", () => {
  const before = [figure("out", STEADY), figure("out", times(STEADY, 2), "publish")];
  const slower = [figure("out", times(STEADY, 0.5)), figure("out", STEADY, "publish")];
  assert.deepEqual(changes(before, slower), []);
  const worse = [figure("out", times(STEADY, 0.5)), figure("out", times(STEADY, 2), "publish")];
  const [change] = changes(before, worse);
  assert.equal(change?.name, "s, c, out/s, to limit: publish");
  assert.deepEqual([change?.before, change?.now, change?.worse], [0.5, 0.25, 1]);
});

Deno.test("memory is compared as it is, whatever publishing alone takes", () => {
  const before = [figure("peak", STEADY), figure("peak", STEADY, "publish")];
  const now = [figure("peak", times(STEADY, 1.3)), figure("peak", times(STEADY, 1.3), "publish")];
  assert.equal(changes(before, now).length, 1);
});

Deno.test("only fsmqtt is compared", () => {
  const of = (contender: Contender, factor: number) =>
    figure("peak", times(STEADY, factor), contender);
  assert.deepEqual(changes([of("bridge", 1)], [of("bridge", 2)]), []);
});

Deno.test("figures of one run only are told", () => {
  const comparison = compare(
    new Figures([figure("out", STEADY), figure("peak", STEADY)]),
    new Figures([figure("peak", STEADY), figure("cpu", STEADY)]),
  );
  assert.equal(comparison.compared, 1);
  assert.deepEqual(comparison.unmatched.toSorted(), ["s, c, CPU s", "s, c, out/s"]);
});

Deno.test("the comparison says each figure that became worse", () => {
  const text = comparisonText(compare(
    new Figures([figure("p99", times(STEADY, 0.02))]),
    new Figures([figure("p99", times(STEADY, 0.01)), figure("p50", STEADY)]),
  ));
  assert.deepEqual(text.split("\n"), [
    "Compared: 1 figures, of which 1 became worse by more than a tenth",
    "  s, c, p99 ms: 1, now 2: 100 % worse",
    "Only in one of the two: 1 figures, such as s, c, p50 ms",
  ]);
});
