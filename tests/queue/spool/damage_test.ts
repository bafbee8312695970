import { deepStrictEqual, ok, strictEqual, throws } from "node:assert";
import { DatabaseSync } from "node:sqlite";
import { SpoolFile } from "../../../lib/queue/spool/file.ts";
import { salvage } from "../../../lib/queue/spool/salvage.ts";
import type { Damage } from "../../../lib/queue/spool/rows.ts";
import {
  ALL,
  assertWhole,
  changes,
  filled,
  folder,
  numbers,
  open,
  type Opened,
  randomNumbers,
  range,
  row,
  rows,
} from "./helper.ts";

const PAGE = 4_096;
const ROWS = 1_000;
const NOW = () => new Date("2026-11-22T10:20:30.456Z");

/** Overwrites a part of a file. */
function overwrite(path: string, at: number, bytes: Uint8Array): void {
  using file = Deno.openSync(path, { write: true });
  file.seekSync(at, Deno.SeekMode.Start);
  file.writeSync(bytes);
}

/** What is left, each row whole; a damage that comes out while reading counts as well. */
function left(opened: Opened): { found: number[]; damage: Damage | undefined } {
  const all = opened.file.read(0, ALL);
  all.forEach(assertWhole);
  const found = numbers(all);
  deepStrictEqual(found, [...new Set(found)].sort((a, b) => a - b));
  strictEqual(opened.file.contents().messages, found.length);
  return { found, damage: opened.damage ?? opened.told[0]?.damage };
}

Deno.test("a file that was cut off at random is set aside, and what can be read is saved", () => {
  using dir = folder();
  const whole = dir.file("whole");
  filled(whole, rows(1, ROWS));
  const bytes = Deno.readFileSync(whole);
  const random = randomNumbers(3);
  for (let count = 0; count < 30; count++) {
    const at = 1 + Math.floor(random() * (bytes.length - 1));
    const path = dir.file(`cut-${count}`);
    Deno.writeFileSync(path, bytes.subarray(0, at));
    using opened = open(path);
    const { found, damage } = left(opened);
    ok(damage?.setAside !== undefined, `cut at ${at}`);
    deepStrictEqual(Deno.statSync(damage.setAside).isFile, true);
    strictEqual(damage.saved, found.length);
    if (damage.lost !== undefined) strictEqual(damage.lost + damage.saved, ROWS);
    // Rows lie in the file in the order in which they came.
    const expected = Math.floor(at / bytes.length * ROWS) - 50;
    ok(found.length >= expected, `${found.length} of about ${expected} rows, cut at ${at}`);
    opened.file.apply([changes({ insert: [row(ROWS + 1)] })], true);
  }
});

Deno.test("random garbage over random pages costs the rows on them, and none is made up", () => {
  using dir = folder();
  const whole = dir.file("whole");
  filled(whole, rows(1, ROWS));
  const pages = Deno.statSync(whole).size / PAGE;
  const random = randomNumbers(4);
  let saved = 0;
  for (let count = 0; count < 30; count++) {
    const path = dir.file(`garbage-${count}`);
    Deno.copyFileSync(whole, path);
    const hit = Array.from({ length: 1 + count % 3 }, () => Math.floor(random() * pages));
    for (const page of hit) {
      overwrite(path, page * PAGE, Uint8Array.from({ length: PAGE }, () => random() * 256));
    }
    using opened = open(path);
    const { found, damage } = left(opened);
    ok(damage !== undefined, `pages ${hit}`);
    strictEqual(damage.saved, found.length);
    if (damage.lost !== undefined) strictEqual(damage.lost + damage.saved, ROWS);
    saved += found.length;
  }
  ok(saved > 30 * ROWS * 0.85, `${saved} saved`);
});

Deno.test("a byte that has changed in a payload costs this row, and the deliveries stay", () => {
  using dir = folder();
  const path = dir.file("spool");
  filled(path, [
    row(1, 100, { delivery: { packetId: 3, released: true } }),
    row(2, 100),
    row(3, 100, { delivery: { packetId: 4, released: false } }),
  ]);
  const bytes = Deno.readFileSync(path);
  const payload = row(2, 100).payload;
  const at = bytes.findIndex((_, index) => payload.every((byte, k) => bytes[index + k] === byte));
  ok(at > 0);
  overwrite(path, at + 50, Uint8Array.of(~(payload[50] ?? 0)));
  using opened = open(path, NOW);
  strictEqual(opened.damage, undefined);
  const found = opened.file.read(0, ALL);
  found.forEach(assertWhole);
  deepStrictEqual(found.map((one) => [one.row, one.delivery]), [
    [1, { packetId: 3, released: true }],
    [3, { packetId: 4, released: false }],
  ]);
  deepStrictEqual(opened.told.map(({ damage }) => damage), [{
    reason: "the checksum of a row is wrong",
    setAside: `${path}.damaged-20261122T102030Z`,
    saved: 2,
    lost: 1,
  }]);
  strictEqual(opened.told[0]?.contents.lastRow, 3);
  deepStrictEqual(numbers(opened.told[0]?.contents.deliveries ?? []), [1, 3]);
  deepStrictEqual(Deno.readFileSync(`${path}.damaged-20261122T102030Z`).length, bytes.length);
});

for (
  const [name, content] of [
    ["empty", new Uint8Array()],
    ["text", new TextEncoder().encode("This is no database.\n".repeat(1_000))],
    ["zeros", new Uint8Array(20_000)],
    ["one byte", Uint8Array.of(83)],
  ] as const
) {
  Deno.test(`a file that is no spool is set aside: ${name}`, () => {
    using dir = folder();
    const path = dir.file("spool");
    Deno.writeFileSync(path, content);
    using opened = open(path, NOW);
    strictEqual(opened.damage?.setAside, `${path}.damaged-20261122T102030Z`);
    deepStrictEqual([opened.damage.saved, opened.damage.lost], [0, undefined]);
    deepStrictEqual(Deno.readFileSync(opened.damage.setAside), content);
    opened.file.apply([changes({ insert: [row(1)] })], true);
    deepStrictEqual(numbers(opened.file.read(0, ALL)), [1]);
  });
}

Deno.test("a SQLite file of another program is set aside as it is", () => {
  using dir = folder();
  const path = dir.file("spool");
  const database = new DatabaseSync(path);
  database.exec("CREATE TABLE messages (row INTEGER PRIMARY KEY, other TEXT)");
  database.close();
  const before = Deno.readFileSync(path);
  using opened = open(path);
  strictEqual(opened.damage?.reason, "it is not a spool of fsmqtt");
  deepStrictEqual(Deno.readFileSync(opened.damage.setAside ?? ""), before);
  strictEqual(opened.contents.messages, 0);
});

Deno.test("a file that is gone while its log is there is told of", () => {
  using dir = folder();
  const path = dir.file("spool");
  Deno.writeTextFileSync(`${path}-wal`, "a log");
  using opened = open(path, NOW);
  deepStrictEqual(opened.damage, {
    reason: "it is gone",
    setAside: `${path}.damaged-20261122T102030Z`,
    saved: 0,
    lost: undefined,
  });
  strictEqual(Deno.readTextFileSync(`${path}.damaged-20261122T102030Z-wal`), "a log");
});

Deno.test("damage in the middle of use is told, and what was asked for is done all the same", () => {
  for (const write of [true, false]) {
    using dir = folder();
    const path = dir.file("spool");
    filled(path, rows(1, ROWS));
    using opened = open(path, NOW);
    opened.file.apply([changes({ insert: rows(ROWS + 1, ROWS + 20) })], false);
    // All but the first pages, so that what is read next meets it.
    const size = Deno.statSync(path).size;
    overwrite(path, 40 * PAGE, new Uint8Array(size - 40 * PAGE).fill(0xa5));
    if (write) {
      opened.file.apply([changes({ remove: [900], insert: [row(ROWS + 21)] })], true);
      strictEqual(opened.told.length, 1);
    }
    const found = opened.file.read(0, ALL);
    strictEqual(opened.told.length, 1);
    const [told] = opened.told;
    ok(told !== undefined && told.damage.saved > 5 && told.damage.saved < 100);
    strictEqual(told.damage.saved + (told.damage.lost ?? 0), ROWS + 20);
    strictEqual(told.contents.lastRow, ROWS + 20);
    strictEqual(found.length, told.damage.saved + Number(write));
    found.forEach(assertWhole);
  }
});

Deno.test("a log that is cut off in the middle of use is told of, with what it has cost", () => {
  using dir = folder();
  const path = dir.file("spool");
  using opened = open(path);
  // Less than is moved into the file by itself, more than stays in memory.
  opened.file.apply([changes({ insert: rows(1, 400) })], false);
  opened.file.apply([changes({ insert: rows(401, 800) })], false);
  Deno.truncateSync(`${path}-wal`, Deno.statSync(`${path}-wal`).size * 0.75);
  throws(() => opened.file.read(0, ALL), {
    name: "SpoolError",
    message: /^Cannot read the spool .*: the disk cannot be read/,
  });
  const { found, damage } = left(opened);
  strictEqual(opened.told.length, 1);
  deepStrictEqual(found.slice(0, 400), range(1, 400));
  deepStrictEqual([damage?.saved, damage?.lost], [found.length, 800 - found.length]);
  strictEqual(opened.file.contents().lastRow, 800);
});

Deno.test("rows that are missing without a page being damaged are noticed after a crash", () => {
  using dir = folder();
  const path = dir.file("spool");
  filled(path, rows(1, 10));
  {
    const database = new DatabaseSync(path);
    database.exec("DELETE FROM messages WHERE row IN (3, 4)");
    database.close();
  }
  // What a power cut leaves of a log.
  Deno.writeFileSync(`${path}-wal`, new Uint8Array(100));
  using opened = open(path);
  const { reason, saved, lost } = opened.damage ?? {};
  deepStrictEqual([reason, saved, lost], ["it has 8 rows instead of 10", 8, 2]);
  deepStrictEqual(opened.contents.messages, 8);
});

Deno.test("a payload whose pages do not hang together is noticed", () => {
  using dir = folder();
  const whole = dir.file("whole");
  filled(whole, rows(1, 100, 40_000));
  const pages = Deno.statSync(whole).size / PAGE;
  const random = randomNumbers(5);
  for (let count = 0; count < 10; count++) {
    const path = dir.file(`garbage-${count}`);
    Deno.copyFileSync(whole, path);
    const page = 20 + Math.floor(random() * (pages - 20));
    overwrite(path, page * PAGE, new Uint8Array(PAGE).fill(0xff));
    using opened = open(path);
    const { found, damage } = left(opened);
    ok(damage !== undefined && found.length >= 90 && found.length < 100, `page ${page}`);
    deepStrictEqual([damage.saved, damage.lost], [found.length, 100 - found.length]);
  }
});

Deno.test("the three newest damaged files are kept, those of other spools are left alone", () => {
  using dir = folder();
  const path = dir.file("spool");
  Deno.writeTextFileSync(dir.file("spool2.damaged-20200101T000000Z"), "");
  for (let day = 1; day <= 6; day++) {
    Deno.writeTextFileSync(path, `damaged on day ${day}`);
    Deno.writeTextFileSync(`${path}-wal`, "log");
    open(path, () => new Date(Date.UTC(2026, 0, Math.ceil(day / 2)))).file.close();
  }
  deepStrictEqual(dir.names().filter((name) => !name.endsWith("-wal")), [
    "spool",
    "spool.damaged-20260102T000000Z-002",
    "spool.damaged-20260103T000000Z",
    "spool.damaged-20260103T000000Z-002",
    "spool2.damaged-20200101T000000Z",
  ]);
  strictEqual(
    Deno.readTextFileSync(dir.file("spool.damaged-20260103T000000Z-002")),
    "damaged on day 6",
  );
});

Deno.test("a salvage that was cut short loses nothing that could be read", () => {
  using dir = folder();
  const path = dir.file("spool");
  filled(path, rows(1, 100));
  Deno.truncateSync(path, Deno.statSync(path).size - 20 * PAGE);
  const damaged = Deno.readFileSync(path);
  // Before it was complete.
  Deno.writeTextFileSync(`${path}.new`, "half of it");
  Deno.writeTextFileSync(`${path}.new-wal`, "half of it");
  let saved: number;
  {
    using opened = open(path, NOW);
    saved = left(opened).found.length;
    ok(saved > 60);
  }
  const aside = `${path}.damaged-20261122T102030Z`;
  deepStrictEqual(dir.names(), ["spool", "spool.damaged-20261122T102030Z"]);
  // After it was complete, before and after the damaged one was set aside.
  for (const before of [true, false]) {
    Deno.renameSync(path, `${path}.salvaged`);
    Deno.removeSync(aside);
    if (before) Deno.writeFileSync(path, damaged);
    using opened = open(path, NOW);
    strictEqual(left(opened).found.length, saved);
    deepStrictEqual(opened.damage, {
      reason: "it was found damaged before, and saving it was cut short",
      setAside: before ? aside : undefined,
      saved,
      lost: undefined,
    });
    if (!before) Deno.writeTextFileSync(aside, "");
  }
  deepStrictEqual(dir.names(), ["spool", "spool.damaged-20261122T102030Z"]);
});

Deno.test("where no new file can be begun, it is an error, and the damaged one stays", () => {
  using dir = folder();
  const path = dir.file("spool");
  filled(path, rows(1, 10));
  const { file } = SpoolFile.open(path, { damaged: () => {}, date: NOW });
  overwrite(path, 0, new Uint8Array(Deno.statSync(path).size));
  // A folder that is not empty is in the way of the new file.
  Deno.mkdirSync(`${path}.new/in the way`, { recursive: true });
  const damaged = Deno.readFileSync(path);
  let text = "";
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      file.read(0, ALL);
    } catch (error) {
      text = String(error);
    }
    ok(text.includes("and no new one can be begun: "), text);
  }
  deepStrictEqual(Deno.readFileSync(path), damaged);
  Deno.removeSync(`${path}.new`, { recursive: true });
  file.apply([changes({ insert: [row(11)] })], true);
  deepStrictEqual(numbers(file.read(0, ALL)), [11]);
  file.close();
});

Deno.test("rows are saved from both sides of what cannot be read, and from in between", () => {
  using dir = folder();
  const path = dir.file("spool");
  filled(path, rows(1, ROWS));
  const pages = Deno.statSync(path).size / PAGE;
  for (const part of [0.3, 0.5, 0.7]) {
    overwrite(path, Math.floor(pages * part) * PAGE, new Uint8Array(24 * PAGE).fill(0x5a));
  }
  const damage = salvage(path, "a test", undefined, NOW());
  ok(damage.saved > ROWS - 160 && damage.saved < ROWS, JSON.stringify(damage));
  strictEqual(damage.saved + (damage.lost ?? 0), ROWS);
  using opened = open(path);
  const { found } = left(opened);
  for (const part of [range(1, 250), range(350, 450), range(550, 650), range(760, ROWS)]) {
    deepStrictEqual(part.filter((number) => !found.includes(number)), []);
  }
});

for (const how of ["removed", "replaced"] as const) {
  Deno.test(`a file that is ${how} while it is in use is told, and a new one is begun`, () => {
    using dir = folder();
    const path = dir.file("spool");
    using opened = open(path);
    opened.file.apply([changes({ insert: rows(1, 10) })], true);
    if (how === "replaced") Deno.copyFileSync(path, `${path}.copy`);
    Deno.removeSync(path);
    if (how === "replaced") Deno.renameSync(`${path}.copy`, path);
    opened.file.apply([changes({ insert: [row(11)] })], true);
    strictEqual(opened.told.length, 1);
    strictEqual(
      opened.told[0]?.damage.reason,
      "it was removed or replaced while fsmqtt ran",
    );
    ok(numbers(opened.file.read(0, ALL)).includes(11));
    strictEqual(opened.told.length, 1);
  });
}
