/**
 * Bursts at line rate, until the last event is at the subscriber.
 *
 * @module
 */

import { spreadOf } from "../../measure/spread.ts";
import type { Contender } from "../rig/contenders.ts";
import { firstEvent, load, type LoadResult } from "../rig/load.ts";
import { Scene } from "../rig/scene.ts";
import { sleep } from "../rig/within.ts";
import type { Suite } from "./suite.ts";

const SIZES: readonly number[] = [1, 10, 100, 1_000, 10_000, 100_000];
const COMPARED: readonly Contender[] = ["fsmqtt", "bridge", "publish"];
/** Short ones are repeated, and the middle one counts. */
const SHORT = 1_000;
const REPEATED = 9;
const PAUSE_MS = 50;

/** The name of a load. */
export function burstName(events: number): string {
  return `${events.toLocaleString("en")} ${events === 1 ? "event" : "events"}`;
}

/** The suite; the queue is long enough. */
export const bursts: Suite = {
  name: "bursts",
  title: "Bursts at line rate, QoS 0: until the last event is at the subscriber",
  columns: ["took", "peak", "lost"],
  trials: ({ events: most, fsmqtt, warmUp }) =>
    COMPARED.map((contender) => ({
      name: "all",
      contender,
      run: async () => {
        await using scene = await Scene.start({ contender, qos: 0, series: "mixed", fsmqtt });
        await firstEvent(scene);
        await load(scene, { warmUp: 0, events: warmUp, pace: "full" });
        const rows = [];
        for (const events of SIZES.filter((events) => events <= 2 * most)) {
          const results: LoadResult[] = [];
          for (let i = 0; i < (events > SHORT ? 1 : REPEATED); i++) {
            await sleep(PAUSE_MS);
            results.push(await load(scene, { warmUp: 0, events, pace: { kind: "line" } }));
          }
          rows.push({
            case: burstName(events),
            figures: {
              took: spreadOf(results.map(({ tookMs }) => tookMs))?.median ?? NaN,
              peak: Math.max(...results.map(({ peak }) => peak)),
              lost: results.reduce((sum, { lost }) => sum + lost, 0),
            },
          });
        }
        return rows;
      },
    })),
};
