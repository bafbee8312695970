/** The command line of `deno task bench`. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { within } from "../../../scripts/bench/rig/within.ts";
import { eventually } from "../../support/agent_process.ts";
import { mosquittoTest } from "../../support/broker.ts";
import { runScript } from "../../support/script.ts";

const bench = (...args: string[]) => runScript("bench.ts", args);

const SMALL = [
  ...["--only", "throughput", "--case", "QoS 0, 4.5", "--contender", "fsmqtt"],
  ...["--form", "source", "--runs", "1", "--events", "500"],
];

mosquittoTest("a small run is measured, written to a file, and compared with it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "results.json");
    const first = await bench(...SMALL, "--json", file);
    assert.equal(first.code, 0, first.err);
    assert.match(first.out, /^Full load: /m);
    assert.match(first.out, /^QoS 0, 4\.5 KB +[\d,]+ +[\d,]+ +[\d.]+ +\d+ +\d+ +0$/m);
    const { figures, machine, settings } = JSON.parse(await Deno.readTextFile(file));
    assert.equal(figures.length, 6);
    assert.equal(machine.deno, Deno.version.deno);
    assert.deepEqual(settings, { form: "source", events: 500, patience: 1 });

    // Nothing can be worse than these by a tenth.
    for (const figure of figures) {
      figure.samples = [figure.better === "more" ? 1 : 1e15];
    }
    await Deno.writeTextFile(file, JSON.stringify({ format: 1, machine, settings, figures }));
    const same = await bench(...SMALL, "--compare", file);
    assert.equal(same.code, 0, same.err);
    assert.match(same.out, /^Compared: 5 figures, of which 0 became worse by more than a tenth$/m);

    for (const figure of figures) {
      figure.samples = [figure.better === "more" ? 1e15 : 1e-15];
    }
    await Deno.writeTextFile(file, JSON.stringify({ format: 1, machine, settings, figures }));
    const worse = await bench(...SMALL, "--compare", file);
    assert.equal(worse.code, 1, worse.err);
    assert.match(worse.out, /^ {2}throughput, QoS 0, 4\.5 KB, peak MB: .* worse$/m);

    const other = await bench(...SMALL, "--compare", file, "--events", "501");
    assert.equal(other.code, 1);
    assert.match(other.err, /^Cannot measure: .* cannot be compared with: it has other settings/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (
  const [args, why] of [
    [["--runs", "0"], '--runs needs a whole number above 0, not "0"'],
    [["--events", "x"], '--events needs a whole number above 0, not "x"'],
    [["--only", "fun"], "--only is one of throughput, calls, "],
    [["--only", "freeswitch"], "--only is one of throughput, calls, "],
    [["--contender", "me"], "--contender is one of fsmqtt, bridge, publish, read, not"],
    [["--form", "boat"], "--form is one of bundle, source, executable, "],
    [["--freeswitch", "localhost"], "--freeswitch needs HOST:PORT:PASSWORD"],
    [["--fast"], "Unknown option '--fast'"],
  ] as const
) {
  Deno.test(`${args.join(" ")} is refused with the usage`, async () => {
    const { code, out, err } = await bench(...args);
    assert.deepEqual([code, out], [64, ""]);
    assert(err.startsWith(why), err);
    assert.match(err, /\n\ndeno task bench \[--quick\]/);
  });
}

/** The processes that a process has started. */
async function childrenOf(pid: number): Promise<readonly number[]> {
  const threads = await Array.fromAsync(Deno.readDir(`/proc/${pid}/task`));
  const lists = await Promise.all(
    threads.map(({ name }) => Deno.readTextFile(`/proc/${pid}/task/${name}/children`)),
  );
  return lists.flatMap((list) => list.split(" ")).filter((word) => word !== "").map(Number);
}

mosquittoTest("Ctrl-C ends all processes and leaves no files", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const script = new URL("../../../scripts/bench.ts", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", script, "--quick", "--only", "latency", "--form", "source"],
      env: { TMPDIR: folder },
      stdout: "null",
      stderr: "null",
    }).spawn();
    // Source, broker, subscriber and fsmqtt.
    const children = await eventually("all processes run", async () => {
      const found = await childrenOf(child.pid);
      return found.length === 4 ? found : undefined;
    });
    // A terminal sends it to all of them.
    for (const pid of [...children, child.pid]) Deno.kill(pid, "SIGINT");
    const { code } = await within(30_000, "it did not end", child.status).catch((error) => {
      for (const pid of [child.pid, ...children]) Deno.kill(pid, "SIGKILL");
      throw error;
    });
    assert.equal(code, 130);
    for (const pid of children) {
      await assert.rejects(Deno.stat(`/proc/${pid}/exe`), Deno.errors.NotFound);
    }
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
