/** What is written of a flood of commands that run. */

import assert from "node:assert/strict";
import { EslError } from "../../lib/esl/errors.ts";
import { document, finished, TestInbox } from "./inbox_helper.ts";

const CALL = "originate user/1 2";

/** How many lines the log has of each level. */
function levels(test: TestInbox): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const line of test.log) {
    const [, level = ""] = /^\[(\w+)\]/.exec(line) ?? [];
    counts[level] = (counts[level] ?? 0) + 1;
  }
  return counts;
}

function events(test: TestInbox): string[] {
  return test.audit.entries.map(({ event }) => event);
}

Deno.test("of a flood of commands sixty a minute have lines of their own, the rest has one", async () => {
  const test = new TestInbox({ cmd: {} });
  for (let i = 0; i < 1_000; i++) {
    await test.take("cmd", document({ id: `${i}`, args: i % 4 === 0 ? "show calls" : "status" }));
  }
  assert.equal(test.ran.length, 1_000);
  assert.deepEqual(events(test), Array.from({ length: 60 }, () => ["run", "result"]).flat());
  assert.deepEqual(levels(test), { NOTICE: 60, INFO: 60, DEBUG: 1_880 });
  test.clock.advance(60_000);
  assert.deepEqual(test.audit.entries.slice(120), [{
    event: "ran_more",
    profile: "p",
    connection: "main",
    subscriber_topic: "cmd",
    count: 940,
    commands: { status: 705, show: 235 },
  }]);
  assert.equal(
    test.log.at(-1),
    "[NOTICE] 940 more commands on topic cmd were run within a minute: 705 status, 235 show",
  );
  await test.take("cmd", "bgapi status");
  assert.deepEqual(events(test).slice(121), ["run", "result"]);
  assert.equal(test.clock.pending, 0);
});

Deno.test("a call has its lines, whatever else runs", async () => {
  const test = new TestInbox({ cmd: {} });
  for (let i = 0; i < 100; i++) await test.take("cmd", "bgapi status");
  const begin = test.audit.entries.length;
  test.log.splice(0);
  for (let i = 0; i < 100; i++) await test.takeAll(CALL, `bgapi ${CALL}`, "bgapi uuid_bridge a b");
  assert.equal(test.audit.entries.length, begin + 600);
  assert.deepEqual(levels(test), { NOTICE: 300, INFO: 300 });
  assert.equal(test.log.filter((line) => line.includes("[DEBUG]")).length, 0);
});

Deno.test("calls take no lines from others, nor one topic from another", async () => {
  const test = new TestInbox({ cmd: {}, other: {} });
  for (let i = 0; i < 100; i++) await test.take("cmd", CALL);
  for (let i = 0; i < 100; i++) await test.take("other", "bgapi status");
  for (let i = 0; i < 60; i++) await test.take("cmd", "bgapi status");
  assert.equal(test.audit.entries.length, 200 + 120 + 120);
});

Deno.test("a flood of commands that fail is written as one that does not", async () => {
  const test = new TestInbox({ cmd: {} });
  for (
    const run of [
      () => Promise.reject(new EslError("rejected", "x")),
      (_: string, uuid: string) =>
        Promise.resolve({ uuid, outcome: Promise.resolve(finished("-ERR x\n")) }),
      (_: string, uuid: string) =>
        Promise.resolve({
          uuid,
          outcome: Promise.resolve({ kind: "unknown" as const, reason: "x" }),
        }),
    ]
  ) {
    test.run = run;
    for (let i = 0; i < 100; i++) await test.take("cmd", "bgapi status");
    test.clock.advance(60_000);
  }
  const { DEBUG, ...told } = levels(test);
  assert.deepEqual(told, { ERROR: 60, NOTICE: 60 + 60 + 60 + 3, WARNING: 60 });
  assert.equal(DEBUG, 40 + 80 + 80);
  assert.equal(test.audit.entries.length, 3 * 121);
});

Deno.test("names that senders choose make no summary long", async () => {
  const test = new TestInbox({ cmd: {} });
  for (let i = 100; i < 400; i++) await test.take("cmd", `bgapi ${i}${"x".repeat(61)} y`);
  test.inbox.close();
  const summary = test.audit.entries.at(-1);
  assert(summary?.event === "ran_more");
  assert.deepEqual([summary.count, Object.keys(summary.commands).length], [240, 21]);
  assert(JSON.stringify(summary).length < 1_500);
  assert((test.log.at(-1) ?? "").length < 1_500);
  assert.equal(test.clock.pending, 0);
});
