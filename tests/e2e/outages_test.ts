import assert from "node:assert/strict";
import { Simulator } from "../../lib/simulator/simulator.ts";
import type { ConnectionStatus } from "../../lib/control/status.ts";
import { AgentProcess, eventually } from "../support/agent_process.ts";
import { freePort, mosquittoTest, startBroker } from "../support/broker.ts";
import { Watcher } from "../support/watcher.ts";
import { configuration, numberOf, param, Switch } from "./setup.ts";

const SUBCLASS = "fsmqtt::e2e";
const publish = (qos: 0 | 1 | 2) => [
  param("event", `CUSTOM ${SUBCLASS}`),
  param("pattern", "pbx/events"),
  param("qos", qos),
];

function assertBalanced(connection: ConnectionStatus): void {
  const { offered, acknowledged, in_flight, queued, dropped } = connection;
  const given = Object.values(dropped).reduce((sum, number) => sum + number, 0);
  assert.equal(offered, acknowledged + in_flight + queued + given, JSON.stringify(connection));
}

Deno.test("the broker is away at the start: events wait for it", async () => {
  await using broker = await startBroker();
  await broker.stop();
  await using freeswitch = await Switch.start();
  await using agent = await AgentProcess.start(configuration({
    esl: freeswitch.target,
    broker: broker.port,
    connection: [param("reconnect_delay_max", 2)],
    publish: [publish(1)],
  }));
  await agent.until("FreeSWITCH is connected", (s) => s.freeswitch.state === "connected");
  for (let i = 0; i < 10; i++) await freeswitch.fire(SUBCLASS, i);
  await eventually(
    "they are queued",
    async () => (await agent.connection("main")).queued === 10 || undefined,
  );
  await agent.logs(/test\/main: cannot connect to 127\.0\.0\.1:\d+: nothing listens on that port/);

  await broker.start();
  await using watcher = await Watcher.start(broker.port);
  await agent.ready();
  await freeswitch.fire(SUBCLASS, 10);
  await eventually(
    "the last one comes",
    () => watcher.on("pbx/events").some(({ payload }) => numberOf(payload) === 10) || undefined,
  );
  const { queued, in_flight, acknowledged } = await eventually("all are delivered", async () => {
    const connection = await agent.connection("main");
    return connection.acknowledged === 11 ? connection : undefined;
  });
  assert.deepEqual({ queued, in_flight, acknowledged }, {
    queued: 0,
    in_flight: 0,
    acknowledged: 11,
  });
});

for (const first of ["broker", "FreeSWITCH"] as const) {
  Deno.test(`both are away at the start, and the ${first} comes first: events flow`, async () => {
    await using broker = await startBroker();
    await broker.stop();
    const eslPort = freePort();
    const esl = { hostname: "127.0.0.1", port: eslPort, password: "ClueCon" };
    await using agent = await AgentProcess.start(configuration({
      esl,
      broker: broker.port,
      connection: [param("reconnect_delay_max", 2), param("client_id", "FreeSWITCH-Switchname")],
      publish: [[
        param("event", "HEARTBEAT"),
        param("pattern", "pbx/${switchname}"),
        param("qos", 1),
      ]],
    }));
    await agent.logs(/FreeSWITCH at 127\.0\.0\.1:\d+: Cannot connect/);
    if (first === "broker") await broker.start();
    await using simulator = await Simulator.start({
      port: eslPort,
      switchname: "sw7",
      heartbeatMs: 50,
    });
    if (first === "FreeSWITCH") {
      await agent.until("FreeSWITCH is there", (s) => s.freeswitch.state === "connected");
      await broker.start();
    }
    await using watcher = await Watcher.start(broker.port);
    await watcher.count("pbx/sw7", 1);
    await agent.ready();
    assert.equal((await agent.connection("main")).client_id, "sw7");
    assert(simulator.accepted > 0);
  });
}

Deno.test("FreeSWITCH goes and returns with another core: events flow again", async () => {
  await using broker = await startBroker();
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  await using watcher = await Watcher.start(broker.port);
  await using agent = await AgentProcess.start(configuration({
    esl: simulator,
    broker: broker.port,
    publish: [publish(1)],
  }));
  await agent.ready();
  simulator.fire("CUSTOM", { "X-Number": "1" }, { subclass: SUBCLASS });
  await watcher.count("pbx/events", 1);
  simulator.restart();
  await agent.until(
    "it is connected again",
    ({ freeswitch }) =>
      freeswitch.state === "connected" && freeswitch.reconnects === 1 &&
      freeswitch.core_uuid === simulator.coreUuid,
  );
  await simulator.waitForSubscription("CUSTOM", SUBCLASS);
  simulator.fire("CUSTOM", { "X-Number": "2" }, { subclass: SUBCLASS });
  await watcher.count("pbx/events", 2);
  await agent.logs(/FreeSWITCH was restarted/);
});

/** Fires events at a steady rate until told to stop. */
function fireSteadily(simulator: Simulator, perSecond: number) {
  let fired = 0;
  const start = performance.now();
  const timer = setInterval(() => {
    const due = Math.floor((performance.now() - start) / 1000 * perSecond);
    while (fired < due) {
      simulator.fire("CUSTOM", { "X-Number": String(fired++) }, { subclass: SUBCLASS });
    }
  }, 5);
  return {
    get fired() {
      return fired;
    },
    /** Resolves when so many have been fired. */
    reached: (count: number) => eventually(`${count} fired`, () => fired >= count || undefined),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

for (const qos of [0, 1, 2] as const) {
  // The embedded broker loses messages of QoS 2 by itself.
  const test = qos === 2 ? mosquittoTest : Deno.test;
  test(`a broker away for 3 s under 230 events/s costs nothing at QoS ${qos}`, async () => {
    await using broker = await startBroker();
    await using simulator = await Simulator.start({ heartbeatMs: 0 });
    await using watcher = await Watcher.start(broker.port, {
      filter: "pbx/events",
      clientId: "watcher",
    });
    await using agent = await AgentProcess.start(configuration({
      esl: simulator,
      broker: broker.port,
      connection: [param("client_id", "agent"), param("clean_session", false)],
      publish: [publish(qos)],
    }));
    await agent.ready();
    const rate = 230;
    const total = 5 * rate;
    {
      using source = fireSteadily(simulator, rate);
      await source.reached(rate);
      await broker.stop();
      await source.reached(4 * rate);
      assertBalanced(await agent.connection("main"));
      await broker.start();
      await source.reached(total);
    }
    const offered = simulator.sequence;
    assert(offered >= total);
    const books = await eventually("all is delivered", async () => {
      const connection = await agent.connection("main");
      assertBalanced(connection);
      return connection.acknowledged === connection.offered ? connection : undefined;
    });
    const numbers = () => watcher.on("pbx/events").map(({ payload }) => numberOf(payload));
    const last = books.offered - 1;
    await eventually("the last event comes", () => numbers().includes(last) || undefined);
    const seen = new Set(numbers());
    const missing = Array.from({ length: books.offered }, (_, i) => i).filter((i) => !seen.has(i));
    if (qos > 0) {
      assert.deepEqual(missing, []);
    } else {
      // Only what the socket had taken when it broke may be gone: one run, right at the break.
      const [from = 0] = missing;
      assert.deepEqual(missing, missing.map((_, i) => from + i));
      assert(missing.length <= rate / 4, `${missing.length} events are missing`);
      assert.equal(seen.size, numbers().length, "at QoS 0 nothing is repeated");
    }
    if (qos === 2) {
      // What mosquitto had released to the watcher just before it ended, it sends once more itself.
      const once = watcher.on("pbx/events").filter(({ dup }) => !dup)
        .map(({ payload }) => numberOf(payload));
      assert.equal(new Set(once).size, once.length, "at QoS 2 nothing is repeated");
    }
  });
}
