/**
 * Row 6: the agent is killed at random moments, and what it had not delivered is on disk.
 *
 * @module
 */

import { param } from "../e2e/setup.ts";
import { Bench } from "./bench.ts";
import type { LaneOptions } from "./lane.ts";
import type { Outcome } from "./outcome.ts";
import { Random } from "./random.ts";
import type { Row } from "./row.ts";

/** How the row is run. */
export interface AgentKilledOptions {
  /** Events a second. */
  readonly rate: number;
  /** How often the agent is killed. */
  readonly repetitions: number;
  /** How long the agent may take beyond `spool_commit_ms`, to read an event and to commit it. */
  readonly graceMs: number;
  /** Where the randomness begins. */
  readonly seed: number;
}

const SPOOL_COMMIT_MS = 50;
/** A kill comes at a random moment of this time. */
const MOST_WAIT_MS = 150;
/** How it stands with the broker at a kill, in turn. */
const MOODS = ["well", "slow", "silent", "down"] as const;

/** Lanes that spool on disk, for both Qualities of Service that may. */
export const SPOOLED_LANES: readonly LaneOptions[] = ([1, 2] as const).map((qos) => ({
  name: `qos ${qos}`,
  qos,
  proxied: true,
  connection: [param("spool", "disk"), param("spool_commit_ms", SPOOL_COMMIT_MS)],
}));

/** Kills the agent while its brokers are well, slow, silent or away. */
export async function agentKilled(options: AgentKilledOptions): Promise<Outcome[]> {
  const { rate, repetitions, graceMs, seed } = options;
  const random = new Random(seed);
  await using bench = await Bench.start({ lanes: SPOOLED_LANES });
  const { source, lanes, brokers: [broker] } = bench;
  let isDown = false;
  source.start(rate);
  for (let i = 0; i < repetitions; i++) {
    const mood = MOODS[i % MOODS.length];
    if (mood === "down") {
      await broker?.stop();
      isDown = true;
    }
    for (const { proxy } of lanes) {
      const isSlow = mood === "slow";
      proxy.delayMs = isSlow ? random.between(0, 100) : 0;
      proxy.bytesPerSecond = isSlow ? random.between(200_000, 1_000_000) : undefined;
      if (mood === "silent") proxy.freeze(random.pick("sent", "received"));
    }
    await source.fires(random.between(rate / 5, rate * 3 / 2));
    // Any time after a call's events: the load comes in bursts.
    await new Promise((resolve) => setTimeout(resolve, random.between(0, MOST_WAIT_MS)));
    const killedAtMs = performance.now();
    await bench.kill();
    const comesFirst = random.pick("broker", "agent");
    if (isDown && comesFirst === "broker") await broker?.start();
    await bench.revive();
    const revivedAtMs = performance.now();
    for (const { ledger, proxy } of lanes) {
      const safeUntilMs = killedAtMs - SPOOL_COMMIT_MS - graceMs;
      ledger.excuse(safeUntilMs, revivedAtMs, "younger than the commit", killedAtMs);
      // A link of the killed agent goes on to be delivered.
      proxy.thaw();
    }
    if (isDown && comesFirst === "agent") await broker?.start();
    isDown = false;
  }
  for (const { proxy } of lanes) {
    proxy.delayMs = 0;
    proxy.bytesPerSecond = undefined;
  }
  await source.fires(rate);
  await bench.settle({ newBooks: true });
  return bench.outcomes(6, { newBooks: true }, ({ ledger }) => [
    `killed ${repetitions} times`,
    `the oldest lost one came ${Math.round(ledger.tally().oldestExcusedMs)} ms before the kill`,
  ]);
}

/** The row. */
export const row: Row = {
  number: 6,
  title: "agent killed 50 times at random moments",
  short: (seed) => agentKilled({ rate: 230, repetitions: 10, graceMs: 500, seed }),
  long: ({ seed }) => agentKilled({ rate: 230, repetitions: 50, graceMs: 100, seed }),
};
