/**
 * The load of calls: all that each fires, as recorded.
 *
 * @module
 */

import type { Contender } from "../rig/contenders.ts";
import { firstEvent, load } from "../rig/load.ts";
import { Scene } from "../rig/scene.ts";
import { EVENTS_PER_CALL } from "../wire/series.ts";
import type { Suite } from "./suite.ts";

const COMPARED: readonly Contender[] = ["fsmqtt", "bridge", "publish"];

/** The suite. */
export const calls: Suite = {
  name: "calls",
  title: `Calls: ${EVENTS_PER_CALL} events each`,
  columns: ["calls", "out", "cpu_call", "lost"],
  trials: ({ events, fsmqtt, warmUp }) =>
    ([0, 1] as const).flatMap((qos) =>
      COMPARED.map((contender) => ({
        name: `QoS ${qos}`,
        contender,
        run: async () => {
          await using scene = await Scene.start({ contender, qos, series: "call", fsmqtt });
          await firstEvent(scene);
          const wholeCalls = Math.ceil(events / EVENTS_PER_CALL) * EVENTS_PER_CALL;
          const { out, cpu, lost } = await load(scene, {
            warmUp,
            events: wholeCalls,
            pace: "full",
          });
          return [{
            case: `QoS ${qos}`,
            figures: {
              calls: out / EVENTS_PER_CALL,
              out,
              cpu_call: cpu * 1000 * EVENTS_PER_CALL / 100_000,
              lost,
            },
          }];
        },
      }))
    ),
};
