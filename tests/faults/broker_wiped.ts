/**
 * Row 3: the broker is killed and comes back without its state.
 *
 * @module
 */

import { hearAcknowledgements } from "./acknowledgements.ts";
import { Bench } from "./bench.ts";
import { PROXIED_LANES, stopBroker } from "./lanes.ts";
import type { Outcome } from "./outcome.ts";
import type { Row } from "./row.ts";

/** How the row is run. */
export interface BrokerWipedOptions {
  /** Events a second. */
  readonly rate: number;
  /** How long events are fired before and after each kill. */
  readonly seconds: number;
  /** How often the broker is killed. */
  readonly repetitions: number;
}

/** Fires events while the broker is killed and forgets everything. */
export async function brokerWiped(options: BrokerWipedOptions): Promise<Outcome[]> {
  const { rate, seconds, repetitions } = options;
  await using bench = await Bench.start({ lanes: PROXIED_LANES });
  for (const { proxy, ledger } of bench.lanes) {
    hearAcknowledgements(proxy, (place) => ledger.acknowledged(place));
  }
  const [broker] = bench.brokers;
  bench.source.start(rate);
  for (let i = 0; i < repetitions; i++) {
    await bench.source.fires(seconds * rate);
    await stopBroker(bench, "SIGKILL");
    // The agent has to wait for the subscriber: what comes before it would go to nobody.
    for (const { proxy } of bench.lanes) proxy.refusing = true;
    await broker?.wipe();
    await bench.source.fires(seconds * rate);
    await broker?.start();
    if (broker !== undefined) await bench.subscribed(broker);
    for (const { proxy } of bench.lanes) proxy.refusing = false;
    await bench.connections("it is connected again", ({ state }) => state === "connected");
  }
  await bench.source.fires(seconds * rate);
  await bench.settle();
  // Without the broker's half of the session nothing can tell what it had already.
  return bench.outcomes(3, { repeats: true });
}

/** The row. */
export const row: Row = {
  number: 3,
  title: "broker killed and its state wiped",
  short: () => brokerWiped({ rate: 230, seconds: 1, repetitions: 1 }),
  long: () => brokerWiped({ rate: 230, seconds: 3, repetitions: 5 }),
};
