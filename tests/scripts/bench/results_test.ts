/** What is printed, and what is written to a file. */

import assert from "node:assert/strict";
import {
  documentText,
  isSame,
  readDocument,
  type Settings,
} from "../../../scripts/bench/results/document.ts";
import { Figures } from "../../../scripts/bench/results/figures.ts";
import { type MetricName, METRICS } from "../../../scripts/bench/results/metrics.ts";
import { machineText, thisMachine } from "../../../scripts/bench/results/machine.ts";
import { table } from "../../../scripts/bench/results/table.ts";
import { TARGETS, targetsTable, verdicts } from "../../../scripts/bench/results/targets.ts";
import { CONTENDERS } from "../../../scripts/bench/rig/contenders.ts";
import { freeswitch } from "../../../scripts/bench/suites/freeswitch.ts";
import type { Suite } from "../../../scripts/bench/suites/suite.ts";
import { SUITES } from "../../../scripts/bench/suites/suites.ts";

const SETTINGS: Settings = { form: "bundle", events: 1000, patience: 1 };
const ALL: readonly Suite[] = [
  ...SUITES,
  freeswitch({ hostname: "localhost", port: 8021, password: "x" }),
];
const WIDTH = 100;

/** Figures in every cell of every suite, as wide as they come. */
function everything(): Figures {
  const figures = new Figures();
  const plan = { events: 50_000, warmUp: 10_000, patience: 1, fsmqtt: [] };
  for (const suite of ALL) {
    const filled = (factor: number) =>
      Object.fromEntries(suite.columns.map((column) => [column, factor * wide(column)]));
    for (const { name, contender } of suite.trials(plan)) {
      for (const factor of [0.5, 1, 1.5]) {
        figures.take(suite.name, contender, { case: name, figures: filled(factor) });
      }
    }
  }
  return figures;
}

function wide(column: MetricName): number {
  const { unit } = METRICS[column];
  if (unit === "bytes" || unit.startsWith("bytes/")) return 4e9;
  return unit.endsWith("/s") ? 700_000 : 99;
}

Deno.test("each table fits a terminal", () => {
  const figures = everything();
  for (const suite of ALL) {
    for (const line of table(suite, figures).split("\n")) {
      assert(line.length <= WIDTH, `${suite.name}: ${line}`);
    }
  }
  for (const line of targetsTable(verdicts(figures)).split("\n")) {
    assert(line.length <= WIDTH, line);
  }
});

const SUITE: Suite = {
  name: "throughput",
  title: "Rates",
  columns: ["out", "cpu"],
  trials: () => [],
};

Deno.test("a table has a row for each contender that was measured, in their order", () => {
  const figures = new Figures();
  for (const contender of CONTENDERS.toReversed().slice(1)) {
    for (const out of [90, 100, 110]) {
      figures.take("throughput", contender, { case: "QoS 0", figures: { out, cpu: 1.5 } });
    }
  }
  assert.deepEqual(table(SUITE, figures).split("\n"), [
    "Rates",
    "",
    "                        out/s      CPU s",
    "QoS 0",
    "  fsmqtt             100 ±10%       1.50",
    "  modesl + MQTT.js   100 ±10%       1.50",
    "  limit: publish     100 ±10%       1.50",
  ]);
});

Deno.test("one contender alone has no lines for its name, and an empty cell where nothing is", () => {
  const figures = new Figures();
  figures.take("throughput", "fsmqtt", { case: "QoS 0", figures: { out: 5 } });
  figures.take("throughput", "fsmqtt", { case: "QoS 1", figures: { cpu: 2 } });
  assert.deepEqual(table(SUITE, figures).split("\n").slice(3), [
    "QoS 0          5",
    "QoS 1                  2.00",
  ]);
  assert.equal(table({ ...SUITE, name: "calls" }, figures), "");
});

for (
  const [fsmqtt, bridge, isMet] of [
    [[400, 400, 400], [100, 100, 100], true],
    [[399, 399, 399], [100, 100, 100], false],
    // The machine was slow in the last run, for both.
    [[400, 410, 40], [100, 100, 10], true],
    [[400], [], undefined],
  ] as const
) {
  Deno.test(`a target of 4 times ${bridge.join(" ") || "nothing"}, by ${fsmqtt.join(" ")}`, () => {
    const figures = new Figures([
      ...[["fsmqtt", fsmqtt] as const, ["bridge", bridge] as const].map((
        [contender, samples],
      ) => ({
        ...{ suite: "throughput", case: "QoS 0, 4.5 KB", metric: "out" as const },
        ...{ contender, samples },
      })),
    ]);
    const [first] = verdicts(figures);
    assert.equal(first?.isMet, isMet);
  });
}

Deno.test("each target is of figures that are measured", () => {
  const figures = everything();
  // A trial that measures several loads names them only when it runs.
  const inside = /1,000 events\/s|burst of 100,000/;
  for (const { name, measured } of verdicts(figures)) {
    assert(measured !== undefined || inside.test(name), name);
  }
  assert.equal(verdicts(figures).length, TARGETS.length);
});

Deno.test("targets say what they are, what was measured, and how many were not", () => {
  const figures = new Figures([{
    ...{ suite: "latency", case: "QoS 0, 1,000/s", contender: "fsmqtt", metric: "p99" },
    samples: [2.5, 3.5, 4],
  }]);
  const lines = targetsTable(verdicts(figures)).split("\n");
  assert.match(
    lines[2] ?? "",
    /^p99 ms at 1,000 events\/s, QoS 0 +<= 3 +3\.50 +\(2\.50-4\.00\) +NOT met$/,
  );
  assert.equal(lines[3], `${TARGETS.length - 1} targets were not measured`);
});

Deno.test("a file gives back what was measured", async () => {
  const figures = everything();
  const machine = await thisMachine();
  const text = documentText(figures, verdicts(figures), SETTINGS, machine);
  const earlier = readDocument(text);
  assert.deepEqual([...earlier.figures], [...figures]);
  assert.deepEqual([earlier.settings, earlier.machine], [SETTINGS, machine]);
  const { figures: [first], targets: [target] } = JSON.parse(text);
  assert.deepEqual(Object.keys(first).toSorted(), [
    ...["better", "case", "contender", "least", "median", "metric", "most", "samples", "suite"],
    "unit",
  ]);
  assert.deepEqual(Object.keys(target), ["name", "wanted", "goal", "measured", "met"]);
});

for (const text of ["", "[]", '{"format": 2}', '{"format": 1, "figures": []}']) {
  Deno.test(`a file that holds ${text || "nothing"} is none`, () => {
    assert.throws(() => readDocument(text));
  });
}

Deno.test("runs of other settings are not the same", () => {
  assert(isSame(SETTINGS, { ...SETTINGS }));
  assert(!isSame(SETTINGS, { ...SETTINGS, form: "source" }));
  assert(!isSame(SETTINGS, { ...SETTINGS, events: 2 }));
  assert(!isSame(SETTINGS, { ...SETTINGS, patience: 0.3 }));
});

Deno.test("the machine is described", async () => {
  const machine = await thisMachine();
  assert.equal(machine.deno, Deno.version.deno);
  assert(machine.cores > 0 && machine.memory_bytes > 2 ** 28);
  assert.match(machineText(machine), /cores .*\nfsmqtt .* Deno .* mosquitto /);
});
