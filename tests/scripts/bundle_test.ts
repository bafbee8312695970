/** The task `bundle`. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BUNDLE_FLAGS } from "../../scripts/build/flags.ts";
import { runDeno, runProgram } from "../../scripts/build/program.ts";
import { VERSION } from "../../lib/version.ts";
import { build, inFolder, LIMIT_MS, namesIn } from "./building.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

Deno.test("the bundle is one program that needs nothing else", async (t) => {
  await inFolder(async (folder) => {
    const dist = join(folder, "dist");
    const bundle = join(dist, "fsmqtt.js");
    const ended = await build("bundle.ts", ["--dist", dist]);
    assert.deepEqual([ended.code, ended.out], [0, bundle], ended.err);
    assert.deepEqual(namesIn(dist), ["fsmqtt.js"]);
    const script = await Deno.readTextFile(bundle);

    await t.step("it starts by its own name", async () => {
      const { code, out } = await runProgram([bundle, "version"], { limitMs: LIMIT_MS });
      assert.deepEqual([code, out], [0, `fsmqtt ${VERSION} (deno ${Deno.version.deno})`]);
    });

    await t.step("its first line is one that the kernel reads whole", () => {
      const [first = ""] = script.split("\n");
      assert.match(first, /^#!\/usr\/bin\/env -S .*deno run --no-config .* --allow-ffi/);
      assert.ok(first.length <= 255, `${first.length}`);
    });

    await t.step("it says nothing of the machine that made it", async () => {
      const { denoDir } = JSON.parse(
        (await runDeno(["info", "--json"], { limitMs: LIMIT_MS })).out,
      );
      for (const path of [ROOT, denoDir, folder]) assert.ok(!script.includes(path), path);
    });

    await t.step("it brings the licences of what is in it", () => {
      for (const name of ["mqtt", "mqtt-packet", "aedes", "re2js", "saxes", "ws"]) {
        assert.match(script, new RegExp(`^(?:\\S.*, )?${name} \\d+\\.\\d+\\.\\d+(?:, .*)?$`, "m"));
      }
      // For the tests only, so not in it.
      assert.doesNotMatch(script, /^modesl \d/m);
    });

    for (
      const [flags, missing] of [
        [["-A"], "--unstable-worker-options"],
        [BUNDLE_FLAGS.filter((flag) => flag !== "--allow-net"), "--allow-net"],
        [BUNDLE_FLAGS.filter((flag) => flag !== "--allow-env"), "--allow-env"],
        [["--allow-sys", "-N", "-R", "-W"], "--allow-env"],
        [
          BUNDLE_FLAGS.map((flag) => flag.startsWith("--allow-sys") ? "--allow-sys=uid" : flag),
          "--allow-sys=hostname,uid,gid,statfs",
        ],
      ] as const
    ) {
      await t.step(`started with ${flags.join(" ")} it says what is missing`, async () => {
        const { code, out, err } = await runDeno(["run", ...flags, bundle, "version"], {
          limitMs: LIMIT_MS,
        });
        assert.deepEqual([code, out], [64, ""]);
        assert.equal(
          err,
          `fsmqtt is not started: Deno was started without ${missing}; this is all that it needs:\n` +
            `deno run ${BUNDLE_FLAGS.join(" ")} fsmqtt.js`,
        );
      });
    }

    await t.step("without foreign code it starts: few connections need it", async () => {
      const flags = BUNDLE_FLAGS.filter((flag) => flag !== "--allow-ffi");
      const { code } = await runDeno(["run", ...flags, bundle, "version"], { limitMs: LIMIT_MS });
      assert.equal(code, 0);
    });
  });
});

Deno.test("where nothing can be downloaded there is no bundle, and one line why", async () => {
  await inFolder(async (folder) => {
    const dist = join(folder, "dist");
    const { code, out, err } = await build("bundle.ts", ["--dist", dist], {
      DENO_DIR: join(folder, "deno"),
      HTTPS_PROXY: "http://127.0.0.1:9",
    });
    assert.deepEqual([code, out], [69, ""]);
    assert.equal(
      err,
      "Cannot bundle: what `deno bundle` bundles with cannot be downloaded from npm's registry",
    );
    assert.deepEqual(namesIn(dist), []);
  });
});
