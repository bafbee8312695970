/**
 * Resident memory: idle, under full load with a broker that keeps up, and after it.
 *
 * @module
 */

import type { Contender } from "../rig/contenders.ts";
import { firstEvent, load } from "../rig/load.ts";
import { Scene } from "../rig/scene.ts";
import { sleep } from "../rig/within.ts";
import type { Suite } from "./suite.ts";

const COMPARED: readonly Contender[] = ["fsmqtt", "bridge"];
/** More than elsewhere: memory grows for a while. */
const TIMES_EVENTS = 2;
const AFTER_MS = 3_000;

/** The suite. fsmqtt has its own bounds here. */
export const memory: Suite = {
  name: "memory",
  title: "Memory: resident, at full load with a broker that keeps up",
  columns: ["idle", "peak", "growth", "after", "lost"],
  trials: ({ events, fsmqtt, patience }) =>
    ([0, 1] as const).flatMap((qos) =>
      COMPARED.map((contender) => ({
        name: `QoS ${qos}`,
        contender,
        run: async () => {
          const options = { contender, qos, series: "mixed", fsmqtt, queue: "own" } as const;
          await using scene = await Scene.start(options);
          await firstEvent(scene);
          const idle = await scene.idleBytes(AFTER_MS * patience);
          const { peak, lost } = await load(scene, {
            warmUp: 0,
            events: TIMES_EVENTS * events,
            pace: "full",
          });
          await sleep(AFTER_MS * patience);
          const after = await scene.residentBytes();
          return [{
            case: `QoS ${qos}`,
            figures: { idle, peak, growth: peak / idle, after, lost },
          }];
        },
      }))
    ),
};
