/**
 * Events a second at full load, with a broker that keeps up.
 *
 * @module
 */

import { CONTENDERS } from "../rig/contenders.ts";
import { firstEvent, load } from "../rig/load.ts";
import { Scene } from "../rig/scene.ts";
import type { SeriesName } from "../wire/series.ts";
import type { Suite } from "./suite.ts";

const LOADS: readonly { readonly qos: 0 | 1 | 2; readonly series: SeriesName }[] = [
  { qos: 0, series: "mixed" },
  { qos: 1, series: "mixed" },
  { qos: 2, series: "mixed" },
  { qos: 0, series: "small" },
  { qos: 0, series: "large" },
];

/** The mean size of the events of a series, for people. */
export const SIZES: Readonly<Record<SeriesName, string>> = {
  mixed: "4.5 KB",
  small: "0.9 KB",
  large: "8.6 KB",
  call: "a call",
};

/** The name of a load. */
export function loadName(qos: number, series: SeriesName): string {
  return `QoS ${qos}, ${SIZES[series]}`;
}

/** The suite. Reading alone knows no QoS, and has its row with QoS 0. */
export const throughput: Suite = {
  name: "throughput",
  title: "Full load: events a second, CPU seconds for 100,000, and how busy the whole machine is",
  columns: ["in", "out", "cpu", "busy", "peak", "lost"],
  trials: ({ events, fsmqtt, warmUp }) =>
    LOADS.flatMap(({ qos, series }) =>
      CONTENDERS.filter((contender) => contender !== "read" || qos === 0).map((contender) => ({
        name: loadName(qos, series),
        contender,
        run: async () => {
          await using scene = await Scene.start({ contender, qos, series, fsmqtt });
          await firstEvent(scene);
          const result = await load(scene, { warmUp, events, pace: "full" });
          const { in: sent, out, cpu, busy, peak, lost } = result;
          return [{
            case: loadName(qos, series),
            figures: { in: sent, out, cpu, busy, peak, lost },
          }];
        },
      }))
    ),
};
