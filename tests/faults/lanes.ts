/**
 * The lanes that rows have in common, and what may be lost at QoS 0.
 *
 * @module
 */

import type { Bench } from "./bench.ts";
import type { LaneOptions, Qos } from "./lane.ts";

/** A lane for each Quality of Service. */
export const ALL_QOS_LANES: readonly LaneOptions[] = ([0, 1, 2] as const).map(laneOf);

/** A lane for each Quality of Service, with a proxy before the broker. */
export const PROXIED_LANES: readonly LaneOptions[] = ALL_QOS_LANES.map((lane) => ({
  ...lane,
  proxied: true,
}));

/** A lane of this Quality of Service. */
export function laneOf(qos: Qos): LaneOptions {
  return { name: `qos ${qos}`, qos };
}

/** So long before a link breaks, bytes may have been taken by the socket and got no further. */
const IN_SOCKET_MS = 1_000;

/** Breaks links: at QoS 0, what was fired shortly before and until it is done may be lost. */
export async function excuseSocket(bench: Bench, breaks: () => Promise<void>): Promise<void> {
  const fromMs = performance.now() - IN_SOCKET_MS;
  await breaks();
  const toMs = performance.now();
  for (const { qos, ledger } of bench.lanes) {
    if (qos === 0) ledger.excuse(fromMs, toMs, "in the broken socket");
  }
}

/** Stops the first broker under way, and waits until that is noticed. */
export async function stopBroker(bench: Bench, signal?: "SIGTERM" | "SIGKILL"): Promise<void> {
  await excuseSocket(bench, async () => {
    await bench.brokers[0]?.stop(signal);
    await bench.connections("the end is noticed", ({ state }) => state !== "connected");
  });
}

/** Fires for a second, and stops the first broker with nothing under way: nothing is lost then. */
export async function stopQuietBroker(bench: Bench, rate: number): Promise<void> {
  bench.source.start(rate);
  await bench.source.fires(rate);
  await bench.settle();
  await bench.brokers[0]?.stop();
  await bench.connections("the end is noticed", ({ state }) => state !== "connected");
}
