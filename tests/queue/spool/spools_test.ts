import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert";
import type { Contents, Damage, Spool } from "../../../lib/queue/spool/rows.ts";
import { SpoolError } from "../../../lib/queue/spool/rows.ts";
import {
  DiskSpools,
  type SpoolStarter,
  startSpoolWorker,
} from "../../../lib/queue/spool/spools.ts";
import { ALL, assertWhole, changes, filled, folder, numbers, range, row, rows } from "./helper.ts";

/** What a spool has told of damage. */
type Told = { readonly damage: Damage; readonly contents: Contents };

/** The spools of a test. */
function spools(start?: SpoolStarter) {
  const all = new DiskSpools(start);
  const told: Told[] = [];
  const damaged = (damage: Damage, contents: Contents) => void told.push({ damage, contents });
  return {
    all,
    told,
    open: (path: string) => all.open(path, { damaged }),
    [Symbol.asyncDispose]: () => all.close(),
  };
}

Deno.test("what is written comes back, and after closing and opening again", async () => {
  using dir = folder();
  const path = dir.file("spool");
  await using some = spools();
  const { spool, contents, damage } = await some.open(path);
  deepStrictEqual(contents, { lastRow: 0, messages: 0, bytes: 0, deliveries: [] });
  strictEqual(damage, undefined);
  const delivery = { packetId: 77, released: true };
  const given = row(2, 500);
  await spool.write(changes({ insert: [row(1), given, row(3, 0)] }), true);
  await spool.write(changes({ remove: [1], update: [{ row: 2, delivery }] }), false);
  const found = await spool.read(0, ALL);
  deepStrictEqual(found.map((one) => [one.row, one.delivery]), [[2, delivery], [3, undefined]]);
  found.forEach(assertWhole);
  assertWhole(given);
  await spool.close();
  await rejects(spool.read(0, ALL), { message: `Cannot use the spool ${path}: it is closed` });
  const again = await some.open(path);
  deepStrictEqual(numbers(again.contents.deliveries), [2]);
  again.contents.deliveries.forEach(assertWhole);
  strictEqual(again.contents.messages, 2);
  await again.spool.close();
});

Deno.test("all that is asked for is done in its order, also of several spools at once", async () => {
  using dir = folder();
  await using some = spools();
  const both = await Promise.all([some.open(dir.file("a")), some.open(dir.file("b"))]);
  await Promise.all(both.map(async ({ spool }) => {
    const order: string[] = [];
    const asked = [];
    for (let number = 1; number <= 60; number++) {
      const write = spool.write(
        changes({ insert: [row(number)], remove: [number - 10] }),
        number % 20 === 0,
      );
      asked.push(write.then(() => order.push(`w${number}`)));
      if (number % 7 !== 0) continue;
      asked.push(
        spool.read(0, ALL).then((found) => {
          order.push(`r${number}`);
          found.forEach(assertWhole);
          deepStrictEqual(numbers(found), range(Math.max(1, number - 9), number));
        }),
      );
    }
    asked.push(spool.close().then(() => order.push("closed")));
    await Promise.all(asked);
    const wanted = range(1, 60).flatMap((number) =>
      number % 7 === 0 ? [`w${number}`, `r${number}`] : [`w${number}`]
    );
    deepStrictEqual(order, [...wanted, "closed"]);
  }));
});

Deno.test("writes that wait are committed together", async () => {
  using dir = folder();
  let asked = 0;
  await using some = spools((port, failed) => {
    const { port1, port2 } = new MessageChannel();
    port.onmessage = ({ data }) => {
      asked++;
      port1.postMessage(data);
    };
    port1.onmessage = ({ data }) => port.postMessage(data);
    const end = startSpoolWorker(port2, failed);
    return () => {
      for (const each of [port, port1]) each.close();
      end();
    };
  });
  const { spool } = await some.open(dir.file("spool"));
  asked = 0;
  await Promise.all(rows(1, 500, 10).map((one) => spool.write(changes({ insert: [one] }), true)));
  strictEqual(asked, 2);
  deepStrictEqual(numbers(await spool.read(0, ALL)), range(1, 500));
  // So many bytes at most are committed together.
  asked = 0;
  const mebibyte = 1024 * 1024;
  await Promise.all(
    rows(501, 517, mebibyte).map((one) => spool.write(changes({ insert: [one] }), true)),
  );
  strictEqual(asked, 4);
  await spool.close();
});

Deno.test("what cannot be written does not take along what was committed with it", async () => {
  using dir = folder();
  await using some = spools();
  const { spool } = await some.open(dir.file("spool"));
  const first = spool.write(changes({ insert: [row(1)] }), false);
  const bad = { ...row(3), topic: undefined as unknown as string };
  const results = await Promise.allSettled([
    spool.write(changes({ insert: [row(2)] }), false),
    // An identifier that SQLite cannot keep as an integer.
    spool.write(changes({ insert: [row(1.5)] }), false),
    spool.write(changes({ insert: [row(4)] }), true),
  ]);
  await first;
  deepStrictEqual(results.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  ok(results[1]?.status === "rejected" && results[1].reason instanceof SpoolError);
  deepStrictEqual(numbers(await spool.read(0, ALL)), [1, 2, 4]);
  // One that cannot even be packed is refused as well.
  await rejects(spool.write(changes({ insert: [bad] }), false));
  await spool.write(changes({ insert: [row(5)] }), false);
  await spool.close();
});

Deno.test("an empty spool gives the disk back by itself", async () => {
  using dir = folder();
  const path = dir.file("spool");
  filled(path, rows(1, 5_000));
  await using some = spools();
  const { spool } = await some.open(path);
  const watcher = Deno.watchFs(dir.path);
  await spool.write(changes({ remove: range(1, 5_000) }), false);
  for await (const _ of watcher) {
    if ((await Deno.stat(path)).size < 100_000) break;
  }
  await spool.write(changes({ insert: [row(5_001)] }), true);
  deepStrictEqual(numbers(await spool.read(0, ALL)), [5_001]);
  await spool.close();
});

Deno.test("damage is told before what was asked for afterwards is answered", async () => {
  using dir = folder();
  const path = dir.file("spool");
  filled(path, rows(1, 1_000));
  await using some = spools();
  const { spool } = await some.open(path);
  const { size } = await Deno.stat(path);
  {
    using file = await Deno.open(path, { write: true });
    await file.seek(size / 2, Deno.SeekMode.Start);
    await file.write(new Uint8Array(size / 2).fill(0xa5));
  }
  const order: string[] = [];
  const note = (name: string) => () => order.push(`${name} ${some.told.length}`);
  const found = spool.read(0, ALL);
  await Promise.all([
    found.then(note("read")),
    spool.write(changes({ insert: [row(1_001)] }), true).then(note("write")),
  ]);
  deepStrictEqual(order, ["read 1", "write 1"]);
  const told = some.told[0];
  strictEqual(told?.damage.saved, (await found).length);
  strictEqual(told.contents.messages, told.damage.saved);
  strictEqual(told.damage.saved + (told.damage.lost ?? 0), 1_000);
  deepStrictEqual(numbers(await spool.read(1_000, ALL)), [1_001]);
  await spool.close();
});

Deno.test("a spool that cannot be opened is refused, and the others go on", async () => {
  using dir = folder();
  await using some = spools();
  const { spool } = await some.open(dir.file("spool"));
  await rejects(some.open(dir.path), { name: "SpoolError" });
  await rejects(some.open(dir.file("spool")), {
    name: "SpoolError",
    message: `Cannot use the spool ${dir.file("spool")}: another process has it open`,
  });
  await spool.write(changes({ insert: [row(1)] }), true);
  await spool.close();
});

Deno.test("the death of the worker is an error of each call, and a spool can be opened anew", async () => {
  using dir = folder();
  const path = dir.file("spool");
  let started = 0;
  await using some = spools((port, failed) => {
    started++;
    const module = new URL("./failing_worker.ts", import.meta.url);
    return startSpoolWorker(port, failed, new Worker(module, { type: "module" }));
  });
  const opened: Spool[] = [];
  for (const name of ["spool", "other"]) opened.push((await some.open(dir.file(name))).spool);
  const [spool, other] = opened;
  ok(spool !== undefined && other !== undefined);
  await spool.write(changes({ insert: [row(1)] }), true);
  const pending = [
    // The worker dies of this number.
    spool.write(changes({ insert: [row(666)] }), true),
    spool.write(changes({ insert: [row(2)] }), true),
    spool.read(0, ALL),
    other.read(0, ALL),
  ];
  for (const result of await Promise.allSettled(pending)) {
    ok(result.status === "rejected" && result.reason instanceof SpoolError);
    ok(result.reason.message.includes("the worker that keeps the spools has failed"));
  }
  await rejects(spool.write(changes({ insert: [row(3)] }), true), { name: "SpoolError" });
  await rejects(spool.close(), { name: "SpoolError" });
  strictEqual(started, 1);
  const again = await some.open(path);
  strictEqual(started, 2);
  deepStrictEqual(numbers(await again.spool.read(0, ALL)), [1]);
  await again.spool.close();
});

Deno.test("closing all of them while something is asked for is an error of what was asked", async () => {
  using dir = folder();
  await using some = spools();
  const { spool } = await some.open(dir.file("spool"));
  const write = spool.write(changes({ insert: [row(1)] }), true);
  await Promise.all([
    rejects(write, { message: "Cannot use the spool: the spools are closed" }),
    some.all.close(),
  ]);
  await rejects(spool.read(0, ALL), { name: "SpoolError" });
});

Deno.test("a program ends by itself when all is closed, and needs no more than the agent may", async () => {
  using dir = folder();
  const script = new URL("./short_program.ts", import.meta.url).pathname;
  const config = JSON.parse(
    await Deno.readTextFile(new URL("../../../deno.json", import.meta.url)),
  );
  const command: string = config.tasks.fsmqtt.command;
  const permissions = command.split(" ").filter((word) => word.startsWith("--allow-"));
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...permissions, script, dir.file("spool")],
    stderr: "inherit",
  }).output();
  ok(success);
  strictEqual(new TextDecoder().decode(stdout), "1,2,3\n");
});

Deno.test("what cannot be packed is refused also when it had to wait, and what follows is written", async () => {
  using dir = folder();
  await using some = spools();
  const { spool } = await some.open(dir.file("spool"));
  const noBytes = { length: 1, 0: 1n } as unknown as Uint8Array<ArrayBuffer>;
  const bad = { ...row(2), payload: noBytes };
  const results = await Promise.allSettled([
    spool.write(changes({ insert: [row(1)] }), true),
    spool.write(changes({ insert: [bad] }), true),
    spool.read(0, ALL),
    spool.write(changes({ insert: [row(4)] }), true),
  ]);
  deepStrictEqual(results.map(({ status }) => status), [
    "fulfilled",
    "rejected",
    "fulfilled",
    "fulfilled",
  ]);
  ok(results[1]?.status === "rejected" && results[1].reason instanceof SpoolError);
  deepStrictEqual(numbers(await spool.read(0, ALL)), [1, 4]);
  await spool.close();
});

Deno.test("a packet identifier belongs to the row that claimed it last", async () => {
  using dir = folder();
  const path = dir.file("spool");
  await using some = spools();
  const { spool } = await some.open(path);
  const delivery = { packetId: 7, released: true };
  await spool.write(changes({ insert: [row(2, 10, { delivery }), row(4, 10), row(6, 10)] }), true);
  await spool.write(
    changes({ update: [{ row: 4, delivery: { ...delivery, released: false } }] }),
    false,
  );
  const claims = async () =>
    (await spool.read(0, ALL)).filter((one) => one.delivery !== undefined).map(({ row }) => row);
  deepStrictEqual(await claims(), [4]);
  await spool.write(changes({ insert: [row(8, 10, { delivery })] }), true);
  deepStrictEqual(await claims(), [8]);
  await spool.close();
  const again = await some.open(path);
  deepStrictEqual(numbers(again.contents.deliveries), [8]);
  strictEqual(again.contents.messages, 4);
  await again.spool.close();
});
