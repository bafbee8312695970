/** What processes are measured with. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { main } from "../../../lib/cli/cli.ts";
import { agentConfiguration, copiesOf } from "../../../scripts/bench/rig/agent_configuration.ts";
import { Child } from "../../../scripts/bench/rig/child.ts";
import { GC_TRACE, GcTally } from "../../../scripts/bench/rig/gc_trace.ts";
import { within } from "../../../scripts/bench/rig/within.ts";
import { freeswitch } from "../../../scripts/bench/suites/freeswitch.ts";
import { forgetPeak, residentOf } from "../../../scripts/measure/memory.ts";
import { RUN, source } from "../../../scripts/measure/programs.ts";
import { realFreeswitch } from "../../support/esl_client.ts";

const MB = 2 ** 20;

for (
  const [layout, topics, connections, copies] of [
    [{ matching: 1, passedBy: 0, connections: 1 }, 1, 1, 1],
    [{ matching: 1, passedBy: 99, connections: 1 }, 100, 1, 1],
    [{ matching: 100, passedBy: 0, connections: 1 }, 100, 1, 100],
    [{ matching: 1, passedBy: 0, connections: 10 }, 10, 10, 10],
  ] as const
) {
  Deno.test(`fsmqtt takes a configuration of ${topics} topics, ${connections} connections`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const esl = { hostname: "127.0.0.1", port: 8021, password: "x" };
      const options = { esl, broker: 1883, events: ["CODEC", "API"], qos: 1, layout } as const;
      const file = join(folder, "mosquitto.conf.xml");
      const text = agentConfiguration(options, folder);
      await Deno.writeTextFile(file, text);
      const found: string[] = [];
      const print = (line: string) => void found.push(line);
      const code = await main(["check", "--config", file], { out: print, err: print });
      assert.equal(code, 0, found.join("\n"));
      assert.equal(text.split("<topic ").length - 1, topics);
      assert.equal(text.split('<connection name="c').length - 1, connections);
      assert.equal(text.split('value="CODEC"').length - 1, copies);
      assert.equal(copiesOf(layout), copies);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("collections of all threads are added up, since they were forgotten", () => {
  const tally = new GcTally();
  const line = (thread: string, pause: number, allocated: number) =>
    `[123:0x55${thread}:0]    12 ms: GC: {"pause":${pause},"gc":"s","allocated":${allocated}}`;
  tally.take(line("a", 9, 9));
  tally.forget();
  tally.take(line("a", 0.5, 1000));
  tally.take("[123:0x55a:0]  13 ms: Memory pool: Removed pages: 0, removed large pages: 0");
  tally.take(", removed zone reservations: 0");
  tally.take(line("b", 2, 500).replace(":0]", "]"));
  assert.deepEqual(tally.collections, { count: 2, allocated: 1500, pausedMs: 2.5, longestMs: 2 });
  assert.deepEqual(new GcTally().collections, {
    ...{ count: 0, allocated: 0, pausedMs: 0, longestMs: 0 },
  });
});

Deno.test("V8 tells of what a process leaves on its heap", async () => {
  const script =
    "let a; for (let i = 0; i < 3e6; i++) a = [i, a === undefined]; console.log(a[0]);" +
    'console.log("made"); setTimeout(() => {}, 2 ** 30)';
  const command = [...GC_TRACE.wrap, Deno.execPath(), "eval", script];
  const tally = new GcTally();
  const made = Promise.withResolvers<void>();
  const onLine = (line: string) => line === "made" ? made.resolve() : tally.take(line);
  await using child = new Child({ name: "it", command, env: GC_TRACE.env, onLine });
  await child.alive(made.promise);
  const { count, allocated, pausedMs } = tally.collections;
  // An array of two takes 16 bytes at least, and its elements as many.
  assert(allocated > 60 * MB && allocated < 1000 * MB, `${allocated}`);
  assert(count > 0 && pausedMs > 0);
});

Deno.test("the peak of a process's memory can be forgotten", async () => {
  const script = "new Uint8Array(256 * 2 ** 20).fill(1).buffer.transfer(0);" +
    'console.log("made"); setTimeout(() => {}, 2 ** 30)';
  const made = Promise.withResolvers<void>();
  const onLine = () => made.resolve();
  const command = [Deno.execPath(), "eval", script];
  await using child = new Child({ name: "it", command, onLine });
  await child.alive(made.promise);
  const before = await residentOf(child.pid);
  assert(before.peak > 256 * MB && before.now < 256 * MB, JSON.stringify(before));
  await forgetPeak(child.pid);
  assert((await residentOf(child.pid)).peak < 256 * MB);
});

Deno.test("what does not come in time is an error that says what", async () => {
  await assert.rejects(within(1, "nothing came", new Promise(() => {})), {
    message: "nothing came within 0.001 s",
  });
  assert.equal(await within(1_000, "it came", Promise.resolve(7)), 7);
});

const esl = realFreeswitch();
Deno.test({
  name: "a real FreeSWITCH's event socket is drained",
  ignore: esl === undefined,
  fn: async () => {
    if (esl === undefined) return;
    const fsmqtt = [...(await source()).command, ...RUN];
    const plan = { events: 1_000, warmUp: 0, patience: 1, fsmqtt };
    for (const trial of freeswitch(esl).trials(plan)) {
      const [row] = await trial.run();
      assert.equal(row?.figures.lost, 0, trial.contender);
      assert((row?.figures.out ?? 0) > 0);
    }
  },
});
