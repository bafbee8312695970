/** FreeSWITCH is there, not yet, no more, and there again. */

import assert from "node:assert/strict";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { realFreeswitch } from "../support/esl_client.ts";
import { endpointOf, sessionsOf, startLink, test } from "./helper.ts";

test("FreeSWITCH is there: connected on two connections, and events come", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  using started = startLink(endpointOf(simulator));
  await started.connected();
  assert.deepEqual(started.states.all, [{ state: "connected" }]);
  assert.deepEqual(started.link.state, { state: "connected" });
  assert.equal(simulator.connections.length, 2);
  simulator.fire("GENERAL", { X: "1" });
  simulator.fire("HEARTBEAT");
  simulator.fire("TALK");
  simulator.fire("GENERAL", { X: "2" });
  await started.events.at(2);
  assert.deepEqual(started.events.all.map((event) => [event["Event-Name"], event["X"]]), [
    ["GENERAL", "1"],
    ["HEARTBEAT", undefined],
    ["GENERAL", "2"],
  ]);
  assert.equal(started.link.eventsReceived, 3);
  assert.equal(started.link.reconnects, 0);
});

test("it says connected only when the subscription is acknowledged", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  using started = startLink(endpointOf(simulator), {
    subscription: ["event json GENERAL", "noop"],
  });
  const { state } = await started.states.at(0);
  assert.equal(state, "connecting");
  assert.match(Deno.inspect(started.link.state), /rejected "noop": -ERR command not found/);
  assert.equal(started.events.all.length, 0);
});

test("FreeSWITCH is not there yet: tried again ever more slowly, 5 s apart at most", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  await simulator.stopListening();
  const clock = new ManualClock();
  using started = startLink(endpointOf(simulator), { clock });
  for (const [index, delayMs] of [250, 500, 1000, 2000, 4000, 5000, 5000].entries()) {
    const state = await started.states.at(index);
    assert.equal(state.state, "connecting");
    assert.match(state.reason ?? "", /Cannot connect to 127\.0\.0\.1/);
    clock.advance(delayMs - 1);
    assert.equal(clock.pending, 1);
    assert.equal(started.states.all.length, index + 1);
    clock.advance(1);
  }
  await started.states.at(7);
  simulator.listen();
  clock.advance(5000);
  await started.connected();
  assert.equal(started.link.reconnects, 0);
});

test("FreeSWITCH goes and comes: the reason is told, and the first delay is short again", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  const clock = new ManualClock();
  using started = startLink(endpointOf(simulator), { clock });
  for (const times of [1, 2, 3]) {
    await started.connected(times);
    const told = started.states.all.length;
    simulator.closeConnections();
    assert.deepEqual(await started.states.at(told), {
      state: "connecting",
      reason: "FreeSWITCH closed the connection",
    });
    await simulator.waitFor(({ connections }) => connections.length === 0);
    clock.advance(250);
  }
  await started.connected(4);
  assert.equal(started.link.reconnects, 3);
  assert.equal(simulator.connections.length, 2);
  simulator.fire("GENERAL");
  await started.events.at(0);
});

for (const which of ["commands", "events"] as const) {
  test(`losing the connection for ${which} alone makes both anew`, async () => {
    await using simulator = await Simulator.start({ heartbeatMs: 0 });
    const clock = new ManualClock();
    using started = startLink(endpointOf(simulator), { clock });
    await started.connected();
    sessionsOf(simulator)[which].close();
    await started.states.find(({ state }) => state === "connecting");
    clock.advance(250);
    await started.connected(2);
    await simulator.waitFor(({ connections }) => connections.length === 2);
    assert.ok(simulator.connections.every(({ id }) => id > 2));
  });
}

test("a wrong password is told once as refused, and tried again half a minute later", async () => {
  await using simulator = await Simulator.start({ password: "other" });
  const clock = new ManualClock();
  using started = startLink(endpointOf({ port: simulator.port, password: "wrong" }), { clock });
  const refused = {
    state: "refused",
    reason: "FreeSWITCH refused the event socket password",
  };
  assert.deepEqual(await started.states.at(0), refused);
  const { accepted } = simulator;
  clock.advance(29_999);
  assert.equal(clock.pending, 1);
  assert.equal(simulator.accepted, accepted);
  clock.advance(1);
  assert.deepEqual(await started.states.at(1), refused);
});

test("an ACL refusal is tried again slowly, and mended without a restart of fsmqtt", async () => {
  await using simulator = await Simulator.start();
  simulator.refusing = true;
  const clock = new ManualClock();
  using started = startLink(endpointOf(simulator), { clock });
  const state = await started.states.at(0);
  assert.equal(state.state, "refused");
  simulator.refusing = false;
  clock.advance(30_000);
  await started.connected();
});

test("what is no frame drops the link, counts, and the link comes back", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  const clock = new ManualClock();
  using started = startLink(endpointOf(simulator), { clock });
  for (const times of [1, 2]) {
    await started.connected(times);
    assert.equal(started.link.protocolErrors, times - 1);
    sessionsOf(simulator).events.send(new TextEncoder().encode("what is this?\n\n"));
    await started.states.find(({ state }) => state === "connecting", times * 2 - 1);
    clock.advance(250);
  }
  await started.connected(3);
  assert.equal(started.link.protocolErrors, 2);
});

test("stopped, it lets go of everything and does not come back", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  const clock = new ManualClock();
  using started = startLink(endpointOf(simulator), { clock });
  await started.connected();
  started.link.stop();
  await simulator.waitFor(({ connections }) => connections.length === 0);
  simulator.fire("GENERAL");
  assert.equal(clock.pending, 0);
  assert.deepEqual(started.events.all, []);
  assert.equal(started.states.all.length, 1);
});

test("stopped while it waits for the next attempt, it does not make one", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  await simulator.stopListening();
  const clock = new ManualClock();
  using started = startLink(endpointOf(simulator), { clock });
  await started.states.at(0);
  started.link.stop();
  assert.equal(clock.pending, 0);
});

test("stopped in the middle of connecting, it lets go at once", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  simulator.stall("new");
  const clock = new ManualClock();
  using started = startLink(endpointOf(simulator), { clock });
  await simulator.waitFor(({ accepted }) => accepted === 1);
  started.link.stop();
  simulator.resume();
  await simulator.waitFor(({ connections }) => connections.length === 0);
  assert.equal(clock.pending, 0);
  assert.deepEqual(started.states.all, []);
});

test("stopped and started again, it is connected again", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  using started = startLink(endpointOf(simulator));
  await started.connected();
  started.link.stop();
  started.link.start();
  await started.connected(2);
  simulator.fire("GENERAL");
  await started.events.at(0);
});

test("started twice, it connects once", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  using started = startLink(endpointOf(simulator));
  started.link.start();
  await started.connected();
  assert.equal(simulator.accepted, 2);
});

Deno.test({
  name: "a real FreeSWITCH is connected to, says who it is, and runs a job",
  ignore: realFreeswitch() === undefined,
  async fn() {
    const { port, password } = realFreeswitch() ?? assert.fail();
    using started = startLink(endpointOf({ port, password }), {
      subscription: ["event json BACKGROUND_JOB"],
    });
    await started.connected();
    const [identity] = started.identities.all;
    assert.match(identity?.coreUuid ?? "", /^[0-9a-f-]{36}$/);
    const uuid = crypto.randomUUID();
    const job = await started.link.bgapi("echo hello", uuid);
    assert.deepEqual(await job.outcome, { kind: "finished", text: "hello" });
    const event = await started.events.find((event) => event["Job-UUID"] === uuid);
    assert.equal(event["Core-UUID"], identity?.coreUuid);
    assert.equal(event["FreeSWITCH-Hostname"], identity?.hostname);
    assert.equal(event["FreeSWITCH-Switchname"], identity?.switchname);
  },
});
