import assert from "node:assert/strict";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { freePort, startBroker } from "../support/broker.ts";
import { Watcher } from "../support/watcher.ts";
import { configurationXml, params, RunningAgent } from "./running_agent.ts";

const published = {
  beat: params({ connection_name: "c", event: "HEARTBEAT", pattern: "beat", qos: 1 }),
};
/** Events go to the broker one at a time, so that some wait. */
const oneByOne = (port: number) => ({
  connections: { c: params({ host: "127.0.0.1", port, send_maximum: 1 }) },
  published,
});
const connection = (port: number) => ({ c: params({ host: "127.0.0.1", port }) });

Deno.test("what is queued is delivered before the agent has stopped", async () => {
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  await using watcher = await Watcher.start(broker.port);
  await using running = await RunningAgent.start(
    configurationXml(simulator.port, oneByOne(broker.port)),
  );
  await running.ready();
  await running.done({ do: "disconnect", profile: "p", connection: "c" });
  for (let i = 0; i < 1000; i++) simulator.fireHeartbeat();
  await running.until("all are queued", () => running.connection("c").queued === 1000);
  await running.done({ do: "connect", profile: "p", connection: "c" });
  await running.until("the first has arrived", () => running.connection("c").acknowledged > 0);
  assert(running.connection("c").queued > 0);
  await running.stop();
  await watcher.count("beat", 1000);
  assert.equal(running.connection("c").acknowledged, 1000);
  assert.match(running.log.at(-1) ?? "", /\[NOTICE\] stopped$/);
});

Deno.test("what is queued is delivered before a connection is removed", async () => {
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  await using watcher = await Watcher.start(broker.port);
  await using running = await RunningAgent.start(
    configurationXml(simulator.port, oneByOne(broker.port)),
  );
  await running.ready();
  for (let i = 0; i < 500; i++) simulator.fireHeartbeat();
  await running.until("all are offered", () => running.connection("c").offered === 500);
  const part = { kind: "connection", name: "c" } as const;
  await running.done({ do: "remove", profile: "p", part });
  await watcher.count("beat", 500);
});

Deno.test("with broker and FreeSWITCH away the agent stops at once, and tells what is lost", async () => {
  const simulator = await Simulator.start();
  await using running = await RunningAgent.start(
    configurationXml(simulator.port, { connections: connection(freePort()), published }),
  );
  await simulator.waitForSubscription("HEARTBEAT");
  simulator.fireHeartbeat();
  await running.until("it is queued", () => running.connection("c").queued === 1);
  await simulator.stop();
  await running.until("FreeSWITCH is away", ({ freeswitch }) => freeswitch.state !== "connected");
  const before = performance.now();
  await running.stop();
  assert(performance.now() - before < 1_000);
  const told = running.log.filter((line) => line.includes("still queued"));
  assert.equal(told.length, 1);
  assert.match(told.join(), /\[ERROR\] p\/c: Ended with 1 events still queued: they are lost$/);
});

Deno.test("an agent that is stopping takes no more orders, and makes no more connections", async () => {
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  const xml = configurationXml(simulator.port, { connections: connection(broker.port), published });
  await using running = await RunningAgent.start(xml);
  await running.ready();
  const stopped = running.stop();
  const stopping = { kind: "failed", error: "The agent is stopping", exitCode: 69 };
  assert.deepEqual(await running.reload(xml), stopping);
  assert.deepEqual(await running.agent.handle({ do: "enable", profile: "p" }), stopping);
  assert.equal((await running.agent.handle({ do: "status" })).kind, "status");
  await stopped;
  assert.equal(running.connection("c").state, "disabled");
});

Deno.test("a stopped agent leaves its state folder to the next", async () => {
  await using simulator = await Simulator.start();
  const folder = await Deno.makeTempDir({ prefix: "fsmqtt-agent-test-" });
  const xml = configurationXml(simulator.port, { connections: connection(freePort()) });
  const first = await RunningAgent.start(xml, folder);
  await assert.rejects(RunningAgent.start(xml, folder), { name: "StateDirError" });
  await first.stop();
  await using second = await RunningAgent.start(xml, folder);
  await second.until("FreeSWITCH is there", ({ freeswitch }) => freeswitch.state === "connected");
});

Deno.test("a command that still runs when the agent stops ends as unknown", async () => {
  const job = Promise.withResolvers<string>();
  await using simulator = await Simulator.start({ api: { wait: () => job.promise } });
  await using running = await RunningAgent.start(
    configurationXml(simulator.port, { connections: connection(freePort()) }),
  );
  await running.until("FreeSWITCH is there", ({ freeswitch }) => freeswitch.state === "connected");
  const reply = running.agent.handle({ do: "bgapi", command: "wait" });
  await simulator.waitForCommand(({ command }) => command === "bgapi wait");
  await running.stop();
  const answer = await reply;
  assert(answer.kind === "failed" && answer.exitCode === 1, JSON.stringify(answer));
  job.resolve("");
});
