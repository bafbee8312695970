/** Gaps of a running agent: in its log, its status and its state folder. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { configurationXml, params, RunningAgent } from "./running_agent.ts";

const connections = { c: params({ enable: false }) };
const xmlFor = (simulator: Simulator) => configurationXml(simulator.port, { connections });
const isConnected = (running: RunningAgent) =>
  running.until("FreeSWITCH is there", ({ freeswitch }) => freeswitch.state === "connected");
const lastGap = (running: RunningAgent) => running.agent.status().freeswitch.last_gap;
const told = ({ log }: RunningAgent) =>
  log.filter((line) => /issed|restarted in/.test(line)).map((line) =>
    line.slice(line.indexOf("["))
  );

async function heardBeat(running: RunningAgent, simulator: Simulator): Promise<void> {
  const before = running.agent.status().freeswitch.events_received;
  simulator.fireHeartbeat();
  await running.until(
    "the heartbeat is there",
    ({ freeswitch }) => freeswitch.events_received === before + 1,
  );
}

/** An agent in a folder that outlives it. */
async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "fsmqtt-agent-test-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
const stateOf = async (folder: string) =>
  JSON.parse(await Deno.readTextFile(join(folder, "state", "state.json")));

Deno.test("what was missed over a cut is told in the log and in status", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  await using running = await RunningAgent.start(xmlFor(simulator));
  await isConnected(running);
  assert.deepEqual([running.agent.status().freeswitch.gaps, lastGap(running)], [0, null]);
  await heardBeat(running, simulator);
  const before = simulator.sequence;
  await simulator.stopListening();
  simulator.closeConnections();
  await running.until("it is away", ({ freeswitch }) => freeswitch.state !== "connected");
  for (let i = 0; i < 5; i++) simulator.fireCall();
  simulator.listen();
  await running.until("it is there again", ({ freeswitch }) => freeswitch.gaps === 1);
  // The event that tells is not among those that were missed; nor are fsmqtt's own questions.
  simulator.fire("GENERAL");
  await heardBeat(running, simulator);
  const gap = lastGap(running);
  assert.equal(gap?.restarted, false);
  assert.equal(gap.call_legs_at_most, 5);
  assert.equal(gap.events_at_most, simulator.sequence - 1 - before);
  assert.ok(gap.events_at_most >= 5 * 23);
  assert.equal(gap.reason, "FreeSWITCH closed the connection");
  assert.deepEqual(told(running), [
    `[WARNING] FreeSWITCH's events of the last ${gap.seconds} s are missed: its event socket has no replay`,
    `[WARNING] Missed in those ${gap.seconds} s: at most ${gap.events_at_most} events of all kinds ` +
    "were fired, and at most 5 call legs began",
  ]);
});

Deno.test("FreeSWITCH restarted: the numbers are the new one's", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  await using running = await RunningAgent.start(xmlFor(simulator));
  await isConnected(running);
  for (let i = 0; i < 3; i++) simulator.fireCall();
  await heardBeat(running, simulator);
  simulator.restart();
  simulator.fireCall();
  await running.until("it is there again", ({ freeswitch }) => freeswitch.gaps === 1);
  await heardBeat(running, simulator);
  const gap = lastGap(running);
  assert.deepEqual([gap?.restarted, gap?.call_legs_at_most], [true, 1]);
  assert.equal(gap?.events_at_most, simulator.sequence - 1);
  assert.match(told(running)[1] ?? "", /restarted .* what the former one did .* is unknown$/);
});

Deno.test("a user who may not ask for status has the numbers with HEARTBEAT", async () => {
  const user = {
    user: "u",
    domain: "d",
    password: "secret",
    allowedApi: "bgapi",
    allowedEvents: "HEARTBEAT,BACKGROUND_JOB,GENERAL",
  };
  await using simulator = await Simulator.start({ heartbeatMs: 0, users: [user] });
  const xml = xmlFor(simulator)
    .replace('"esl-password" value="ClueCon"', '"esl-password" value="secret"')
    .replace("<settings>", `<settings>${params({ "esl-user": "u@d" })}`);
  await using running = await RunningAgent.start(xml);
  await isConnected(running);
  await heardBeat(running, simulator);
  simulator.closeConnections();
  simulator.fireCall();
  await running.until("it is there again", ({ freeswitch }) => freeswitch.gaps === 1);
  assert.equal(lastGap(running)?.restarted, null);
  await heardBeat(running, simulator);
  assert.deepEqual([lastGap(running)?.restarted, lastGap(running)?.call_legs_at_most], [false, 1]);
});

Deno.test("fsmqtt's own absence is a gap, and is told at the next start", async () => {
  await withFolder(async (folder) => {
    await using simulator = await Simulator.start({ heartbeatMs: 0 });
    const first = await RunningAgent.start(xmlFor(simulator), folder);
    await isConnected(first);
    await heardBeat(first, simulator);
    const before = simulator.sequence;
    await first.stop();
    const { heard } = await stateOf(folder);
    assert.deepEqual([heard.coreUuid, heard.sequence, heard.callLegs], [
      simulator.coreUuid,
      before,
      0,
    ]);
    for (let i = 0; i < 2; i++) simulator.fireCall();

    const second = await RunningAgent.start(xmlFor(simulator), folder);
    await isConnected(second);
    await heardBeat(second, simulator);
    const gap = lastGap(second);
    assert.equal(gap?.from, heard.until);
    assert.equal(gap?.reason, "fsmqtt was not running");
    assert.deepEqual([gap?.restarted, gap?.call_legs_at_most], [false, 2]);
    assert.equal(gap?.events_at_most, simulator.sequence - 1 - before);
    assert.equal(told(second).length, 2);
    await second.stop();
  });
});

Deno.test("a healthy link writes nothing; the state tells apart what ended in order", async () => {
  await withFolder(async (folder) => {
    await using simulator = await Simulator.start({ heartbeatMs: 0 });
    const first = await RunningAgent.start(xmlFor(simulator), folder);
    await isConnected(first);
    const file = join(folder, "state", "state.json");
    const { heard } = await stateOf(folder);
    assert.deepEqual(heard, {
      address: `127.0.0.1:${simulator.port}`,
      coreUuid: simulator.coreUuid,
    });
    const { ino } = await Deno.stat(file);
    for (let i = 0; i < 20; i++) await heardBeat(first, simulator);
    simulator.closeConnections();
    await first.until("it is there again", ({ freeswitch }) => freeswitch.gaps === 1);
    await heardBeat(first, simulator);
    // Each write makes another file.
    assert.equal((await Deno.stat(file)).ino, ino);
    const copy = await Deno.readTextFile(file);
    await first.stop();

    // As a kill would have left it.
    await Deno.writeTextFile(file, copy);
    const second = await RunningAgent.start(xmlFor(simulator), folder);
    await isConnected(second);
    await heardBeat(second, simulator);
    const gap = lastGap(second);
    assert.deepEqual(
      [gap?.from, gap?.seconds, gap?.restarted, gap?.events_at_most, gap?.call_legs_at_most],
      [null, null, false, null, null],
    );
    assert.match(told(second)[0] ?? "", /not ended in order/);
    await second.stop();
  });
});

Deno.test("what was heard of another event socket says nothing of this one", async () => {
  await withFolder(async (folder) => {
    await using one = await Simulator.start({ heartbeatMs: 0 });
    await using two = await Simulator.start({ heartbeatMs: 0 });
    const first = await RunningAgent.start(xmlFor(one), folder);
    await isConnected(first);
    await first.stop();
    const second = await RunningAgent.start(xmlFor(two), folder);
    await isConnected(second);
    await heardBeat(second, two);
    assert.deepEqual([lastGap(second), told(second)], [null, []]);
    await second.stop();
  });
});

Deno.test("another login to the same FreeSWITCH makes a gap, and no restart", async () => {
  const user = { user: "u", domain: "d", password: "ClueCon" };
  await using simulator = await Simulator.start({ heartbeatMs: 0, users: [user] });
  await using running = await RunningAgent.start(xmlFor(simulator));
  await isConnected(running);
  await heardBeat(running, simulator);
  const settings = `<settings>${params({ "esl-user": "u@d" })}`;
  await running.reload(xmlFor(simulator).replace("<settings>", settings));
  await running.until("it is there again", ({ freeswitch }) => freeswitch.gaps === 1);
  await heardBeat(running, simulator);
  assert.deepEqual([lastGap(running)?.restarted, lastGap(running)?.call_legs_at_most], [false, 0]);
});
