/**
 * How fast the event socket of a real FreeSWITCH is drained.
 *
 * Whoever drains it is stopped while calls fill FreeSWITCH's queue for it, as long as that takes, and
 * continues then: so the rate is that of draining, and not that of calls.
 *
 * @module
 */

import type { EventSocket } from "../wire/roles.ts";
import { cpuSeconds } from "../rig/processor.ts";
import { EVENTS_PER_CALL, SwitchScene } from "../rig/switch_scene.ts";
import { within } from "../rig/within.ts";
import { nowMicros } from "../wire/time.ts";
import type { Suite } from "./suite.ts";

/** FreeSWITCH keeps 100,000 events for a listener, and ends the one that leaves more. */
const MOST_EVENTS = 60_000;
const LIMIT_MS = 120_000;

/** The name of its only load. */
export const BURST = "burst, QoS 0";

/** The suite, for this FreeSWITCH. */
export function freeswitch(esl: EventSocket): Suite {
  return {
    name: "freeswitch",
    title: "A real FreeSWITCH: events a second out of its full queue",
    columns: ["out", "cpu", "lost"],
    trials: ({ events, fsmqtt }) =>
      (["fsmqtt", "read"] as const).map((contender) => ({
        name: BURST,
        contender,
        run: async () => {
          const calls = Math.ceil(Math.min(events, MOST_EVENTS) / EVENTS_PER_CALL);
          const fired = calls * EVENTS_PER_CALL;
          await using scene = await SwitchScene.start({ contender, esl, fsmqtt });
          const { measured, receiver } = scene;
          await receiver.ask("expect", { first: 0, events: 0, copies: 1 });
          measured.signal("SIGSTOP");
          await scene.call(calls);
          const before = await cpuSeconds(measured.pid);
          const startedAt = nowMicros();
          measured.signal("SIGCONT");
          const reached = measured.alive(receiver.ask("reach", fired));
          const endedAt = await within(LIMIT_MS, "not all events arrived", reached);
          const after = await cpuSeconds(measured.pid);
          const { messages } = await receiver.ask("report");
          return [{
            case: BURST,
            figures: {
              out: fired * 1e6 / (endedAt - startedAt),
              cpu: (after - before) * 100_000 / fired,
              lost: fired - messages,
            },
          }];
        },
      })),
  };
}
