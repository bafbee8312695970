/**
 * Row 9: two brokers, one of which is frozen.
 *
 * @module
 */

import { eventually } from "../support/agent_process.ts";
import { Bench } from "./bench.ts";
import type { Lane, LaneOptions } from "./lane.ts";
import type { Outcome } from "./outcome.ts";
import type { Row } from "./row.ts";

/** How the row is run. */
export interface NeighbourFrozenOptions {
  /** Events a second. */
  readonly rate: number;
  /** How long the neighbour is frozen. */
  readonly seconds: number;
  /** Whether latency is compared with that of the same lane alone. */
  readonly compare: boolean;
}

const LANE: LaneOptions = { name: "healthy", qos: 1 };
const NEIGHBOUR: LaneOptions = { name: "frozen", qos: 1, broker: 1 };
/** How much slower the slowest 1 % may be. */
const MOST_RATIO = 1.5;

/** Freezes one of two brokers, and sees what the other is given meanwhile. */
export async function neighbourFrozen(options: NeighbourFrozenOptions): Promise<Outcome[]> {
  const { rate, seconds, compare } = options;
  const aloneMs = compare ? await aloneP99Ms(options) : undefined;
  await using bench = await Bench.start({ lanes: [LANE, NEIGHBOUR], brokers: 2 });
  const healthy = bench.lane("healthy");
  const { broker } = bench.lane("frozen");
  bench.source.start(rate);
  await bench.source.fires(rate);
  broker.freeze(true);
  const besideMs = await measureP99Ms(bench, healthy, seconds * rate);
  bench.source.stop();
  // All of it arrives before the neighbour goes on.
  await eventually(
    "the healthy broker has all",
    () => healthy.ledger.received === healthy.ledger.fired || undefined,
  );
  const waiting = bench.books(bench.lane("frozen"));
  broker.freeze(false);
  await bench.settle();
  const outcomes = bench.outcomes(
    9,
    {},
    (lane) =>
      lane !== healthy ? [`${waiting?.queued ?? 0} waited`] : [
        `p99 ${besideMs.toFixed(1)} ms`,
        ...(aloneMs === undefined
          ? []
          : [`alone ${aloneMs.toFixed(1)} ms`, `ratio ${(besideMs / aloneMs).toFixed(2)}`]),
      ],
  );
  return outcomes.map((outcome) =>
    outcome.lane !== "healthy" || aloneMs === undefined || besideMs <= MOST_RATIO * aloneMs
      ? outcome
      : { ...outcome, failures: [...outcome.failures, `p99 is over ${MOST_RATIO} x of alone`] }
  );
}

async function aloneP99Ms({ rate, seconds }: NeighbourFrozenOptions): Promise<number> {
  await using bench = await Bench.start({ lanes: [LANE] });
  bench.source.start(rate);
  await bench.source.fires(rate);
  return await measureP99Ms(bench, bench.lane("healthy"), seconds * rate);
}

async function measureP99Ms(bench: Bench, { ledger }: Lane, events: number): Promise<number> {
  const latencies: number[] = [];
  ledger.latenciesMs = latencies;
  await bench.source.fires(events);
  ledger.latenciesMs = undefined;
  latencies.sort((a, b) => a - b);
  return latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN;
}

/** The row. */
export const row: Row = {
  number: 9,
  title: "two brokers, one frozen",
  short: () => neighbourFrozen({ rate: 230, seconds: 2, compare: false }),
  long: () => neighbourFrozen({ rate: 230, seconds: 60, compare: true }),
};
