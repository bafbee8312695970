/** Which events a link asks for, and when that changes. */

import assert from "node:assert/strict";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { endpointOf, startLink, test } from "./helper.ts";

/** What the event connection, which is made second, was asked for since number `from`. */
function asked(simulator: Simulator, from = 0): string[] {
  return simulator.received.slice(from)
    .filter(({ connection, command }) => connection === 2 && !command.startsWith("auth"))
    .map(({ command }) => command);
}

test("the commands are sent in their order, on the event connection alone", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  const subscription = ["event json ALL", "nixevent TALK", "nixevent HEARTBEAT"];
  using started = startLink(endpointOf(simulator), { subscription });
  await started.connected();
  assert.deepEqual(asked(simulator), subscription);
  assert.deepEqual(simulator.connections[0]?.events, ["BACKGROUND_JOB"]);
});

test("changed while connected, it is asked for at once", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  using started = startLink(endpointOf(simulator));
  await started.connected();
  started.link.subscribe(["event json TALK", "nixevent GENERAL"]);
  await simulator.waitForCommand(({ command }) => command === "nixevent GENERAL");
  simulator.fire("GENERAL");
  simulator.fire("TALK");
  assert.equal((await started.events.at(0))["Event-Name"], "TALK");
  assert.equal(started.states.all.length, 1);
});

for (const when of ["before", "while", "after"]) {
  test(`changed ${when} FreeSWITCH acknowledges, the new subscription holds`, async () => {
    await using simulator = await Simulator.start({ heartbeatMs: 0 });
    simulator.stall("new");
    using started = startLink(endpointOf(simulator));
    const change = () => started.link.subscribe(["event json TALK", "nixevent GENERAL"]);
    if (when === "before") change();
    simulator.resume();
    if (when === "while") {
      await simulator.waitForCommand(({ connection, command }) =>
        connection === 2 && command.startsWith("event")
      );
      change();
    }
    await started.connected();
    if (when === "after") change();
    await simulator.waitFor(({ connections }) =>
      connections.some((one) => one.wants("TALK") && !one.wants("GENERAL"))
    );
    // It was connected only when what it had been told until then was acknowledged.
    if (when !== "after") assert.equal(asked(simulator).at(-1), "nixevent GENERAL");
  });
}

test("changed again in the very moment of its acknowledgement, no change is lost", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  using started = startLink(endpointOf(simulator));
  await started.connected();
  for (let round = 0; round < 20; round++) {
    const [last, former] = round % 2 === 0 ? ["TALK", "GENERAL"] : ["GENERAL", "TALK"];
    const command = `event json ${last}`;
    const from = simulator.received.length;
    started.link.subscribe([command, `nixevent ${former}`]);
    // As many turns of the loop later as there are rounds: before, at and after the answers.
    for (let turn = 0; turn < round; turn++) await Promise.resolve();
    const other = [`event json ${former}`, `nixevent ${last}`];
    started.link.subscribe(other);
    await simulator.waitForCommand(({ command }) => command === other[1], from);
  }
  assert.equal(simulator.connections[1]?.wants("TALK"), true);
  assert.equal(simulator.connections[1]?.wants("GENERAL"), false);
});

test("the new subscription holds after a reconnect too", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  const clock = new ManualClock();
  using started = startLink(endpointOf(simulator), { clock });
  await started.connected();
  started.link.subscribe(["event json TALK"]);
  simulator.closeConnections();
  await started.states.at(1);
  clock.advance(250);
  await started.connected(2);
  assert.deepEqual(simulator.connections[1]?.events, ["TALK"]);
});

test("a storm of changes asks for the last of them, not for each", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  using started = startLink(endpointOf(simulator), { subscription: ["event json GENERAL"] });
  await started.connected();
  const from = simulator.received.length;
  for (let i = 0; i < 100; i++) started.link.subscribe(["event json GENERAL"]);
  started.link.subscribe(["event json TALK"]);
  await simulator.waitForSubscription("TALK");
  started.link.subscribe(["event json NOTALK"]);
  await simulator.waitForSubscription("NOTALK");
  assert.deepEqual(asked(simulator, from), [
    "event json GENERAL",
    "event json TALK",
    "event json NOTALK",
  ]);
});

test("a subscription that is refused later makes the link anew, and says why", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  using started = startLink(endpointOf(simulator));
  await started.connected();
  started.link.subscribe(["nixevent"]);
  const state = await started.states.at(1);
  assert.match(Deno.inspect(state), /connecting.*rejected "nixevent": -ERR no keywords/s);
});

test("a user who may not have an event is told so", async () => {
  const users = [{ user: "mqtt", domain: "d", password: "p", allowedEvents: "BACKGROUND_JOB" }];
  await using simulator = await Simulator.start({ heartbeatMs: 0, users });
  using started = startLink(endpointOf({ port: simulator.port, user: "mqtt@d", password: "p" }));
  const state = await started.states.at(0);
  assert.match(Deno.inspect(state), /rejected "event": -ERR permission denied/);
});
