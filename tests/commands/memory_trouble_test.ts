/** What the memory does when it is killed, and when the disk refuses. */

import assert from "node:assert/strict";
import { dirname } from "node:path";
import { SPARE_LINES } from "../../lib/commands/journal.ts";
import type { CommandMemory } from "../../lib/commands/memory.ts";
import { TextLineStream } from "../support/lines.ts";
import { DAY, HOUR, MemoryFile } from "./memory_helper.ts";

interface State {
  readonly count: number;
  readonly isLasting: boolean;
  readonly told: readonly string[];
}

/** A process that claims ids. */
class Claimer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  constructor(path: string) {
    const script = new URL("./memory_process.ts", import.meta.url).pathname;
    this.#child = new Deno.Command("sh", {
      // Ignored, SIGXFSZ becomes the error EFBIG (setrlimit(2)).
      args: ["-c", `trap "" XFSZ; exec "$@"`, "sh", Deno.execPath(), "run", "-A", script, path],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = this.#child.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream())
      .getReader();
    this.#input = this.#child.stdin.getWriter();
  }

  /** Lets its files grow to so many bytes. */
  async limit(bytes: number): Promise<void> {
    const args = ["--pid", `${this.#child.pid}`, `--fsize=${bytes}:`];
    const { success } = await new Deno.Command("prlimit", { args }).output();
    assert(success);
  }

  async say(command: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${command}\n`));
  }

  async line(): Promise<string> {
    return (await this.#lines.read()).value ?? assert.fail("it has ended");
  }

  async ask(command: string): Promise<State> {
    await this.say(command);
    return JSON.parse(await this.line());
  }

  /** Kills it; the lines that it had printed. */
  async kill(): Promise<string[]> {
    this.#child.kill("SIGKILL");
    const lines: string[] = [];
    for (let next = await this.#lines.read(); !next.done; next = await this.#lines.read()) {
      lines.push(next.value);
    }
    return lines;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    await this.#lines.cancel();
    await this.#input.abort().catch(() => {});
  }
}

/** What 300 claims do not fit into, and what they do. */
const [SMALL, LARGE] = [20 * 1024, 16 * 1024 * 1024];

/** Fails unless these are the ids that a process claimed. */
function assertClaimed(memory: CommandMemory, file: MemoryFile, count: number): void {
  for (let i = 1; i <= count; i++) {
    const id = `${i}`.padStart(64, "0");
    assert.equal(memory.claim(id, file.in(HOUR)), "used", `${i} of ${count}`);
  }
}

for (const after of [1, 30, 700]) {
  Deno.test(`a kill -9 after ${after} claims forgets none of them`, async () => {
    await using file = new MemoryFile();
    await using process = new Claimer(file.path);
    await process.say("flood");
    for (let i = 1; i <= after; i++) assert.equal(await process.line(), `${i}`);
    const last = Number((await process.kill()).at(-1) ?? after);
    const memory = await file.open();
    assertClaimed(memory, file, last);
    assert(memory.callsInADay("t") >= last);
    assert.deepEqual(file.told, []);
  });
}

Deno.test("a disk that takes no more is told once, and everything is there when it does again", async () => {
  await using file = new MemoryFile();
  await using process = new Claimer(file.path);
  assert.deepEqual(await process.ask("claim 50"), { count: 50, isLasting: true, told: [] });
  await process.limit(SMALL);
  const full = await process.ask("claim 300");
  assert.equal(full.isLasting, false);
  assert.equal(full.told.length, 1);
  assert.match(
    full.told[0] ?? "",
    /^Cannot write \S+: File too large\. Until it can be written, a restart forgets which commands/,
  );
  for (const command of ["claim 10", "advance 10", "claim 10", "advance 100", "claim 10"]) {
    const { isLasting, told } = await process.ask(command);
    assert.deepEqual([isLasting, told], [false, []]);
  }
  await process.limit(LARGE);
  assert.deepEqual((await process.ask("claim 10")).told, [], "it is not tried at each claim");
  await process.say("advance 10");
  let told = JSON.parse(await process.line()).told;
  while (told.length === 0) told = (await process.ask("claim 1")).told;
  assert.match(told.join("\n"), /^\S+ can be written again$/);
  const { count, isLasting } = await process.ask("claim 5");
  assert(isLasting);
  await process.kill();
  assertClaimed(await file.open(), file, count);
  assert.deepEqual(file.told, []);
});

Deno.test("a disk that takes no more until the end is tried once more at the end", async () => {
  await using file = new MemoryFile();
  await using process = new Claimer(file.path);
  await process.ask("claim 1");
  await process.limit(SMALL);
  assert.equal((await process.ask("claim 299")).told.length, 1);
  await process.limit(LARGE);
  assert.match((await process.ask("end")).told.join("\n"), /^\S+ can be written again$/);
  assertClaimed(await file.open(), file, 300);
});

Deno.test("without a folder that can be used it goes on in memory, and says so once", async () => {
  await using file = new MemoryFile();
  await Deno.writeTextFile(dirname(file.path), "no folder");
  const memory = await file.open();
  assert.deepEqual(file.heard(), [
    "Cannot read FILE: Not a directory. Commands that come are remembered in memory alone: a " +
    "restart forgets them",
  ]);
  assert.equal(memory.claim("a", file.in(DAY)), "new");
  assert.equal(memory.claim("a", file.in(DAY)), "used");
  assert.equal(memory.isLasting, false);
  file.clock.advance(HOUR);
  memory.noteCall("t");
  assert.equal(memory.callsInADay("t"), 1);
  assert.deepEqual([file.told, file.clock.timersSet], [[], 0]);
});

Deno.test("what is no file is told and left alone", async () => {
  await using file = new MemoryFile();
  await Deno.mkdir(dirname(file.path));
  await new Deno.Command("mkfifo", { args: [file.path] }).output();
  const memory = await file.open();
  assert.deepEqual(file.heard(), [
    "Cannot read FILE: It is not a regular file. Commands that come are remembered in memory " +
    "alone: a restart forgets them",
  ]);
  assert.equal(memory.claim("a", file.in(DAY)), "new");
  assert.equal(memory.claim("a", file.in(DAY)), "used");
  assert.equal(memory.isLasting, false);
  await file.close();
  assert((await Deno.stat(file.path)).isFifo);
  assert.equal(file.clock.pending, 0);
});

Deno.test("where no other file can be written, the one there is grows and forgets nothing", async () => {
  await using file = new MemoryFile();
  const memory = await file.open();
  // A folder of that name: not even root can write to it.
  await Deno.mkdir(`${file.path}.new/x`, { recursive: true });
  let count = 0;
  const grow = () => {
    for (let i = 0; i < 100; i++) memory.claim(`over ${count++}`, file.in(1));
    file.clock.advance(2 * HOUR);
  };
  while (count < 5 * SPARE_LINES) grow();
  assert.match(file.heard().join("\n"), /^Cannot write FILE anew, it grows: Is a directory/);
  assert.equal(file.lines.length, count);
  assert(memory.isLasting);
  await Deno.remove(`${file.path}.new`, { recursive: true });
  while (file.told.length === 0) {
    grow();
    await new Promise((resolve) => setTimeout(resolve));
    assert(count < 20 * SPARE_LINES);
  }
  assert.deepEqual(file.heard(), ["FILE can be written again"]);
  assert(file.lines.length < SPARE_LINES);
  assert(count > 7 * SPARE_LINES, "it is tried again when it is twice as long");
});

Deno.test("a file that cannot be made is tried again every ten seconds, and said once", async () => {
  await using file = new MemoryFile();
  await Deno.mkdir(`${file.path}.new/x`, { recursive: true });
  const memory = await file.open();
  assert.match(file.heard().join("\n"), /^Cannot write FILE: Is a directory\. Until it can be/);
  assert.equal(memory.claim("a", file.in(DAY)), "new");
  assert.equal(memory.isLasting, false);
  file.clock.advance(35_000);
  assert.equal(file.clock.timersSet, 4);
  await Deno.remove(`${file.path}.new`, { recursive: true });
  file.clock.advance(4_999);
  assert.deepEqual(file.names, []);
  file.clock.advance(1);
  assert.equal(memory.claim("b", file.in(DAY)), "new");
  assert.equal(file.clock.pending, 0);
  await file.close();
  assert.deepEqual(file.heard(), ["FILE can be written again"]);
  const again = await file.open();
  for (const id of ["a", "b"]) assert.equal(again.claim(id, file.in(DAY)), "used");
});

Deno.test("nothing is left behind when it is closed", async () => {
  await using file = new MemoryFile();
  await Deno.mkdir(`${file.path}.new/x`, { recursive: true });
  const memory = await file.open();
  assert.equal(file.clock.pending, 1);
  await memory.close();
  assert.equal(file.clock.pending, 0);
  await memory.close();
  assert.equal(memory.claim("a", file.in(DAY)), "new");
  memory.noteCall("t");
});
