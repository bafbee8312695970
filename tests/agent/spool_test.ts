/** Events that wait on disk, over restarts and reloads of the agent. */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { troubles } from "../../lib/control/status.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { Peer } from "../mqtt/peer.ts";
import { eventually } from "../support/agent_process.ts";
import { freePort, mosquittoTest, startBroker } from "../support/broker.ts";
import { Watcher } from "../support/watcher.ts";
import { configurationXml, params, RunningAgent } from "./running_agent.ts";
import { fireToDisk, spooled } from "./spool_helper.ts";

/** The numbers that FreeSWITCH gave to the events that came, in the order in which they came. */
function sequences(watcher: Watcher): number[] {
  return watcher.on("beat").map(({ payload }) =>
    Number(/"Event-Sequence":"(\d+)"/.exec(new TextDecoder().decode(payload))?.[1])
  );
}

function assertEachOnceInOrder(numbers: readonly number[], count: number): void {
  assert.equal(numbers.length, count);
  assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b));
}

mosquittoTest("what the broker did not take is sent by the next run, in order", async () => {
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  await using watcher = await Watcher.start(broker.port, { clientId: "watcher" });
  await broker.stop();
  const xml = spooled(simulator.port, broker.port);
  await using first = await RunningAgent.start(xml);
  await simulator.waitForSubscription("HEARTBEAT");
  await fireToDisk(simulator, first, 300);
  await first.stop();
  assert.match(first.log.join("\n"), /p\/c: 300 events stay on disk/);
  assert.doesNotMatch(first.log.join("\n"), /lost/);

  await broker.start();
  await using second = await RunningAgent.start(xml, first.folder);
  await second.ready();
  simulator.fireHeartbeat();
  await second.until("all has come", () => second.connection("c").acknowledged === 301);
  await watcher.count("beat", 301);
  assertEachOnceInOrder(sequences(watcher), 301);
  const { offered, queued, in_flight, dropped, spool } = second.connection("c");
  assert.deepEqual({ offered, queued, in_flight, dropped, recovered: spool?.recovered }, {
    offered: 301,
    queued: 0,
    in_flight: 0,
    dropped: {},
    recovered: 300,
  });
  // They count for their topic, too.
  assert.equal(second.agent.status().profiles[0]?.publishers[0]?.topics[0]?.messages, 301);
});

mosquittoTest(
  "a reload to disk writes what waits already; one to memory still sends it",
  async () => {
    await using simulator = await Simulator.start();
    await using broker = await startBroker();
    await using watcher = await Watcher.start(broker.port, { clientId: "watcher" });
    await broker.stop();
    const disk = spooled(simulator.port, broker.port);
    const memory = spooled(simulator.port, broker.port, { spool: "memory" });
    await using first = await RunningAgent.start(memory);
    await simulator.waitForSubscription("HEARTBEAT");
    for (let i = 0; i < 50; i++) simulator.fireHeartbeat();
    await first.until("they wait", () => first.connection("c").queued === 50);
    assert.equal(first.connection("c").spool, undefined);
    await first.reload(disk);
    await first.until("they are on disk", () => first.connection("c").spool?.messages === 50);
    await first.reload(memory);
    for (let i = 0; i < 10; i++) simulator.fireHeartbeat();
    await first.until("they wait", () => first.connection("c").queued === 60);
    await first.stop();
    assert.match(first.log.join("\n"), /p\/c: 50 events stay on disk/);
    assert.match(first.log.join("\n"), /Ended with 10 events still queued: they are lost/);

    await broker.start();
    await using second = await RunningAgent.start(memory, first.folder);
    await second.until("they have come", () => second.connection("c").acknowledged === 50);
    await watcher.count("beat", 50);
    assertEachOnceInOrder(sequences(watcher), 50);
  },
);

for (const [change, first] of [["keepalive", "pubrel"], ["client_id", "publish"]] as const) {
  Deno.test(`a reload of ${change} goes on with ${first} for what was half delivered`, async () => {
    await using simulator = await Simulator.start();
    await using broker = await Peer.listen();
    await using running = await RunningAgent.start(spooled(simulator.port, broker.port));
    const before = await broker.welcome();
    await simulator.waitForSubscription("HEARTBEAT");
    simulator.fireHeartbeat();
    const { messageId = 0 } = await before.read("publish");
    before.send({ cmd: "pubrec", messageId });
    await before.read("pubrel");
    const changed = change === "keepalive" ? { keepalive: 10 } : { client_id: "other" };
    const reply = running.reload(spooled(simulator.port, broker.port, changed));
    const after = await broker.welcome({ sessionPresent: change === "keepalive" });
    await reply;
    // The session of another client id cannot know what this one has begun.
    await after.read(first);
    assert.deepEqual(after.packets.map(({ cmd }) => cmd), ["connect", first]);
    if (first === "publish") after.send({ cmd: "pubrec", messageId });
    after.send({ cmd: "pubcomp", messageId });
    await running.until("it has come", () => running.connection("c").acknowledged === 1);
    assert.equal(running.connection("c").in_flight, 0);
  });
}

mosquittoTest("what was half delivered to one broker is delivered whole to another", async () => {
  await using simulator = await Simulator.start();
  await using former = await Peer.listen();
  await using broker = await startBroker();
  await using watcher = await Watcher.start(broker.port, { clientId: "watcher" });
  // The other broker knows a session of that client id, and nothing of what is in it.
  await (await Watcher.start(broker.port, { clientId: "agent", filter: "nothing" }))
    [Symbol.asyncDispose]();
  await using first = await RunningAgent.start(spooled(simulator.port, former.port));
  const client = await former.welcome();
  await simulator.waitForSubscription("HEARTBEAT");
  await fireToDisk(simulator, first, 50);
  for (const { cmd, messageId = 0 } of client.packets) {
    if (cmd === "publish") client.send({ cmd: "pubrec", messageId });
  }
  // Only the end of the handshake is missing: PUBREL was sent, so it is remembered.
  await eventually("PUBREL", () => client.packets.at(-1)?.cmd === "pubrel" || undefined);
  assert.equal(first.connection("c").in_flight, 20);
  await first.stop();

  const xml = spooled(simulator.port, broker.port);
  await using second = await RunningAgent.start(xml, first.folder);
  await second.until("all has come", () => second.connection("c").acknowledged === 50);
  await watcher.count("beat", 50);
  assertEachOnceInOrder(sequences(watcher), 50);
});

Deno.test("a spool whose connection is gone is told at the start, and left alone", async () => {
  await using simulator = await Simulator.start();
  await using first = await RunningAgent.start(spooled(simulator.port, freePort()));
  await simulator.waitForSubscription("HEARTBEAT");
  await fireToDisk(simulator, first, 3);
  await first.stop();
  const renamed = spooled(simulator.port, freePort()).replaceAll('"c"', '"d"');
  await using second = await RunningAgent.start(renamed, first.folder);
  const told = second.log.filter((line) => line.includes("is not configured"));
  assert.equal(told.length, 1);
  assert.match(told.join(), /\[WARNING\] .*\/state\/p\+c\.spool is the spool of a connection/);
  await second.stop();

  await using third = await RunningAgent.start(spooled(simulator.port, freePort()), first.folder);
  await third.until("they are there", () => third.connection("c").spool?.recovered === 3);
});

Deno.test("a spool that cannot be made is told once, and events wait in memory", async () => {
  await using simulator = await Simulator.start();
  const folder = await Deno.makeTempDir({ prefix: "fsmqtt-agent-test-" });
  // What stands in the way is no file.
  await Deno.mkdir(`${folder}/state/p+c.spool`, { recursive: true });
  await using running = await RunningAgent.start(spooled(simulator.port, freePort()), folder);
  await simulator.waitForSubscription("HEARTBEAT");
  for (let i = 0; i < 5; i++) simulator.fireHeartbeat();
  await running.until("they wait", () => running.connection("c").queued === 5);
  await running.until("it is told", () => running.connection("c").spool?.trouble !== undefined);
  assert.match(running.connection("c").spool?.trouble ?? "", /Cannot use the spool .*p\+c\.spool/);
  const told = running.log.filter((line) => line.includes("[ERROR] p/c: Cannot use the spool"));
  assert.equal(told.length, 1, running.log.join("\n"));
});

Deno.test("without a state folder it is told once, and the status is degraded", async () => {
  await using simulator = await Simulator.start();
  const folder = await Deno.makeTempDir({ prefix: "fsmqtt-agent-test-" });
  await Deno.mkdir(`${folder}/state/lock`, { recursive: true });
  await using running = await RunningAgent.start(spooled(simulator.port, freePort()), folder);
  await running.until("it is told", () => running.connection("c").spool?.trouble !== undefined);
  const reason = `Cannot keep events on disk: the state folder ${folder}/state cannot be used ` +
    "(Is a directory); start fsmqtt again when that is mended";
  assert.equal(running.connection("c").spool?.trouble, reason);
  assert(troubles(running.agent.status()).includes(`the spool of p/c: ${reason}`));
  assert.equal(running.log.filter((line) => line.includes("[ERROR] p/c: Cannot keep")).length, 1);
});

Deno.test("the agent does not stop before a connection that was just removed has ended", async () => {
  await using simulator = await Simulator.start();
  await using broker = await Peer.listen();
  const xml = spooled(simulator.port, broker.port, { spool_commit_ms: 60_000 }, {
    settings: { "shutdown-timeout": 1 },
  });
  await using running = await RunningAgent.start(xml);
  const client = await broker.welcome();
  await simulator.waitForSubscription("HEARTBEAT");
  simulator.fireHeartbeat();
  await client.read("publish");
  const part = { kind: "connection", name: "c" } as const;
  const removed = running.done({ do: "remove", profile: "p", part });
  await running.stop();
  await removed;
  const log = running.log.join("\n");
  assert.match(log, /p\/c: 1 events stay on disk, in .*p\+c\.spool; they are sent when/);
  assert.match(running.log.at(-1) ?? "", /\[NOTICE\] stopped$/);
});

Deno.test("a connection that is put back waits for what it was before", async () => {
  await using simulator = await Simulator.start();
  await using broker = await Peer.listen();
  const xml = spooled(simulator.port, broker.port, { spool_commit_ms: 60_000 }, {
    settings: { "shutdown-timeout": 1 },
  });
  await using running = await RunningAgent.start(xml);
  const before = await broker.welcome();
  await simulator.waitForSubscription("HEARTBEAT");
  simulator.fireHeartbeat();
  const { messageId = 0 } = await before.read("publish");
  const without = running.reload(configurationXml(simulator.port, {
    settings: params({ "shutdown-timeout": 1 }),
    connections: {},
  }));
  await running.until("it is gone", ({ profiles }) => profiles[0]?.connections.length === 0);
  const back = running.reload(xml);
  const after = await broker.welcome({ sessionPresent: true });
  await Promise.all([without, back]);
  // It goes on with the same packet, which it does not release as one that nobody knows.
  const again = await eventually(
    "PUBLISH",
    () => after.packets.find(({ cmd }) => cmd === "publish"),
  );
  assert.deepEqual([again.messageId, again.cmd === "publish" && again.dup], [messageId, true]);
  assert(!after.packets.some((one) => one.cmd === "pubrel" && one.messageId === messageId));
  assert.equal(running.connection("c").spool?.recovered, 1);
  assert.equal(running.connection("c").spool?.trouble, undefined);
});

mosquittoTest("what was begun waits for a spool that is locked, whatever is reloaded", async () => {
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  await using watcher = await Watcher.start(broker.port, { clientId: "watcher" });
  const xml = spooled(simulator.port, broker.port);
  await using first = await RunningAgent.start(xml);
  await first.ready();
  broker.freeze(true);
  await fireToDisk(simulator, first, 50);
  await first.stop();
  broker.freeze(false);

  const lock = new DatabaseSync(`${first.folder}/state/p+c.spool`);
  lock.exec("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE");
  await using second = await RunningAgent.start(xml, first.folder);
  await second.until("it is told", () => second.connection("c").spool?.trouble !== undefined);
  await second.reload(xml);
  await second.reload(spooled(simulator.port, broker.port, { breaker_failures: 7 }));
  assert.equal(second.connection("c").state, "connecting");
  lock.close();
  await second.until("all has come", () => second.connection("c").acknowledged === 50);
  await watcher.count("beat", 50);
  assertEachOnceInOrder(sequences(watcher), 50);
});
