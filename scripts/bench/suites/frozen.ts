/**
 * Resident memory while the broker is frozen and events go on coming.
 *
 * @module
 */

import { forgetPeak, residentOf } from "../../measure/memory.ts";
import { firstEvent, flood, load } from "../rig/load.ts";
import { Scene } from "../rig/scene.ts";
import { sleep } from "../rig/within.ts";
import type { Suite } from "./suite.ts";

const MIB = 2 ** 20;
const BOUNDS: readonly { readonly qos: 0 | 1; readonly mebibytes: number }[] = [
  { qos: 0, mebibytes: 16 },
  { qos: 0, mebibytes: 64 },
  { qos: 1, mebibytes: 16 },
  { qos: 1, mebibytes: 64 },
];
/** What comes is so many times what may wait. */
const TIMES_BOUND = 3;
const MEAN_BYTES = 4_500;
const SETTLE_MS = 1_000;

/** The name of a load. */
export function boundName(qos: number, mebibytes: number): string {
  return `QoS ${qos}, ${mebibytes} MiB`;
}

/** The suite; the bound is `event-queue-bytes`. */
export const frozen: Suite = {
  name: "frozen",
  title: "Memory: resident, with a frozen broker and a queue of so many bytes",
  columns: ["idle", "peak", "bound", "after"],
  trials: ({ fsmqtt, patience, warmUp }) =>
    BOUNDS.map(({ qos, mebibytes }) => ({
      name: boundName(qos, mebibytes),
      contender: "fsmqtt",
      run: async () => {
        const bytes = mebibytes * MIB;
        const queue = { events: 1_000_000, bytes };
        const options = { contender: "fsmqtt", qos, series: "mixed", fsmqtt, queue } as const;
        await using scene = await Scene.start(options);
        await firstEvent(scene);
        const idle = await scene.idleBytes();
        const { pid } = scene.measured;
        // What full load takes by itself is in the other table.
        await load(scene, { warmUp: 0, events: warmUp, pace: "full" });
        await forgetPeak(pid);
        scene.freezeBroker(true);
        try {
          await flood(scene, Math.ceil(TIMES_BOUND * bytes / MEAN_BYTES));
          await sleep(SETTLE_MS);
        } finally {
          scene.freezeBroker(false);
        }
        const { peak } = await residentOf(pid);
        await sleep(3 * SETTLE_MS * patience);
        const after = await scene.residentBytes();
        return [{
          case: boundName(qos, mebibytes),
          figures: { idle, peak, bound: (peak - idle) / bytes, after },
        }];
      },
    })),
};
