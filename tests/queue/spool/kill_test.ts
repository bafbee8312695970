import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { KEPT_ROWS } from "./kept_rows.ts";
import {
  ALL,
  assertWhole,
  type Folder,
  folder,
  numbers,
  open,
  randomNumbers,
  range,
} from "./helper.ts";

/** Runs the writer, kills it after it has printed so many numbers, and tells the last one. */
async function killed(path: string, side: string, after: number): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("./writer.ts", import.meta.url).pathname, path, side],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let text = "";
  let last = 0;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) strictEqual(Number(line), ++last);
    if (last >= after) {
      try {
        child.kill("SIGKILL");
      } catch {
        // It is dead already; what it has printed is still being read.
      }
    }
  }
  strictEqual((await child.status).signal, "SIGKILL");
  return last;
}

const COMMITS = [1, 9, 57, 130, 333, 501, 777, 1_234, 1_900, 2_600];

for (const side of ["file", "worker"]) {
  Deno.test(`what was said to be on disk is there after kill -9 (${side})`, async (test) => {
    const random = randomNumbers(side.length);
    // Half of the moments do for each side; they are the same at each run, apart from the machine.
    const moments = COMMITS.filter((_, index) => index % 2 === side.length % 2);
    for (const commits of moments) {
      const after = commits + Math.floor(random() * 50);
      await test.step(`after ${after} commits`, async () => {
        using dir = folder();
        const path = dir.file("spool");
        const last = await killed(path, side, after);
        using opened = open(path);
        strictEqual(opened.damage, undefined);
        const { lastRow, messages, deliveries } = opened.contents;
        // What was committed and not yet said may be there too.
        ok(lastRow >= last && lastRow <= last + 1, `${lastRow} after ${last}`);
        const found = opened.file.read(0, ALL);
        strictEqual(messages, found.length);
        deepStrictEqual(numbers(found), range(Math.max(1, lastRow - KEPT_ROWS + 1), lastRow));
        found.forEach(assertWhole);
        deepStrictEqual(numbers(deliveries), numbers(found).filter((number) => number % 2 === 0));
      });
    }
  });
}

/** A copy of what a killed writer has left, with so much of its log. */
function copyCut(from: string, dir: Folder, name: string, log: Uint8Array): string {
  const path = dir.file(name);
  Deno.copyFileSync(from, path);
  Deno.writeFileSync(`${path}-wal`, log);
  return path;
}

Deno.test("a log that was cut off at random is read as far as it goes, or is told of", async () => {
  using dir = folder();
  const path = dir.file("spool");
  const last = await killed(path, "file", 600);
  const log = await Deno.readFile(`${path}-wal`);
  ok(log.length > 100_000);
  const random = randomNumbers(1);
  const newest = new Set<number>();
  for (let count = 0; count < 30; count++) {
    const bytes = Math.floor(random() * log.length);
    const cut = copyCut(path, dir, `cut-${count}`, log.slice(0, bytes));
    using opened = open(cut);
    const found = opened.file.read(0, ALL);
    const { messages, lastRow } = opened.contents;
    strictEqual(messages, found.length, `cut at ${bytes}`);
    found.forEach(assertWhole);
    ok(lastRow <= last + 1);
    newest.add(lastRow);
    if (opened.damage === undefined) {
      // The state after one of the commits.
      const first = Math.max(1, lastRow - KEPT_ROWS + 1);
      deepStrictEqual(
        numbers(found),
        lastRow === 0 ? [] : range(first, lastRow),
        `cut at ${bytes}`,
      );
    }
    deepStrictEqual(opened.told, []);
  }
  ok(newest.size > 5, "the cuts have to matter");
});

Deno.test("a log with garbage in it is read as far as it is whole, or is told of", async () => {
  using dir = folder();
  const path = dir.file("spool");
  await killed(path, "file", 900);
  const log = await Deno.readFile(`${path}-wal`);
  const random = randomNumbers(2);
  for (let count = 0; count < 10; count++) {
    const torn = log.slice();
    const at = Math.floor(random() * (torn.length - 5_000));
    for (let byte = at; byte < at + 5_000; byte++) torn[byte] = Math.floor(random() * 256);
    using opened = open(copyCut(path, dir, `torn-${count}`, torn));
    const found = opened.file.read(0, ALL);
    strictEqual(opened.contents.messages, found.length, `garbage at ${at}`);
    found.forEach(assertWhole);
    deepStrictEqual(opened.told, []);
  }
});
