/** The processes of a measurement, against each other and against real clients. */

import assert from "node:assert/strict";
import { once } from "node:events";
import modesl from "modesl";
import { systemClock } from "../../../lib/clock.ts";
import { EslLink } from "../../../lib/esl/link.ts";
import { Secret } from "../../../lib/secret.ts";
import type { Source } from "../../../scripts/bench/programs/source.ts";
import { Child, Steered } from "../../../scripts/bench/rig/child.ts";
import { firstEvent, load } from "../../../scripts/bench/rig/load.ts";
import { calmProgram, program } from "../../../scripts/bench/rig/parts.ts";
import { cpuSeconds, machineTime } from "../../../scripts/bench/rig/processor.ts";
import { Scene } from "../../../scripts/bench/rig/scene.ts";
import { EslServer, PASSWORD } from "../../../scripts/bench/wire/esl_server.ts";
import type { Pace } from "../../../scripts/bench/wire/roles.ts";
import { mosquittoTest } from "../../support/broker.ts";

const MIXED = { qos: 0, series: "mixed", fsmqtt: [] } as const;

for (
  const [name, events, pace] of [
    // More than are under way at once.
    ["at full speed", 5_000, "full"],
    ["at line rate", 400, { kind: "line" }],
    ["at a steady rate", 400, { kind: "steady", perSecond: 2_000 }],
  ] as const satisfies readonly (readonly [string, number, Pace | "full"])[]
) {
  mosquittoTest(`what is sent ${name} is counted by the subscriber`, async () => {
    await using scene = await Scene.start({ contender: "publish", ...MIXED });
    await firstEvent(scene);
    const result = await load(scene, { warmUp: 100, events, pace });
    assert.equal(result.lost, 0);
    assert.equal(result.received.messages, events);
    const { p50 = NaN, max = NaN } = result.received.latency;
    // Clocks that were not compared would be apart by more, or the other way round.
    assert(p50 > 0 && p50 <= max && max < 10_000, `${p50} ${max}`);
    assert(result.in > 0 && result.out > 0 && result.peak > 2 ** 20);
  });
}

Deno.test("what the source sends is read and thrown away", async () => {
  await using scene = await Scene.start({ contender: "read", ...MIXED });
  await firstEvent(scene);
  const { in: sent, out } = await load(scene, { warmUp: 100, events: 1_000, pace: "full" });
  assert(sent > 0 && out > 0);
});

mosquittoTest("the bridge that fsmqtt is compared with loses nothing at QoS 2", async () => {
  await using scene = await Scene.start({ contender: "bridge", ...MIXED, qos: 2 });
  await firstEvent(scene);
  const { lost } = await load(scene, { warmUp: 0, events: 200, pace: "full" });
  assert.equal(lost, 0);
});

Deno.test("a client of modesl is sent events once it asks for them", async () => {
  await using source = new Steered<Source>(calmProgram("source"));
  const { esl } = await source.ask("ports");
  const order = { series: "mixed", first: 0, events: 3, pace: { kind: "line" } } as const;
  const sent = source.ask("send", order);
  const client = new modesl.Connection("127.0.0.1", esl, PASSWORD);
  await once(client, "esl::ready");
  const names: string[] = [];
  const heard = new Promise<void>((resolve) => {
    client.on("esl::event::**", (event: { getHeader(name: string): string | null }) => {
      const name = event.getHeader("Event-Name");
      if (name !== null && names.push(name) === 3) resolve();
    });
  });
  client.events("json", "all");
  await heard;
  assert.deepEqual(names, ["CODEC", "CODEC", "CHANNEL_CREATE"]);
  assert.equal((await sent).events, 3);
  const closed = once(client.socket, "close");
  client.disconnect();
  await closed;
});

Deno.test("fsmqtt's own link takes the event socket for a FreeSWITCH", async () => {
  const server = EslServer.listen();
  const heard: unknown[] = [];
  const connected = Promise.withResolvers<void>();
  const link = new EslLink({
    endpoint: { host: "127.0.0.1", port: server.port, password: new Secret(PASSWORD) },
    subscription: ["event json HEARTBEAT CODEC"],
    clock: systemClock,
  }, {
    event: () => {},
    eventTooLong: () => {},
    state: ({ state }) => state === "connected" && connected.resolve(),
    identity: ({ hostname, switchname }) => heard.push(hostname, switchname),
    originalModuleLoaded: (loaded) => heard.push(loaded),
    callLegs: (count) => heard.push(count),
    lost: () => {},
  });
  link.start();
  await connected.promise;
  await server.listener;
  assert.deepEqual(heard, ["bench", "bench", false, 0]);
  link.stop();
  server.close();
});

Deno.test("who dies tells with its last words", async () => {
  const script = 'console.error("no more"); Deno.exit(3)';
  await using child = new Child({ name: "it", command: [Deno.execPath(), "eval", script] });
  await assert.rejects(child.alive(new Promise(() => {})), {
    message: "it ended with 3:\nno more",
  });
});

Deno.test("who answers that it cannot is an error", async () => {
  await using source = new Steered<Source>(calmProgram("source"));
  await assert.rejects(
    source.ask("nonsense" as "ports"),
    { message: "nonsense: there is no nonsense" },
  );
});

Deno.test("a process of a measurement ends with the one that steers it", async () => {
  const { command: [deno = "", ...args] } = program("source");
  const child = new Deno.Command(deno, { args, stdin: "piped", stdout: "null" }).spawn();
  await child.stdin.close();
  assert.equal((await child.status).code, 0);
});

Deno.test("the processor time of a process is told in seconds", async () => {
  const before = await cpuSeconds(Deno.pid);
  const end = performance.now() + 200;
  while (performance.now() < end);
  const after = await cpuSeconds(Deno.pid);
  assert(before > 0 && after > before && after < before + 60);
});

Deno.test("the machine is never more than wholly busy", async () => {
  const before = await machineTime();
  const end = performance.now() + 200;
  while (performance.now() < end);
  const after = await machineTime();
  const [busy, all] = [after.busy - before.busy, after.all - before.all];
  assert(busy > 0 && busy <= all, `${busy} of ${all}`);
  assert(after.busy < after.all);
});
