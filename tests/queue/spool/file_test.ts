import { deepStrictEqual, ok, strictEqual, throws } from "node:assert";
import { DatabaseSync } from "node:sqlite";
import { rowBytes, SpoolError } from "../../../lib/queue/spool/rows.ts";
import {
  ALL,
  assertWhole,
  changes,
  filled,
  folder,
  numbers,
  open,
  range,
  row,
  rows,
} from "./helper.ts";

Deno.test("rows come back in the order of their numbers, whole, and after reopening", () => {
  using dir = folder();
  const path = dir.file("spool");
  {
    using opened = open(path);
    deepStrictEqual(opened.contents, { lastRow: 0, messages: 0, bytes: 0, deliveries: [] });
    opened.file.apply([changes({ insert: [row(3), row(1), row(20), row(7)] })], true);
  }
  using again = open(path);
  const found = again.file.read(0, ALL);
  deepStrictEqual(numbers(found), [1, 3, 7, 20]);
  found.forEach(assertWhole);
  strictEqual(again.damage, undefined);
  deepStrictEqual(again.contents, {
    lastRow: 20,
    messages: 4,
    bytes: found.reduce((sum, one) => sum + rowBytes(one), 0),
    deliveries: [],
  });
});

Deno.test("the changes of a write are made in the order remove, insert, update", () => {
  using dir = folder();
  using opened = open(dir.file("spool"));
  const { file } = opened;
  const delivery = { packetId: 65_535, released: false };
  file.apply([changes({ insert: [row(2, 10), row(4, 10)] })], true);
  file.apply([
    changes({
      remove: [2, 3],
      insert: [row(2, 99), row(4, 50), row(4, 77)],
      update: [{ row: 2, delivery }, { row: 9, delivery }],
    }),
  ], true);
  const found = file.read(0, ALL);
  deepStrictEqual(found.map((one) => [one.row, one.payload.length, one.delivery]), [
    [2, 99, delivery],
    [4, 77, undefined],
  ]);
  const { messages, bytes } = file.contents();
  deepStrictEqual([messages, bytes], [2, found.reduce((sum, one) => sum + rowBytes(one), 0)]);
});

Deno.test("calls that are committed together are done one after the other", () => {
  using dir = folder();
  using opened = open(dir.file("spool"));
  opened.file.apply([
    changes({ insert: [row(1), row(2)] }),
    changes({ remove: [1] }),
    changes({ insert: [row(1, 9)] }),
    changes({ remove: [2] }),
  ], false);
  deepStrictEqual(opened.file.read(0, ALL).map((one) => one.payload.length), [9]);
  deepStrictEqual(opened.file.contents().messages, 1);
});

Deno.test("deliveries are remembered, come on, start again, and go with their row", () => {
  using dir = folder();
  const path = dir.file("spool");
  {
    using opened = open(path);
    const begun = (packetId: number) => ({ packetId, released: false });
    opened.file.apply([
      changes({ insert: [row(5, 9, { delivery: begun(1) }), row(1), row(2), row(3), row(4)] }),
      changes({
        update: [
          { row: 4, delivery: { packetId: 8, released: true } },
          { row: 1, delivery: begun(2) },
          { row: 2, delivery: begun(3) },
          { row: 3, delivery: begun(4) },
        ],
      }),
      changes({ update: [{ row: 1, delivery: undefined }], remove: [3] }),
      // A row of the same number is another one.
      changes({ insert: [row(2, 10), row(3, 10)] }),
    ], true);
  }
  using again = open(path);
  deepStrictEqual(again.contents.deliveries.map((one) => [one.row, one.delivery]), [
    [4, { packetId: 8, released: true }],
    [5, { packetId: 1, released: false }],
  ]);
  again.contents.deliveries.forEach(assertWhole);
  deepStrictEqual(again.file.read(3, ALL).map((one) => one.delivery?.packetId), [8, 1]);
});

Deno.test("a number is remembered when its row is gone", () => {
  using dir = folder();
  const path = dir.file("spool");
  filled(path, rows(1, 30, 10));
  {
    using opened = open(path);
    opened.file.apply([changes({ remove: range(1, 30) })], true);
  }
  using again = open(path);
  deepStrictEqual(again.contents, { lastRow: 30, messages: 0, bytes: 0, deliveries: [] });
});

Deno.test("reading stops at either limit, but not before one row", () => {
  using dir = folder();
  using opened = open(dir.file("spool"));
  const { file } = opened;
  file.apply([changes({ insert: rows(1, 10, 1_000) })], true);
  const size = rowBytes(row(1, 1_000));
  deepStrictEqual(numbers(file.read(0, { messages: 4, bytes: Infinity })), [1, 2, 3, 4]);
  deepStrictEqual(numbers(file.read(4, { messages: 9, bytes: 3 * size })), [5, 6, 7]);
  deepStrictEqual(numbers(file.read(4, { messages: 9, bytes: 3 * size - 1 })), [5, 6]);
  deepStrictEqual(numbers(file.read(4, { messages: 9, bytes: 1 })), [5]);
  deepStrictEqual(numbers(file.read(8, ALL)), [9, 10]);
  deepStrictEqual(file.read(10, ALL), []);
  // A read that stopped early does not stand in the way of a write.
  file.apply([changes({ remove: range(1, 9) })], true);
  deepStrictEqual(numbers(file.read(0, ALL)), [10]);
});

Deno.test("a row of 16 MiB and one of nothing come back", () => {
  using dir = folder();
  using opened = open(dir.file("spool"));
  opened.file.apply([changes({ insert: [row(1, 16 * 1024 * 1024), row(2, 0)] })], true);
  const found = opened.file.read(0, { messages: 2, bytes: Infinity });
  deepStrictEqual(found.map((one) => one.payload.length), [16 * 1024 * 1024, 0]);
  found.forEach(assertWhole);
});

Deno.test("only its owner may read the file and its log", () => {
  using dir = folder();
  using opened = open(dir.file("spool"));
  opened.file.apply([changes({ insert: [row(1)] })], true);
  deepStrictEqual(dir.names(), ["spool", "spool-wal"]);
  for (const name of dir.names()) {
    strictEqual((Deno.statSync(dir.file(name)).mode ?? 0) & 0o777, 0o600, name);
  }
});

Deno.test("after an orderly end everything is in one file", () => {
  using dir = folder();
  filled(dir.file("spool"), rows(1, 300));
  deepStrictEqual(dir.names(), ["spool"]);
});

Deno.test("an emptied file gives the disk back, and goes on with its numbers", () => {
  using dir = folder();
  const path = dir.file("spool");
  filled(path, rows(1, 5_000));
  ok(Deno.statSync(path).size > 20_000_000);
  using opened = open(path);
  opened.file.trim();
  strictEqual(opened.file.contents().messages, 5_000);
  opened.file.apply([changes({ remove: range(1, 5_000) })], false);
  strictEqual(opened.file.wasteful, true);
  opened.file.trim();
  strictEqual(opened.file.wasteful, false);
  ok(Deno.statSync(path).size < 100_000);
  deepStrictEqual(opened.file.contents(), {
    lastRow: 5_000,
    messages: 0,
    bytes: 0,
    deliveries: [],
  });
  opened.file.apply([changes({ insert: [row(5_001)] })], true);
  deepStrictEqual(numbers(opened.file.read(0, ALL)), [5_001]);
  deepStrictEqual(opened.told, []);
});

Deno.test("a file that is open already is refused at once", () => {
  using dir = folder();
  const path = dir.file("spool");
  using first = open(path);
  throws(() => open(path), {
    name: "SpoolError",
    message: `Cannot use the spool ${path}: another process has it open`,
  });
  first.file.apply([changes({ insert: [row(1)] })], true);
  deepStrictEqual(dir.names(), ["spool", "spool-wal"]);
});

Deno.test("a file of a later version is refused and left alone", () => {
  using dir = folder();
  const path = dir.file("spool");
  filled(path, rows(1, 3));
  {
    const database = new DatabaseSync(path);
    database.exec("PRAGMA journal_mode = DELETE; PRAGMA user_version = 2");
    database.close();
  }
  const before = Deno.readFileSync(path);
  throws(() => open(path), (error: Error) => {
    ok(error instanceof SpoolError);
    ok(error.message.includes("it is of version 2, and this fsmqtt knows version 1"));
    return true;
  });
  deepStrictEqual(Deno.readFileSync(path), before);
  deepStrictEqual(dir.names(), ["spool"]);
});

Deno.test("what is no file, or cannot be reached, is an error that says why", () => {
  using dir = folder();
  throws(() => open(dir.path), {
    name: "SpoolError",
    message: `Cannot use the spool ${dir.path}: there is something of that name that is not a file`,
  });
  const path = dir.file("missing/spool");
  throws(() => open(path), {
    name: "SpoolError",
    message: `Cannot use the spool ${path}: No such file or directory`,
  });
});

Deno.test({
  name: "a file without the rights for it is an error, and stays",
  ignore: Deno.uid() === 0,
  fn() {
    using dir = folder();
    const path = dir.file("spool");
    filled(path, rows(1, 3));
    for (const mode of [0o000, 0o400]) {
      Deno.chmodSync(path, mode);
      throws(() => open(path), { name: "SpoolError" });
    }
    Deno.chmodSync(path, 0o600);
    using opened = open(path);
    strictEqual(opened.contents.messages, 3);
  },
});

Deno.test("a file that is out of reach is no reason to die when it is idle", () => {
  using dir = folder();
  Deno.mkdirSync(dir.file("state"));
  using opened = open(dir.file("state/spool"));
  opened.file.apply([changes({ insert: [row(1)] })], true);
  opened.file.apply([changes({ remove: [1] })], true);
  Deno.renameSync(dir.file("state"), dir.file("moved"));
  Deno.writeTextFileSync(dir.file("state"), "no folder");
  strictEqual(opened.file.wasteful, false);
  opened.file.trim();
});
