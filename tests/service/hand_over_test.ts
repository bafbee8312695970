import assert from "node:assert/strict";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { configurationXml, params } from "../agent/running_agent.ts";
import { freePort, startBroker } from "../support/broker.ts";
import { eventually } from "../support/agent_process.ts";
import { Relay } from "../support/relay.ts";
import { type Received, Watcher } from "../support/watcher.ts";
import { RunningService } from "./running_service.ts";

type Values = Parameters<typeof params>[0];

const LOCAL = { host: "127.0.0.1", reconnect_delay_max: 1 };

const beat = (connection: string, more: Values = {}) =>
  params({ connection_name: connection, event: "HEARTBEAT", pattern: "beat", qos: 1, ...more });

/** One connection, or two. */
function xml(esl: number, connections: Readonly<Record<string, Values>>, more: Values = {}) {
  return configurationXml(esl, {
    settings: params(more),
    connections: Object.fromEntries(
      Object.entries(connections).map(([name, values]) => [name, params({ ...LOCAL, ...values })]),
    ),
    published: { beat: beat("c"), live: beat("c", { pattern: "live", qos: 0 }) },
  });
}

const host = (service: RunningService) =>
  service.agent.grants.filter(({ kind }) => kind === "net").map(({ what }) => what);

Deno.test("a reload without another broker leaves the thread as it is", async () => {
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  const text = (more: Values) => xml(simulator.port, { c: { port: broker.port } }, more);
  await using service = await RunningService.start(text({}));
  await service.ready();
  simulator.fireHeartbeat();
  await service.until("c", ({ acknowledged }) => acknowledged === 2);
  const reply = await service.reload(text({ "event-queue-size": 7 }));
  assert.equal(reply.kind, "done");
  assert.equal(service.threads.length, 1);
  const { reconnects, acknowledged } = await service.connection("c");
  assert.deepEqual([reconnects, acknowledged], [0, 2]);
});

Deno.test("a reload with another broker gets the grant for it and no more", async () => {
  await using simulator = await Simulator.start();
  await using all = await brokers(3);
  const [one, two, other] = all;
  await using service = await RunningService.start(xml(simulator.port, { c: { port: one.port } }));
  await service.ready();
  assert.equal(await service.attempt("connect", `127.0.0.1 ${two.port}`), "NotCapable");

  const both = xml(simulator.port, { c: { port: one.port }, d: { port: two.port } });
  assert.equal((await service.reload(both)).kind, "done");
  await service.ready();
  assert.equal(service.threads.length, 2);
  assert.equal(await service.attempt("connect", `127.0.0.1 ${two.port}`), "it is done");
  assert.equal(await service.attempt("connect", `127.0.0.1 ${other.port}`), "NotCapable");
  assert.equal(await service.attempt("read", "/etc/passwd"), "NotCapable");

  // What is not needed any more is given up, in the same thread.
  assert.equal((await service.reload(xml(simulator.port, { c: { port: one.port } }))).kind, "done");
  assert.equal(service.threads.length, 2);
  assert.equal(await service.attempt("connect", `127.0.0.1 ${two.port}`), "NotCapable");
  assert.deepEqual(host(service), [`127.0.0.1:${simulator.port}`, `127.0.0.1:${one.port}`]);
  await service.ready();
});

Deno.test("what was queued in memory is carried over to the next thread, and to its broker", async () => {
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  await using watcher = await Watcher.start(broker.port);
  const gone = freePort();
  await using service = await RunningService.start(xml(simulator.port, { c: { port: gone } }));
  await simulator.waitForSubscription("HEARTBEAT");
  for (let i = 0; i < 5; i++) simulator.fireHeartbeat();
  await service.until("c", ({ queued }) => queued === 10);

  const reply = await service.reload(xml(simulator.port, { c: { port: broker.port } }));
  assert.equal(reply.kind, "done");
  assert.equal(service.threads.length, 2);
  const received = await watcher.count("beat", 5);
  await watcher.count("live", 5);
  const sequences = received.map(sequenceOf);
  assert.deepEqual(sequences, sequences.toSorted((a, b) => a - b));
  await service.until("c", ({ acknowledged }) => acknowledged === 10);
  const { offered, queued, in_flight, dropped } = await service.connection("c");
  assert.deepEqual([offered, queued, in_flight, dropped], [10, 0, 0, {}]);
  const { profiles: [profile] } = await service.status();
  assert.deepEqual(profile?.publishers[0]?.topics.map(({ messages }) => messages), [5, 5]);
});

Deno.test("the books go on over a change of threads, with what a bound had cost", async () => {
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  const [gone, goneToo] = [freePort(), freePort()];
  const text = (port: number) => xml(simulator.port, { c: { port } }, { "event-queue-size": 4 });
  await using service = await RunningService.start(text(gone));
  await simulator.waitForSubscription("HEARTBEAT");
  for (let i = 0; i < 5; i++) simulator.fireHeartbeat();
  await service.until("c", ({ offered }) => offered === 10);
  await service.reload(text(goneToo));
  const { offered, queued, dropped } = await service.connection("c");
  assert.deepEqual([offered, queued, dropped], [10, 4, { queue_full: 6 }]);
  await service.reload(text(broker.port));
  await service.until("c", ({ acknowledged }) => acknowledged === 4);
  assert.equal(service.threads.length, 3);
  assert.deepEqual((await service.connection("c")).dropped, { queue_full: 6 });
});

Deno.test("what was spooled is carried over, each message once", async () => {
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  await using watcher = await Watcher.start(broker.port);
  const spool = { spool: "disk" };
  const text = (port: number) => xml(simulator.port, { c: { port, ...spool } });
  await using service = await RunningService.start(text(freePort()));
  await simulator.waitForSubscription("HEARTBEAT");
  for (let i = 0; i < 50; i++) simulator.fireHeartbeat();
  await service.until("c", (connection) => connection.spool?.messages === 50);
  assert.equal((await service.reload(text(broker.port))).kind, "done");
  const received = await watcher.count("beat", 50);
  await service.until("c", ({ acknowledged }) => acknowledged === 100);
  assert.equal(new Set(received.map(sequenceOf)).size, 50);
  const { offered, queued, dropped } = await service.connection("c");
  assert.deepEqual([offered, queued, dropped], [100, 0, {}]);
});

Deno.test("no event is missed and none comes twice while threads change", async () => {
  await using simulator = await Simulator.start();
  await using all = await brokers(3);
  const [one, two, three] = all;
  await using watcher = await Watcher.start(one.port);
  const text = (more: Readonly<Record<string, Values>>) =>
    xml(simulator.port, { c: { port: one.port }, ...more });
  await using service = await RunningService.start(text({}));
  await service.ready();
  let fired = 0;
  const firing = setInterval(() => {
    simulator.fireHeartbeat();
    fired++;
  }, 2);
  try {
    for (const more of [{ d: { port: two.port } }, { d: { port: three.port } }]) {
      assert.equal((await service.reload(text(more))).kind, "done");
      const before = fired;
      await eventually("events go on", () => fired > before + 50 || undefined);
    }
  } finally {
    clearInterval(firing);
  }
  assert.equal(service.threads.length, 3);
  const received = await watcher.count("beat", fired);
  await service.until("c", ({ queued, in_flight }) => queued + in_flight === 0);
  assert.equal(new Set(received.map(sequenceOf)).size, fired);
  assert.equal(received.length, fired);
  const { freeswitch } = await service.status();
  assert.deepEqual([freeswitch.gaps, freeswitch.last_gap], [0, null]);
});

Deno.test("what FreeSWITCH has yet to send to the former thread is waited for", async () => {
  await using simulator = await Simulator.start();
  await using all = await brokers(2);
  const [one, two] = all;
  await using watcher = await Watcher.start(one.port);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let clients = 0;
  const relay = new Relay(
    listener,
    () => Deno.connect({ hostname: "127.0.0.1", port: simulator.port }),
    () => {
      // The former's two connections are behind.
      const isSlow = clients++ < 2;
      return async (direction, chunk, write) => {
        if (isSlow && direction === "received") {
          await new Promise((resolve) => setTimeout(resolve, 200));
        }
        await write(chunk);
      };
    },
  );
  try {
    const text = (more: Readonly<Record<string, Values>>) =>
      xml(listener.addr.port, { c: { port: one.port }, ...more });
    await using service = await RunningService.start(text({}));
    await service.ready();
    let fired = 0;
    const firing = setInterval(() => {
      simulator.fireHeartbeat();
      fired++;
    }, 5);
    assert.equal((await service.reload(text({ d: { port: two.port } }))).kind, "done");
    clearInterval(firing);
    const received = await watcher.count("beat", fired);
    await service.until("c", ({ queued, in_flight }) => queued + in_flight === 0);
    assert.deepEqual([new Set(received.map(sequenceOf)).size, received.length], [fired, fired]);
  } finally {
    listener.close();
    await relay.ended();
  }
});

Deno.test("a configuration with errors is refused, and the thread goes on", async () => {
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  await using service = await RunningService.start(
    xml(simulator.port, { c: { port: broker.port } }),
  );
  await service.ready();
  const reply = await service.reload("<configuration>");
  assert(reply.kind === "failed");
  assert.match(reply.error, /is refused; the present one goes on$/);
  assert.equal(service.threads.length, 1);
  await service.ready();
});

Deno.test("OpenSSL that was given up at the start is not granted by a reload, which says so", async () => {
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  const text = (tls: string) =>
    configurationXml(simulator.port, {
      connections: { c: params({ ...LOCAL, port: broker.port }) + tls },
    });
  await using service = await RunningService.start(text(""), { mayGrantOpenSsl: false });
  await service.ready();
  const psk = params({ enable: true, support: "psk", identity: "i", psk: "00" });
  const reply = await service.reload(text(`<tls>${psk}</tls>`));
  assert(reply.kind === "failed");
  assert.match(reply.error, /OpenSSL, which connection p\/c needs, was given up at the start/);
  await service.ready();
  assert.equal(await service.attempt("foreign code"), "NotCapable");
});

Deno.test("brokers that DNS names later are granted then, and what was steered goes on", async () => {
  await using simulator = await Simulator.start();
  await using all = await brokers(2);
  const [one, two] = all;
  let port = one.port;
  const asked: string[] = [];
  const resolveSrv = (name: string) => {
    asked.push(name);
    return Promise.resolve([{ priority: 1, weight: 1, port, target: "localhost." }]);
  };
  await using service = await RunningService.start(
    xml(simulator.port, { c: { host: "pbx.example", srv: true } }),
    { resolveSrv },
  );
  await service.ready();
  assert.deepEqual(host(service), [`127.0.0.1:${simulator.port}`, `localhost:${one.port}`]);
  await service.done({
    do: "disable",
    profile: "p",
    part: { kind: "publisher", name: "pub" },
  });
  port = two.port;
  await one.stop();
  await eventually("the next thread is there", () => service.threads.length === 2 || undefined);
  await service.ready();
  assert.deepEqual(new Set(asked), new Set(["_mqtt._tcp.pbx.example"]));
  assert.equal(await service.attempt("connect", `localhost ${two.port}`), "it is done");
  const { profiles: [profile] } = await service.status();
  assert.equal(profile?.publishers[0]?.enabled, false);
});

Deno.test("a thread that throws ends the agent, and says why", async () => {
  await using simulator = await Simulator.start();
  await using service = await RunningService.start(xml(simulator.port, { c: { port: 1 } }));
  service.inflict("throw", "out of order");
  assert.match(await service.agent.died, /out of order/);
  await assert.rejects(service.agent.handle({ do: "status" }), /out of order/);
});

Deno.test("what was removed stays away when DNS names another broker", async () => {
  await using simulator = await Simulator.start();
  await using all = await brokers(2);
  const [one, two] = all;
  using removed = countingListener();
  let port = one.port;
  const resolveSrv = () => Promise.resolve([{ priority: 1, weight: 1, port, target: "localhost" }]);
  const connections = { c: { host: "pbx.example", srv: true }, d: { port: removed.port } };
  await using service = await RunningService.start(xml(simulator.port, connections), {
    resolveSrv,
  });
  await service.until("c", ({ state }) => state === "connected");
  await eventually("d was tried", () => removed.count > 0 || undefined);
  await service.done({ do: "remove", profile: "p", part: { kind: "connection", name: "d" } });
  const before = removed.count;
  port = two.port;
  await one.stop();
  await eventually("the next thread is there", () => service.threads.length === 2 || undefined);
  await service.ready();
  assert.equal(removed.count, before);
});

Deno.test("giving something up takes nothing along that is needed", async (t) => {
  await using simulator = await Simulator.start();
  await using all = await brokers(2);
  const [one, two] = all;
  const c = { port: one.port };
  await t.step("a log file in the state folder", async () => {
    const log = { "log-enable": true, "log-dir": "{folder}/state" };
    await using service = await RunningService.start(xml(simulator.port, { c }, log));
    await service.ready();
    assert.equal((await service.reload(xml(simulator.port, { c }))).kind, "done");
    assert.equal(await service.attempt("write", `${service.folder}/state/x`), "it is done");
    assert.equal(service.threads.length, 1);
  });
  await t.step("the same host by another name", async () => {
    const d = { ...c, host: "localhost" };
    const e = { ...c, host: "LocalHost" };
    await using service = await RunningService.start(xml(simulator.port, { c: d, e }));
    await service.ready();
    assert.equal((await service.reload(xml(simulator.port, { c: d }))).kind, "done");
    assert.equal(await service.attempt("connect", `localhost ${one.port}`), "it is done");
  });
  await t.step("an address that another connection comes from", async () => {
    const bound = { port: two.port, bind_address: "127.0.0.1" };
    await using service = await RunningService.start(xml(simulator.port, { c: bound, d: c }));
    await service.ready();
    assert.equal((await service.reload(xml(simulator.port, { c: bound }))).kind, "done");
    await two.stop();
    await service.until("c", ({ state }) => state === "waiting");
    await two.start();
    await service.ready();
    assert.equal(await service.attempt("connect", `127.0.0.1 ${one.port}`), "NotCapable");
  });
});

Deno.test("targets that are no hosts are passed by", async () => {
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  const targets = [".", "*.example", "10.0.0.0/8", "a b", "localhost."];
  const resolveSrv = () =>
    Promise.resolve(
      targets.map((target) => ({ priority: 1, weight: 1, port: broker.port, target })),
    );
  await using service = await RunningService.start(
    xml(simulator.port, { c: { host: "pbx.example", srv: true } }),
    { resolveSrv },
  );
  await service.ready();
  assert.deepEqual(host(service), [`127.0.0.1:${simulator.port}`, `localhost:${broker.port}`]);
});

Deno.test("a changed state folder counts from the next start on, and what is spooled stays", async () => {
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  const text = (port: number, more: Values = {}) =>
    xml(simulator.port, { c: { port, spool: "disk" } }, more);
  await using service = await RunningService.start(text(freePort()));
  await simulator.waitForSubscription("HEARTBEAT");
  for (let i = 0; i < 5; i++) simulator.fireHeartbeat();
  await service.until("c", (connection) => connection.spool?.messages === 5);
  const elsewhere = text(broker.port).replace("{folder}/state", "{folder}/elsewhere");
  const reply = await service.reload(elsewhere);
  assert(reply.kind === "done");
  assert.match(reply.text, /the changed state-dir counts from the next start of fsmqtt on/);
  await service.until("c", ({ acknowledged }) => acknowledged === 10);
  await assert.rejects(Deno.stat(`${service.folder}/elsewhere`), Deno.errors.NotFound);
});

Deno.test("a connection that goes for good holds up no other with its broker", async () => {
  await using simulator = await Simulator.start();
  await using all = await brokers(2);
  const [one, two] = all;
  await using watcher = await Watcher.start(one.port);
  await using silent = await startBroker();
  const settings = { "shutdown-timeout": 3 };
  const d = { port: silent.port, client_id: "d" };
  const both = configurationXml(simulator.port, {
    settings: params(settings),
    connections: { c: params({ ...LOCAL, port: one.port }), d: params({ ...LOCAL, ...d }) },
    published: { beat: beat("c"), other: beat("d", { pattern: "other" }) },
  });
  await using service = await RunningService.start(both);
  await service.ready();
  silent.freeze(true);
  try {
    simulator.fireHeartbeat();
    await service.until("d", ({ in_flight }) => in_flight === 1);
    const reloaded = service.reload(
      xml(simulator.port, { c: { port: one.port }, e: { port: two.port } }, settings),
    );
    let isReloaded = false;
    reloaded.then(() => isReloaded = true);
    await eventually("d is gone", async () => {
      const { profiles: [profile] } = await service.status();
      return profile?.connections.length === 1 || undefined;
    });
    simulator.fireHeartbeat();
    await watcher.count("beat", 2);
    assert.equal(isReloaded, false);
    assert.equal((await reloaded).kind, "done");
  } finally {
    silent.freeze(false);
  }
  await service.ready();
});

Deno.test("counters, topics' rates and commands that come meanwhile go on", async () => {
  await using simulator = await Simulator.start();
  await using all = await brokers(2);
  const [one, two] = all;
  await using watcher = await Watcher.start(one.port);
  const text = (more: Readonly<Record<string, string>>) =>
    configurationXml(simulator.port, {
      connections: { c: params({ ...LOCAL, port: one.port, client_id: "c" }), ...more },
      published: { beat: beat("c", { max_rate: 1 }) },
      subscribed: {
        t: params({
          connection_name: "c",
          pattern: "cmd",
          qos: 1,
          bgapi_authorized: true,
          bgapi_allow: "version",
        }),
      },
    });
  await using service = await RunningService.start(text({}));
  await service.ready();
  for (let i = 0; i < 4; i++) simulator.fireHeartbeat();
  await watcher.publish("cmd", "bgapi version");
  await eventually("the command ran", async () => {
    const { profiles: [profile] } = await service.status();
    return profile?.subscribers[0]?.topics[0]?.commands_run === 1 || undefined;
  });
  const before = await service.status();
  const reloaded = service.reload(text({ d: params({ ...LOCAL, port: two.port }) }));
  assert.equal((await reloaded).kind, "done");
  const after = await service.status();
  assert(after.uptime_seconds >= before.uptime_seconds);
  assert(after.freeswitch.events_received >= before.freeswitch.events_received);
  assert.equal(after.profiles[0]?.subscribers[0]?.topics[0]?.commands_run, 1);
  const { acknowledged, queued } = await service.connection("c");
  assert(acknowledged <= 3 && queued >= 1, `${acknowledged} went at once`);
});

/** What tells an event from others. */
function sequenceOf({ payload }: Received): number {
  return Number(JSON.parse(new TextDecoder().decode(payload))["Event-Sequence"]);
}

/** Several brokers, which end together. */
async function brokers(count: number) {
  const started = await Promise.all(Array.from({ length: count }, () => startBroker()));
  return Object.assign(started as [Broker, Broker, Broker], {
    async [Symbol.asyncDispose]() {
      for (const broker of started) await broker[Symbol.asyncDispose]();
    },
  });
}

type Broker = Awaited<ReturnType<typeof startBroker>>;

/** A port that is open, where nobody says anything; it counts who comes. */
function countingListener() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const counter = {
    port: listener.addr.port,
    count: 0,
    [Symbol.dispose]: () => listener.close(),
  };
  (async () => {
    for await (const connection of listener) {
      counter.count++;
      connection.close();
    }
  })();
  return counter;
}
