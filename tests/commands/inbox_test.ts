import assert from "node:assert/strict";
import { EslError, type EslErrorKind } from "../../lib/esl/errors.ts";
import { document, finished, settled, TestInbox } from "./inbox_helper.ts";
import type { Written } from "./rules.ts";

const DENIED = { bgapi_authorized: false, originate_authorized: false };

Deno.test("a permitted command runs once, under an id of its own", async () => {
  const test = new TestInbox({ cmd: {} });
  await test.takeAll("bgapi show calls", "originate user/1 2");
  assert.deepEqual(test.ran, [["show calls", "made-1"], ["originate user/1 2", "made-2"]]);
  assert.deepEqual(test.topics[0]?.counter, { run: 2, refused: 0, refusedBy: {} });
});

Deno.test("the sender's job id is passed on, and the id of a document is none", async () => {
  const test = new TestInbox({ cmd: {} });
  await test.takeAll("bgapi uuid:my-job status", document({ id: "my-id" }));
  assert.deepEqual(test.ran, [["status", "my-job"], ["status", "made-2"]]);
});

Deno.test("a job id of a job that is under way is refused, and may be used when it has ended", async () => {
  const test = new TestInbox({ cmd: {} });
  test.running.add("mine");
  await test.takeAll("bgapi uuid:mine status", document({ id: "mine" }));
  assert.deepEqual(test.refusals, { duplicate: 1 });
  test.running.clear();
  await test.take("cmd", "bgapi uuid:yours status");
  assert.deepEqual(test.ran, [["status", "made-1"], ["status", "yours"]]);
});

Deno.test("what runs is what was looked at, not what was written", async () => {
  const test = new TestInbox({ cmd: { max_call_seconds: 60 } });
  await test.take("cmd", "originate   {leg_timeout='9'}user/1   '&park'  ");
  assert.deepEqual(test.commands, [
    "originate {leg_timeout=9,execute_on_answer_fsmqtt='sched_hangup +60'," +
    "execute_on_originate_fsmqtt='sched_hangup +120'}user/1 &park",
  ]);
});

for (
  const [what, reason, payload, rest] of [
    ["a retained message", "retained", "bgapi status", { retained: true }],
    ["a repeated delivery", "repeated", "bgapi status", { repeated: true }],
    ["one whose time is over", "expired", "bgapi status", { expirySeconds: 0 }],
    ["one that is too long", "too_large", "bgapi " + "x".repeat(65_536), {}],
    ["no command", "malformed", "hello", {}],
    ["an old one", "stale", document({ issued_at: 1 }), {}],
    ["one that is not allowed", "not_allowed", "bgapi system id", {}],
  ] as const
) {
  Deno.test(`${what} never runs, and is counted, logged and written down`, async () => {
    const test = new TestInbox({ cmd: {} });
    await test.take("cmd", payload, rest);
    assert.deepEqual(test.ran, []);
    assert.deepEqual(test.topics[0]?.counter, {
      run: 0,
      refused: 1,
      refusedBy: { [reason]: 1 },
    });
    assert.equal(test.log.length, 1);
    assert.match(test.log.join(), /^\[WARNING\] Refused a command on "cmd" \(topic cmd\): \S/);
    const [entry, ...more] = test.audit.entries;
    assert.deepEqual(more, []);
    assert(entry?.event === "refused");
    assert.deepEqual(
      [entry.profile, entry.connection, entry.topic, entry.subscriber_topic, entry.reason],
      ["p", "main", "cmd", "cmd", reason],
    );
  });
}

Deno.test("what was run is written down at its beginning and at its end", async () => {
  const test = new TestInbox({ cmd: {} });
  await test.take("cmd", document({ id: "a", sender: "Anna", args: "show calls" }));
  const where = { profile: "p", connection: "main", topic: "cmd", subscriber_topic: "cmd" };
  assert.deepEqual(test.audit.entries, [
    {
      event: "run",
      ...where,
      command: "show",
      arguments: "calls",
      id: "a",
      job: "made-1",
      claimed_sender: "Anna",
      signed: false,
    },
    { event: "result", ...where, job: "made-1", id: "a", result: "succeeded" },
  ]);
});

Deno.test("no secret of a command is written down or logged", async () => {
  const test = new TestInbox({ cmd: { originate_allow_variable: ["/.*/"] } });
  await test.takeAll(
    "bgapi echo s3cret",
    "bgapi uuid_setvar x sip_auth_password s3cret",
    "originate {sip_auth_password=s3cret}user/1 2",
    "bgapi originate {sip_auth_password=s3cret}user/1 2",
    "nothing s3cret",
    document({ args: "echo s3cret", wrong: "s3cret" }),
    '{"s3cret',
  );
  assert.doesNotMatch(JSON.stringify([test.log, test.audit.entries]), /s3cret/);
  assert.equal(test.audit.entries.length, 8);
});

Deno.test("a message on a topic that nobody listens to never runs", async () => {
  const test = new TestInbox({ cmd: {} });
  await test.take("other", "bgapi status");
  test.inbox.listen([]);
  await test.take("cmd", "bgapi status");
  assert.deepEqual(test.ran, []);
  assert.deepEqual(test.log, [
    '[WARNING] Refused a message on "other": no enabled topic listens there',
    '[WARNING] Refused a message on "cmd": no enabled topic listens there',
  ]);
});

for (const order of ["wide first", "narrow first"]) {
  const inOrder = (topics: Readonly<Record<string, Written>>) => {
    const entries = Object.entries(topics);
    return Object.fromEntries(order === "wide first" ? entries : entries.toReversed());
  };

  Deno.test(`the narrowest topic decides what may run, ${order}`, async () => {
    const test = new TestInbox(inOrder({
      "pbx/#": DENIED,
      "pbx/+/cmd": {},
      "pbx/a/cmd": { ...DENIED, originate_authorized: true },
    }));
    await test.take("pbx/a/cmd", "bgapi status");
    await test.take("pbx/b/cmd", "bgapi version");
    await test.take("pbx/b", "bgapi uptime");
    assert.deepEqual(test.commands, ["version"]);
    const counts = test.topics.map(({ filter, counter }) => [filter, counter.run, counter.refused]);
    assert.deepEqual(counts.sort(), [
      ["pbx/#", 0, 1],
      ["pbx/+/cmd", 1, 0],
      ["pbx/a/cmd", 0, 1],
    ]);
  });

  Deno.test(`where two topics overlap nothing runs, ${order}`, async () => {
    const test = new TestInbox(inOrder({ "+/cmd": {}, "pbx/+": {} }));
    await test.take("pbx/cmd", "bgapi status");
    await test.take("other/cmd", "bgapi version");
    assert.deepEqual(test.commands, ["version"]);
    assert.equal(
      test.log[0],
      '[WARNING] Refused a message on "pbx/cmd": two topics match it',
    );
  });
}

Deno.test("a shared subscription permits the topics that it matches", async () => {
  const test = new TestInbox({ "$share/group/cmd/+": {} });
  await test.take("cmd/a", "bgapi status");
  await test.take("cmd", "bgapi status");
  assert.equal(test.ran.length, 1);
});

for (
  const [kind, reason, fate] of [
    ["unreachable", "unavailable", "It does not run"],
    ["rejected", "failed", "It does not run"],
    ["lost", "failed", "It is unknown whether it runs"],
  ] satisfies [EslErrorKind, string, string][]
) {
  Deno.test(`a command that fails as ${kind} is counted and logged`, async () => {
    const test = new TestInbox({ cmd: {} });
    test.run = () => Promise.reject(new EslError(kind, "the reason"));
    await test.take("cmd", "bgapi status secret");
    assert.deepEqual(test.topics[0]?.counter, { run: 0, refused: 1, refusedBy: { [reason]: 1 } });
    assert.deepEqual(test.log, [
      `[ERROR] Cannot run "status" from "cmd": the reason. ${fate}`,
    ]);
    assert.equal(test.topics[0]?.limits.running, 0);
  });
}

Deno.test("a command counts as run from the moment that FreeSWITCH took it on", async () => {
  const test = new TestInbox({ cmd: {} });
  const end = test.holdJobs();
  const running = test.take("cmd", "bgapi status");
  await settled();
  assert.equal(test.topics[0]?.counter.run, 1);
  end({ kind: "unknown", reason: "the connection broke" });
  await running;
  assert.equal(
    test.log.at(-1),
    '[WARNING] The outcome of "status" from "cmd", job made-1, is unknown: the connection broke',
  );
});

Deno.test("how long a result is waited for is the topic's command_timeout", async () => {
  const test = new TestInbox({ cmd: { command_timeout: 7 } });
  const end = test.holdJobs();
  const running = test.take("cmd", "bgapi status");
  await settled();
  test.clock.advance(6_999);
  await settled();
  assert.equal(test.log.length, 1);
  test.clock.advance(1);
  await settled();
  end(finished("+OK late"));
  await running;
  assert.equal(test.log.length, 2);
  assert.equal(test.clock.pending, 0);
  assert.equal(
    test.log.at(-1),
    '[WARNING] "status" from "cmd", job made-1, has not ended within 7 s',
  );
});

Deno.test("a flood of refusals is told in a few lines", async () => {
  const test = new TestInbox({ cmd: {} });
  for (let i = 0; i < 1_000; i++) await test.take("cmd", "hello");
  assert.equal(test.topics[0]?.counter.refused, 1_000);
  const warnings = () => test.log.filter((line) => line.startsWith("[WARNING]")).length;
  assert.equal(warnings(), 20);
  assert.equal(test.audit.entries.length, 20);
  test.clock.advance(60_000);
  assert.equal(warnings(), 21);
  assert.match(test.log.at(-1) ?? "", /980 more messages on topic cmd were refused/);
  assert.deepEqual(test.audit.entries.at(-1), {
    event: "refused_more",
    profile: "p",
    connection: "main",
    subscriber_topic: "cmd",
    count: 980,
    reasons: { malformed: 980 },
  });
  assert.equal(test.clock.pending, 0);
});

Deno.test("an inbox that is closed says what it held back, and leaves no timer", async () => {
  const test = new TestInbox({ cmd: {} });
  for (let i = 0; i < 30; i++) await test.take("cmd", "hello");
  test.inbox.close();
  assert.match(test.log.at(-1) ?? "", /10 more messages on topic cmd/);
  assert.equal(test.clock.pending, 0);
});

Deno.test("what ends is told once, however it ends", async () => {
  const test = new TestInbox({ cmd: {} });
  test.run = (_, uuid) =>
    Promise.resolve({ uuid, outcome: Promise.resolve(finished("-ERR USER_BUSY\n")) });
  await test.take("cmd", "originate user/1 2");
  assert.deepEqual(test.log, [
    '[NOTICE] Running "originate" from "cmd" as job made-1',
    '[NOTICE] "originate" from "cmd", job made-1, failed: -ERR USER_BUSY',
  ]);
});
