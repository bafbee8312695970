/** Parts of the scripts that build. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { handOut } from "../../scripts/build/dist.ts";
import { notices } from "../../scripts/build/notices.ts";
import { runProgram } from "../../scripts/build/program.ts";
import { isOlder } from "../../scripts/build/start.ts";
import { inFolder, namesIn } from "./building.ts";

for (
  const [version, other, older] of [
    ["2.9.6", "2.9", false],
    ["2.9.0", "2.9", false],
    ["2.8.3", "2.9", true],
    ["2.10.0", "2.9", false],
    ["1.46.3", "2.9", true],
    ["3.0.0", "2.9", false],
    ["2.9.0-rc.1", "2.9", false],
    ["2.9.6+abc", "2.9.7", true],
  ] as const
) {
  Deno.test(`Deno ${version} is ${older ? "older" : "not older"} than ${other}`, () => {
    assert.equal(isOlder(version, other), older);
  });
}

Deno.test("what fails halfway leaves what was there before", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "it"), "before");
    await assert.rejects(
      handOut(folder, "it", async (path) => {
        await Deno.writeTextFile(path, "half");
        throw new Error("no good");
      }),
      /no good/,
    );
    assert.deepEqual(namesIn(folder), ["it"]);
    assert.equal(await Deno.readTextFile(join(folder, "it")), "before");
  });
});

Deno.test("a package without a licence is not shipped silently", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "index.js"), "");
    await assert.rejects(
      notices([{ name: "left-out", version: "1.0.0", folder }]),
      /The npm package left-out has no licence/,
    );
    await Deno.writeTextFile(join(folder, "LICENCE.md"), "Do as you like.\n");
    assert.equal(
      await notices([{ name: "left-out", version: "1.0.0", folder }]),
      "left-out 1.0.0\n\nDo as you like.",
    );
  });
});

Deno.test("a program that hangs is killed, and has no exit code", async () => {
  const { code } = await runProgram(["sleep", "600"], { limitMs: 100 });
  assert.equal(code, undefined);
});
