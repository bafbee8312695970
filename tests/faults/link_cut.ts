/**
 * Row 4: the link to the broker is cut at random bytes.
 *
 * @module
 */

import { Bench } from "./bench.ts";
import type { Lane } from "./lane.ts";
import { PROXIED_LANES } from "./lanes.ts";
import type { Outcome } from "./outcome.ts";
import { Random } from "./random.ts";
import type { Row } from "./row.ts";

/** How the row is run. */
export interface LinkCutOptions {
  /** Events a second. */
  readonly rate: number;
  /** How often each link is cut. */
  readonly repetitions: number;
  /** Where the randomness begins. */
  readonly seed: number;
}

/** Cuts the links of all lanes again and again, behind any byte of either direction. */
export async function linkCut({ rate, repetitions, seed }: LinkCutOptions): Promise<Outcome[]> {
  await using bench = await Bench.start({ lanes: PROXIED_LANES });
  bench.source.start(rate);
  await Promise.all(bench.lanes.map(async (lane) => {
    const random = new Random(seed + lane.qos);
    for (let i = 0; i < repetitions; i++) await cutOnce(lane, random, bench);
  }));
  await bench.settle();
  return bench.outcomes(4, {}, ({ proxy }) => [`${proxy.accepted} links`]);
}

async function cutOnce({ qos, proxy, ledger }: Lane, random: Random, bench: Bench): Promise<void> {
  const fromMs = performance.now() - BACKLOG_MS;
  // At QoS 0 a broker says nothing that could be cut.
  const direction = qos === 0 ? "sent" : random.pick("sent", "received");
  const bytes = direction === "received"
    ? random.between(1, 400)
    : random.between(1, random.pick(100, 10_000, 400_000));
  await proxy.cutAfter(direction, bytes, random.pick("close", "reset"));
  const toMs = performance.now() + NEWS_MS;
  const before = proxy.accepted;
  // The next link is there before the next cut, which may fall into its handshake.
  await bench.until("it comes again", () => proxy.accepted > before);
  if (qos === 0) ledger.excuse(fromMs, toMs, "in the broken socket");
}

/** A new link begins with what gathered before it, all of which the socket may take at once. */
const BACKLOG_MS = 2_000;
/** The time that the news of a cut takes at most. */
const NEWS_MS = 250;

/** The row. */
export const row: Row = {
  number: 4,
  title: "link cut 100 times at random bytes",
  short: (seed) => linkCut({ rate: 230, repetitions: 6, seed }),
  long: ({ seed }) => linkCut({ rate: 230, repetitions: 100, seed }),
};
