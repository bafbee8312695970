/**
 * From the start of the process to the first event at the subscriber.
 *
 * @module
 */

import type { Contender } from "../rig/contenders.ts";
import { firstEvent } from "../rig/load.ts";
import { Scene } from "../rig/scene.ts";
import type { Suite } from "./suite.ts";

const COMPARED: readonly Contender[] = ["fsmqtt", "bridge"];

/** The suite. An event is sent as soon as somebody asks for events. */
export const start: Suite = {
  name: "start",
  title: "Start: from the start of the process to its first event at the subscriber",
  columns: ["started"],
  trials: ({ fsmqtt }) =>
    COMPARED.map((contender) => ({
      name: "QoS 0",
      contender,
      run: async () => {
        await using scene = await Scene.start({ contender, qos: 0, series: "mixed", fsmqtt });
        const arrivedAt = await firstEvent(scene);
        return [{
          case: "QoS 0",
          figures: { started: (arrivedAt - scene.startedAt) / 1000 },
        }];
      },
    })),
};
