import assert from "node:assert/strict";
import { EslError, type EslErrorKind } from "../../lib/esl/errors.ts";
import { TestInbox, topic } from "./inbox_helper.ts";

Deno.test("a permitted command runs once, under an id of its own", async () => {
  const listened = topic("cmd");
  const test = new TestInbox([listened]);
  await test.take("cmd", "bgapi show calls");
  await test.take("cmd", "originate user/1 2");
  assert.deepEqual(test.ran, [["show calls", "made-1"], ["originate user/1 2", "made-2"]]);
  assert.deepEqual(listened.counter, { run: 2, refused: 0 });
});

Deno.test("the sender's job id is passed on", async () => {
  const test = new TestInbox([topic("cmd")]);
  await test.take("cmd", "bgapi uuid:my-job status");
  assert.deepEqual(test.ran, [["status", "my-job"]]);
});

Deno.test("a retained message never runs, and is counted and logged as refused", async () => {
  const listened = topic("cmd");
  const test = new TestInbox([listened]);
  await test.take("cmd", "bgapi status", { retained: true });
  assert.deepEqual([test.ran, listened.counter], [[], { run: 0, refused: 1 }]);
  assert.deepEqual(test.log, [
    '[WARNING] Refused a command on "cmd" (topic cmd): it is retained, and retained messages ' +
    "never run",
  ]);
});

Deno.test("a repeated delivery does not run again", async () => {
  const listened = topic("cmd");
  const test = new TestInbox([listened]);
  await test.take("cmd", "bgapi status", { repeated: true });
  assert.deepEqual([test.ran, listened.counter], [[], { run: 0, refused: 1 }]);
  assert.match(test.log.join(), /repeated delivery and may have run already/);
});

Deno.test("a message that is no command is refused with the reason", async () => {
  const test = new TestInbox([topic("cmd")]);
  await test.take("cmd", "hello");
  assert.deepEqual(test.ran, []);
  assert.match(test.log.join(), /^\[WARNING\] Refused .* begins with neither/);
});

Deno.test("a message on a topic that nobody listens to never runs", async () => {
  const test = new TestInbox([topic("cmd")]);
  await test.take("other", "bgapi status");
  test.inbox.listen([]);
  await test.take("cmd", "bgapi status");
  assert.deepEqual(test.ran, []);
  assert.deepEqual(test.log, [
    '[WARNING] Refused a message on "other": no enabled topic listens there',
    '[WARNING] Refused a message on "cmd": no enabled topic listens there',
  ]);
});

const denied = { bgapiAuthorized: false, originateAuthorized: false };

for (const order of ["wide first", "narrow first"]) {
  Deno.test(`the narrowest topic decides what may run, ${order}`, async () => {
    const wide = topic("pbx/#", denied);
    const middle = topic("pbx/+/cmd");
    const narrow = topic("pbx/a/cmd", { ...denied, originateAuthorized: true });
    const topics = [wide, middle, narrow];
    const test = new TestInbox(order === "wide first" ? topics : topics.toReversed());
    await test.take("pbx/a/cmd", "bgapi status");
    await test.take("pbx/b/cmd", "bgapi version");
    await test.take("pbx/b", "bgapi uptime");
    assert.deepEqual(test.ran, [["version", "made-1"]]);
    assert.deepEqual(
      topics.map(({ counter }) => counter),
      [{ run: 0, refused: 1 }, { run: 1, refused: 0 }, { run: 0, refused: 1 }],
    );
  });

  Deno.test(`of topics that overlap, each has to permit the command, ${order}`, async () => {
    const topics = [topic("+/cmd"), topic("pbx/+", denied)];
    const test = new TestInbox(order === "wide first" ? topics : topics.toReversed());
    await test.take("pbx/cmd", "bgapi status");
    await test.take("other/cmd", "bgapi version");
    assert.deepEqual(test.ran, [["version", "made-1"]]);
  });
}

Deno.test("a shared subscription permits the topics that it matches", async () => {
  const test = new TestInbox([topic("$share/group/cmd/+")]);
  await test.take("cmd/a", "bgapi status");
  assert.equal(test.ran.length, 1);
});

for (
  const [kind, fate] of [
    ["unreachable", "It does not run"],
    ["rejected", "It does not run"],
    ["lost", "It is unknown whether it runs"],
  ] satisfies [EslErrorKind, string][]
) {
  Deno.test(`a command that fails as ${kind} is counted and logged`, async () => {
    const listened = topic("cmd");
    const test = new TestInbox([listened]);
    test.runner = () => Promise.reject(new EslError(kind, "the reason"));
    await test.take("cmd", "bgapi status secret");
    assert.deepEqual(listened.counter, { run: 0, refused: 1 });
    assert.deepEqual(test.log, [
      `[ERROR] Cannot run "status" from "cmd": the reason. ${fate}`,
    ]);
  });
}

Deno.test("a command counts as run from the moment that FreeSWITCH took it on", async () => {
  const listened = topic("cmd");
  const test = new TestInbox([listened]);
  const outcome = Promise.withResolvers<{ kind: "unknown"; reason: string }>();
  const taken = Promise.withResolvers<void>();
  test.runner = (_, uuid) => {
    setTimeout(taken.resolve);
    return Promise.resolve({ uuid, outcome: outcome.promise });
  };
  const running = test.take("cmd", "bgapi status");
  await taken.promise;
  assert.equal(listened.counter.run, 1);
  outcome.resolve({ kind: "unknown", reason: "the connection broke" });
  await running;
  assert.equal(
    test.log.at(-1),
    "[INFO] The outcome of job made-1 is unknown: the connection broke",
  );
});
