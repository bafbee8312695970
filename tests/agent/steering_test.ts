import assert from "node:assert/strict";
import type { ControlRequest } from "../../lib/control/protocol.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { eventually } from "../support/agent_process.ts";
import { startBroker, type TestBroker } from "../support/broker.ts";
import { Watcher } from "../support/watcher.ts";
import { configurationXml, params, RunningAgent } from "./running_agent.ts";

/** An agent with everything, all of it connected. */
class Scene implements AsyncDisposable {
  private constructor(
    readonly simulator: Simulator,
    readonly broker: TestBroker,
    readonly watcher: Watcher,
    readonly running: RunningAgent,
    readonly xml: string,
  ) {}

  static async start(): Promise<Scene> {
    const simulator = await Simulator.start();
    const broker = await startBroker();
    const watcher = await Watcher.start(broker.port);
    const xml = configurationXml(simulator.port, {
      connections: {
        c: params({ host: "127.0.0.1", port: broker.port, client_id: "c" }),
        other: params({ host: "127.0.0.1", port: broker.port, client_id: "other" }),
      },
      published: { beat: params({ connection_name: "c", event: "HEARTBEAT", pattern: "beat" }) },
      subscribed: {
        cmd: params({ connection_name: "c", pattern: "cmd", qos: 1, bgapi_authorized: true }),
      },
    });
    const running = await RunningAgent.start(xml);
    await running.ready();
    return new Scene(simulator, broker, watcher, running, xml);
  }

  /** Fires a heartbeat and waits until the agent has read it. */
  async beat(): Promise<void> {
    const { events_received } = this.running.agent.status().freeswitch;
    this.simulator.fireHeartbeat();
    await this.running.until(
      "the heartbeat is read",
      ({ freeswitch }) => freeswitch.events_received > events_received,
    );
  }

  /** Sends a command until it has run. */
  async commandRuns(command: string): Promise<void> {
    await eventually(`"${command}" runs`, async () => {
      await this.watcher.publish("cmd", `bgapi ${command}`);
      return this.simulator.received.some((each) => each.command === `bgapi ${command}`) ||
        undefined;
    });
  }

  hasRun(command: string): boolean {
    return this.simulator.received.some((each) => each.command === `bgapi ${command}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.running[Symbol.asyncDispose]();
    await this.watcher[Symbol.asyncDispose]();
    await this.broker[Symbol.asyncDispose]();
    await this.simulator.stop();
  }
}

const on = (kind: "connection" | "publisher" | "subscriber", name: string) => ({
  profile: "p",
  part: { kind, name },
});

Deno.test("a disabled connection leaves its broker, and comes back when it is enabled", async () => {
  await using scene = await Scene.start();
  const { running, watcher } = scene;
  assert.equal(
    await running.done({ do: "disable", ...on("connection", "c") }),
    "connection c of profile p is disabled",
  );
  assert.equal(running.connection("c").state, "disabled");
  assert.equal(running.connection("other").state, "connected");
  await scene.beat();
  assert.equal(running.connection("c").offered, 0);

  assert.equal(
    await running.done({ do: "enable", ...on("connection", "c") }),
    "connection c of profile p is enabled",
  );
  await running.untilConnection("c", "connected");
  await scene.beat();
  assert.equal((await watcher.count("beat", 1)).length, 1);
});

Deno.test("a disabled publisher publishes nothing until it is enabled", async () => {
  await using scene = await Scene.start();
  const { running, watcher } = scene;
  await running.done({ do: "disable", ...on("publisher", "pub") });
  await scene.beat();
  assert.equal(running.connection("c").offered, 0);
  await running.done({ do: "enable", ...on("publisher", "pub") });
  await scene.beat();
  assert.equal((await watcher.count("beat", 1)).length, 1);
});

Deno.test("a disabled subscriber runs nothing until it is enabled", async () => {
  await using scene = await Scene.start();
  const { running, watcher } = scene;
  await scene.commandRuns("status");
  await running.done({ do: "disable", ...on("subscriber", "sub") });
  await watcher.publish("cmd", "bgapi uptime");
  await running.done({ do: "enable", ...on("subscriber", "sub") });
  await scene.commandRuns("version");
  assert(!scene.hasRun("uptime"));
});

Deno.test("a disabled profile does nothing at all until it is enabled", async () => {
  await using scene = await Scene.start();
  const { running, watcher } = scene;
  assert.equal(
    await running.done({ do: "disable", profile: "p" }),
    "profile p is disabled",
  );
  for (const name of ["c", "other"]) assert.equal(running.connection(name).state, "disabled");
  await watcher.publish("cmd", "bgapi uptime");
  await scene.beat();
  assert.equal(running.connection("c").offered, 0);
  assert.equal(
    await running.done({ do: "enable", ...on("connection", "c") }),
    "connection c of profile p is enabled, but its profile is disabled",
  );
  assert.equal(running.connection("c").state, "disabled");

  await running.done({ do: "enable", profile: "p" });
  await running.ready();
  await scene.commandRuns("version");
  assert(!scene.hasRun("uptime"));
});

Deno.test("a disconnected connection queues its events until it is told to connect", async () => {
  await using scene = await Scene.start();
  const { running, watcher } = scene;
  const c = { profile: "p", connection: "c" };
  assert.equal(
    await running.done({ do: "disconnect", ...c }),
    "connection c of profile p is disconnected",
  );
  assert.equal(running.connection("c").state, "disconnected");
  await scene.beat();
  assert.equal(running.connection("c").queued, 1);
  assert.equal(await running.done({ do: "connect", ...c }), "connection c of profile p connects");
  assert.equal((await watcher.count("beat", 1)).length, 1);
});

Deno.test("what is removed is forgotten until a reload", async () => {
  await using scene = await Scene.start();
  const { running, watcher, xml } = scene;
  await running.done({ do: "remove", ...on("publisher", "pub") });
  await running.done({ do: "remove", ...on("subscriber", "sub") });
  assert.equal(
    await running.done({ do: "remove", ...on("connection", "c") }),
    "connection c of profile p is removed until the next reload",
  );
  const [profile] = running.agent.status().profiles;
  assert.deepEqual(profile?.connections.map(({ name }) => name), ["other"]);
  assert.deepEqual([profile?.publishers, profile?.subscribers], [[], []]);
  await watcher.publish("cmd", "bgapi uptime");
  const reply = await running.agent.handle({ do: "enable", ...on("connection", "c") });
  assert.equal(reply.kind, "failed");

  await running.reload(xml);
  await running.ready();
  await scene.beat();
  await watcher.count("beat", 1);
  await scene.commandRuns("version");
  assert(!scene.hasRun("uptime"));
});

Deno.test("a removed profile takes its connections with it, and comes back with a reload", async () => {
  await using scene = await Scene.start();
  const { running, xml } = scene;
  assert.equal(
    await running.done({ do: "remove", profile: "p" }),
    "profile p is removed until the next reload",
  );
  assert.deepEqual(running.agent.status().profiles, []);
  assert.deepEqual(await running.agent.handle({ do: "enable", profile: "p" }), {
    kind: "failed",
    error: 'There is no profile "p"; there is none',
    exitCode: 1,
  });
  await running.reload(xml);
  await running.ready();
});

for (
  const [request, error] of [
    [{ do: "enable", profile: "x" }, 'There is no profile "x"; there is "p"'],
    [
      { do: "remove", profile: "p", part: { kind: "connection", name: "x" } },
      'There is no connection "x" in profile p; there is "c", "other"',
    ],
    [
      { do: "disable", profile: "p", part: { kind: "publisher", name: "c" } },
      'There is no publisher "c" in profile p; there is "pub"',
    ],
    [
      { do: "disable", profile: "p", part: { kind: "subscriber", name: "x" } },
      'There is no subscriber "x" in profile p; there is "sub"',
    ],
    [
      { do: "connect", profile: "p", connection: "x" },
      'There is no connection "x" in profile p; there is "c", "other"',
    ],
  ] satisfies [ControlRequest, string][]
) {
  Deno.test(`"${error}" answers who asks for it`, async () => {
    await using scene = await Scene.start();
    assert.deepEqual(await scene.running.agent.handle(request), {
      kind: "failed",
      error,
      exitCode: 1,
    });
  });
}

Deno.test("what is disabled cannot be connected, and the remedy is told", async () => {
  await using scene = await Scene.start();
  const { running } = scene;
  const connect = { do: "connect", profile: "p", connection: "c" } as const;
  await running.done({ do: "disable", ...on("connection", "c") });
  assert.deepEqual(await running.agent.handle(connect), {
    kind: "failed",
    error: "Cannot connect: connection c of profile p is disabled; enable it first",
    exitCode: 1,
  });
  await running.done({ do: "disable", profile: "p" });
  assert.deepEqual(await running.agent.handle(connect), {
    kind: "failed",
    error: "Cannot connect: profile p is disabled; enable it first",
    exitCode: 1,
  });
});

Deno.test("a reload undoes all steering", async () => {
  await using scene = await Scene.start();
  const { running, xml } = scene;
  await running.done({ do: "disconnect", profile: "p", connection: "other" });
  await running.done({ do: "disable", ...on("connection", "c") });
  await running.done({ do: "disable", ...on("publisher", "pub") });
  await running.done({ do: "loglevel", level: "error" });
  await running.reload(xml);
  await running.ready();
  const [profile] = running.agent.status().profiles;
  assert.deepEqual(profile?.publishers.map(({ enabled }) => enabled), [true]);
  assert.equal(await running.done({ do: "loglevel" }), "log level: info");
});

Deno.test("switching back and forth ends in what was said last", async () => {
  await using scene = await Scene.start();
  const { running } = scene;
  const say = (action: "enable" | "disable") =>
    running.done({ do: action, ...on("connection", "c") });
  await Promise.all([say("disable"), say("enable"), say("disable"), say("enable")]);
  await running.ready();
  await scene.commandRuns("version");
});
