/**
 * Row 2: the broker stops answering, and goes on later.
 *
 * @module
 */

import { param } from "../e2e/setup.ts";
import { Bench } from "./bench.ts";
import { ALL_QOS_LANES, excuseSocket } from "./lanes.ts";
import type { Outcome } from "./outcome.ts";
import type { Row } from "./row.ts";

/** How the row is run. */
export interface BrokerFrozenOptions {
  /** Events a second. */
  readonly rate: number;
  /** The agent's keepalive in seconds: it has to run out while the broker is frozen. */
  readonly keepalive: number;
  /** How long events are fired before, while at least, and after the broker is frozen. */
  readonly seconds: readonly [before: number, frozen: number, after: number];
}

/** Fires events while the broker is frozen for longer than the keepalive allows. */
export async function brokerFrozen(options: BrokerFrozenOptions): Promise<Outcome[]> {
  const { rate, keepalive, seconds: [before, frozen, after] } = options;
  const connection = [param("keepalive", keepalive)];
  const lanes = ALL_QOS_LANES.map((lane) => ({ ...lane, connection }));
  await using bench = await Bench.start({ lanes });
  const [broker] = bench.brokers;
  bench.source.start(rate);
  await bench.source.fires(before * rate);
  const frozenAtMs = performance.now();
  let noticedAfterMs = 0;
  await excuseSocket(bench, async () => {
    broker?.freeze(true);
    await bench.connections("the silence is noticed", ({ state }) => state !== "connected");
    noticedAfterMs = performance.now() - frozenAtMs;
  });
  const sofar = noticedAfterMs / 1000;
  await bench.source.fires(Math.ceil(Math.max(frozen - sofar, 0.5) * rate));
  broker?.freeze(false);
  await bench.source.fires(after * rate);
  await bench.settle();
  return bench.outcomes(2, {}, () => [`noticed after ${sofar.toFixed(1)} s`]);
}

/** The row; its long form fires as much as when mod_mosquitto was measured. */
export const row: Row = {
  number: 2,
  title: "broker frozen for 25 s",
  short: () => brokerFrozen({ rate: 230, keepalive: 2, seconds: [1, 0, 1] }),
  long: () => brokerFrozen({ rate: 368, keepalive: 10, seconds: [10, 25, 15] }),
};
