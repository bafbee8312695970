/** Ids that were used and calls that were started: while it runs, and over a restart. */

import assert from "node:assert/strict";
import { dirname } from "node:path";
import { SPARE_LINES } from "../../lib/commands/journal.ts";
import { CommandMemory } from "../../lib/commands/memory.ts";
import { numbers } from "../queue/random.ts";
import { DAY, HOUR, MemoryFile, SettableClock } from "./memory_helper.ts";

function inMemory(limits: { maxIds?: number; maxCalls?: number } = {}) {
  const clock = new SettableClock();
  const memory = CommandMemory.open(undefined, { clock, complain: assert.fail, ...limits });
  const claim = (id: string, ms: number) => memory.claim(id, clock.wallMs + ms);
  return { clock, memory, claim };
}

Deno.test("an id is used until its time is over", () => {
  const { clock, claim } = inMemory();
  assert.equal(claim("a", 1_000), "new");
  assert.equal(claim("b", 500), "new");
  clock.advance(999);
  assert.equal(claim("a", 5_000), "used", "a second claim does not prolong the first");
  assert.equal(claim("b", 1_000), "new");
  clock.advance(1);
  assert.equal(claim("a", 1_000), "new");
  assert.equal(claim("a", 1_000), "used");
});

Deno.test("a full memory takes no new id, until the time of one is over", () => {
  const { clock, claim } = inMemory({ maxIds: 3 });
  assert.deepEqual([claim("a", 3_000), claim("b", 1_000), claim("c", 2_000)], Array(3).fill("new"));
  assert.equal(claim("d", 1_000), "full");
  assert.equal(claim("a", 1_000), "used");
  clock.advance(1_000);
  assert.equal(claim("d", 5_000), "new");
  assert.equal(claim("e", 5_000), "full");
  assert.equal(claim("a", 1_000), "used");
  assert.equal(claim("c", 1_000), "used");
  clock.advance(1_000);
  assert.equal(claim("c", 5_000), "new", "its own room is enough");
  assert.equal(claim("e", 5_000), "full");
});

Deno.test("one owner does not use up the room of all, over a restart neither", async () => {
  await using file = new MemoryFile();
  const options = { maxIds: 4, maxIdsOfOwner: 2 };
  const first = await file.open(options);
  const claims = ["a", "b", "c"].map((id) => first.claim(id, file.in(HOUR), "greedy"));
  assert.deepEqual(claims, ["new", "new", "full"]);
  const second = await file.open(options);
  assert.equal(second.claim("c", file.in(HOUR), "greedy"), "full");
  assert.equal(second.claim("a", file.in(HOUR), "other"), "used", "an id is one, whose ever it is");
  assert.equal(second.claim("d", file.in(HOUR), "other"), "new");
  file.clock.advance(HOUR);
  assert.equal(second.claim("c", file.in(HOUR), "greedy"), "new");
});

Deno.test("a claim that was taken back leaves no trace", () => {
  const clock = new SettableClock();
  const options = { clock, complain: assert.fail, maxIds: 2, maxIdsOfOwner: 1 };
  const memory = CommandMemory.open(undefined, options);
  const until = clock.wallMs + HOUR;
  assert.equal(memory.claim("a", until, "x"), "new");
  assert.equal(memory.claim("b", until, "y"), "new");
  memory.release("unknown");
  memory.release("a");
  memory.release("a");
  assert.equal(memory.claim("b", until, "y"), "used");
  assert.equal(memory.claim("a", until, "x"), "new");
  assert.equal(memory.claim("c", until, "z"), "full");
});

Deno.test("ids with ends in any order are used exactly until each of them", () => {
  const random = numbers(5);
  const { clock, memory, claim } = inMemory({ maxIds: 25 });
  const ends = new Map<string, number>();
  const seen = { new: 0, used: 0, full: 0 };
  for (let round = 0; round < 20_000; round++) {
    clock.advance(random(5));
    const id = `${random(60)}`;
    const isUsed = (ends.get(id) ?? 0) > clock.wallMs;
    const taken = [...ends.values()].filter((end) => end > clock.wallMs).length;
    const wanted = isUsed ? "used" : taken >= 25 ? "full" : "new";
    const ms = 1 + random(random(10) === 0 ? 1_000 : 100);
    assert.equal(claim(id, ms), wanted, `round ${round}`);
    if (wanted === "new") ends.set(id, clock.wallMs + ms);
    seen[wanted]++;
    if (random(20) > 0) continue;
    const released = `${random(60)}`;
    memory.release(released);
    ends.delete(released);
  }
  assert(Math.min(...Object.values(seen)) > 500, JSON.stringify(seen));
});

Deno.test("calls count for 24 hours, each name for itself", () => {
  const { clock, memory } = inMemory();
  assert.equal(memory.callsInADay("a"), 0);
  memory.noteCall("a");
  clock.advance(HOUR);
  memory.noteCall("a");
  memory.noteCall("__proto__");
  assert.deepEqual(["a", "__proto__", "b"].map((name) => memory.callsInADay(name)), [2, 1, 0]);
  clock.advance(23 * HOUR - 1);
  assert.equal(memory.callsInADay("a"), 2);
  clock.advance(1);
  assert.equal(memory.callsInADay("a"), 1);
  clock.advance(HOUR);
  assert.equal(memory.callsInADay("a"), 0);
});

Deno.test("when no more calls can be remembered, there were too many under every name", () => {
  const { clock, memory } = inMemory({ maxCalls: 3 });
  memory.noteCall("a");
  clock.advance(HOUR);
  memory.noteCall("a");
  assert.equal(memory.callsInADay("a"), 2);
  memory.noteCall("b");
  memory.noteCall("b");
  assert.deepEqual(
    ["a", "b", "c"].map((name) => memory.callsInADay(name)),
    Array(3).fill(Infinity),
  );
  clock.advance(23 * HOUR);
  assert.deepEqual(["a", "b", "c"].map((name) => memory.callsInADay(name)), [1, 1, 0]);
});

Deno.test("ids and calls are remembered over a restart", async () => {
  await using file = new MemoryFile();
  const names = ["p/s/t", 'tab\t"quote"\nline', "日本 \u{1f600}"];
  for (let restart = 0; restart < 3; restart++) {
    const memory = await file.open();
    for (const name of names) {
      assert.equal(memory.claim(name, file.in(HOUR)), restart === 0 ? "new" : "used");
      assert.equal(memory.callsInADay(name), restart);
      memory.noteCall(name);
    }
    file.clock.advance(1_000);
  }
  file.clock.advance(HOUR);
  const memory = await file.open();
  for (const name of names) {
    assert.equal(memory.claim(name, file.in(HOUR)), "new");
    assert.equal(memory.callsInADay(name), 3);
  }
  file.clock.advance(23 * HOUR - 3_000);
  assert.equal((await file.open()).callsInADay("p/s/t"), 2);
  assert.deepEqual(file.told, []);
});

Deno.test("the file is its owner's alone, and made with its folder", async () => {
  await using file = new MemoryFile();
  (await file.open()).claim("a", file.in(HOUR));
  for (const [path, mode] of [[dirname(file.path), 0o700], [file.path, 0o600]] as const) {
    assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, mode, path);
  }
  assert.deepEqual(file.names, ["commands"]);
});

Deno.test("a file that others may read is so no more", async () => {
  await using file = new MemoryFile();
  (await file.open()).claim("a", file.in(HOUR));
  await file.close();
  await Deno.chmod(file.path, 0o644);
  await Deno.writeTextFile(`${file.path}.new`, "left by one that was killed", { mode: 0o644 });
  assert.equal((await file.open()).claim("a", file.in(HOUR)), "used");
  assert.equal(((await Deno.stat(file.path)).mode ?? 0) & 0o777, 0o600);
});

Deno.test("a last line that was torn anywhere costs that line alone", async () => {
  await using file = new MemoryFile();
  const first = await file.open();
  first.claim("whole", file.in(HOUR));
  first.noteCall("t");
  first.claim("torn", file.in(HOUR));
  await file.close();
  const bytes = await Deno.readFile(file.path);
  const whole = bytes.lastIndexOf(10, -2) + 1;
  for (let length = whole; length < bytes.length - 1; length++) {
    await Deno.writeFile(file.path, bytes.subarray(0, length));
    const memory = await file.open();
    assert.equal(memory.claim("whole", file.in(HOUR)), "used", `cut at ${length}`);
    assert.equal(memory.callsInADay("t"), 1);
    assert.equal(memory.claim("torn", file.in(HOUR)), "new");
    assert.equal((await file.open()).claim("torn", file.in(HOUR)), "used", "not glued to the rest");
    await file.close();
    const said = "Cannot read 1 of the lines of FILE: what stood there is forgotten";
    assert.deepEqual(file.heard(), length === whole ? [] : [said]);
  }
  await Deno.writeFile(file.path, bytes.subarray(0, -1));
  assert.equal((await file.open()).claim("torn", file.in(HOUR)), "used", "without its line end");
  assert.deepEqual(file.told, []);
});

const LATER = 4_000_000_000_000;
const GARBAGE: readonly (readonly [what: string, lines: readonly string[]])[] = [
  ["an empty line", [""]],
  ["words", ["nothing of ours", "id", "id\t1", "call\tx\ty"]],
  ["another kind", [`key\t${LATER}\t"a"`, `ids\t${LATER}\t"a"`, ` id\t${LATER}\t"a"`]],
  ["no time", ['id\t\t"a"', 'id\tNaN\t"a"', 'id\t1e13\t"a"', `id\t-${LATER}\t"a"`]],
  ["a time without end", [`id\t${"9".repeat(400)}\t"a"`]],
  ["no text", [`id\t${LATER}\t`, `id\t${LATER}\ta`, `id\t${LATER}\t7`, `id\t${LATER}\t{}`]],
  ["no JSON", [`id\t${LATER}\t"a`, `id\t${LATER}\t"a"b"`, `id\t${LATER}\t"\\x"`]],
  ["zeros", ["\0".repeat(1_000)]],
  ["a line without end", [`id\t${LATER}\t"${"a".repeat(1_000_000)}"`]],
];

for (const [what, lines] of GARBAGE) {
  Deno.test(`garbage in the file is skipped, and said once: ${what}`, async () => {
    await using file = new MemoryFile();
    (await file.open()).claim("before", file.in(HOUR));
    await file.close();
    const text = lines.map((line) => line + "\n").join("");
    await Deno.writeTextFile(file.path, text, { append: true });
    await Deno.writeTextFile(file.path, `id\t${file.in(HOUR)}\t"after"\n`, { append: true });
    const memory = await file.open();
    assert.equal(memory.claim("before", file.in(HOUR)), "used");
    assert.equal(memory.claim("after", file.in(HOUR)), "used");
    const count = lines.length;
    assert.deepEqual(file.heard(), [
      `Cannot read ${count} of the lines of FILE: what stood there is forgotten`,
    ]);
    await file.open();
    assert.deepEqual(file.heard(), [], "it is gone");
  });
}

Deno.test("bytes that are no text harm nothing", async () => {
  await using file = new MemoryFile();
  (await file.open()).claim("a", file.in(HOUR));
  await file.close();
  const random = numbers(9);
  const bytes = Uint8Array.from({ length: 300_000 }, () => random(256));
  await Deno.writeFile(file.path, bytes, { append: true });
  assert.equal((await file.open()).claim("a", file.in(HOUR)), "used");
  assert.match(file.told.join("\n"), /^Cannot read \d+ of the lines of FILE: [^\n]*$/);
});

Deno.test("of a file that is far too large the end is read", async () => {
  await using file = new MemoryFile();
  (await file.open()).claim("first", file.in(HOUR));
  await file.close();
  await Deno.truncate(file.path, 65 * 1024 * 1024);
  await Deno.writeTextFile(file.path, `\nid\t${file.in(HOUR)}\t"last"\n`, { append: true });
  const memory = await file.open();
  assert.equal(memory.claim("last", file.in(HOUR)), "used");
  assert.equal(memory.claim("first", file.in(HOUR)), "new");
  assert.equal(file.told.length, 2);
  assert.match(file.told[0] ?? "", /^FILE is larger than it can be: of 68\d+ bytes, only/);
  await file.close();
  assert.deepEqual(file.lines.length, 2);
});

Deno.test("no more is read than can be remembered, and what ends last is kept", async () => {
  await using file = new MemoryFile();
  const first = await file.open();
  for (let i = 1; i <= 10; i++) {
    first.claim(`id ${i}`, file.in(HOUR + i));
    first.noteCall("t");
  }
  const second = await file.open({ maxIds: 4, maxCalls: 4 });
  assert.equal(second.callsInADay("t"), Infinity);
  assert.equal(second.claim("new", file.in(HOUR)), "full");
  for (let i = 7; i <= 10; i++) assert.equal(second.claim(`id ${i}`, file.in(HOUR)), "used");
  await file.close();
  assert.equal(file.lines.length, 8);
});

Deno.test("lines in any order and twice over are understood", async () => {
  await using file = new MemoryFile();
  await file.open();
  await file.close();
  const lines = [
    `id\t${file.in(2 * HOUR)}\t"a"`,
    `call\t${file.in(-HOUR)}\t"t"`,
    `id\t${file.in(HOUR)}\t"a"`,
    `call\t${file.in(-3 * HOUR)}\t"t"`,
  ];
  await Deno.writeTextFile(file.path, lines.map((line) => line + "\n").join(""));
  const memory = await file.open();
  file.clock.advance(HOUR);
  assert.equal(memory.claim("a", file.in(HOUR)), "used", "the later end counts");
  file.clock.advance(20 * HOUR);
  assert.equal(memory.callsInADay("t"), 1);
  assert.deepEqual(file.told, []);
});

Deno.test("a file written anew at the start holds every id, and the calls that count", async () => {
  await using file = new MemoryFile();
  const first = await file.open();
  first.claim("over", file.in(1_000));
  first.noteCall("over");
  file.clock.advance(DAY - HOUR);
  first.claim("taken", file.in(2 * HOUR));
  first.noteCall("taken");
  file.clock.advance(HOUR);
  await file.open();
  assert.deepEqual(file.lines, [
    `id\t${file.in(1_000 - DAY)}\t"over"`,
    `id\t${file.in(HOUR)}\t"taken"`,
    `call\t${file.in(-HOUR)}\t"taken"`,
  ]);
});

Deno.test("a file is written anew when it has more than twice what is needed, and stays whole", async () => {
  await using file = new MemoryFile();
  const memory = await file.open();
  memory.claim("for long", file.in(90 * DAY));
  const most = 2 * 202 + SPARE_LINES;
  let [longest, shortened] = [0, 0];
  for (let round = 0; round < 30; round++) {
    for (let i = 0; i < 100; i++) memory.claim(`${round}/${i}`, file.in(HOUR));
    memory.noteCall("t");
    file.clock.advance(HOUR);
    const { length } = file.lines;
    if (length < longest) shortened++;
    longest = length;
    assert(length <= most + 101, `${length} lines`);
    // The new file takes the name of the former when the disk has it.
    await file.settled();
  }
  assert(shortened >= 1);
  await file.close();
  assert.equal(openFiles(file), 0);
  assert(file.lines.includes(`id\t${file.in(90 * DAY - 30 * HOUR)}\t"for long"`));
  const again = await file.open();
  assert.equal(again.claim("for long", file.in(HOUR)), "used");
  assert.equal(again.callsInADay("t"), 23);
  for (let i = 0; i < 100; i++) assert.equal(again.claim(`29/${i}`, file.in(HOUR)), "new");
  assert.deepEqual(file.told, []);
});

/** How many files of this test's own this process has open. */
function openFiles({ folder }: MemoryFile): number {
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith(folder);
    } catch {
      return false;
    }
  }).length;
}

Deno.test("what comes while the file is written anew is in both files", async () => {
  await using file = new MemoryFile();
  const memory = await file.open();
  let count = 0;
  const isDraftThere = () => file.names.length === 2;
  while (!isDraftThere()) {
    for (let i = 0; i < 50; i++) memory.claim(`over ${count++}`, file.in(1));
    file.clock.advance(2 * HOUR);
    assert(count < 3 * SPARE_LINES);
  }
  assert(memory.isLasting);
  for (let i = 0; i < 10; i++) {
    assert.equal(memory.claim(`meanwhile ${i}`, file.in(HOUR)), "new");
    memory.noteCall("meanwhile");
  }
  assert(isDraftThere());
  const former = file.lines;
  await file.settled();
  assert(file.lines.length < 100);
  for (let i = 0; i < 10; i++) {
    for (const lines of [former, file.lines]) {
      assert.equal(lines.filter((line) => line.endsWith(`"meanwhile ${i}"`)).length, 1);
    }
  }
  assert.equal((await file.open()).callsInADay("meanwhile"), 10);
});

Deno.test("closed while the file is written anew, it leaves the file as it is, at once", async () => {
  await using file = new MemoryFile();
  const memory = await file.open();
  let count = 0;
  while (file.names.length === 1) {
    for (let i = 0; i < 50; i++) memory.claim(`over ${count++}`, file.in(1));
    file.clock.advance(2 * HOUR);
  }
  memory.claim("last", file.in(HOUR));
  const closed = memory.close();
  assert.deepEqual(file.names, ["commands"]);
  await Deno.rename(file.path, `${file.path}.away`);
  await closed;
  assert.deepEqual(file.names, ["commands.away"]);
  await Deno.rename(`${file.path}.away`, file.path);
  assert.equal(file.lines.length, count + 1);
  assert.equal((await file.open()).claim("last", file.in(HOUR)), "used");
});

Deno.test("a clock that is set back makes no used id usable again", async (test) => {
  const steps: readonly (readonly [what: string, forward: number, back: number])[] = [
    ["a little, after the id's end", 0, -10 * 60_000],
    ["far", 0, -3650 * DAY],
    ["after it was ahead by years", 3650 * DAY, -3650 * DAY - 60_000],
    ["after it was ahead by little more than the window", HOUR + 5_000, -2 * HOUR],
  ];
  for (const [what, forward, back] of steps) {
    await test.step(what, () => {
      const { clock, claim } = inMemory();
      assert.equal(claim("id", HOUR), "new");
      clock.advance(HOUR - 1_000);
      clock.step(forward);
      // Somebody else's command is when ids are forgotten.
      claim("other", HOUR);
      clock.advance(2_000);
      claim("another", HOUR);
      clock.step(back);
      assert.equal(claim("id", HOUR), "used");
    });
  }
});

Deno.test("a clock that is set back twice makes no used id usable again", () => {
  const { clock, claim } = inMemory();
  assert.equal(claim("id", HOUR), "new");
  clock.step(-50 * 60_000);
  clock.advance(2 * HOUR + 5 * 60_000);
  claim("other", HOUR);
  clock.step(-30 * 60_000);
  assert.equal(claim("id", HOUR), "used");
});

Deno.test("ids do not stay for ever: an hour after the end by both clocks they are gone", async () => {
  await using file = new MemoryFile();
  const memory = await file.open();
  for (let i = 0; i < SPARE_LINES + 2; i++) memory.claim(`id ${i}`, file.in(HOUR));
  file.clock.advance(2 * HOUR);
  memory.claim("other", file.in(HOUR));
  await file.settled();
  assert.deepEqual(file.lines, [`id\t${file.in(HOUR)}\t"other"`]);
});

Deno.test("an id outlives a start at which the clock was ahead", async (test) => {
  for (const ahead of [2 * HOUR + 1, 3650 * DAY]) {
    await test.step(`${ahead} ms`, async () => {
      await using file = new MemoryFile();
      (await file.open()).claim("id", file.in(HOUR));
      file.clock.step(ahead);
      const wrong = await file.open();
      assert.equal(wrong.claim("other", file.in(HOUR)), "new");
      file.clock.step(-ahead);
      file.clock.advance(HOUR - 1);
      assert.equal(wrong.claim("other", file.in(HOUR)), "used");
      assert.equal(wrong.claim("id", file.in(HOUR)), "used", "put right while it runs");
      file.clock.step(ahead);
      await file.open();
      file.clock.step(-ahead);
      assert.equal((await file.open()).claim("id", file.in(HOUR)), "used", "put right between");
    });
  }
});

Deno.test("ids of a file whose time is over leave room for others", async () => {
  await using file = new MemoryFile();
  const options = { maxIds: 4, maxIdsOfOwner: 3 };
  const first = await file.open(options);
  for (const id of ["a", "b", "c"]) first.claim(id, file.in(HOUR), "x");
  first.claim("d", file.in(HOUR), "y");
  file.clock.step(3 * HOUR);
  const second = await file.open(options);
  for (const id of ["e", "f", "g"]) assert.equal(second.claim(id, file.in(HOUR), "x"), "new");
  assert.equal(second.claim("h", file.in(HOUR), "x"), "full");
  assert.equal(second.claim("h", file.in(HOUR), "y"), "new");
  await file.open(options);
  assert.equal(file.lines.length, 4);
});

Deno.test("over many restarts the file does not grow, whatever ids it holds", async () => {
  await using file = new MemoryFile();
  for (let day = 0; day < 30; day++) {
    const memory = await file.open();
    for (let i = 0; i < 200; i++) memory.claim(`${day}/${i}`, file.in(HOUR));
    file.clock.advance(12 * HOUR);
    memory.claim(`${day}`, file.in(HOUR));
    await file.settled();
    file.clock.advance(12 * HOUR);
  }
  assert(file.lines.length < SPARE_LINES + 500, `${file.lines.length}`);
});

Deno.test("a memory with a file that can be written is lasting, until it is closed", async () => {
  await using file = new MemoryFile();
  const memory = await file.open();
  assert.equal(memory.isLasting, true);
  memory.claim("a", file.in(HOUR));
  assert.equal(memory.isLasting, true);
  const closed = file.close();
  assert.equal(memory.isLasting, false);
  await closed;
  assert.equal(memory.isLasting, false);
  assert.equal(inMemory().memory.isLasting, false);
});

Deno.test("over a restart, an id is kept for an hour after its end", async () => {
  await using file = new MemoryFile();
  (await file.open()).claim("id", file.in(HOUR));
  file.clock.advance(2 * HOUR - 1);
  await file.open();
  file.clock.step(-HOUR);
  assert.equal((await file.open()).claim("id", file.in(HOUR)), "used");
});

Deno.test("a machine that starts in 1970 and learns the time later forgets nothing", async () => {
  await using file = new MemoryFile();
  const first = await file.open();
  first.claim("id", file.in(2 * HOUR));
  first.noteCall("t");
  const away = file.clock.wallMs - 60_000;
  file.clock.step(-away);
  const second = await file.open();
  assert.equal(second.claim("id", file.in(HOUR)), "used");
  assert.equal(second.claim("early", file.in(HOUR)), "new");
  assert.equal(second.callsInADay("t"), 1, "it may have been just now");
  second.noteCall("t");
  file.clock.advance(HOUR);
  file.clock.step(away);
  assert.equal(second.claim("id", file.in(HOUR)), "used");
  assert.equal(second.callsInADay("t"), 2);
  assert.equal((await file.open()).claim("id", file.in(HOUR)), "used");
  file.clock.advance(HOUR);
  assert.equal((await file.open()).claim("id", file.in(HOUR)), "new");
  assert.deepEqual(file.told, []);
});

Deno.test("lines from years ahead are believed for ids, and for a day for calls", async () => {
  await using file = new MemoryFile();
  file.clock.step(3650 * DAY);
  const first = await file.open();
  first.claim("id", file.in(HOUR));
  first.noteCall("t");
  await file.close();
  file.clock.step(-3650 * DAY);
  const memory = await file.open();
  assert.equal(memory.claim("id", file.in(HOUR)), "used");
  assert.equal(memory.callsInADay("t"), 1);
  file.clock.advance(DAY);
  assert.equal(memory.callsInADay("t"), 0);
});

Deno.test("a clock that is set changes no count of calls", () => {
  const { clock, memory } = inMemory();
  memory.noteCall("t");
  for (const ms of [365 * DAY, -730 * DAY, 366 * DAY]) {
    clock.step(ms);
    assert.equal(memory.callsInADay("t"), 1);
  }
});
