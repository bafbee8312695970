import assert from "node:assert/strict";
import { join } from "node:path";
import { randomLetters, StateDir, StateDirError } from "../../lib/agent/state_dir.ts";

const never = (text: string) => assert.fail(text);

async function withFolder(use: (dir: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "fsmqtt-state-test-" });
  try {
    await use(join(folder, "state"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a state folder belongs to one agent at a time", async () => {
  await withFolder((dir) => {
    const first = StateDir.open(dir, never);
    assert.throws(() => StateDir.open(dir, never), (error: Error) => {
      assert(error instanceof StateDirError);
      assert.equal(
        error.message,
        `An agent is running already on the state folder ${dir}: see \`fsmqtt status\`. ` +
          "A second one needs a state-dir and a control-socket of its own",
      );
      return true;
    });
    first.close();
    StateDir.open(dir, never).close();
  });
});

Deno.test("the state is its owner's alone", async () => {
  await withFolder(async (dir) => {
    const state = StateDir.open(dir, never);
    state.uniquePart("p", "c", 10);
    state.close();
    for (const [path, mode] of [[dir, 0o700], [join(dir, "state.json"), 0o600]] as const) {
      assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, mode, path);
    }
  });
});

Deno.test("unique parts are the same after a restart", async () => {
  await withFolder((dir) => {
    const first = StateDir.open(dir, never);
    const made = first.uniquePart("p", "c", 10);
    assert.match(made, /^[a-zA-Z0-9]{10}$/);
    assert.equal(first.uniquePart("p", "c", 10), made);
    first.close();
    const second = StateDir.open(dir, never);
    assert.equal(second.uniquePart("p", "c", 10), made);
    assert.notEqual(second.uniquePart("p", "d", 10), made);
    second.close();
  });
});

Deno.test("another length means another unique part", () => {
  const state = StateDir.inMemory();
  assert.equal(state.uniquePart("p", "c", 10).length, 10);
  assert.equal(state.uniquePart("p", "c", 127).length, 127);
});

Deno.test("no two connections share a unique part, whatever their names", () => {
  const state = StateDir.inMemory();
  const names = [["a/b", "c"], ["a", "b/c"], ["a%2Fb", "c"], ["__proto__", "x"]] as const;
  const parts = names.map(([profile, name]) => state.uniquePart(profile, name, 10));
  assert.equal(new Set(parts).size, names.length);
});

Deno.test("FreeSWITCH's names are known after a restart", async () => {
  await withFolder((dir) => {
    const first = StateDir.open(dir, never);
    assert.equal(first.switchNames, undefined);
    first.rememberSwitch({ hostname: "h1", switchname: "s1" });
    first.close();
    const second = StateDir.open(dir, never);
    assert.deepEqual(second.switchNames, { hostname: "h1", switchname: "s1" });
    second.close();
  });
});

for (
  const damaged of ["", "{", "null", "[]", '{"unique":7,"switch":7}', '{"unique":{"p/c":7}}']
) {
  Deno.test(`a state file that holds ${JSON.stringify(damaged)} is made anew`, async () => {
    await withFolder(async (dir) => {
      await Deno.mkdir(dir);
      await Deno.writeTextFile(join(dir, "state.json"), damaged);
      const state = StateDir.open(dir, () => {});
      assert.equal(state.switchNames, undefined);
      const made = state.uniquePart("p", "c", 10);
      state.close();
      const again = StateDir.open(dir, never);
      assert.equal(again.uniquePart("p", "c", 10), made);
      again.close();
    });
  });
}

Deno.test("a state file that cannot be read is told", async () => {
  await withFolder(async (dir) => {
    await Deno.mkdir(dir);
    await Deno.writeTextFile(join(dir, "state.json"), "{");
    const told: string[] = [];
    const state = StateDir.open(dir, (text) => told.push(text));
    state.uniquePart("p", "c", 10);
    state.close();
    assert.equal(told.length, 1);
    assert.match(
      told.join(),
      new RegExp(`^Cannot read ${dir}/state.json: .* It is put aside as .* are generated anew$`),
    );
    assert.equal(await Deno.readTextFile(join(dir, "state.json.unreadable")), "{");
  });
});

Deno.test("a folder that cannot be used is told, and the agent goes on", async () => {
  await withFolder(async (dir) => {
    await Deno.writeTextFile(dir, "no folder");
    const told: string[] = [];
    const state = StateDir.open(join(dir, "in"), (text) => told.push(text));
    assert.equal(told.length, 1);
    assert.match(
      told.join(),
      /^The state folder .* cannot be used \(Not a directory\): .*no spools and no audit log are kept, .*\. Give it/,
    );
    state.rememberSwitch({ hostname: "h", switchname: "s" });
    assert.deepEqual(state.switchNames, { hostname: "h", switchname: "s" });
    assert.equal(state.uniquePart("p", "c", 10), state.uniquePart("p", "c", 10));
    assert.equal(told.length, 1);
    state.close();
  });
});

Deno.test("a state that cannot be written any more is told, and the agent goes on", async () => {
  await withFolder(async (dir) => {
    const told: string[] = [];
    const state = StateDir.open(dir, (text) => told.push(text));
    await Deno.remove(dir, { recursive: true });
    const made = state.uniquePart("p", "c", 10);
    assert.equal(state.uniquePart("p", "c", 10), made);
    assert.match(told.join(), new RegExp(`^Cannot write ${dir}/state.json: `));
    state.close();
  });
});

Deno.test("random letters are spread evenly", () => {
  const counts = new Map<string, number>();
  for (const letter of randomLetters(62_000)) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  assert.equal(counts.size, 62);
  // 1000 each; six standard deviations are 188.
  for (const count of counts.values()) assert(Math.abs(count - 1000) < 250, `${count}`);
});
