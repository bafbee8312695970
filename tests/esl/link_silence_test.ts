/** HEARTBEAT is the sign of life; where it stays away, FreeSWITCH is asked for one. */

import assert from "node:assert/strict";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { endpointOf, sessionsOf, type StartedLink, startLink, test } from "./helper.ts";

async function quiet(
  subscription?: readonly string[],
): Promise<{ simulator: Simulator; clock: ManualClock; started: StartedLink }> {
  const simulator = await Simulator.start({ heartbeatMs: 0 });
  const clock = new ManualClock();
  const options = subscription === undefined ? { clock } : { clock, subscription };
  const started = startLink(endpointOf(simulator), options);
  await started.connected();
  return { simulator, clock, started };
}

test("FreeSWITCH frozen: after 25 s it is asked, after 10 s more the link is made anew", async () => {
  const { simulator, clock, started } = await quiet();
  await using _ = simulator;
  using __ = started;
  simulator.stall();
  clock.advance(25_000);
  assert.deepEqual(started.link.state, { state: "connected" });
  clock.advance(9_999);
  assert.deepEqual(started.link.state, { state: "connected" });
  clock.advance(1);
  const state = await started.states.at(1);
  assert(state.state === "connecting");
  assert.match(state.reason ?? "", /did not answer "event" within 10 s/);
  // Nothing came since the beginning of the silence, and it is told from there.
  assert.deepEqual(started.losses.all, [{ reason: state.reason, silentMs: 35_000 }]);
  simulator.resume();
  clock.advance(250);
  await started.connected(2);
});

test("FreeSWITCH quiet but alive: it answers when asked, again and again", async () => {
  const { simulator, clock, started } = await quiet();
  await using _ = simulator;
  using __ = started;
  for (const _round of [1, 2, 3]) {
    const before = simulator.received.length;
    // Two questions with a timer each, and then the two watches again.
    const rearmed = clock.timersSet + 4;
    clock.advance(25_000);
    await clock.timers(rearmed);
    const asked = simulator.received.slice(before).map(({ command }) => command).sort();
    assert.deepEqual(asked, ["event json BACKGROUND_JOB", "event json HEARTBEAT GENERAL"]);
  }
  assert.deepEqual(started.states.all, [{ state: "connected" }]);
  assert.equal(simulator.accepted, 2);
});

test("where events come, nobody is asked but on the other connection", async () => {
  const { simulator, clock, started } = await quiet();
  await using _ = simulator;
  using __ = started;
  const before = simulator.received.length;
  clock.advance(15_000);
  simulator.fireHeartbeat();
  await started.events.at(0);
  // The question to the one with its timer, and the two watches again.
  const rearmed = clock.timersSet + 3;
  clock.advance(10_000);
  await clock.timers(rearmed);
  const asked = simulator.received.slice(before).map(({ command }) => command);
  assert.deepEqual(asked, ["event json BACKGROUND_JOB"]);
  // 25 s after the heartbeat, and not before, the event connection is asked too.
  const question = clock.timersSet + 1;
  clock.advance(14_999);
  assert.equal(clock.timersSet, question - 1);
  clock.advance(1);
  await simulator.waitForCommand(({ command }) => command.includes("GENERAL"), before);
});

test("asking again takes nothing back: what was not wanted before is not sent after", async () => {
  const { simulator, clock, started } = await quiet(["event json ALL", "nixevent TALK"]);
  await using _ = simulator;
  using __ = started;
  // Three questions with a timer each, and then the two watches again.
  const rearmed = clock.timersSet + 5;
  clock.advance(25_000);
  await clock.timers(rearmed);
  assert.equal(simulator.connections[1]?.wants("TALK"), false);
  assert.equal(simulator.connections[1]?.wants("GENERAL"), true);
});

test("only the command connection frozen: that is noticed too", async () => {
  const { simulator, clock, started } = await quiet();
  await using _ = simulator;
  using __ = started;
  sessionsOf(simulator).commands.stall();
  for (const index of [0, 1, 2]) {
    clock.advance(12_000);
    if (started.states.all.length > 1) break;
    simulator.fireHeartbeat();
    await started.events.at(index);
  }
  const state = await started.states.at(1);
  assert.match(Deno.inspect(state), /did not answer "event" within 10 s/);
  simulator.resume();
});
