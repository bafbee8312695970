/**
 * Row 11: an hour's worth of events.
 *
 * @module
 */

import { Bench } from "./bench.ts";
import { megabytes, residentBytes } from "./memory.ts";
import type { Outcome } from "./outcome.ts";
import type { Row } from "./row.ts";

/** How the row is run. */
export interface SoakOptions {
  /** Events a second. */
  readonly rate: number;
  /** How long in all. */
  readonly seconds: number;
  /** When memory is looked at first; it is compared with that at the end. */
  readonly warmSeconds: number;
  /** How much larger the agent may be at the end, as a factor. */
  readonly mostGrowth: number;
}

/** Carries many events for a long time. */
export async function soak(options: SoakOptions): Promise<Outcome[]> {
  const { rate, seconds, warmSeconds, mostGrowth } = options;
  await using bench = await Bench.start({ lanes: [{ name: "qos 1", qos: 1 }] });
  const { source, agent } = bench;
  const startedAtMs = performance.now();
  source.start(rate);
  await source.fires(warmSeconds * rate);
  const warm = await residentBytes(agent.pid);
  let most = warm;
  for (let i = 1; i <= SAMPLES; i++) {
    await source.fires(Math.ceil((seconds - warmSeconds) * rate / SAMPLES));
    most = Math.max(most, await residentBytes(agent.pid));
  }
  const perSecond = source.fired / (performance.now() - startedAtMs) * 1000;
  const end = await residentBytes(agent.pid);
  await bench.settle();
  const growth = end / warm;
  const notes = [
    `${Math.round(perSecond)} events/s`,
    `${megabytes(warm)} after ${warmSeconds} s, ${megabytes(end)} at the end (x ${
      growth.toFixed(2)
    }), at most ${megabytes(most)}`,
  ];
  return bench.outcomes(11, {}, () => notes).map((outcome) => ({
    ...outcome,
    failures: growth <= mostGrowth
      ? outcome.failures
      : [...outcome.failures, `the agent grew by a factor of ${growth.toFixed(2)}`],
  }));
}

const SAMPLES = 20;

/** The row; an hour of it is 18 million events. */
export const row: Row = {
  number: 11,
  title: "5,000 events/s",
  short: () => soak({ rate: 5_000, seconds: 4, warmSeconds: 2, mostGrowth: 2 }),
  long: ({ minutes }) =>
    soak({
      rate: 5_000,
      seconds: 60 * minutes,
      warmSeconds: Math.min(60, 30 * minutes),
      mostGrowth: 1.1,
    }),
};
