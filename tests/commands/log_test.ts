import assert from "node:assert/strict";
import { TestInbox, topic } from "./inbox_helper.ts";

Deno.test("without log-details neither arguments nor results are logged", async () => {
  const test = new TestInbox([topic("cmd")]);
  await test.take("cmd", "bgapi echo s3cret");
  await test.take("cmd", "originate {password=s3cret}user/1 2");
  await test.take("cmd", "bgapi echo s3cret", { retained: true });
  await test.take("cmd", "nothing s3cret");
  assert.deepEqual(test.log.slice(0, 4), [
    '[NOTICE] Running "echo" from "cmd" as job made-1',
    "[INFO] Job made-1 finished",
    '[NOTICE] Running "originate" from "cmd" as job made-2',
    "[INFO] Job made-2 finished",
  ]);
  assert.doesNotMatch(test.log.join("\n"), /s3cret|the result/);
});

Deno.test("with log-details the message and the result are logged", async () => {
  const test = new TestInbox([topic("cmd")], true);
  await test.take("cmd", "bgapi echo s3cret");
  await test.take("cmd", "whatever this is");
  assert.deepEqual(test.log, [
    '[NOTICE] Running "echo" from "cmd" as job made-1; the message: bgapi echo s3cret',
    "[INFO] Job made-1 finished: +OK the result",
    '[WARNING] Refused a command on "cmd" (topic cmd): it begins with neither `bgapi` nor ' +
    "`originate`; the message: whatever this is",
  ]);
});

Deno.test("a job that failed is logged with the first line of what FreeSWITCH said", async () => {
  const test = new TestInbox([topic("cmd")]);
  test.runner = (_, uuid) =>
    Promise.resolve({
      uuid,
      outcome: Promise.resolve({ kind: "finished", text: "-ERR USER_BUSY\nmore\n" }),
    });
  await test.take("cmd", "originate user/1 2");
  assert.equal(test.log.at(-1), "[INFO] Job made-1 failed: -ERR USER_BUSY");
});

Deno.test("no message forges a line of the log, or floods it", async () => {
  const test = new TestInbox([topic("cmd/#")], true);
  await test.take("cmd/\n[ALERT] forged", "bgapi x\n[ALERT] forged\x1b[2J");
  await test.take("cmd/a", `bgapi ${"x".repeat(60_000)}`);
  for (const line of test.log) {
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(line, /[\x00-\x1f]/);
    assert(line.length < 2000, `${line.length}`);
  }
});
