/** The unit of the service, as systemd itself judges it. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const UNIT = fileURLToPath(new URL("../../conf/fsmqtt.service", import.meta.url));
const ANALYZE = "/usr/bin/systemd-analyze";

/** Declares a test that needs systemd's tools; with `CI=true` their absence is an error. */
function analyzeTest(name: string, fn: () => Promise<void>): void {
  const ignore = Deno.env.get("CI") !== "true" && !isThere(ANALYZE);
  Deno.test({ name: ignore ? `${name} (needs ${ANALYZE})` : name, ignore, fn });
}

function isThere(file: string): boolean {
  try {
    return Deno.statSync(file).isFile;
  } catch {
    return false;
  }
}

async function analyze(...args: readonly string[]): Promise<{ code: number; said: string }> {
  const { code, stdout, stderr } = await new Deno.Command(ANALYZE, {
    args: [...args],
    env: { SYSTEMD_PAGER: "", NO_COLOR: "1", LC_ALL: "C.UTF-8" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, said: text(stdout) + text(stderr) };
}

analyzeTest("systemd-analyze security finds an exposure below 2.0", async () => {
  const { said } = await analyze("security", "--offline=true", UNIT);
  const [, exposure] = /Overall exposure level for fsmqtt\.service: (\d+\.\d+)/.exec(said) ?? [];
  assert.ok(Number(exposure) < 2.0, said);
});

analyzeTest("systemd-analyze verify has nothing to say", async () => {
  const folder = await Deno.makeTempDir({ prefix: "fsmqtt-unit-" });
  try {
    // It would miss the program, which is installed nowhere here.
    const unit = await Deno.readTextFile(UNIT);
    const copy = join(folder, "fsmqtt.service");
    await Deno.writeTextFile(copy, unit.replace("/usr/bin/fsmqtt ", "/bin/true "));
    const { code, said } = await analyze("verify", "--man=no", "--recursive-errors=no", copy);
    assert.equal(said, "");
    assert.equal(code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
