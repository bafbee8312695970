import assert from "node:assert/strict";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { freePort, startBroker } from "../support/broker.ts";
import { configurationXml, params, RunningAgent } from "./running_agent.ts";

const wiring = (port: number, clientId = "FreeSWITCH-Switchname-Unique") => ({
  connections: {
    c: params({ host: "127.0.0.1", port, client_id: clientId, reconnect_delay_max: 1 }),
  },
  published: {
    beat: params({ connection_name: "c", event: "HEARTBEAT", pattern: "pbx/${switchname}/beat" }),
  },
});

Deno.test("a connection that needs FreeSWITCH's names waits for them, and then connects", async () => {
  await using broker = await startBroker();
  const port = freePort();
  await using running = await RunningAgent.start(configurationXml(port, wiring(broker.port)));
  const { state, reason, client_id } = running.connection("c");
  assert.deepEqual([state, reason, client_id], [
    "waiting",
    "FreeSWITCH has not told its names yet",
    null,
  ]);
  await using _simulator = await Simulator.start({ port, switchname: "pbx7" });
  await running.ready();
  assert.match(running.connection("c").client_id ?? "", /^pbx7-[a-zA-Z0-9]{10}$/);
});

Deno.test("names and unique ids outlive a restart, FreeSWITCH or not", async () => {
  await using broker = await startBroker();
  const folder = await Deno.makeTempDir({ prefix: "fsmqtt-agent-test-" });
  const simulator = await Simulator.start({ switchname: "pbx7", freeswitchHostname: "h7" });
  const xml = configurationXml(simulator.port, wiring(broker.port));
  const first = await RunningAgent.start(xml, folder);
  await first.ready();
  const { client_id } = first.connection("c");
  await first.stop();
  await simulator.stop();

  await using second = await RunningAgent.start(xml, folder);
  await second.untilConnection("c", "connected");
  const { freeswitch } = second.agent.status();
  assert.equal(second.connection("c").client_id, client_id);
  assert.equal(freeswitch.state, "connecting");
  assert.deepEqual([freeswitch.hostname, freeswitch.switchname], ["h7", "pbx7"]);
});

Deno.test("a FreeSWITCH of another name means another client id", async () => {
  await using broker = await startBroker();
  const simulator = await Simulator.start({ switchname: "one" });
  const { port } = simulator;
  const xml = configurationXml(port, wiring(broker.port, "FreeSWITCH-Switchname"));
  await using running = await RunningAgent.start(xml);
  await running.ready();
  assert.equal(running.connection("c").client_id, "one");
  await simulator.stop();
  await using other = await Simulator.start({ port, switchname: "two" });
  await running.until("the other name", ({ freeswitch }) => freeswitch.switchname === "two");
  await running.ready();
  other.fireHeartbeat();
  await running.until("the heartbeat is published", () => running.connection("c").acknowledged > 0);
  assert.equal(running.connection("c").client_id, "two");
});
