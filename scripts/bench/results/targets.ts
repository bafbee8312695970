/**
 * What fsmqtt has to reach.
 *
 * @module
 */

import { type Spread, spreadOf } from "../../measure/spread.ts";
import type { Contender } from "../rig/contenders.ts";
import { burstName } from "../suites/bursts.ts";
import { BURST } from "../suites/freeswitch.ts";
import { boundName } from "../suites/frozen.ts";
import { rateName } from "../suites/latency.ts";
import { loadName } from "../suites/throughput.ts";
import { type Figures, ratios } from "./figures.ts";
import type { MetricName } from "./metrics.ts";
import { text } from "./numbers.ts";
import { aligned } from "./table.ts";

/** A target. */
export interface Target {
  /** What is to be reached. */
  readonly name: string;
  /** Whether it is to be reached from above or from below; what is reached exactly is met. */
  readonly wanted: "at least" | "at most";
  /** What is to be reached. */
  readonly goal: number;
  /** What was measured, run by run; none if it was not. */
  readonly measured: (figures: Figures) => readonly number[];
}

/** A target, and what became of it. */
export interface Verdict {
  /** What is to be reached. */
  readonly name: string;
  /** From which side. */
  readonly wanted: Target["wanted"];
  /** What is to be reached. */
  readonly goal: number;
  /** What was measured; `undefined` if it was not. */
  readonly measured: Spread | undefined;
  /** Whether the median reaches it; `undefined` if it was not measured. */
  readonly isMet: boolean | undefined;
}

/** Figures of fsmqtt. */
function own(suite: string, load: string, metric: MetricName) {
  return (figures: Figures) => of(figures, suite, load, "fsmqtt", metric);
}

/** What fsmqtt came to, as a multiple of what another did. */
function against(other: Contender, suite: string, load: string, metric: MetricName) {
  return (figures: Figures) =>
    ratios(
      of(figures, suite, load, "fsmqtt", metric),
      of(figures, suite, load, other, metric),
    );
}

/** What one load came to, as a multiple of another. */
function between(suite: string, load: string, other: string, metric: MetricName) {
  return (figures: Figures) =>
    ratios(
      of(figures, suite, load, "fsmqtt", metric),
      of(figures, suite, other, "fsmqtt", metric),
    );
}

function of(
  figures: Figures,
  suite: string,
  load: string,
  contender: Contender,
  metric: MetricName,
): readonly number[] {
  return figures.samples({ suite, case: load, contender, metric });
}

const QOS_0 = loadName(0, "mixed");
const QOS_1 = loadName(1, "mixed");
const FULL_BURST = burstName(100_000);

/** All targets. */
export const TARGETS: readonly Target[] = [
  atLeast(4, "events/s at QoS 0, to the bridge", against("bridge", "throughput", QOS_0, "out")),
  atMost(
    0.25,
    "CPU an event at QoS 0, to the bridge",
    against("bridge", "throughput", QOS_0, "cpu"),
  ),
  atMost(
    0.25,
    "memory at full load, QoS 0, to the bridge",
    against("bridge", "memory", "QoS 0", "peak"),
  ),
  atLeast(
    0.85,
    "events/s at QoS 0, to publishing alone",
    against("publish", "throughput", QOS_0, "out"),
  ),
  atLeast(1.5, "events/s at QoS 1, to the bridge", against("bridge", "throughput", QOS_1, "out")),
  atMost(
    1.1,
    "CPU an event with 1 of 100 topics, to 1 topic",
    between("growth", "1 of 100 topics", "1 topic", "cpu"),
  ),
  atMost(3, "p99 ms at 1,000 events/s, QoS 0", own("latency", rateName(0, 1_000), "p99")),
  atMost(6, "p99 ms at 1,000 events/s, QoS 1", own("latency", rateName(1, 1_000), "p99")),
  atMost(15, "p99.9 ms at 1,000 events/s, QoS 0", own("latency", rateName(0, 1_000), "p999")),
  atMost(15, "p99.9 ms at 1,000 events/s, QoS 1", own("latency", rateName(1, 1_000), "p999")),
  atMost(7, "CPU s/100,000 at 1,000 events/s, QoS 0", own("latency", rateName(0, 1_000), "cpu")),
  atMost(10, "CPU s/100,000 at 1,000 events/s, QoS 1", own("latency", rateName(1, 1_000), "cpu")),
  ...["QoS 0", "QoS 1"].map((load) =>
    atMost(1.6, `memory at full load, ${load}, to idle`, own("memory", load, "growth"))
  ),
  ...([0, 1] as const).flatMap((qos) =>
    [16, 64].map((mebibytes) =>
      atMost(
        1.3,
        `memory above idle, frozen, ${boundName(qos, mebibytes)}, to that`,
        own("frozen", boundName(qos, mebibytes), "bound"),
      )
    )
  ),
  atMost(0, "events lost of a burst of 100,000", own("bursts", FULL_BURST, "lost")),
  atMost(
    1.2,
    "time of a burst of 100,000, to publishing alone",
    against("publish", "bursts", FULL_BURST, "took"),
  ),
  atLeast(
    0.95,
    "events/s of a real FreeSWITCH, to reading alone",
    against("read", "freeswitch", BURST, "out"),
  ),
];

const SIGNS = { "at least": ">=", "at most": "<=" } as const;

/** What became of each target. */
export function verdicts(figures: Figures): readonly Verdict[] {
  return TARGETS.map(({ name, wanted, goal, measured }) => {
    const spread = spreadOf(measured(figures));
    return { name, wanted, goal, measured: spread, isMet: spread && meets(spread.median) };

    function meets(value: number): boolean {
      return wanted === "at least" ? value >= goal : value <= goal;
    }
  });
}

/** The targets for people; those of which nothing was measured are counted only. */
export function targetsTable(judged: readonly Verdict[]): string {
  const lines = judged.flatMap(({ name, wanted, goal, measured, isMet }) =>
    measured === undefined ? [] : [[
      name,
      `${SIGNS[wanted]} ${goal}`,
      text(measured.median, 2),
      rangeText(measured),
      isMet === true ? "met" : "NOT met",
    ]]
  );
  const others = judged.length - lines.length;
  return [
    "Targets",
    "",
    ...(lines.length === 0 ? [] : aligned(lines)),
    ...(others === 0 ? [] : [`${others} targets were not measured`]),
  ].join("\n");
}

function rangeText({ least, most }: Spread): string {
  return least === most ? "" : `(${text(least, 2)}-${text(most, 2)})`;
}

function atLeast(goal: number, name: string, measured: Target["measured"]): Target {
  return { name, wanted: "at least", goal, measured };
}

function atMost(goal: number, name: string, measured: Target["measured"]): Target {
  return { name, wanted: "at most", goal, measured };
}
