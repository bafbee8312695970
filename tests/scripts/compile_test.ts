/** The task `compile`, with stand-ins for Deno's runtime base. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { runDeno } from "../../scripts/build/program.ts";
import { VERSION } from "../../lib/version.ts";
import { build, inFolder, LIMIT_MS, namesIn, standIn } from "./building.ts";

const FOREIGN = Deno.build.arch === "x86_64"
  ? { target: "aarch64-unknown-linux-gnu", machine: 183 }
  : { target: "x86_64-unknown-linux-gnu", machine: 62 };

const compile = (folder: string, base: string, ...args: string[]) =>
  build("compile.ts", ["--dist", join(folder, "dist"), ...args], { DENORT_BIN: base });

Deno.test("an executable that works is handed out", async () => {
  await inFolder(async (folder) => {
    const base = await standIn(folder, { version: VERSION });
    const { code, out, err } = await compile(folder, base);
    assert.deepEqual([code, out], [0, join(folder, "dist/fsmqtt")], err);
    assert.deepEqual(namesIn(join(folder, "dist")), ["fsmqtt"]);
    const made = await Deno.readFile(out);
    const text = new TextDecoder().decode(made);
    // The bundle is in it, and what Deno's runtime is told: no subprocess, no code from elsewhere,
    // no compiled code where everybody can write.
    assert.ok(text.includes("// The licences of the packages in it are at its end."));
    const [, told = ""] = /(\{"argv":.*"entrypoint_key":.*?"features":\[.*?\])/.exec(text) ?? [];
    for (
      const part of [
        '"code_cache_key":null',
        '"allow_run":null',
        '"deny_import":[]',
        '"allow_sys":["hostname","uid","gid","statfs"]',
        '"features":["worker-options"]',
      ]
    ) assert.ok(told.includes(part), `${part} is not in ${told}`);

    const again = join(folder, "again");
    await build("compile.ts", ["--dist", again], { DENORT_BIN: base });
    const bytes = await Deno.readFile(join(again, "fsmqtt"));
    assert.ok(bytes.every((byte, i) => byte === made[i]) && bytes.length === made.length);
  });
});

for (
  const [what, given, complaint] of [
    ["that does not start", { version: VERSION, fails: "version" }, /version ends with 3$/m],
    ["that refuses the sample", { version: VERSION, fails: "check" }, /check .* ends with 3$/m],
    ["whose demo fails", { version: VERSION, fails: "demo" }, /demo --seconds 2 ends with 3$/m],
    ["of another version", { version: "0.0.0" }, /version prints something else than it should$/m],
  ] as const
) {
  Deno.test(`an executable ${what} is not handed out, and the one before stays`, async () => {
    await inFolder(async (folder) => {
      const dist = join(folder, "dist");
      await Deno.mkdir(dist);
      await Deno.writeTextFile(join(dist, "fsmqtt"), "the one before");
      const { code, out, err } = await compile(folder, await standIn(folder, given));
      assert.deepEqual([code, out], [1, ""], err);
      assert.match(err, /^Not handed out: /);
      assert.match(err, complaint);
      assert.match(err, /^fsmqtt .*\(stand-in\)$[^]* was asked for$/m);
      assert.deepEqual(namesIn(dist), ["fsmqtt"]);
      assert.equal(await Deno.readTextFile(join(dist, "fsmqtt")), "the one before");
    });
  });
}

Deno.test("what is no runtime base is refused in one line", async (t) => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "script"), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
    await Deno.writeTextFile(join(folder, "empty"), "");
    await makeForeign(folder);
    await Deno.symlink(Deno.execPath(), join(folder, "deno"));
    for (
      const [name, why] of [
        ["absent", "which cannot be read: No such file or directory (os error 2)"],
        [".", "which is no file"],
        [
          "deno",
          "which is deno; denort is needed: the program in denort-" +
          `${Deno.build.target}.zip of Deno ${Deno.version.deno}'s release`,
        ],
        ["script", "which is no program (it is not in ELF)"],
        ["empty", "which is no program (it is not in ELF)"],
        ["foreign", `which is not for ${Deno.build.target}`],
      ] as const
    ) {
      await t.step(name, async () => {
        const base = join(folder, name);
        const { code, out, err } = await compile(folder, base);
        assert.deepEqual([code, out], [69, ""]);
        assert.equal(err, `Cannot compile: DENORT_BIN names ${base}, ${why}`);
        assert.deepEqual(namesIn(join(folder, "dist")), []);
      });
    }
  });
});

Deno.test("an executable for another machine is started by an emulator, or says that it was not", async (t) => {
  await inFolder(async (folder) => {
    const base = await makeForeign(folder);
    const dist = join(folder, "dist");
    const name = `fsmqtt-${FOREIGN.target}`;
    const foreign = (...args: string[]) =>
      compile(folder, base, "--target", FOREIGN.target, ...args);

    await t.step("with neither it is not handed out", async () => {
      const { code, out, err } = await foreign();
      assert.deepEqual([code, out], [69, ""]);
      assert.match(err, /^Not handed out: nothing here can start a program for .*--emulator .*\)$/);
      assert.deepEqual(namesIn(dist), []);
    });
    await t.step("untested it has another name", async () => {
      const { code, out, err } = await foreign("--untested");
      assert.deepEqual([code, out], [0, join(dist, `${name}.untested`)], err);
      assert.deepEqual(namesIn(dist), [`${name}.untested`]);
    });
    await t.step("an emulator starts it", async () => {
      await Deno.writeTextFile(
        join(folder, "emulator"),
        `#!/bin/sh\n[ "$1" = -x ] && echo "fsmqtt ${VERSION} The broker took it: $3"\n`,
        { mode: 0o755 },
      );
      const { code, out, err } = await foreign("--emulator", `${join(folder, "emulator")} -x`);
      assert.deepEqual([code, out], [0, join(dist, name)], err);
      assert.deepEqual(namesIn(dist), [name, `${name}.untested`]);
    });
  });
});

Deno.test("where the runtime base cannot be downloaded one line says so", async () => {
  await inFolder(async (folder) => {
    const { code, out, err } = await build("compile.ts", ["--dist", join(folder, "dist")], {
      DENO_DIR: await withoutBase(folder),
      HTTPS_PROXY: "http://127.0.0.1:9",
    });
    assert.deepEqual([code, out], [69, ""]);
    assert.match(
      err,
      /^Cannot compile: the runtime base denort cannot be downloaded \(.*refused.*\); name a local one in DENORT_BIN: the program in denort-\S+\.zip of Deno \S+ release$/,
    );
    assert.deepEqual(namesIn(join(folder, "dist")), []);
  });
});

Deno.test("a download of the runtime base that hangs is given up", async () => {
  // It takes connections and never answers.
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await inFolder(async (folder) => {
    const { code, out, err } = await build(
      "compile.ts",
      ["--dist", join(folder, "dist"), "--wait", "2"],
      {
        DENO_DIR: await withoutBase(folder),
        HTTPS_PROXY: `http://127.0.0.1:${silent.addr.port}`,
      },
    );
    assert.deepEqual([code, out], [69, ""]);
    assert.match(
      err,
      /denort cannot be downloaded \(it has not come within 2 s\); name a local one/,
    );
  });
});

for (
  const [args, why] of [
    [["--target", "riscv"], "There is no target riscv; there are x86_64-unknown-linux-gnu and "],
    [["--wait", "0"], '--wait needs a number above 0, not "0"'],
    [["--targt", "x"], "Unknown option '--targt'"],
  ] as const
) {
  Deno.test(`${args.join(" ")} is refused with the usage`, async () => {
    const { code, out, err } = await build("compile.ts", args);
    assert.deepEqual([code, out], [64, ""]);
    assert.ok(err.startsWith(why), err);
    assert.match(err, /\n\ndeno task compile \[--target TRIPLE\]/);
  });
}

/** A program that no machine of this kind can start. */
async function makeForeign(folder: string): Promise<string> {
  const native = await standIn(folder, { version: VERSION });
  const bytes = await Deno.readFile(native);
  new DataView(bytes.buffer).setUint16(18, FOREIGN.machine, true);
  const foreign = join(folder, "foreign");
  await Deno.writeFile(foreign, bytes, { mode: 0o755 });
  return foreign;
}

/** Deno's cache as it is, without runtime bases. */
async function withoutBase(folder: string): Promise<string> {
  const { denoDir } = JSON.parse((await runDeno(["info", "--json"], { limitMs: LIMIT_MS })).out);
  const copy = join(folder, "deno");
  await Deno.mkdir(join(copy, "dl"), { recursive: true });
  await Deno.symlink(join(denoDir, "npm"), join(copy, "npm"));
  for (const name of namesIn(join(denoDir, "dl"))) {
    if (name !== "release") await Deno.symlink(join(denoDir, "dl", name), join(copy, "dl", name));
  }
  return copy;
}
