import assert from "node:assert/strict";
import {
  accepted,
  answerPlace,
  type AnswerRules,
  asksForAnswer,
  ended,
  refusedByFreeswitch,
  rejected,
} from "../../lib/commands/answers.ts";
import type { CommandMessage } from "../../lib/commands/screening.ts";
import { topicMatches } from "../../lib/protocol/mqtt_topics.ts";

const UNDER: AnswerRules = { responsePrefix: "pbx/replies" };
const PATTERN: AnswerRules = { responsePattern: "pbx/answers" };
const COMMANDS = ["pbx/cmd", "pbx/replies/cmd/#", "$share/g/pbx/replies/shared"];
const takesCommands = (topic: string) => COMMANDS.some((filter) => topicMatches(filter, topic));

function asking(responseTopic?: string): CommandMessage {
  return {
    topic: "pbx/cmd",
    payload: new Uint8Array(),
    retained: false,
    repeated: false,
    ...(responseTopic === undefined ? {} : { responseTopic }),
  };
}

const elsewhere = ({ responsePrefix }: AnswerRules) => ({
  fault: `its response topic is not one under response_prefix, "${responsePrefix}"`,
});
const ELSEWHERE = elsewhere(UNDER);
const LOOP = { fault: "its response topic is one that commands are taken from" };

for (
  const [rules, responseTopic, expected] of [
    [{}, undefined, undefined],
    [{}, "pbx/replies/a", undefined],
    [PATTERN, undefined, "pbx/answers"],
    [PATTERN, "pbx/replies/a", "pbx/answers"],
    [UNDER, undefined, undefined],
    [{ ...UNDER, ...PATTERN }, undefined, "pbx/answers"],
    [{ ...UNDER, ...PATTERN }, "pbx/replies/a", "pbx/replies/a"],
    [UNDER, "pbx/replies", "pbx/replies"],
    [UNDER, "pbx/replies/a/b", "pbx/replies/a/b"],
    [UNDER, "pbx/replies/", "pbx/replies/"],
    [{ responsePrefix: "pbx/replies/" }, "pbx/replies/a", "pbx/replies/a"],
    [UNDER, "pbx/replies2", ELSEWHERE],
    [UNDER, "pbx/replies2/a", ELSEWHERE],
    [
      { responsePrefix: "pbx/replies/" },
      "pbx/replies2/a",
      elsewhere({ responsePrefix: "pbx/replies/" }),
    ],
    [UNDER, "pbx/repliesa", ELSEWHERE],
    [UNDER, "pbx/Replies/a", ELSEWHERE],
    [UNDER, "/pbx/replies/a", ELSEWHERE],
    [UNDER, "pbx", ELSEWHERE],
    [UNDER, "", ELSEWHERE],
    [UNDER, "pbx//replies/a", ELSEWHERE],
    [UNDER, "other/pbx/replies/a", ELSEWHERE],
    [UNDER, "$SYS/broker", ELSEWHERE],
    [UNDER, "$share/g/pbx/replies/a", ELSEWHERE],
    [UNDER, "pbx/events/calls", ELSEWHERE],
    [UNDER, "pbx/replies/#", ELSEWHERE],
    [UNDER, "pbx/replies/+", ELSEWHERE],
    [UNDER, "pbx/replies/a+b", ELSEWHERE],
    [UNDER, "pbx/replies/a\0b", ELSEWHERE],
    [UNDER, `pbx/replies/${"a".repeat(65_536)}`, ELSEWHERE],
    [UNDER, "pbx/replies/cmd", LOOP],
    [UNDER, "pbx/replies/cmd/a", LOOP],
    [UNDER, "pbx/replies/shared", LOOP],
    [{ responsePrefix: "pbx" }, "pbx/cmd", LOOP],
  ] satisfies [AnswerRules, string | undefined, unknown][]
) {
  const rule = JSON.stringify(rules);
  const place = `${responseTopic}`.slice(0, 40);
  Deno.test(`with ${rule} an answer to ${place} goes to ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(answerPlace(asking(responseTopic), rules, takesCommands), expected);
  });
}

Deno.test("what is no command is answered only if it asks for that, or has an id", () => {
  const nonsense = { reason: "malformed", fault: "x" } as const;
  const command = { kind: "bgapi", name: "status", args: "" } as const;
  assert.equal(asksForAnswer(asking(), nonsense), false);
  assert.equal(asksForAnswer(asking("a"), nonsense), true);
  assert.equal(asksForAnswer(asking(), { ...nonsense, id: "a" }), true);
  assert.equal(asksForAnswer(asking(), { command }), true);
});

Deno.test("a rejection tells the reason and nothing else", () => {
  assert.deepEqual(rejected("not_allowed"), { state: "rejected", reason: "not_allowed" });
});

Deno.test("what FreeSWITCH has begun is accepted", () => {
  assert.deepEqual(accepted("j"), { state: "accepted", job: "j" });
});

for (
  const [text, isOriginate, expected] of [
    ["+OK\n", false, { state: "succeeded" }],
    ["UP 0 years\n", false, { state: "succeeded" }],
    ["", false, { state: "succeeded" }],
    ["-ERR no reply\n", false, { state: "failed" }],
    ["-USAGE: x\n", false, { state: "failed" }],
    [" -ERR\n", false, { state: "succeeded" }],
    ["-ERR USER_BUSY\n", true, { state: "failed", cause: "USER_BUSY" }],
    ["-ERR NO_ANSWER", true, { state: "failed", cause: "NO_ANSWER" }],
    ["-ERR USER_BUSY\n", false, { state: "failed" }],
    ["-ERR Invalid\n", true, { state: "failed" }],
    ["-ERR USER_BUSY and more\n", true, { state: "failed" }],
    ["-USAGE: USER_BUSY\n", true, { state: "failed" }],
    ["+OK USER_BUSY\n", true, { state: "succeeded" }],
  ] as const
) {
  const what = isOriginate ? "an originate" : "a command";
  Deno.test(`${what} that ends in ${JSON.stringify(text)} has ${expected.state}`, () => {
    assert.deepEqual(ended({ kind: "finished", text }, "j", isOriginate), {
      job: "j",
      text,
      ...expected,
    });
  });
}

Deno.test("a job that nobody knows the end of is unknown, and one that takes too long timed out", () => {
  assert.deepEqual(ended({ kind: "unknown", reason: "secret" }, "j", false), {
    state: "unknown",
    job: "j",
  });
  assert.deepEqual(ended({ kind: "timed_out" }, "j", true), { state: "timed_out", job: "j" });
});

Deno.test("what FreeSWITCH would not begin has failed", () => {
  assert.deepEqual(refusedByFreeswitch("-ERR x"), { state: "failed", text: "-ERR x" });
});

Deno.test("a result that is too long is cut, and says so", () => {
  const answer = (length: number) =>
    ended({ kind: "finished", text: "x".repeat(length) }, "j", false);
  const longest = answer(128 * 1024);
  assert.equal(longest.truncated, undefined);
  assert.equal(longest.text?.length, 128 * 1024);
  const longer = answer(128 * 1024 + 1);
  assert.equal(longer.truncated, true);
  assert.equal(longer.text?.length, 128 * 1024);
});
