import assert from "node:assert/strict";
import { finished, TestInbox } from "./inbox_helper.ts";

Deno.test("without log-details neither arguments nor results are logged", async () => {
  const test = new TestInbox({ cmd: {} });
  await test.takeAll("bgapi echo s3cret", "originate user/s3cret 2");
  await test.take("cmd", "bgapi echo s3cret", { retained: true });
  await test.take("cmd", "nothing s3cret");
  assert.deepEqual(test.log.slice(0, 4), [
    '[NOTICE] Running "echo" from "cmd" as job made-1',
    '[INFO] "echo" from "cmd", job made-1, finished',
    '[NOTICE] Running "originate" from "cmd" as job made-2',
    '[INFO] "originate" from "cmd", job made-2, finished',
  ]);
  assert.doesNotMatch(test.log.join("\n"), /s3cret|the result/);
});

Deno.test("with log-details the command and the result are logged, and what is no command", async () => {
  const test = new TestInbox({ cmd: {} }, { details: true });
  await test.takeAll("bgapi echo s3cret", "whatever this is");
  assert.deepEqual(test.log, [
    '[NOTICE] Running "echo" from "cmd" as job made-1; the command: echo (6 characters)',
    '[INFO] "echo" from "cmd", job made-1, finished: +OK the result',
    '[WARNING] Refused a command on "cmd" (topic cmd): it begins with neither `bgapi` nor ' +
    "`originate`, and is no JSON; the message: whatever this is",
  ]);
});

Deno.test("a job that failed is logged with the first line of what FreeSWITCH said", async () => {
  const test = new TestInbox({ cmd: {} });
  test.run = (_, uuid) =>
    Promise.resolve({ uuid, outcome: Promise.resolve(finished("-ERR USER_BUSY\nmore\n")) });
  await test.take("cmd", "originate user/1 2");
  assert.equal(
    test.log.at(-1),
    '[NOTICE] "originate" from "cmd", job made-1, failed: -ERR USER_BUSY',
  );
});

Deno.test("no message forges a line of the log, or floods it", async () => {
  const test = new TestInbox({ "cmd/#": {} }, { details: true });
  await test.take("cmd/\n[ALERT] forged", "bgapi x\n[ALERT] forged\x1b[2J");
  await test.take("cmd/a", `bgapi ${"x".repeat(60_000)}`);
  await test.take("cmd/a", JSON.stringify({ command: "bgapi", args: "status", "a\n[ALERT] b": 1 }));
  assert.equal(test.log.filter((line) => line.includes("ALERT")).length, 2);
  for (const line of test.log) {
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(line, /[\x00-\x1f]/);
    assert(line.length < 2000, `${line.length}`);
  }
});

for (
  const message of [
    JSON.stringify({
      command: "originate",
      endpoint: "user/1000",
      app: "park",
      variables: { sip_auth_password: "p}s3cret" },
    }),
    "originate {sip_auth_password=p}s3cret}user/1000 &park",
    "originate {sip_auth_password=s3cret}user/1000 &park",
  ]
) {
  Deno.test(`no password of ${message.slice(0, 40)} is logged, with log-details neither`, async () => {
    const test = new TestInbox({ cmd: {} }, { details: true });
    await test.take("cmd", message);
    assert.match(test.log.join(), /the command: originate /);
    assert.doesNotMatch(test.log.join(), /s3cret/);
  });
}
