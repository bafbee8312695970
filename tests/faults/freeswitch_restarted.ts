/**
 * Row 5: the broker is down, and FreeSWITCH is restarted meanwhile.
 *
 * @module
 */

import { Bench } from "./bench.ts";
import { ALL_QOS_LANES, stopBroker } from "./lanes.ts";
import type { Outcome } from "./outcome.ts";
import type { Row } from "./row.ts";

/** How the row is run. */
export interface FreeswitchRestartedOptions {
  /** Events a second. */
  readonly rate: number;
  /** How long events are fired between any two things that happen. */
  readonly seconds: number;
  /** How often FreeSWITCH is restarted during the one outage of the broker. */
  readonly repetitions: number;
}

/** Takes the broker away, and restarts FreeSWITCH before it comes back. */
export async function freeswitchRestarted(options: FreeswitchRestartedOptions): Promise<Outcome[]> {
  const { rate, seconds, repetitions } = options;
  await using bench = await Bench.start({ lanes: ALL_QOS_LANES });
  const { source, simulator, agent, brokers: [broker] } = bench;
  source.start(rate);
  await source.fires(seconds * rate);
  await stopBroker(bench);
  for (let i = 0; i < repetitions; i++) {
    await source.fires(seconds * rate);
    // What FreeSWITCH has not sent yet goes with it, and was never given to the agent.
    source.stop();
    await simulator.flushed();
    simulator.restart();
    await agent.until(
      "it listens to the new one",
      ({ freeswitch }) =>
        freeswitch.state === "connected" && freeswitch.core_uuid === simulator.coreUuid,
    );
    await bench.until("it listens to the new one", () => source.isHeard);
    source.start(rate);
  }
  await source.fires(seconds * rate);
  await broker?.start();
  await source.fires(seconds * rate);
  await bench.settle();
  return bench.outcomes(5);
}

/** The row. */
export const row: Row = {
  number: 5,
  title: "broker down and FreeSWITCH restarted meanwhile",
  short: () => freeswitchRestarted({ rate: 230, seconds: 1, repetitions: 1 }),
  long: () => freeswitchRestarted({ rate: 230, seconds: 3, repetitions: 5 }),
};
