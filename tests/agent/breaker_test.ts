import assert from "node:assert/strict";
import { troubles } from "../../lib/control/status.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { freePort, mosquittoTest, startBroker } from "../support/broker.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { configurationXml, params, RunningAgent } from "./running_agent.ts";

const beat = {
  beat: params({ connection_name: "c", event: "HEARTBEAT", pattern: "beat", qos: 1 }),
};

const connection = (port: number, more: Parameters<typeof params>[0]) =>
  params({ host: "127.0.0.1", port, client_id: "c", reconnect_delay_max: 1, ...more });

/** What the log says of the breaker, from the level on. */
function told(running: RunningAgent): string[] {
  return running.log.filter((line) => line.includes("the breaker"))
    .map((line) => line.replace(/^[^[]*/, ""));
}

const breakerTroubles = (running: RunningAgent) =>
  troubles(running.agent.status()).filter((text) => text.includes("breaker"));

Deno.test("a broker that is away opens the breaker, and closes it when it is back", async () => {
  const clock = new ManualClock();
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  await broker.stop();
  await using running = await RunningAgent.start(
    configurationXml(simulator.port, {
      connections: {
        c: connection(broker.port, { breaker_failures: 3, breaker_open_seconds: 20 }),
        d: connection(freePort(), { client_id: "d", breaker_failures: 0 }),
      },
      published: beat,
    }),
    undefined,
    clock,
  );
  const state = () => running.connection("c").breaker.state;
  for (let failure = 1; failure < 3; failure++) {
    await running.untilConnection("c", "waiting");
    assert.deepEqual(running.connection("c").breaker, { state: "closed" });
    clock.advance(1_000);
  }
  await running.untilConnection("c", "waiting");
  assert.deepEqual(running.connection("c").breaker, {
    state: "open",
    since: clock.date().toISOString(),
    reason: "3 failures in a row: nothing listens on that port",
  });
  assert.equal(running.connection("d").breaker.state, "closed");
  assert.deepEqual(breakerTroubles(running), [
    "the breaker of p/c is open (3 failures in a row: nothing listens on that port)",
  ]);

  await broker.start();
  clock.advance(1_000);
  await running.untilConnection("c", "connected");
  assert.equal(state(), "half_open");
  assert.deepEqual(breakerTroubles(running), []);
  clock.advance(10_000);
  assert.equal(state(), "closed");
  assert.deepEqual(told(running), [
    "[WARNING] p/c: the breaker is open: 3 failures in a row: nothing listens on that port; " +
    "events are queued as ever",
    "[NOTICE] p/c: the breaker is half open: there is a connection",
    "[NOTICE] p/c: the breaker is closed: connected and without trouble for 10 s",
  ]);
});

Deno.test("a queue that stays full opens the breaker; a lasting trouble is told once", async () => {
  const clock = new ManualClock();
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  await broker.stop();
  await using running = await RunningAgent.start(
    configurationXml(simulator.port, {
      settings: params({ "event-queue-size": 10 }),
      connections: {
        c: connection(broker.port, {
          breaker_failures: 0,
          breaker_high_mark: 50,
          breaker_high_seconds: 5,
          breaker_open_seconds: 10,
        }),
      },
      published: beat,
    }),
    undefined,
    clock,
  );
  const state = () => running.connection("c").breaker.state;
  await simulator.waitForSubscription("HEARTBEAT");
  for (let i = 0; i < 5; i++) simulator.fireHeartbeat();
  await running.until("half is queued", () => running.connection("c").queued === 5);
  for (let i = 0; i < 20; i++) clock.advance(1_000);
  assert.equal(state(), "closed", "it is not over the mark");

  simulator.fireHeartbeat();
  await running.until("more is queued", () => running.connection("c").queued === 6);
  for (let i = 0; i < 6; i++) clock.advance(1_000);
  assert.equal(running.connection("c").breaker.reason, "the queue was over 50 % for 5 s");
  clock.advance(10_000);
  assert.equal(state(), "half_open");
  for (let i = 0; i < 10; i++) clock.advance(1_000);
  assert.equal(state(), "open");
  clock.advance(10_000);
  assert.equal(state(), "half_open");

  await broker.start();
  await running.until("its queue is empty", () => {
    clock.advance(50);
    return running.connection("c").acknowledged === 6;
  });
  for (let i = 0; i < 12; i++) clock.advance(1_000);
  assert.equal(state(), "closed");
  assert.deepEqual(told(running).map((line) => line.replace(/ p\/c.* is/, "")), [
    "[WARNING] open: the queue was over 50 % for 5 s; events are queued as ever",
    "[NOTICE] half open: put to the test after 10 s",
    "[NOTICE] closed: connected and without trouble for 10 s",
  ]);
});

mosquittoTest("a broker that is there and takes nothing opens the breaker", async () => {
  const clock = new ManualClock();
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  await using running = await RunningAgent.start(
    configurationXml(simulator.port, {
      settings: params({ "event-queue-size": 10 }),
      connections: {
        c: connection(broker.port, {
          send_maximum: 1,
          breaker_high_mark: 50,
          breaker_high_seconds: 5,
        }),
      },
      published: beat,
    }),
    undefined,
    clock,
  );
  await running.ready();
  broker.freeze(true);
  for (let i = 0; i < 7; i++) simulator.fireHeartbeat();
  await running.until("six are queued", () => running.connection("c").queued === 6);
  for (let i = 0; i < 6; i++) clock.advance(1_000);
  const { state, breaker } = running.connection("c");
  assert.deepEqual([state, breaker.state], ["connected", "open"]);
  broker.freeze(false);
});

for (const shed of ["none", "qos0", "all"] as const) {
  Deno.test(`an open breaker sheds ${shed}, and what it sheds is counted`, async () => {
    const clock = new ManualClock();
    await using simulator = await Simulator.start();
    const topic = (qos: number) =>
      params({ connection_name: "c", event: "HEARTBEAT", pattern: `beat/${qos}`, qos });
    await using running = await RunningAgent.start(
      configurationXml(simulator.port, {
        connections: {
          c: connection(freePort(), {
            breaker_failures: 1,
            breaker_open_seconds: 3,
            breaker_shed: shed,
          }),
        },
        published: { zero: topic(0), one: topic(1), two: topic(2) },
      }),
      undefined,
      clock,
    );
    await simulator.waitForSubscription("HEARTBEAT");
    const state = () => running.connection("c").breaker.state;
    await running.until("it is open", () => state() === "open");
    simulator.fireHeartbeat();
    await running.until("it was offered", () => running.connection("c").offered === 3);
    const kept = { none: 3, qos0: 2, all: 0 }[shed];
    const { queued, dropped } = running.connection("c");
    assert.deepEqual([queued, dropped["breaker_open"] ?? 0], [kept, 3 - kept]);

    // One more attempt fails before the test, and none during it.
    clock.advance(2_500);
    await running.untilConnection("c", "waiting");
    clock.advance(500);
    assert.equal(state(), "half_open");
    simulator.fireHeartbeat();
    await running.until("it was offered", () => running.connection("c").offered === 6);
    assert.equal(running.connection("c").queued, kept + 3);
    assert.deepEqual(running.connection("c").dropped, dropped);
  });
}

Deno.test("a connection that is told to be away does not pass the test", async () => {
  const clock = new ManualClock();
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  await broker.stop();
  await using running = await RunningAgent.start(
    configurationXml(simulator.port, {
      connections: { c: connection(broker.port, { breaker_failures: 1 }) },
    }),
    undefined,
    clock,
  );
  const state = () => running.connection("c").breaker.state;
  await running.untilConnection("c", "waiting");
  await broker.start();
  clock.advance(1_000);
  await running.untilConnection("c", "connected");
  assert.equal(state(), "half_open");
  await running.done({ do: "disconnect", profile: "p", connection: "c" });
  clock.advance(10_000);
  assert.equal(state(), "half_open");
  await running.done({ do: "connect", profile: "p", connection: "c" });
  await running.untilConnection("c", "connected");
  clock.advance(10_000);
  assert.equal(state(), "closed");
});

Deno.test("an agent that ends leaves no timer of a breaker behind", async () => {
  const clock = new ManualClock();
  await using simulator = await Simulator.start();
  await using running = await RunningAgent.start(
    configurationXml(simulator.port, {
      connections: { c: connection(freePort(), { breaker_failures: 1 }) },
      published: beat,
    }),
    undefined,
    clock,
  );
  await simulator.waitForSubscription("HEARTBEAT");
  simulator.fireHeartbeat();
  await running.until("it is queued", () => running.connection("c").queued === 1);
  await running.until("it is open", () => running.connection("c").breaker.state === "open");
  await running.stop();
  assert.equal(clock.pending, 0);
});

Deno.test("a breaker is switched off by a reload", async () => {
  await using simulator = await Simulator.start();
  const port = freePort();
  const xml = (more = {}) =>
    configurationXml(simulator.port, {
      connections: { c: connection(port, { breaker_failures: 1, ...more }) },
    });
  await using running = await RunningAgent.start(xml());
  await running.until("it is open", () => running.connection("c").breaker.state === "open");
  await running.reload(xml({ breaker_failures: 0, breaker_high_seconds: 0 }));
  const { state, reason } = running.connection("c").breaker;
  assert.deepEqual([state, reason], ["closed", "it is switched off"]);
});

Deno.test("a connection that is made another begins with a closed breaker", async () => {
  await using simulator = await Simulator.start();
  const xml = (port: number, more = {}) =>
    configurationXml(simulator.port, {
      connections: { c: connection(port, { breaker_failures: 1, ...more }) },
    });
  const first = freePort();
  await using running = await RunningAgent.start(xml(first));
  await running.until("it is open", () => running.connection("c").breaker.state === "open");
  await running.reload(xml(first, { breaker_shed: "all" }));
  assert.equal(running.connection("c").breaker.state, "open");
  await using broker = await startBroker();
  await running.reload(xml(broker.port, { breaker_shed: "all" }));
  assert.equal(running.connection("c").breaker.state, "closed");
  await running.untilConnection("c", "connected");
  assert.equal(running.connection("c").breaker.state, "closed");
});
