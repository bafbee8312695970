/** SIGTERM ends the agent with 0 and in time, whatever its peers do. */

import assert from "node:assert/strict";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { configurationXml, params } from "../agent/running_agent.ts";
import { AgentProcess } from "../support/agent_process.ts";
import { freePort, mosquittoTest, startBroker } from "../support/broker.ts";

const published = {
  beat: params({ connection_name: "c", event: "HEARTBEAT", pattern: "beat", qos: 1 }),
};
/** An orderly end of a connection may take so long (END_TIMEOUT_MS), and a slow machine. */
const END_MS = 2_000 + 1_500;

async function stopsWithin(ms: number, agent: AgentProcess, signal?: Deno.Signal): Promise<void> {
  const began = performance.now();
  assert.equal(await agent.stop(signal), 0);
  const took = performance.now() - began;
  assert.ok(took < ms, `it took ${took} ms`);
  assert.match(agent.log, /\[NOTICE\] stopped$/);
}

function xmlFor(eslPort: number, brokerPort: number, timeoutSeconds: number): string {
  return configurationXml(eslPort, {
    settings: params({ "shutdown-timeout": timeoutSeconds }),
    connections: { c: params({ host: "127.0.0.1", port: brokerPort }) },
    published,
  });
}

for (const [timeoutSeconds, atLeastMs] of [[0, 0], [1, 1_000]] as const) {
  mosquittoTest(
    `a frozen broker holds up the end by shutdown-timeout=${timeoutSeconds}`,
    async () => {
      await using simulator = await Simulator.start({ heartbeatMs: 0 });
      await using broker = await startBroker();
      await using agent = await AgentProcess.start(
        xmlFor(simulator.port, broker.port, timeoutSeconds),
      );
      await agent.ready();
      broker.freeze(true);
      for (let i = 0; i < 100; i++) simulator.fireHeartbeat();
      await agent.until(
        "some wait",
        ({ profiles }) => (profiles[0]?.connections[0]?.offered ?? 0) === 100,
      );
      const began = performance.now();
      await stopsWithin(timeoutSeconds * 1_000 + END_MS, agent);
      assert.ok(performance.now() - began >= atLeastMs);
    },
  );
}

Deno.test("a broker that is down does not hold it up", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  await using agent = await AgentProcess.start(xmlFor(simulator.port, freePort(), 60));
  await agent.logs(/cannot connect/);
  await simulator.waitForSubscription("HEARTBEAT");
  simulator.fireHeartbeat();
  await agent.until("one waits", ({ profiles }) => profiles[0]?.connections[0]?.queued === 1);
  await stopsWithin(END_MS, agent);
});

for (const which of ["all", "new"] as const) {
  const what = which === "all" ? "has fallen silent" : "accepts and says nothing";
  Deno.test(`a FreeSWITCH that ${what} does not hold it up`, async () => {
    await using simulator = await Simulator.start({ heartbeatMs: 0 });
    await using broker = await startBroker();
    if (which === "new") simulator.stall("new");
    await using agent = await AgentProcess.start(xmlFor(simulator.port, broker.port, 60));
    if (which === "new") await simulator.waitFor(({ accepted }) => accepted > 0);
    else await agent.ready();
    simulator.stall();
    await stopsWithin(END_MS, agent);
    simulator.resume();
  });
}

mosquittoTest("more signals while it is stopping change nothing", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  await using broker = await startBroker();
  await using agent = await AgentProcess.start(xmlFor(simulator.port, broker.port, 1));
  await agent.ready();
  broker.freeze(true);
  for (let i = 0; i < 100; i++) simulator.fireHeartbeat();
  await agent.until(
    "all are offered",
    ({ profiles }) => profiles[0]?.connections[0]?.offered === 100,
  );
  const began = performance.now();
  const codes = (["SIGTERM", "SIGTERM", "SIGINT", "SIGHUP", "SIGTERM"] as const)
    .map((signal) => agent.stop(signal));
  assert.deepEqual(await Promise.all(codes), [0, 0, 0, 0, 0]);
  assert.ok(performance.now() - began < 1_000 + END_MS);
  assert.match(agent.log, /\[NOTICE\] stopped$/);
});
