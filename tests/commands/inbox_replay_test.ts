import assert from "node:assert/strict";
import { CommandMemory } from "../../lib/commands/memory.ts";
import { EslError } from "../../lib/esl/errors.ts";
import { document, TestInbox } from "./inbox_helper.ts";
import { MemoryFile } from "./memory_helper.ts";

const encoder = new TextEncoder();

Deno.test("a command without an id runs as often as it comes", async () => {
  const test = new TestInbox({ cmd: {} });
  await test.takeAll("bgapi status", "bgapi status", document(), document());
  assert.equal(test.ran.length, 4);
});

for (
  const [what, first, second] of [
    ["a document", document({ id: "a" }), document({ id: "a" })],
    ["another command", document({ id: "a" }), document({ id: "a", args: "uptime" })],
    ["uuid:", "bgapi uuid:a status", "bgapi uuid:a uptime"],
    ["uuid: and a document", "bgapi uuid:a status", document({ id: "a" })],
    ["an originate", document({ id: "a" }), '{"id":"a","command":"originate","args":"user/1 2"}'],
  ] as const
) {
  Deno.test(`of two commands of one id the first runs: ${what}`, async () => {
    const test = new TestInbox({ cmd: {} });
    await test.takeAll(first, second, first);
    assert.deepEqual(test.commands, ["status"]);
    assert.deepEqual(test.refusals, { duplicate: 2 });
    assert.match(test.log.at(-1) ?? "", /id a\): a command of this id came within replay_window$/);
  });
}

Deno.test("ids count as they are written, for each MQTT topic by itself", async () => {
  const test = new TestInbox({ "cmd/+": {} });
  await test.take("cmd/1", document({ id: "a" }));
  await test.take("cmd/1", document({ id: "A" }));
  await test.take("cmd/2", document({ id: "a" }));
  await test.take("cmd/2", document({ id: "a" }));
  assert.equal(test.ran.length, 3);
});

Deno.test("what the sender knows its request by is an id, if there is no other", async () => {
  const test = new TestInbox({ cmd: { response_prefix: "r" } });
  const take = (responseTopic: string, data: string, payload: string) =>
    test.take("cmd", payload, { responseTopic, correlationData: encoder.encode(data) });
  await take("r/1", "x", "bgapi status");
  await take("r/1", "x", "bgapi uptime");
  await take("r/1", "y", "bgapi version");
  await take("r/2", "x", "bgapi hostname");
  await take("r/1", "x", document({ id: "a", args: "echo 1" }));
  await take("r/1", "z", document({ id: "a", args: "echo 2" }));
  assert.deepEqual(test.commands, ["status", "version", "hostname", "echo 1"]);
  assert.deepEqual(test.refusals, { duplicate: 2 });
});

Deno.test("correlation data is no id that another sender could write", async () => {
  const test = new TestInbox({ cmd: {} });
  await test.take("cmd", "bgapi status", { correlationData: encoder.encode("a") });
  await test.take("cmd", document({ id: "correlation" }));
  await test.take("cmd", document({ id: "a" }));
  await test.take("cmd", "bgapi status", { correlationData: Uint8Array.of(9, 7) });
  await test.take("cmd", "bgapi status", { correlationData: Uint8Array.of(97) });
  assert.equal(test.ran.length, 4);
});

Deno.test("an id runs once over two connections", async () => {
  const one = new TestInbox({ cmd: {} });
  const two = new TestInbox({ "#": {} }, { ...one, connection: "other" });
  await one.take("cmd", document({ id: "a" }));
  await two.take("cmd", document({ id: "a" }));
  await two.take("cmd", document({ id: "b" }));
  await one.take("cmd", document({ id: "b" }));
  assert.deepEqual([one.ran.length, two.ran.length], [1, 1]);
});

Deno.test("an id runs once while it is remembered", async () => {
  const test = new TestInbox({ cmd: { replay_window: 10 } });
  await test.take("cmd", document({ id: "a" }));
  test.clock.advance(9_999);
  await test.take("cmd", document({ id: "a" }));
  assert.equal(test.ran.length, 1);
  test.clock.advance(1);
  await test.take("cmd", document({ id: "a" }));
  assert.equal(test.ran.length, 2);
});

Deno.test("what says when it was asked for runs once, however short the window is", async () => {
  for (const ahead of [0, 30_000]) {
    const test = new TestInbox({ cmd: { replay_window: 1, max_command_age: 30 } });
    const issuedAt = (test.clock.date().getTime() + ahead + 0.4) / 1000;
    const text = document({ id: "a", issued_at: issuedAt });
    // A command is in time for a minute here: half of it before the time that it says.
    for (let ms = 0; ms <= 62_000; ms += 500) {
      await test.take("cmd", text);
      test.clock.advance(500);
    }
    for (let ms = 0; ms < 10; ms++) await test.take("cmd", text);
    assert.equal(test.ran.length, 1);
  }
});

Deno.test("to the millisecond, no copy of a command is in time and forgotten", async () => {
  const test = new TestInbox({ cmd: { replay_window: 1, max_command_age: 5 } });
  const text = document({ id: "a", issued_at: test.clock.date().toISOString() });
  for (let ms = 0; ms <= 8_000; ms++) {
    await test.take("cmd", text);
    test.clock.advance(1);
  }
  assert.equal(test.ran.length, 1);
});

Deno.test("a repeated delivery of a command that ran does not run again", async () => {
  const test = new TestInbox({ cmd: {} });
  const issued_at = test.clock.date().toISOString();
  await test.take("cmd", document({ id: "a", issued_at }));
  await test.take("cmd", document({ id: "a", issued_at }), { repeated: true });
  await test.take("cmd", document({ id: "b", issued_at }), { repeated: true });
  await test.take("cmd", document({ id: "b", issued_at }), { repeated: true });
  assert.equal(test.ran.length, 2);
  assert.deepEqual(test.refusals, { duplicate: 2 });
});

Deno.test("over a restart an id runs once", async () => {
  await using file = new MemoryFile();
  const before = new TestInbox({ cmd: {} }, { clock: file.clock, memory: await file.open() });
  await before.take("cmd", document({ id: "a" }));
  await before.take("cmd", "bgapi uuid:b status");
  await before.take("cmd", "bgapi status", { correlationData: Uint8Array.of(1) });
  const after = new TestInbox({ cmd: {} }, { clock: file.clock, memory: await file.open() });
  await after.take("cmd", document({ id: "a" }));
  await after.take("cmd", "bgapi uuid:b status");
  await after.take("cmd", "bgapi status", { correlationData: Uint8Array.of(1) });
  assert.deepEqual(after.ran, []);
  await after.take("cmd", document({ id: "c" }));
  assert.equal(after.ran.length, 1);
});

Deno.test("the state folder holds no id as it was written", async () => {
  await using file = new MemoryFile();
  const test = new TestInbox({ cmd: {} }, { clock: file.clock, memory: await file.open() });
  await test.take("cmd", document({ id: "my-own-id" }));
  await file.close();
  assert.doesNotMatch(await Deno.readTextFile(file.path), /my-own-id/);
});

Deno.test("what is refused may be sent again under its id", async () => {
  const test = new TestInbox({ cmd: { rate_limit: 60, rate_burst: 1, max_concurrent: 1 } });
  await test.take("cmd", document({ id: "a", args: "system id" }));
  await test.take("cmd", document({ id: "a", issued_at: 1 }));
  await test.take("cmd", document({ id: "a" }), { retained: true });
  test.unavailable = "FreeSWITCH is not connected";
  await test.take("cmd", document({ id: "a" }));
  test.unavailable = undefined;
  await test.take("cmd", document({ id: "first" }));
  await test.take("cmd", document({ id: "a" }));
  test.clock.advance(1_000);
  await test.take("cmd", document({ id: "a" }));
  assert.deepEqual(test.refusals, {
    not_allowed: 1,
    stale: 1,
    retained: 1,
    unavailable: 1,
    rate_limited: 1,
  });
  assert.equal(test.ran.length, 2);
});

Deno.test("a duplicate uses up no rate", async () => {
  const test = new TestInbox({ cmd: { rate_limit: 2 } });
  for (let i = 0; i < 10; i++) await test.take("cmd", document({ id: "a" }));
  await test.take("cmd", document({ id: "b" }));
  assert.equal(test.ran.length, 2);
});

Deno.test("what FreeSWITCH was given does not run again, whatever became of it", async () => {
  const test = new TestInbox({ cmd: {} });
  for (const kind of ["rejected", "lost"] as const) {
    test.run = () => Promise.reject(new EslError(kind, "x"));
    await test.take("cmd", document({ id: kind }));
    await test.take("cmd", document({ id: kind }));
  }
  assert.equal(test.ran.length, 2);
  assert.deepEqual(test.refusals, { failed: 2, duplicate: 2 });
});

Deno.test("where no more ids can be remembered, only what has none runs", async () => {
  const one = new TestInbox({ cmd: {} });
  const memory = CommandMemory.open(undefined, {
    clock: one.clock,
    complain: assert.fail,
    maxIds: 2,
  });
  const test = new TestInbox({ cmd: { replay_window: 10 } }, { clock: one.clock, memory });
  for (const id of ["a", "b", "c"]) await test.take("cmd", document({ id }));
  await test.take("cmd", "bgapi status");
  assert.equal(test.ran.length, 3);
  assert.deepEqual(test.refusals, { busy: 1 });
  test.clock.advance(10_000);
  await test.take("cmd", document({ id: "c" }));
  assert.equal(test.ran.length, 4);
});
