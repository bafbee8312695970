/**
 * How long an event takes from the source's write to the subscriber's read.
 *
 * @module
 */

import type { Contender } from "../rig/contenders.ts";
import { firstEvent, load } from "../rig/load.ts";
import { Scene } from "../rig/scene.ts";
import { sleep } from "../rig/within.ts";
import type { Suite } from "./suite.ts";

/** At a rate, events of so many seconds; enough for p99.9 from 1,000 a second on. */
const RATES: readonly { readonly perSecond: number; readonly seconds: number }[] = [
  { perSecond: 100, seconds: 4 },
  { perSecond: 1_000, seconds: 10 },
  { perSecond: 5_000, seconds: 3 },
];
/** The limit shows what the broker and the machine take of it. */
const COMPARED: readonly (readonly [Contender, readonly number[]])[] = [
  ["fsmqtt", [100, 1_000, 5_000]],
  ["bridge", [100, 1_000, 5_000]],
  ["publish", [1_000]],
];
/** What was made for the start, and for the rate before, is not to be collected in the next. */
const SETTLE_MS = 500;
const WARM_UP_SECONDS = 0.3;

/** The name of a load. */
export function rateName(qos: number, perSecond: number): string {
  return `QoS ${qos}, ${perSecond.toLocaleString("en")}/s`;
}

/** The suite. */
export const latency: Suite = {
  name: "latency",
  title: "Latency: from the source's write to the subscriber's read",
  columns: ["p50", "p99", "p999", "max", "cpu"],
  trials: ({ fsmqtt, patience, warmUp }) =>
    ([0, 1] as const).flatMap((qos) =>
      COMPARED.map(([contender, rates]) => ({
        name: `QoS ${qos}`,
        contender,
        run: async () => {
          await using scene = await Scene.start({ contender, qos, series: "mixed", fsmqtt });
          await firstEvent(scene);
          await load(scene, { warmUp: 0, events: warmUp, pace: "full" });
          const rows = [];
          for (const { perSecond, seconds } of RATES) {
            if (!rates.includes(perSecond)) continue;
            await sleep(SETTLE_MS);
            const { received, cpu } = await load(scene, {
              warmUp: Math.ceil(perSecond * WARM_UP_SECONDS),
              events: Math.ceil(perSecond * seconds * patience),
              pace: { kind: "steady", perSecond },
            });
            rows.push({
              case: rateName(qos, perSecond),
              figures: { ...received.latency, cpu },
            });
          }
          return rows;
        },
      }))
    ),
};
