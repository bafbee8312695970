/**
 * Row 1: the broker is restarted.
 *
 * @module
 */

import { Bench } from "./bench.ts";
import { ALL_QOS_LANES, stopBroker } from "./lanes.ts";
import type { Outcome } from "./outcome.ts";
import type { Row } from "./row.ts";

/** How the row is run. */
export interface BrokerRestartedOptions {
  /** Events a second. */
  readonly rate: number;
  /** How long events are fired before, while, and after the broker is away. */
  readonly seconds: readonly [before: number, away: number, after: number];
}

/** Fires events while the broker goes and comes back with its state. */
export async function brokerRestarted(options: BrokerRestartedOptions): Promise<Outcome[]> {
  const { rate, seconds: [before, away, after] } = options;
  await using bench = await Bench.start({ lanes: ALL_QOS_LANES });
  const [broker] = bench.brokers;
  bench.source.start(rate);
  await bench.source.fires(before * rate);
  await stopBroker(bench);
  await bench.source.fires(away * rate);
  await broker?.start();
  await bench.source.fires(after * rate);
  await bench.settle();
  return bench.outcomes(1);
}

/** The row; its long form fires as much as when mod_mosquitto was measured. */
export const row: Row = {
  number: 1,
  title: "broker restarted for 3 s",
  short: () => brokerRestarted({ rate: 230, seconds: [1, 3, 1] }),
  long: () => brokerRestarted({ rate: 230, seconds: [12, 3, 15] }),
};
