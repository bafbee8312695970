import assert from "node:assert/strict";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { troubles } from "../../lib/control/status.ts";
import { freePort, startBroker } from "../support/broker.ts";
import { Watcher } from "../support/watcher.ts";
import { configurationXml, params, RunningAgent } from "./running_agent.ts";

const connection = (port: number, more: Parameters<typeof params>[0] = {}) =>
  params({ host: "127.0.0.1", port, client_id: "c", reconnect_delay_max: 1, ...more });

const beat = (pattern: string) => ({
  beat: params({ connection_name: "c", event: "HEARTBEAT", pattern, qos: 1 }),
});

function countLog(running: RunningAgent, pattern: RegExp): number {
  return running.log.filter((line) => pattern.test(line)).length;
}

Deno.test("a connection that did not change keeps its MQTT connection over a reload", async () => {
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  await using watcher = await Watcher.start(broker.port);
  const xml = (pattern: string, more: Parameters<typeof params>[0] = {}) =>
    configurationXml(simulator.port, {
      settings: params(more),
      connections: { c: connection(broker.port) },
      published: beat(pattern),
    });
  await using running = await RunningAgent.start(xml("old"));
  await running.ready();
  simulator.fireHeartbeat();
  await watcher.count("old", 1);

  const reply = await running.reload(xml("new", { "event-queue-size": 7, "log-level": "debug" }));
  assert.deepEqual(reply, {
    kind: "done",
    text: `${running.folder}/mosquitto.conf.xml is in force`,
  });
  simulator.fireHeartbeat();
  await watcher.count("new", 1);
  await running.until("all is acknowledged", () => running.connection("c").acknowledged === 2);
  assert.equal(countLog(running, /p\/c: (dis)?connected/), 1);
  const { freeswitch, profiles, settings } = running.agent.status();
  assert.deepEqual([freeswitch.reconnects, freeswitch.events_received], [0, 2]);
  assert.equal(profiles[0]?.publishers[0]?.topics[0]?.messages, 2);
  assert.equal(settings["event-queue-size"], 7);
});

Deno.test("a changed connection hands its queue over", async () => {
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  await using watcher = await Watcher.start(broker.port);
  const xml = (port: number) =>
    configurationXml(simulator.port, {
      connections: { c: connection(port) },
      published: beat("beat"),
    });
  await using running = await RunningAgent.start(xml(freePort()));
  await simulator.waitForSubscription("HEARTBEAT");
  for (let i = 0; i < 3; i++) simulator.fireHeartbeat();
  await running.until("three are queued", () => running.connection("c").queued === 3);

  await running.reload(xml(broker.port));
  await watcher.count("beat", 3);
  await running.until("all is acknowledged", () => running.connection("c").acknowledged === 3);
  const { offered, in_flight, queued, dropped } = running.connection("c");
  assert.deepEqual({ offered, in_flight, queued, dropped }, {
    offered: 3,
    in_flight: 0,
    queued: 0,
    dropped: {},
  });
});

Deno.test("a file with errors is refused with the reasons, and the present one goes on", async () => {
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  await using watcher = await Watcher.start(broker.port);
  const xml = configurationXml(simulator.port, {
    connections: { c: connection(broker.port) },
    published: beat("beat"),
  });
  await using running = await RunningAgent.start(xml);
  await running.ready();
  const reply = await running.reload(xml.replace('value="beat"', 'value="a/#"'));
  assert(reply.kind === "failed" && reply.exitCode === 78, JSON.stringify(reply));
  const [finding, verdict] = reply.error.split("\n");
  assert.match(finding ?? "", /mosquitto\.conf\.xml:\d+:\d+: error: .*wildcard/);
  assert.equal(verdict, "The configuration is refused; the present one goes on");
  const { config_refused: refused } = running.agent.status();
  assert.equal(refused?.reason, finding);
  assert.match(
    troubles(running.agent.status())[0] ?? "",
    /^the configuration on disk was refused at \d{4}-.*wildcard/,
  );
  assert.equal(countLog(running, /\[ERROR\] .*wildcard/), 1);
  simulator.fireHeartbeat();
  await watcher.count("beat", 1);
  assert.equal(countLog(running, /p\/c: (dis)?connected/), 1);
  await running.reload(xml);
  assert.deepEqual(troubles(running.agent.status()), []);
});

Deno.test("a loader that fails altogether does not end the agent", async () => {
  await using simulator = await Simulator.start();
  await using running = await RunningAgent.start(
    configurationXml(simulator.port, { connections: { c: connection(freePort()) } }),
  );
  await Deno.remove(running.folder + "/mosquitto.conf.xml");
  const reply = await running.agent.handle({ do: "reload" });
  assert(reply.kind === "failed" && reply.exitCode === 78, JSON.stringify(reply));
});

Deno.test("a connection that is no longer there ends, and what it held is told as lost", async () => {
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  const xml = (name: string) =>
    configurationXml(simulator.port, {
      connections: {
        c: connection(broker.port),
        [name]: connection(freePort(), { client_id: "d" }),
      },
      published: {
        beat: params({ connection_name: name, event: "HEARTBEAT", pattern: "beat" }),
      },
    });
  await using running = await RunningAgent.start(xml("former"));
  await simulator.waitForSubscription("HEARTBEAT");
  simulator.fireHeartbeat();
  await running.until("it is queued", () => running.connection("former").queued === 1);
  await running.reload(xml("latter"));
  const { connections = [] } = running.agent.status().profiles[0] ?? {};
  assert.deepEqual(connections.map(({ name }) => name), ["c", "latter"]);
  assert.equal(countLog(running, /p\/former: Ended with 1 events still queued/), 1);
});

Deno.test("another event socket means another FreeSWITCH, which was not restarted", async () => {
  await using one = await Simulator.start();
  await using two = await Simulator.start({ switchname: "two" });
  await using broker = await startBroker();
  const xml = (port: number) =>
    configurationXml(port, { connections: { c: connection(broker.port) }, published: beat("b") });
  await using running = await RunningAgent.start(xml(one.port));
  await running.ready();
  await running.reload(xml(two.port));
  await running.until(
    "the other is there",
    ({ freeswitch }) => freeswitch.state === "connected" && freeswitch.switchname === "two",
  );
  assert.equal(running.agent.status().freeswitch.core_uuid, two.coreUuid);
  assert.equal(countLog(running, /was restarted/), 0);
  await one.waitFor(({ connections }) => connections.length === 0);
  two.fireHeartbeat();
  await running.until("its event is published", () => running.connection("c").acknowledged === 1);
});

Deno.test("what only a restart can change is told", async () => {
  await using simulator = await Simulator.start();
  const xml = configurationXml(simulator.port, { connections: { c: connection(freePort()) } });
  await using running = await RunningAgent.start(xml);
  const reply = await running.reload(
    xml.replace("{folder}/state", "{folder}/other")
      .replace("<settings>", `<settings>${params({ "control-group": "daemon" })}`),
  );
  assert(reply.kind === "done");
  assert.deepEqual(reply.text.split("\n").slice(1), [
    "the changed state-dir counts from the next start of fsmqtt on",
    "the changed control-group counts from the next start of fsmqtt on",
  ]);
});

/** Takes every client in, answers nothing else, and closes nothing by itself. */
class SlowBroker implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #sockets: Deno.Conn[] = [];
  readonly #waiters: (() => void)[] = [];

  constructor() {
    this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  get accepted(): number {
    return this.#sockets.length;
  }

  /** Connects, and resolves when that was accepted, after all that came before. */
  async knock(): Promise<void> {
    const before = this.accepted;
    using _knock = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
    while (this.accepted === before) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** Closes its connections, or only that of a number. */
  hangUp(number?: number): void {
    const sockets = number === undefined ? this.#sockets : this.#sockets.slice(number, number + 1);
    for (const socket of sockets) socket.close();
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }

  async #accept(): Promise<void> {
    for await (const socket of this.#listener) {
      this.#sockets.push(socket);
      for (const resolve of this.#waiters.splice(0)) resolve();
      const connack = Uint8Array.of(0x20, 2, 0, 0);
      socket.read(new Uint8Array(1024)).then((count) => count && socket.write(connack))
        .catch(() => {});
    }
  }
}

Deno.test("a connection goes on where only its queue, spool or breaker changes", async () => {
  using broker = new SlowBroker();
  await using simulator = await Simulator.start();
  const xml = (more: Parameters<typeof params>[0]) =>
    configurationXml(simulator.port, { connections: { c: connection(broker.port, more) } });
  await using running = await RunningAgent.start(xml({}));
  await running.untilConnection("c", "connected");
  const changed = {
    spool_commit_ms: 60,
    spool_max_messages: 7,
    spool_max_bytes: 65_537,
    spool_max_age: 3_600,
    queue_full: "drop_newest",
    drain_rate: 100,
    breaker_failures: 6,
    breaker_high_mark: 70,
    breaker_high_seconds: 61,
    breaker_open_seconds: 31,
    breaker_shed: "qos0",
  };
  await running.reload(xml(changed));
  const { state, parameters } = running.connection("c");
  assert.equal(state, "connected");
  const shown = Object.keys(changed).map((name) => [name, parameters[name]]);
  assert.deepEqual(Object.fromEntries(shown), changed);
  await broker.knock();
  assert.equal(broker.accepted, 2, "the knock alone came beside the connection");
  assert.equal(countLog(running, /p\/c: (dis)?connected/), 1);

  await running.reload(xml({ ...changed, status_topic: "state" }));
  assert.equal(running.connection("c").state, "connecting");
  broker.hangUp();
});

Deno.test("a renamed connection of the same client id connects when the former has ended", async () => {
  using broker = new SlowBroker();
  await using simulator = await Simulator.start();
  const xml = (name: string) =>
    configurationXml(simulator.port, {
      settings: params({ "shutdown-timeout": 0 }),
      connections: { [name]: connection(broker.port) },
    });
  await using running = await RunningAgent.start(xml("former"));
  await running.untilConnection("former", "connected");
  const reloaded = running.reload(xml("latter"));
  await running.until(
    "the latter is there",
    ({ profiles }) => profiles[0]?.connections[0]?.name === "latter",
  );
  // The former one waits for this broker to close: for END_TIMEOUT_MS.
  for (let i = 0; i < 5; i++) await broker.knock();
  assert.equal(broker.accepted, 1 + 5);
  assert.equal(running.connection("latter").state, "connecting");
  broker.hangUp();
  await reloaded;
  await running.untilConnection("latter", "connected");
  assert.equal(broker.accepted, 2 + 5);
});

Deno.test("two connections that swap their client ids do not push each other off", async () => {
  using broker = new SlowBroker();
  await using simulator = await Simulator.start();
  const xml = (a: string, b: string) =>
    configurationXml(simulator.port, {
      connections: {
        a: connection(broker.port, { client_id: a }),
        b: connection(broker.port, { client_id: b }),
      },
    });
  await using running = await RunningAgent.start(xml("one", "two"));
  await running.ready();
  await running.reload(xml("two", "one"));
  // Whichever of the former it is, the other one is still there.
  broker.hangUp(0);
  const KNOCKS = 20;
  for (let i = 0; i < KNOCKS; i++) await broker.knock();
  assert.equal(broker.accepted, 2 + KNOCKS);
  broker.hangUp(1);
  await running.ready();
  assert.equal(broker.accepted, 2 + KNOCKS + 2);
});

for (
  const [name, value] of [
    ["shutdown-timeout", "soon"],
    ["status_topic", "state/#"],
  ] as const
) {
  Deno.test(`a reload with a wrong ${name} is refused`, async () => {
    await using simulator = await Simulator.start();
    const xml = (more: Parameters<typeof params>[0]) =>
      configurationXml(simulator.port, {
        settings: name === "shutdown-timeout" ? params(more) : "",
        connections: { c: connection(freePort(), name === "status_topic" ? more : {}) },
      });
    await using running = await RunningAgent.start(xml({}));
    const reply = await running.reload(xml({ [name]: value }));
    assert(reply.kind === "failed" && reply.exitCode === 78, JSON.stringify(reply));
    assert.match(reply.error, new RegExp(`${name}.*\n.*the present one goes on`));
  });
}

for (const action of ["remove", "disable", "disconnect"] as const) {
  Deno.test(`${action} holds for a connection that is just being replaced`, async () => {
    using broker = new SlowBroker();
    await using simulator = await Simulator.start();
    const xml = (keepalive: number) =>
      configurationXml(simulator.port, {
        connections: { c: connection(broker.port, { keepalive }) },
      });
    await using running = await RunningAgent.start(xml(60));
    await running.untilConnection("c", "connected");
    await running.reload(xml(61));
    assert.equal(running.connection("c").state, "connecting");
    const done = running.done(
      action === "disconnect"
        ? { do: action, profile: "p", connection: "c" }
        : { do: action, profile: "p", part: { kind: "connection", name: "c" } },
    );
    broker.hangUp();
    await done;
    await running.stop();
    const KNOCKS = 20;
    for (let i = 0; i < KNOCKS; i++) await broker.knock();
    assert.equal(broker.accepted, 1 + KNOCKS);
  });
}
