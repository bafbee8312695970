/** What is heard on a status topic. */

import assert from "node:assert/strict";
import type { Announcement, OfflineAnnouncement } from "../../lib/control/announcement.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { VERSION } from "../../lib/version.ts";
import { eventually } from "../support/agent_process.ts";
import { freePort, startBroker } from "../support/broker.ts";
import { Watcher } from "../support/watcher.ts";
import { configurationXml, params, RunningAgent } from "./running_agent.ts";

type Document = Announcement | OfflineAnnouncement;

const connection = (port: number, more: Parameters<typeof params>[0] = {}) =>
  params({ host: "127.0.0.1", port, status_topic: "st/${switchname}", ...more });

const decoder = new TextDecoder();
function documents(watcher: Watcher, topic = "st/fs1"): Document[] {
  return watcher.on(topic).map(({ payload }) => JSON.parse(decoder.decode(payload)));
}

/** The document that comes after so many others, once it is as wanted. */
async function until(
  watcher: Watcher,
  what: string,
  wanted: (document: Document) => boolean,
): Promise<Document> {
  return await eventually(what, () => documents(watcher).findLast(wanted));
}
const isOnline = ({ state }: Document) => state === "online";

Deno.test("online is told, degraded with the reasons, and offline at the end", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  await using broker = await startBroker();
  await using watcher = await Watcher.start(broker.port);
  await using running = await RunningAgent.start(
    configurationXml(simulator.port, { connections: { c: connection(broker.port) } }),
  );
  await running.ready();
  const { time, since, ...rest } = await until(watcher, "online", isOnline) as Announcement;
  assert.ok(Date.parse(time) >= Date.parse(since));
  assert.deepEqual(rest, {
    state: "online",
    version: VERSION,
    hostname: "fs1",
    switchname: "fs1",
    core_uuid: simulator.coreUuid,
    freeswitch: "connected",
    reasons: [],
    last_gap: null,
    breaker: "closed",
  });
  await simulator.stopListening();
  simulator.closeConnections();
  const degraded = await until(
    watcher,
    "degraded",
    (document) =>
      document.state === "degraded" &&
      document.reasons[0]?.startsWith("FreeSWITCH is connecting (") === true,
  );
  assert.equal((degraded as Announcement).freeswitch, "connecting");
  simulator.listen();
  const again = await until(
    watcher,
    "online again with the gap",
    (document) => isOnline(document) && (document as Announcement).last_gap !== null,
  ) as Announcement;
  assert.equal(again.last_gap?.restarted, false);
  assert.ok(Date.parse(again.since) > Date.parse(since));

  await running.stop();
  await until(watcher, "offline", ({ state }) => state === "offline");
  assert.deepEqual(documents(watcher).at(-1), {
    state: "offline",
    version: VERSION,
    hostname: "fs1",
    switchname: "fs1",
  });
  await using late = await Watcher.start(broker.port);
  assert.equal((await late.count("st/fs1", 1))[0]?.retain, true);
  assert.equal(documents(late)[0]?.state, "offline");
});

Deno.test("it is told before the backlog, is in no books, and says nothing twice", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  await using broker = await startBroker();
  await using watcher = await Watcher.start(broker.port);
  await using running = await RunningAgent.start(
    configurationXml(simulator.port, {
      connections: { c: connection(broker.port) },
      published: {
        beat: params({ connection_name: "c", event: "HEARTBEAT", pattern: "beat", qos: 1 }),
      },
    }),
  );
  await running.ready();
  await until(watcher, "online", isOnline);
  await running.done({ do: "disconnect", profile: "p", connection: "c" });
  await until(watcher, "offline", ({ state }) => state === "offline");
  const before = watcher.received.length;
  for (let i = 0; i < 50; i++) simulator.fireHeartbeat();
  await running.until("all are queued", () => running.connection("c").queued === 50);
  await running.done({ do: "connect", profile: "p", connection: "c" });
  await watcher.count("beat", 50);
  assert.equal(watcher.received[before]?.topic, "st/fs1");
  await running.until("all is acknowledged", () => running.connection("c").acknowledged === 50);
  assert.equal(running.connection("c").offered, 50);
  // Events change nothing, and nothing is said: offline would come behind it.
  const said = documents(watcher).length;
  for (let i = 0; i < 50; i++) simulator.fireHeartbeat();
  await watcher.count("beat", 100);
  await running.stop();
  await eventually(
    "offline",
    () => documents(watcher).slice(said).some(({ state }) => state === "offline") || undefined,
  );
  assert.deepEqual(documents(watcher).slice(said).map(({ state }) => state), ["offline"]);
});

Deno.test("a broker says offline for an agent that it has lost", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  await using broker = await startBroker();
  await using watcher = await Watcher.start(broker.port);
  const xml = configurationXml(simulator.port, {
    connections: { c: connection(broker.port, { client_id: "same", reconnect_delay: 3 }) },
  });
  await using running = await RunningAgent.start(xml);
  await running.ready();
  await until(watcher, "online", isOnline);
  // One of the same client id makes the broker end the connection without order.
  await using _rival = await Watcher.start(broker.port, { clientId: "same" });
  await until(watcher, "offline", ({ state }) => state === "offline");
});

Deno.test("with a will besides, both are published at an orderly end", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  await using broker = await startBroker();
  await using watcher = await Watcher.start(broker.port);
  const will = `<will>${params({ enable: true, topic: "will", payload: "gone" })}</will>`;
  await using running = await RunningAgent.start(
    configurationXml(simulator.port, { connections: { c: connection(broker.port) + will } }),
  );
  await running.ready();
  await until(watcher, "online", isOnline);
  await running.stop();
  await watcher.count("will", 1);
  await until(watcher, "offline", ({ state }) => state === "offline");
});

Deno.test("a connection hears of the others, without what their brokers say", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  await using broker = await startBroker();
  await using watcher = await Watcher.start(broker.port);
  const other = freePort();
  await using running = await RunningAgent.start(
    configurationXml(simulator.port, {
      connections: {
        c: connection(broker.port),
        other: params({ host: "127.0.0.1", port: other, reconnect_delay_max: 1 }),
      },
    }),
  );
  await running.untilConnection("c", "connected");
  const heard = await until(
    watcher,
    "that FreeSWITCH is there",
    (document) => (document as Announcement).freeswitch === "connected",
  ) as Announcement;
  assert.deepEqual([heard.state, heard.reasons], ["degraded", ["connection p/other is away"]]);
  // It tries again and again: that is no news.
  const tries = () => running.log.filter((line) => line.includes("cannot connect")).length;
  assert.ok(tries() > 0);
  await running.done({ do: "disable", profile: "p", part: { kind: "connection", name: "other" } });
  await until(watcher, "online", isOnline);
  const states = documents(watcher).map(({ state }) => state);
  assert.deepEqual([...new Set(states)], ["degraded", "online"]);
  assert.ok(states.length <= 4, states.join());
});
