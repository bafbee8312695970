/**
 * Row 12: an hour in which nothing happens but FreeSWITCH's heartbeats and MQTT's pings.
 *
 * @module
 */

import { memoryOf } from "../../scripts/measure/memory.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { configuration, param } from "../e2e/setup.ts";
import { AgentProcess } from "../support/agent_process.ts";
import { startBroker } from "../support/broker.ts";
import { Ledger } from "./ledger.ts";
import { megabytes } from "./memory.ts";
import { droppedTotal, imbalance, type Outcome } from "./outcome.ts";
import type { Row } from "./row.ts";

/** How the row is run. */
export interface IdleOptions {
  /** How long in all. */
  readonly seconds: number;
  /** When memory is looked at first: what was needed for the start has been given back. */
  readonly warmSeconds: number;
  /** Time between two heartbeats; a real FreeSWITCH takes 20 s. */
  readonly heartbeatMs: number;
  /** How much the agent may grow from then to the end, in bytes, by the trend of all samples. */
  readonly mostGrowth: number;
}

/** Memory at a moment. */
export interface Sample {
  /** When, in seconds. */
  readonly second: number;
  /** What nobody else has and was written to, in bytes: the heaps, and what is not in files. */
  readonly bytes: number;
}

const SAMPLES = 60;

/** Lets an agent idle. */
export async function idle(options: IdleOptions): Promise<Outcome[]> {
  const { seconds, warmSeconds, heartbeatMs, mostGrowth } = options;
  await using broker = await startBroker();
  await using simulator = await Simulator.start({ heartbeatMs });
  await using agent = await AgentProcess.start(configuration({
    esl: simulator,
    broker: broker.port,
    connection: [param("keepalive", 10)],
    publish: [[param("event", "ALL"), param("pattern", "idle"), param("qos", 1)]],
  }));
  await agent.ready();
  await sleep(warmSeconds);
  const startedAt = performance.now();
  const { rss } = await memoryOf(agent.pid);
  const samples: Sample[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    await sleep((seconds - warmSeconds) / SAMPLES);
    const { private: bytes } = await memoryOf(agent.pid);
    samples.push({ second: (performance.now() - startedAt) / 1000, bytes });
  }
  const end = await memoryOf(agent.pid);
  const { freeswitch: { events_received: received } } = await agent.status();
  const books = await agent.connection("main");
  const grown = growth(samples);
  const own = samples.map(({ bytes }) => bytes);
  return [{
    row: 12,
    lane: "qos 1",
    tally: new Ledger().tally(),
    books,
    notes: [
      `${received} heartbeats in ${seconds} s`,
      `private ${megabytes(Math.min(...own))} to ${megabytes(Math.max(...own))}, the trend is ${
        (grown / 2 ** 20).toFixed(2)
      } MB more at the end; resident ${megabytes(rss)}, then ${megabytes(end.rss)}`,
    ],
    failures: [
      ...(grown <= mostGrowth ? [] : [`the agent grew by ${megabytes(grown)} while it was idle`]),
      ...(received > 0 ? [] : ["no heartbeat came"]),
      ...(droppedTotal(books) === 0 && imbalance(books) === undefined ? [] : ["an event was lost"]),
    ],
  }];
}

/** What the straight line that fits best gains from the first sample to the last, in bytes. */
export function growth(samples: readonly Sample[]): number {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || first === last) return 0;
  const mean = (of: keyof Sample) =>
    samples.reduce((sum, sample) => sum + sample[of], 0) / samples.length;
  const [second, bytes] = [mean("second"), mean("bytes")];
  const covariance = samples.reduce((s, e) => s + (e.second - second) * (e.bytes - bytes), 0);
  const variance = samples.reduce((s, e) => s + (e.second - second) ** 2, 0);
  return covariance / variance * (last.second - first.second);
}

async function sleep(seconds: number): Promise<void> {
  await new Promise((over) => setTimeout(over, 1000 * seconds));
}

/** The row. */
export const row: Row = {
  number: 12,
  title: "nothing happens",
  short: () => idle({ seconds: 4, warmSeconds: 2, heartbeatMs: 100, mostGrowth: 16 * 2 ** 20 }),
  long: ({ minutes }) =>
    idle({
      seconds: 60 * minutes,
      warmSeconds: Math.min(120, 20 * minutes),
      heartbeatMs: 20_000,
      mostGrowth: 2 * 2 ** 20,
    }),
};
