import assert from "node:assert/strict";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { freePort } from "../support/broker.ts";
import { configurationXml, params, RunningAgent } from "./running_agent.ts";

const connections = { c: params({ host: "127.0.0.1", port: 1, enable: false }) };

Deno.test("bgapi gives the job's result, and a failure as a failure", async () => {
  await using simulator = await Simulator.start({
    api: {
      fail: () => "-ERR no such thing\n",
      usage: () => "-USAGE: usage <x>\n",
      quiet: () => "",
    },
  });
  await using running = await RunningAgent.start(configurationXml(simulator.port, { connections }));
  await running.until("FreeSWITCH is there", ({ freeswitch }) => freeswitch.state === "connected");
  const ask = (command: string) => running.agent.handle({ do: "bgapi", command });
  assert.deepEqual(await ask("echo  two  words"), { kind: "done", text: "two  words" });
  assert.deepEqual(await ask("fail"), {
    kind: "failed",
    error: "-ERR no such thing",
    exitCode: 1,
  });
  assert.deepEqual(await ask("usage"), { kind: "failed", error: "-USAGE: usage <x>", exitCode: 1 });
  const broken = await ask("echo a\napi shutdown");
  assert(broken.kind === "failed" && broken.exitCode === 1);
  assert(!simulator.received.some(({ command }) => command.includes("shutdown")));
});

Deno.test("without FreeSWITCH bgapi says so", async () => {
  await using running = await RunningAgent.start(configurationXml(freePort(), { connections }));
  assert.deepEqual(await running.agent.handle({ do: "bgapi", command: "status" }), {
    kind: "failed",
    error: "FreeSWITCH is not connected",
    exitCode: 69,
  });
});
