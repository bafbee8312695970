/**
 * What is made on the heap, and what collecting it takes. V8 is asked to tell, which slows it a
 * little, so these runs give no other figures. See `rig/gc_trace.ts` for what is left out.
 *
 * @module
 */

import type { Contender } from "../rig/contenders.ts";
import { GcTally } from "../rig/gc_trace.ts";
import { firstEvent, load } from "../rig/load.ts";
import { Scene } from "../rig/scene.ts";
import type { Suite } from "./suite.ts";

const COMPARED: readonly Contender[] = ["fsmqtt", "bridge", "publish"];

/** The suite. */
export const allocation: Suite = {
  name: "allocation",
  title: "Garbage: what 100,000 events leave on the heap, and how it is collected",
  columns: ["allocated", "collections", "paused", "longest"],
  trials: ({ events, fsmqtt, warmUp }) =>
    ([0, 1] as const).flatMap((qos) =>
      COMPARED.map((contender) => ({
        name: `QoS ${qos}`,
        contender,
        run: async () => {
          const tally = new GcTally();
          const onGcLine = (line: string) => tally.take(line);
          const options = { contender, qos, series: "mixed", fsmqtt, onGcLine } as const;
          await using scene = await Scene.start(options);
          await firstEvent(scene);
          const onWarm = () => tally.forget();
          await load(scene, { warmUp, events, pace: "full", onWarm });
          const { count, allocated, pausedMs, longestMs } = tally.collections;
          const each = 100_000 / events;
          return [{
            case: `QoS ${qos}`,
            figures: {
              allocated: allocated * each,
              collections: count * each,
              paused: pausedMs * each,
              longest: longestMs,
            },
          }];
        },
      }))
    ),
};
