/** Who FreeSWITCH is, and whether it still runs the original module. */

import assert from "node:assert/strict";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { endpointOf, startLink, test } from "./helper.ts";

const NAMES = { freeswitchHostname: "höst.example.org", switchname: "pbx" };
const RESTRICTED = { user: "mqtt", domain: "d", password: "p", allowedApi: "originate" };

test("FreeSWITCH says who it is before the link is connected", async () => {
  await using simulator = await Simulator.start({ ...NAMES, coreUuid: "first", heartbeatMs: 0 });
  using started = startLink(endpointOf(simulator));
  await started.identities.at(0);
  assert.deepEqual(started.states.all, []);
  await started.connected();
  const identity = { coreUuid: "first", hostname: "höst.example.org", switchname: "pbx" };
  assert.deepEqual(started.identities.all, [identity]);
  assert.deepEqual(started.link.identity, identity);
});

test("a restarted FreeSWITCH has another Core-UUID", async () => {
  await using simulator = await Simulator.start({ coreUuid: "first", heartbeatMs: 0 });
  const clock = new ManualClock();
  using started = startLink(endpointOf(simulator), { clock });
  await started.connected();
  simulator.restart("second");
  await started.states.at(1);
  // What was known stays known meanwhile.
  assert.equal(started.link.identity?.coreUuid, "first");
  clock.advance(250);
  await started.connected(2);
  assert.deepEqual(started.identities.all.map(({ coreUuid }) => coreUuid), ["first", "second"]);
  assert.equal(started.link.identity?.coreUuid, "second");
});

test("a user who may not ask learns it from the first event of each connection", async () => {
  await using simulator = await Simulator.start({
    ...NAMES,
    coreUuid: "first",
    heartbeatMs: 0,
    users: [RESTRICTED],
  });
  const clock = new ManualClock();
  const endpoint = endpointOf({ port: simulator.port, user: "mqtt@d", password: "p" });
  const known: (string | undefined)[] = [];
  using started = startLink(endpoint, {
    clock,
    onEvent: () => known.push(started.link.identity?.coreUuid),
  });
  await started.connected();
  assert.equal(started.link.identity, undefined);
  simulator.fire("GENERAL");
  simulator.fire("GENERAL");
  await started.events.at(1);
  assert.deepEqual(started.identities.all, [
    { coreUuid: "first", hostname: "höst.example.org", switchname: "pbx" },
  ]);
  simulator.restart("second");
  await started.states.at(1);
  clock.advance(250);
  await started.connected(2);
  simulator.fire("GENERAL");
  await started.events.at(2);
  assert.deepEqual(started.identities.all.map(({ coreUuid }) => coreUuid), ["first", "second"]);
  // It was known by the time the event was handed on.
  assert.deepEqual(known, ["first", "first", "second"]);
  assert.deepEqual(started.originalModule.all, [false, false]);
});

test("an event that does not tell who sent it is handed on, and the next one tells", async () => {
  await using simulator = await Simulator.start({
    coreUuid: "first",
    heartbeatMs: 0,
    users: [RESTRICTED],
  });
  const endpoint = endpointOf({ port: simulator.port, user: "mqtt@d", password: "p" });
  using started = startLink(endpoint);
  await started.connected();
  simulator.fireRaw(new TextEncoder().encode('{"Event-Name":"GENERAL"}'));
  await started.events.at(0);
  assert.deepEqual(started.identities.all, []);
  simulator.fire("GENERAL");
  await started.identities.at(0);
});

for (const loaded of [true, false]) {
  test(`mod_mosquitto is ${loaded ? "" : "not "}loaded: that is told at each connection`, async () => {
    const modules = loaded ? ["mod_sofia", "mod_mosquitto"] : ["mod_sofia"];
    await using simulator = await Simulator.start({ heartbeatMs: 0, modules });
    const clock = new ManualClock();
    using started = startLink(endpointOf(simulator), { clock });
    await started.connected();
    simulator.closeConnections();
    await started.states.at(1);
    clock.advance(250);
    await started.connected(2);
    assert.deepEqual(started.originalModule.all, [loaded, loaded]);
  });
}

test("fsmqtt's own questions start no job and reach no subscriber", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  using started = startLink(endpointOf(simulator), { subscription: ["event json ALL"] });
  await started.connected();
  assert.deepEqual(
    simulator.received.filter(({ command }) => /^b?g?api /.test(command)).map((one) => [
      one.connection,
      one.command,
    ]),
    [
      [1, "api global_getvar core_uuid"],
      [1, "api hostname"],
      [1, "api switchname"],
      [1, "api module_exists mod_mosquitto"],
      [1, "api status"],
    ],
  );
  simulator.fire("GENERAL");
  assert.equal((await started.events.at(0))["Event-Name"], "GENERAL");
});
