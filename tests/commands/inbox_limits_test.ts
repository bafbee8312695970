import assert from "node:assert/strict";
import { EslError } from "../../lib/esl/errors.ts";
import { document, finished, settled, TestInbox } from "./inbox_helper.ts";
import { DAY, MemoryFile } from "./memory_helper.ts";

Deno.test("only so many commands a minute run", async () => {
  const test = new TestInbox({ cmd: { rate_limit: 3 } });
  for (let i = 0; i < 10; i++) await test.take("cmd", "bgapi status");
  assert.equal(test.ran.length, 3);
  test.clock.advance(20_000);
  for (let i = 0; i < 10; i++) await test.take("cmd", "bgapi status");
  assert.equal(test.ran.length, 4);
  assert.deepEqual(test.refusals, { rate_limited: 16 });
});

Deno.test("each topic has limits of its own", async () => {
  const test = new TestInbox({ cmd: { rate_limit: 1 }, other: { rate_limit: 1 } });
  await test.takeAll("bgapi status", "bgapi status");
  await test.take("other", "bgapi status");
  assert.equal(test.ran.length, 2);
});

Deno.test("what is refused uses up none of the rate", async () => {
  const test = new TestInbox({ cmd: { rate_limit: 1, response_prefix: "r" } });
  for (let i = 0; i < 5; i++) {
    await test.takeAll(
      "nonsense",
      "bgapi system id",
      "originate loopback/1 2",
      document({ id: "" }),
    );
    await test.take("cmd", "bgapi status", { retained: true });
    await test.take("cmd", "bgapi status", { repeated: true });
    await test.take("cmd", "bgapi status", { responseTopic: "elsewhere" });
  }
  test.unavailable = "FreeSWITCH is not connected";
  await test.take("cmd", "bgapi status");
  test.unavailable = undefined;
  assert.deepEqual(test.ran, []);
  await test.takeAll("bgapi status", "bgapi status");
  assert.equal(test.ran.length, 1);
});

Deno.test("only so many commands are under way at once, until each has ended", async () => {
  const test = new TestInbox({ cmd: { max_concurrent: 2 } });
  const end = test.holdJobs();
  const running = [1, 2, 3].map(() => test.take("cmd", "bgapi status"));
  await settled();
  assert.equal(test.ran.length, 2);
  assert.equal(test.topics[0]?.limits.running, 2);
  assert.deepEqual(test.refusals, { busy: 1 });
  end(finished("+OK"));
  await settled();
  running.push(test.take("cmd", "bgapi status"), test.take("cmd", "bgapi status"));
  await settled();
  assert.equal(test.ran.length, 3);
  end({ kind: "unknown", reason: "x" });
  end(finished("-ERR"));
  await Promise.all(running);
  assert.equal(test.topics[0]?.limits.running, 0);
});

Deno.test("a command that takes too long is under way until FreeSWITCH is done with it", async () => {
  const test = new TestInbox({ cmd: { max_concurrent: 1, command_timeout: 7 } });
  const end = test.holdJobs();
  const running = test.take("cmd", "bgapi status");
  await settled();
  test.clock.advance(60_000);
  await settled();
  await test.take("cmd", "bgapi status");
  assert.deepEqual(test.refusals, { busy: 1 });
  end(finished("+OK"));
  await running;
  assert.equal(test.topics[0]?.limits.running, 0);
});

Deno.test("what could not be begun is under way no more", async () => {
  const test = new TestInbox({ cmd: { max_concurrent: 1 } });
  for (const kind of ["rejected", "unreachable", "lost"] as const) {
    test.run = () => Promise.reject(new EslError(kind, "x"));
    await test.take("cmd", "bgapi status");
  }
  assert.equal(test.ran.length, 3);
  assert.equal(test.topics[0]?.limits.running, 0);
});

const CALL = "originate user/1 2";

Deno.test("only so many calls are started within 24 hours", async () => {
  const test = new TestInbox({ cmd: { max_calls_per_day: 2 }, other: { max_calls_per_day: 2 } });
  await test.takeAll(CALL, "bgapi status", `bgapi ${CALL}`, CALL, "bgapi originate user/1 2");
  await test.takeAll("bgapi uuid_bridge a b", "bgapi status");
  assert.equal(test.ran.length, 4);
  assert.deepEqual(test.refusals, { call_limit: 3 });
  await test.take("other", CALL);
  assert.equal(test.ran.length, 5);
  test.clock.advance(DAY - 1);
  await test.take("cmd", CALL);
  assert.equal(test.ran.length, 5);
  test.clock.advance(1);
  await test.take("cmd", CALL);
  assert.equal(test.ran.length, 6);
});

Deno.test("a call that fails is one of the day's nevertheless", async () => {
  const test = new TestInbox({ cmd: { max_calls_per_day: 1 } });
  test.run = (_, uuid) =>
    Promise.resolve({ uuid, outcome: Promise.resolve(finished("-ERR USER_BUSY")) });
  await test.takeAll(CALL, CALL);
  assert.equal(test.ran.length, 1);
});

Deno.test("the calls of a day are counted over a restart", async () => {
  await using file = new MemoryFile();
  const cmd = { max_calls_per_day: 3 };
  const before = new TestInbox({ cmd }, { clock: file.clock, memory: await file.open() });
  await before.takeAll(CALL, CALL);
  file.clock.advance(DAY / 2);
  const after = new TestInbox({ cmd }, { clock: file.clock, memory: await file.open() });
  await after.takeAll(CALL, CALL, CALL);
  assert.equal(after.ran.length, 1);
  file.clock.advance(DAY / 2);
  await after.takeAll(CALL, CALL, CALL);
  assert.equal(after.ran.length, 3);
});

Deno.test("a limit that is reached is said once", async () => {
  const test = new TestInbox({ cmd: { rate_limit: 1 } });
  for (let i = 0; i < 15; i++) await test.take("cmd", "bgapi status");
  const warnings = () => test.log.filter((line) => line.startsWith("[WARNING]"));
  assert.deepEqual(warnings(), [
    '[WARNING] Refused a command on "cmd" (topic cmd): rate_limit of 1 a minute is reached',
  ]);
  test.clock.advance(120_001);
  for (let i = 0; i < 15; i++) await test.take("cmd", "bgapi status");
  assert.equal(warnings().length, 2);
});
