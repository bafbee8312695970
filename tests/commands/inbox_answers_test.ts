import assert from "node:assert/strict";
import { EslError } from "../../lib/esl/errors.ts";
import { document, finished, settled, TestInbox } from "./inbox_helper.ts";

const PATTERN = { response_pattern: "pbx/answers", qos: 1 };
const PREFIX = { response_prefix: "r", qos: 1 };
const encoder = new TextEncoder();

Deno.test("a command is accepted before its end, and succeeds", async () => {
  const test = new TestInbox({ cmd: PATTERN });
  const end = test.holdJobs();
  const running = test.take("cmd", document({ id: "a" }));
  await settled();
  assert.deepEqual(test.answers, [{ id: "a", state: "accepted", job: "made-1" }]);
  end(finished("+OK done\n"));
  await running;
  assert.deepEqual(test.answers.slice(1), [
    { id: "a", state: "succeeded", job: "made-1", text: "+OK done\n" },
  ]);
});

Deno.test("an answer goes where it is asked for, with what the sender knows its request by", async () => {
  const test = new TestInbox({ cmd: { ...PREFIX, ...PATTERN } });
  const correlationData = Uint8Array.of(0, 255, 1);
  await test.take("cmd", "bgapi status", { responseTopic: "r/me", correlationData });
  assert.deepEqual(
    test.replies.map(({ topic, qos, correlationData }) => [topic, qos, correlationData]),
    [
      ["r/me", 1, correlationData],
      ["r/me", 1, correlationData],
    ],
  );
  await test.take("cmd", "bgapi status");
  assert.deepEqual(test.replies.slice(2).map(({ topic }) => topic), ["pbx/answers", "pbx/answers"]);
  assert(test.replies.slice(2).every((reply) => !("correlationData" in reply)));
});

Deno.test("an answer says when it was given", async () => {
  const test = new TestInbox({ cmd: PATTERN });
  const end = test.holdJobs();
  const running = test.take("cmd", "bgapi status");
  await settled();
  test.clock.advance(5_000);
  end(finished("+OK"));
  await running;
  const times = test.replies.map(({ payload }) =>
    JSON.parse(new TextDecoder().decode(payload)).time
  );
  assert.deepEqual(times, ["2026-11-22T12:00:00.000Z", "2026-11-22T12:00:05.000Z"]);
});

Deno.test("an answer has the QoS of the topic, at most 1", async () => {
  for (const [qos, expected] of [[0, 0], [1, 1], [2, 1]] as const) {
    const test = new TestInbox({ cmd: { response_pattern: "a", qos } });
    await test.take("cmd", "bgapi status");
    assert.deepEqual(test.replies.map(({ qos }) => qos), [expected, expected]);
  }
});

Deno.test("where nothing is said of answers there are none", async () => {
  const test = new TestInbox({ cmd: {} });
  await test.take("cmd", document({ id: "a" }), { responseTopic: "r/me" });
  await test.takeAll("bgapi status", "nonsense", "bgapi system id");
  assert.deepEqual([test.ran.length, test.replies], [2, []]);
});

Deno.test("a sender who asks for no answer gets none under response_prefix", async () => {
  const test = new TestInbox({ cmd: PREFIX });
  await test.takeAll("bgapi status", document({ id: "a" }), "bgapi system id");
  assert.deepEqual([test.ran.length, test.replies], [2, []]);
});

for (
  const [what, responseTopic] of [
    ["elsewhere", "elsewhere"],
    ["beside the prefix", "r2/me"],
    ["at a wildcard", "r/#"],
    ["where commands are taken from", "r/cmd"],
    ["at $SYS", "$SYS/x"],
  ] as const
) {
  Deno.test(`a command that wants its answer ${what} does not run, and is not answered`, async () => {
    const test = new TestInbox({ cmd: { ...PREFIX, ...PATTERN }, "r/cmd": {} });
    await test.take("cmd", document({ id: "a" }), { responseTopic });
    assert.deepEqual([test.ran, test.replies], [[], []]);
    assert.deepEqual(test.refusals, { not_allowed: 1 });
    await test.take("cmd", document({ id: "a" }));
    assert.equal(test.ran.length, 1, "its id may be used again");
  });
}

for (
  const [what, reason, payload, rest] of [
    ["is not allowed", "not_allowed", document({ id: "a", args: "system id" }), {}],
    ["is no command", "malformed", document({ id: "a", args: "" }), {}],
    ["is old", "stale", document({ id: "a", issued_at: 1 }), {}],
  ] as const
) {
  Deno.test(`the sender of what ${what} is told the reason, and not the policy`, async () => {
    const test = new TestInbox({ cmd: PATTERN });
    await test.take("cmd", payload, rest);
    assert.deepEqual(test.answers, [{ id: "a", state: "rejected", reason }]);
  });
}

Deno.test("what is stored or comes again is answered where an answer is asked for", async () => {
  const test = new TestInbox({ cmd: { ...PREFIX, ...PATTERN } });
  await test.take("cmd", "bgapi status", { retained: true });
  await test.take("cmd", "bgapi status", { repeated: true });
  await test.take("cmd", "bgapi status", { expirySeconds: 0 });
  assert.deepEqual(test.answers, []);
  await test.take("cmd", "bgapi status", { retained: true, responseTopic: "r/me" });
  await test.take("cmd", "bgapi status", { expirySeconds: 0, responseTopic: "r/me" });
  assert.deepEqual(test.answers, [
    { id: null, state: "rejected", reason: "retained" },
    { id: null, state: "rejected", reason: "expired" },
  ]);
});

Deno.test("a duplicate, a limit and a FreeSWITCH that is away are told", async () => {
  const test = new TestInbox({ cmd: { ...PATTERN, rate_limit: 1 } });
  await test.take("cmd", document({ id: "a" }));
  await test.take("cmd", document({ id: "b" }));
  test.clock.advance(60_000);
  await test.take("cmd", document({ id: "a" }));
  test.unavailable = "FreeSWITCH is not connected";
  await test.take("cmd", document({ id: "c" }));
  const reasons = test.replies.map(({ payload }) =>
    JSON.parse(new TextDecoder().decode(payload)).reason
  );
  assert.deepEqual(reasons, [undefined, undefined, "rate_limited", "duplicate", "unavailable"]);
});

for (
  const [what, command, outcome, expected] of [
    ["fails", "bgapi status", finished("-ERR no\n"), { state: "failed", text: "-ERR no\n" }],
    ["fails as a call", "originate user/1 2", finished("-ERR USER_BUSY\n"), {
      state: "failed",
      text: "-ERR USER_BUSY\n",
      cause: "USER_BUSY",
    }],
    ["is lost", "bgapi status", { kind: "unknown", reason: "the link broke" }, {
      state: "unknown",
    }],
  ] as const
) {
  Deno.test(`the sender of a command that ${what} is told`, async () => {
    const test = new TestInbox({ cmd: PATTERN });
    test.run = (_, uuid) => Promise.resolve({ uuid, outcome: Promise.resolve(outcome) });
    await test.take("cmd", command);
    assert.deepEqual(test.answers, [
      { id: null, state: "accepted", job: "made-1" },
      { id: null, job: "made-1", ...expected },
    ]);
  });
}

for (
  const [kind, expected] of [
    ["unreachable", { state: "rejected", reason: "unavailable" }],
    ["rejected", { state: "failed", text: "-ERR why" }],
    ["lost", { state: "unknown", job: "made-1" }],
  ] as const
) {
  Deno.test(`the sender of a command that cannot be begun is told: ${kind}`, async () => {
    const test = new TestInbox({ cmd: PATTERN });
    test.run = () => Promise.reject(new EslError(kind, "-ERR why"));
    await test.take("cmd", document({ id: "a" }));
    assert.deepEqual(test.answers, [{ id: "a", ...expected }]);
  });
}

Deno.test("an answer that comes back as a command is not answered again", async () => {
  const test = new TestInbox({ cmd: { response_pattern: "cmd" } });
  await test.takeAll(document({ id: "a" }), "bgapi system id", document({ id: "b", args: "" }));
  const answers = test.replies.splice(0);
  assert.equal(answers.length, 4);
  for (const { topic, payload } of answers) await test.take(topic, payload);
  assert.deepEqual(test.replies, []);
  assert.equal(test.ran.length, 1);
});

Deno.test("the sender of a command that takes too long is told, and hears no more of it", async () => {
  const test = new TestInbox({ cmd: { ...PATTERN, command_timeout: 7 } });
  const end = test.holdJobs();
  const running = test.take("cmd", "bgapi status");
  await settled();
  test.clock.advance(7_000);
  await settled();
  end(finished("+OK late"));
  await running;
  assert.deepEqual(test.answers.map(({ state }) => state), ["accepted", "timed_out"]);
});

Deno.test("where only the end is wanted nothing is said of the beginning", async () => {
  const test = new TestInbox({ cmd: { ...PATTERN, response_final_only: true } });
  await test.takeAll(document({ id: "a" }), document({ id: "b", args: "system id" }));
  assert.deepEqual(test.answers.map(({ id, state }) => [id, state]), [
    ["a", "succeeded"],
    ["b", "rejected"],
  ]);
});

Deno.test("an answer is of no use after five minutes", async () => {
  const test = new TestInbox({ cmd: PATTERN });
  await test.take("cmd", "bgapi status");
  assert.deepEqual(test.replies.map(({ goodForMs }) => goodForMs), [300_000, 300_000]);
});

Deno.test("a result is passed on as FreeSWITCH says it", async () => {
  const text = 'größe 漢字 \u2028 \x00 " \\ \r\n😀';
  const test = new TestInbox({ cmd: PATTERN });
  test.run = (_, uuid) => Promise.resolve({ uuid, outcome: Promise.resolve(finished(text)) });
  await test.take("cmd", "bgapi status", { correlationData: encoder.encode("x") });
  assert.equal(test.answers[1]?.text, text);
});
