/**
 * Row 10: the bounds of the queue are hit, by events and by bytes, in memory and on disk.
 *
 * @module
 */

import { param } from "../e2e/setup.ts";
import { Bench } from "./bench.ts";
import type { LaneOptions } from "./lane.ts";
import { stopQuietBroker } from "./lanes.ts";
import { megabytes, residentBytes } from "./memory.ts";
import type { Outcome } from "./outcome.ts";
import type { Row } from "./row.ts";

/** Which bound is hit. */
export interface Bound {
  /** Where it is. */
  readonly where: "memory" | "disk";
  /** What it counts. */
  readonly unit: "events" | "bytes";
  /** How many of them wait at most. */
  readonly most: number;
}

/** How the row is run. */
export interface BoundsHitOptions {
  /** Events a second. */
  readonly rate: number;
  /** How long events are fired while the broker is away. */
  readonly seconds: number;
  /** The most that the agent may grow over the second half of that, in bytes. */
  readonly mostGrowth: number;
}

/** The bounds, each hit in turn. */
const BOUNDS: readonly Bound[] = [
  { where: "memory", unit: "events", most: 200 },
  { where: "memory", unit: "bytes", most: 500_000 },
  { where: "disk", unit: "events", most: 200 },
  { where: "disk", unit: "bytes", most: 500_000 },
];

/** Fires more than a queue holds while its broker is away. */
export async function boundHit(bound: Bound, options: BoundsHitOptions): Promise<Outcome[]> {
  const { where, unit, most } = bound;
  const { rate, seconds, mostGrowth } = options;
  const inMemory = where === "memory";
  const settings = inMemory
    ? { [unit === "events" ? "event-queue-size" : "event-queue-bytes"]: most }
    : {};
  const connection = inMemory ? [] : [
    param("spool", "disk"),
    param(unit === "events" ? "spool_max_messages" : "spool_max_bytes", most),
  ];
  const name = `${where} ${unit}`;
  const lanes: LaneOptions[] = [
    { name: `${name} qos 1`, qos: 1, connection },
    {
      name: `${name} newest`,
      qos: 2,
      connection: [...connection, param("queue_full", "drop_newest")],
    },
    ...(inMemory ? [{ name: `${name} qos 0`, qos: 0 } as const] : []),
  ];
  await using bench = await Bench.start({ lanes, settings });
  const { source, agent, brokers: [broker] } = bench;
  // What is lost is what is dropped.
  await stopQuietBroker(bench, rate);
  source.start(rate);
  await source.fires(seconds / 2 * rate);
  const half = await residentBytes(agent.pid);
  await source.fires(seconds / 2 * rate);
  source.stop();
  const growth = await residentBytes(agent.pid) - half;
  await simulatorIsRead(bench);
  const full = new Map(bench.lanes.map((lane) => {
    const { queued = 0, queued_bytes = 0 } = bench.books(lane) ?? {};
    return [lane.name, unit === "events" ? queued : queued_bytes];
  }));
  await broker?.start();
  await bench.settle();
  const notes = [`${megabytes(half)} at half`, `${megabytes(growth)} more at the end`];
  return bench.outcomes(10, { drops: "counted" }, () => notes).map((outcome) => {
    const failures = [...outcome.failures];
    const { name, ledger } = bench.lane(outcome.lane);
    const keepsNewest = !name.endsWith("newest");
    if (ledger.hasLast !== keepsNewest) failures.push("the wrong end of the queue was dropped");
    const waiting = full.get(name) ?? 0;
    if (waiting > most) failures.push(`${waiting} ${unit} waited, which is over ${most}`);
    if (growth > mostGrowth) failures.push(`the agent grew by ${megabytes(growth)}`);
    if (outcome.tally.lost === 0) failures.push("the bound was not hit");
    return { ...outcome, failures };
  });
}

/** Resolves when the agent has read all that was fired, and the books say so. */
async function simulatorIsRead(bench: Bench): Promise<void> {
  await bench.until(
    "all is read",
    () => bench.lanes.every((lane) => bench.books(lane)?.offered === lane.ledger.fired),
  );
}

async function boundsHit(options: BoundsHitOptions): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const bound of BOUNDS) outcomes.push(...await boundHit(bound, options));
  return outcomes;
}

/** The row. The growth allowed is a fraction of what is fired. */
export const row: Row = {
  number: 10,
  title: "queue bounds hit by events and by bytes",
  short: () => boundsHit({ rate: 2_300, seconds: 1, mostGrowth: 100 * 2 ** 20 }),
  long: () => boundsHit({ rate: 2_300, seconds: 60, mostGrowth: 30 * 2 ** 20 }),
};
