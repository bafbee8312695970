/**
 * Row 4, too: the link is half-open, which nothing but the keepalive can tell.
 *
 * @module
 */

import { param } from "../e2e/setup.ts";
import { Bench } from "./bench.ts";
import { excuseSocket, PROXIED_LANES } from "./lanes.ts";
import type { Outcome } from "./outcome.ts";
import type { Row } from "./row.ts";

/** How the row is run. */
export interface LinkHalfOpenOptions {
  /** Events a second. */
  readonly rate: number;
  /** The agent's keepalive in seconds. */
  readonly keepalive: number;
  /** How often the links die. */
  readonly repetitions: number;
}

/** Lets the broker go without a word to the agent, whose sockets stay open. */
export async function linkHalfOpen(options: LinkHalfOpenOptions): Promise<Outcome[]> {
  const { rate, keepalive, repetitions } = options;
  const connection = [param("keepalive", keepalive)];
  const lanes = PROXIED_LANES.map((lane) => ({ ...lane, connection }));
  await using bench = await Bench.start({ lanes });
  bench.source.start(rate);
  let longestMs = 0;
  for (let i = 0; i < repetitions; i++) {
    await bench.source.fires(rate);
    const diedAtMs = performance.now();
    await excuseSocket(bench, async () => {
      for (const { proxy } of bench.lanes) proxy.halfOpen();
      const before = bench.lanes.map(({ proxy }) => proxy.accepted);
      await bench.until(
        "all come again",
        () => bench.lanes.every(({ proxy }, i) => proxy.accepted > (before[i] ?? 0)),
      );
    });
    longestMs = Math.max(longestMs, performance.now() - diedAtMs);
    await bench.connections("all are connected", ({ state }) => state === "connected");
  }
  await bench.settle();
  const note = `connected anew ${(longestMs / 1000).toFixed(1)} s after a half-open link at most`;
  return bench.outcomes(4, {}, () => [note]);
}

/** The row. */
export const row: Row = {
  number: 4,
  title: "link half-open until the keepalive tells",
  short: () => linkHalfOpen({ rate: 230, keepalive: 2, repetitions: 1 }),
  long: () => linkHalfOpen({ rate: 230, keepalive: 5, repetitions: 5 }),
};
