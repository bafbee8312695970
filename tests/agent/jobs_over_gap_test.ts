/** A command is asked of FreeSWITCH once, whatever becomes of the link. */

import assert from "node:assert/strict";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { eventually } from "../support/agent_process.ts";
import { startBroker } from "../support/broker.ts";
import { Watcher } from "../support/watcher.ts";
import { configurationXml, params, RunningAgent } from "./running_agent.ts";

const CALL = "originate user/1000 &park";
const isCall = ({ command }: { command: string }) => command === `bgapi ${CALL}`;

Deno.test("an originate that runs when the link is lost ends as unknown, and is not repeated", async () => {
  await using simulator = await Simulator.start({
    heartbeatMs: 0,
    api: { originate: () => new Promise<string>(() => {}) },
  });
  await using broker = await startBroker();
  await using running = await RunningAgent.start(configurationXml(simulator.port, {
    connections: { c: params({ host: "127.0.0.1", port: broker.port }) },
    subscribed: {
      calls: params({
        connection_name: "c",
        pattern: "call",
        qos: 1,
        originate_authorized: true,
        bgapi_authorized: true,
      }),
    },
  }));
  await using watcher = await Watcher.start(broker.port);
  await running.ready();
  const logs = (pattern: RegExp) =>
    eventually(`${pattern}`, () => running.log.find((line) => pattern.test(line)));
  await watcher.publish("call", CALL);
  await logs(/Running "originate"/);
  simulator.closeConnections();
  await logs(/The outcome of "originate" .* is unknown: FreeSWITCH closed the connection/);
  await running.until(
    "the link is made anew",
    ({ freeswitch }) => freeswitch.state === "connected" && freeswitch.reconnects === 1,
  );
  // Whatever had waited would have gone before this one.
  await running.done({ do: "bgapi", command: "echo x" });
  assert.equal(simulator.received.filter(isCall).length, 1);
  assert.equal(running.agent.status().freeswitch.gaps, 1);
});
