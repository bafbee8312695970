/**
 * What more topics and more connections cost.
 *
 * @module
 */

import { copiesOf, type Layout } from "../rig/agent_configuration.ts";
import { firstEvent, load } from "../rig/load.ts";
import { Scene } from "../rig/scene.ts";
import type { Suite } from "./suite.ts";

const LAYOUTS: readonly (Layout & { readonly name: string })[] = [
  { name: "1 topic", matching: 1, passedBy: 0, connections: 1 },
  { name: "1 of 10 topics", matching: 1, passedBy: 9, connections: 1 },
  { name: "1 of 100 topics", matching: 1, passedBy: 99, connections: 1 },
  { name: "10 of 10 topics", matching: 10, passedBy: 0, connections: 1 },
  { name: "100 of 100 topics", matching: 100, passedBy: 0, connections: 1 },
  { name: "10 connections", matching: 1, passedBy: 0, connections: 10 },
];

/** The suite: so many of the topics want what is sent, the others want what never comes. */
export const growth: Suite = {
  name: "growth",
  title: "Growth: more topics and connections, QoS 0, full load",
  columns: ["out", "messages", "cpu", "cpu_message", "peak", "lost"],
  trials: ({ events, fsmqtt, warmUp }) =>
    LAYOUTS.map((layout) => ({
      name: layout.name,
      contender: "fsmqtt",
      run: async () => {
        const options = { contender: "fsmqtt", qos: 0, series: "mixed", fsmqtt, layout } as const;
        await using scene = await Scene.start(options);
        await firstEvent(scene);
        const copies = copiesOf(layout);
        const { out, cpu, peak, lost } = await load(scene, {
          warmUp: Math.ceil(warmUp / copies),
          events: Math.ceil(events / copies),
          pace: "full",
        });
        return [{
          case: layout.name,
          figures: {
            out,
            messages: out * copies,
            cpu,
            cpu_message: cpu / copies,
            peak,
            lost,
          },
        }];
      },
    })),
};
