import assert from "node:assert/strict";
import { statusText } from "../../lib/cli/status_text.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { configurationXml, params, RunningAgent } from "../agent/running_agent.ts";

/** What the original calls otherwise. */
const RENAMED: Readonly<Record<string, string>> = { max_inflight_messages: "send_maximum" };

Deno.test("status shows every parameter and every thing that the original's shows", async () => {
  const original = await Deno.readTextFile(new URL("original_status.txt", import.meta.url));
  await using simulator = await Simulator.start();
  const topic = { connection_name: "broker1" };
  await using running = await RunningAgent.start(configurationXml(simulator.port, {
    connections: { broker1: params({ enable: false }) },
    published: {
      Heartbeat: params({ ...topic, event: "HEARTBEAT", pattern: "FreeSWITCH/HEARTBEAT" }),
    },
    subscribed: { cmd: params({ ...topic, pattern: "FreeSWITCH/command" }) },
  }));
  const text = statusText(running.agent.status());

  const names = [...original.matchAll(/^[ \t]+([a-z_-]+):/gm)].map(([, name = ""]) => name);
  assert(names.length > 50);
  for (const name of new Set(names)) {
    assert.match(text, new RegExp(`(^ +|[:,] )${RENAMED[name] ?? name}( |,|$)`, "m"));
  }
  for (
    const thing of [
      "connection broker1 to localhost:1883: disabled",
      "publisher pub: 0 published",
      "topic Heartbeat  HEARTBEAT → FreeSWITCH/HEARTBEAT  0 published",
      "subscriber sub",
      "topic cmd  FreeSWITCH/command (nothing may run)  0 run, 0 refused",
    ]
  ) assert(text.includes(thing), thing);
});
