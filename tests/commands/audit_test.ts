/** The audit log: what a line may be, how long the files may be, and what a bad disk does. */

import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import {
  type AuditDecision,
  type AuditEntry,
  auditLine,
  AuditLog,
  LONGEST_REFUSED_VALUE,
  LONGEST_VALUE,
} from "../../lib/commands/audit.ts";
import { ManualClock } from "../support/manual_clock.ts";

const SOURCE = { profile: "p", connection: "c", topic: "pbx/cmd", subscriber_topic: "t" };
const REFUSED: AuditDecision = {
  event: "refused",
  ...SOURCE,
  command: "originate",
  arguments: "user/1000 &park",
  reason: "not_allowed",
};
const RAN: AuditDecision = { event: "run", ...SOURCE, command: "status", job: "5c9d" };
const MANY = 1_000_000;

/** A log in a folder of its own. */
class Bench implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "fsmqtt-audit-test-" });
  readonly path = join(this.folder, "state", "audit.jsonl");
  readonly refusedPath = join(this.folder, "state", "audit-refused.jsonl");
  readonly clock = new ManualClock();
  readonly told: string[] = [];
  readonly #logs: AuditLog[] = [];

  log(maxBytes = MANY, path: string | undefined = this.path): AuditLog {
    const complain = (text: string) => this.told.push(text.replaceAll(this.path, "FILE"));
    const log = new AuditLog(path, maxBytes, { clock: this.clock, complain });
    this.#logs.push(log);
    return log;
  }

  /** The lines of the file, or of the one before. */
  lines(suffix = ""): AuditEntry[] {
    return linesOf(this.path + suffix);
  }

  /** The same of what was refused. */
  refusedLines(suffix = ""): AuditEntry[] {
    return linesOf(this.refusedPath + suffix);
  }

  /** How long the files are. */
  get sizes(): number[] {
    try {
      const folder = dirname(this.path);
      return [...Deno.readDirSync(folder)].map(({ name }) =>
        Deno.statSync(join(folder, name)).size
      );
    } catch {
      return [];
    }
  }

  /** What was complained of since it was asked last. */
  heard(): string[] {
    return this.told.splice(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const log of this.#logs) log.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}

function linesOf(path: string): AuditEntry[] {
  const lines = Deno.readTextFileSync(path).split("\n");
  assert.equal(lines.pop(), "", "the last line has an end");
  return lines.map((line) => JSON.parse(line));
}

function numbered(number: number, entry = RAN): AuditDecision {
  return { ...entry, id: `${number}` };
}

function numbersOf(entries: readonly AuditEntry[]): number[] {
  return entries.map((entry) => "id" in entry ? Number(entry.id) : NaN);
}

Deno.test("each entry is one line of JSON with the time before it, what was refused elsewhere", async () => {
  await using bench = new Bench();
  const log = bench.log();
  const more = { profile: "p", connection: "c", subscriber_topic: "t", count: 12 };
  const ran: AuditEntry[] = [
    { event: "run", ...SOURCE, command: "status", arguments: "", job: "5c9d", signed: true },
    { event: "result", ...SOURCE, job: "5c9d", command: "status", result: "succeeded" },
    { event: "ran_more", ...more, commands: { status: 7, show: 5 } },
  ];
  const refused: AuditEntry[] = [
    { ...REFUSED, detail: "no rule allows it", id: "1", claimed_sender: "anna", signed: false },
    { event: "refused_more", ...more, reasons: { malformed: 7, not_allowed: 5 } },
  ];
  for (const entry of [...refused, ...ran]) log.write(entry);
  const time = "2026-11-22T12:00:00.000Z";
  assert.deepEqual(bench.lines(), ran.map((entry) => ({ time, ...entry })));
  assert.deepEqual(bench.refusedLines(), refused.map((entry) => ({ time, ...entry })));
  assert.match(
    await Deno.readTextFile(bench.refusedPath),
    /^\{"time":"2026-11-22T12:00:00\.000Z","event":"refused","profile":"p",/,
  );
});

Deno.test("a line can be read as soon as it is written, by its owner alone", async () => {
  await using bench = new Bench();
  const log = bench.log();
  log.write(RAN);
  log.write(REFUSED);
  assert.deepEqual([bench.lines().length, bench.refusedLines().length], [1, 1]);
  for (const path of [bench.path, bench.refusedPath]) {
    assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
  }
});

Deno.test("what was refused has its file beside the other one, whatever that is called", async () => {
  await using bench = new Bench();
  const names = { "audit": "audit-refused", "a.b.log": "a.b-refused.log", ".x": ".x-refused" };
  for (const [name, refused] of Object.entries(names)) {
    const folder = join(bench.folder, "a.b", name);
    bench.log(MANY, join(folder, name)).open();
    for (const path of [name, refused]) assert((await Deno.stat(join(folder, path))).isFile);
  }
});

Deno.test("a flood of refusals washes away nothing that ran", async () => {
  await using bench = new Bench();
  const log = bench.log(2_000);
  log.write(numbered(1));
  for (let number = 1; number <= 100; number++) log.write(numbered(number, REFUSED));
  log.write(numbered(2));
  assert.deepEqual(numbersOf(bench.lines()), [1, 2]);
  assert.deepEqual(numbersOf(bench.refusedLines()).at(-1), 100);
  assert(bench.refusedLines(".1").length > 3);
  assert.equal(bench.sizes.length, 3);
  assert(bench.sizes.every((size) => size <= 2_000), `${bench.sizes}`);
});

Deno.test("no file is made before there is something to write, and none with 0 bytes", async () => {
  await using bench = new Bench();
  bench.log();
  bench.log(0).write(RAN);
  bench.log(MANY, "").close();
  new AuditLog(undefined, MANY, { clock: bench.clock, complain: assert.fail }).write(RAN);
  assert.deepEqual(bench.sizes, []);
  assert.deepEqual(bench.told, []);
});

/** What must not stand in a line as it is. */
const DECEITFUL: readonly (readonly [what: string, characters: string])[] = [
  ["line ends", "\n\r\x0b\x0c\u0085\u2028\u2029"],
  ["controls, C1 included", "\0\x07\x1b\x7f\x80\x9b\x9f"],
  ["what turns round how a line reads", "\u202a\u202e\u2066\u2069\u200e\u061c"],
  ["what has no width", "\u200b\u200d\u2060\ufeff\u00ad\u034f\u3164\ufe0f"],
  ["what marks up other text", "\u0600\ufff9"],
  ["tags, beyond U+FFFF", "\u{e0041}\u{e007f}"],
  ["halves of a character", "\ud800 \udfff"],
];

for (const [what, characters] of DECEITFUL) {
  Deno.test(`a terminal shows no lies, and nothing is lost: ${what}`, () => {
    for (const character of characters.split("")) {
      const detail = `before${character}after`;
      const line = auditLine({ time: "", ...REFUSED, detail, topic: character });
      assert.match(line, /^[\x20-\x7e]*$/, JSON.stringify(character));
      assert.equal(JSON.parse(line).topic, character);
      assert.equal(JSON.parse(line).detail, detail);
    }
    const line = auditLine({ time: "", ...REFUSED, detail: characters });
    assert.match(line, /^[\x20-\x7e]*$/);
    assert.equal(JSON.parse(line).detail, characters);
  });
}

Deno.test("letters of any script, quotes and backslashes are readable", () => {
  const detail = `Zoë "日本" \\ 😀`;
  const line = auditLine({ time: "", ...REFUSED, detail });
  assert(line.includes(`Zoë \\"日本\\" \\\\ 😀`));
  assert.equal(JSON.parse(line).detail, detail);
});

for (const [entry, longest] of [[RAN, LONGEST_VALUE], [REFUSED, LONGEST_REFUSED_VALUE]] as const) {
  const lineOf = (detail: string) => auditLine({ time: "", ...entry, detail });
  const written = (detail: string) => lineOf(detail).length - lineOf("").length;
  const value = (detail: string): string => JSON.parse(lineOf(detail)).detail;

  Deno.test(`a value of what was ${entry.event} takes no more room than it may`, () => {
    assert.equal(value("x".repeat(longest)), "x".repeat(longest));
    assert.equal(value("x".repeat(longest + 1)), "x".repeat(longest - 1) + "…");
    assert.equal(value("\ufeff".repeat(longest / 4)), "\ufeff".repeat((longest - 1) / 6) + "…");
    assert.equal(value('"'.repeat(longest / 2)), '"'.repeat(longest / 2));
    assert.equal(value('"'.repeat(longest / 2 + 1)), '"'.repeat(longest / 2 - 1) + "…");
    for (const one of ["x", "é", "😀", "\ud83d", "\ufeff", "\u{e0041}", "\n", "\\", "日"]) {
      for (const begin of ["", "x", "xx", "\u200b"]) {
        const length = written(begin + one.repeat(70_000));
        assert(length <= longest && length > longest - 13, `${JSON.stringify(one)}: ${length}`);
      }
    }
  });

  Deno.test(`a value of what was ${entry.event} is cut between characters`, () => {
    assert.equal(value(`${"x".repeat(longest - 2)}😀y`), "x".repeat(longest - 2) + "…");
    assert.equal(value(`${"x".repeat(longest - 3)}😀yy`), "x".repeat(longest - 3) + "😀…");
    assert.equal(value(`${"x".repeat(longest - 4)}\ufeffyy`), "x".repeat(longest - 4) + "…");
  });
}

Deno.test("two files hold the latest lines, and are never longer than they may be", async () => {
  await using bench = new Bench();
  const maxBytes = 2_000;
  const log = bench.log(maxBytes);
  for (let number = 1; number <= 100; number++) {
    log.write({ ...numbered(number), detail: "x".repeat(number % 17) });
    assert(bench.sizes.every((size) => size <= maxBytes), `${bench.sizes}`);
  }
  const kept = [...numbersOf(bench.lines(".1")), ...numbersOf(bench.lines())];
  assert(kept.length >= 10);
  assert.deepEqual(kept, kept.map((_, i) => 101 - kept.length + i), "none is missing in between");
  assert.deepEqual(bench.told, []);
});

Deno.test("over a restart the file goes on, and its length counts", async () => {
  await using bench = new Bench();
  for (let number = 1; number <= 100; number++) {
    const log = bench.log(2_000);
    log.write(numbered(number));
    log.close();
    assert((await Deno.stat(bench.path)).size <= 2_000);
  }
  const kept = [...numbersOf(bench.lines(".1")), ...numbersOf(bench.lines())];
  assert(kept.length >= 10);
  assert.deepEqual(kept, kept.map((_, i) => 101 - kept.length + i));
});

Deno.test("a file that is too long already is put aside at once", async () => {
  await using bench = new Bench();
  const former = bench.log();
  for (let number = 1; number <= 20; number++) former.write(numbered(number));
  former.close();
  bench.log(1_000).write(numbered(21));
  assert.deepEqual([bench.lines(".1").length, numbersOf(bench.lines())], [20, [21]]);
});

Deno.test("a last line that was torn spoils no other", async () => {
  await using bench = new Bench();
  const log = bench.log();
  log.write(numbered(1));
  log.close();
  await Deno.writeTextFile(bench.path, '{"time":"2026', { append: true });
  log.write(numbered(2));
  const [first = "", torn, second = "", end] = (await Deno.readTextFile(bench.path)).split("\n");
  assert.deepEqual(numbersOf([first, second].map((line) => JSON.parse(line))), [1, 2]);
  assert.deepEqual([torn, end], ['{"time":"2026', ""]);
});

Deno.test("renamed or removed from outside: after reopen there is a file of that name again", async () => {
  await using bench = new Bench();
  const log = bench.log();
  log.write(numbered(1));
  await Deno.rename(bench.path, `${bench.path}.away`);
  log.write(numbered(2));
  log.reopen();
  log.write(numbered(3));
  assert.deepEqual(numbersOf(bench.lines(".away")), [1, 2]);
  assert.deepEqual(numbersOf(bench.lines()), [3]);
  await Deno.remove(bench.path);
  log.reopen();
  log.write(numbered(4));
  assert.deepEqual(numbersOf(bench.lines()), [4]);
  log.write(numbered(5, REFUSED));
  await Deno.remove(bench.refusedPath);
  log.reopen();
  log.write(numbered(6, REFUSED));
  assert.deepEqual(numbersOf(bench.refusedLines()), [6]);
});

Deno.test("a file that cannot be written is said once, and once when it can be again", async () => {
  await using bench = new Bench();
  // A folder of that name: not even root can write to it.
  await Deno.mkdir(bench.path, { recursive: true });
  const log = bench.log();
  log.write(numbered(1));
  log.write(numbered(2));
  assert.deepEqual(bench.heard(), ["Cannot write the audit log FILE: It is not a regular file"]);
  await Deno.remove(bench.path);
  log.write(numbered(3));
  log.write(numbered(4));
  assert.deepEqual(bench.heard(), ["The audit log FILE can be written again"]);
  assert.deepEqual(numbersOf(bench.lines()), [3, 4]);
  log.close();
  await Deno.remove(bench.path);
  await Deno.mkdir(bench.path);
  log.write(numbered(5));
  assert.equal(bench.heard().length, 1);
});

Deno.test("trouble with one file leaves the other alone, and is trouble", async () => {
  await using bench = new Bench();
  for (const path of [bench.path, bench.refusedPath]) {
    await Deno.mkdir(path, { recursive: true });
    const log = bench.log();
    log.open();
    const trouble = `Cannot write the audit log ${path}: It is not a regular file`;
    assert.equal(log.trouble, trouble);
    assert.deepEqual(bench.heard(), [trouble.replaceAll(bench.path, "FILE")]);
    log.write(RAN);
    log.write(REFUSED);
    assert.deepEqual(bench.heard(), []);
    const other = path === bench.path ? bench.refusedLines() : bench.lines();
    assert.equal(other.length, 1);
    await Deno.remove(path);
    log.open();
    assert.equal(log.trouble, undefined);
    log.close();
    await Deno.remove(dirname(bench.path), { recursive: true });
    bench.heard();
  }
});

Deno.test("what is no file is neither waited for nor renamed", async () => {
  await using bench = new Bench();
  await Deno.mkdir(join(bench.folder, "state"));
  await new Deno.Command("mkfifo", { args: [bench.path] }).output();
  const log = bench.log(1);
  log.write(RAN);
  bench.log(1, "/dev/null").write(RAN);
  assert.deepEqual(bench.heard(), [
    "Cannot write the audit log FILE: It is not a regular file",
    "Cannot write the audit log /dev/null: It is not a regular file",
  ]);
  assert((await Deno.stat(bench.path)).isFifo);
  assert((await Deno.stat("/dev/null")).isCharDevice);
});

Deno.test("where the file cannot be renamed it grows no further, and that is said once", async () => {
  await using bench = new Bench();
  await Deno.mkdir(`${bench.path}.1/x`, { recursive: true });
  const log = bench.log(1_000);
  for (let number = 1; number <= 50; number++) log.write(numbered(number));
  assert((await Deno.stat(bench.path)).size <= 1_000);
  assert.equal(bench.told.length, 1);
  assert.match(bench.heard().join("\n"), /^Cannot write the audit log FILE: Is a directory/);
  await Deno.remove(`${bench.path}.1`, { recursive: true });
  log.write(numbered(51));
  assert.deepEqual(bench.heard(), ["The audit log FILE can be written again"]);
  assert.deepEqual(numbersOf(bench.lines()), [51]);
});

Deno.test("a line that is longer than the file may be is not written, and that is said", async () => {
  await using bench = new Bench();
  bench.log(20).write(RAN);
  assert.deepEqual(bench.heard(), [
    "Cannot write the audit log FILE: A line is longer than the file may be",
  ]);
  assert.equal((await Deno.stat(bench.path)).size, 0);
});

Deno.test("a full disk leaves no part of a line, and stops nothing", async () => {
  await using bench = new Bench();
  const script = new URL("./audit_process.ts", import.meta.url).pathname;
  // Ignored, SIGXFSZ becomes the error EFBIG (setrlimit(2)).
  const { success, stdout } = await new Deno.Command("sh", {
    args: ["-c", `trap "" XFSZ; exec "$@"`, "sh", Deno.execPath(), "run", "-A", script, bench.path],
    stderr: "inherit",
  }).output();
  assert(success);
  const told: string[] = JSON.parse(new TextDecoder().decode(stdout));
  assert.deepEqual(told.map((text) => text.replaceAll(bench.path, "FILE")), [
    "Cannot write the audit log FILE: File too large",
    "The audit log FILE can be written again",
  ]);
  const ids = numbersOf(bench.lines());
  assert.deepEqual([ids[0], ids.at(-1)], [1, 41]);
  assert(ids.length < 40 && ids.every((id, i) => id === i + 1 || id === 41), `${ids}`);
});
