import assert from "node:assert/strict";
import { parseCommand } from "../../lib/commands/request.ts";

const encoder = new TextEncoder();
const parse = (payload: string | readonly number[]) =>
  parseCommand(typeof payload === "string" ? encoder.encode(payload) : Uint8Array.from(payload));

const README_ORIGINATES = [
  "originate {origination_caller_id_number=19005551212}sofia/internal/sip:1000@192.168.1.1:58289 " +
  "9386 XML default",
  "originate {origination_caller_id_number=9005551212}sofia/default/whatever@wherever 19005551212 " +
  "XML default",
];

for (
  const [payload, expected] of [
    ["bgapi status", { kind: "bgapi", command: "status" }],
    ["bgapi show registrations", { kind: "bgapi", command: "show registrations" }],
    ["BGAPI status", { kind: "bgapi", command: "status" }],
    ["bGaPi  status ", { kind: "bgapi", command: "status" }],
    ["bgapi originate user/1 2", { kind: "bgapi", command: "originate user/1 2" }],
    ["bgapi echo a  b", { kind: "bgapi", command: "echo a  b" }],
    ["bgapi echo größer 漢字", { kind: "bgapi", command: "echo größer 漢字" }],
    ["bgapi uuid:a-1 status", { kind: "bgapi", command: "status", uuid: "a-1" }],
    [
      `bgapi uuid:${"f".repeat(36)}  show  calls`,
      { kind: "bgapi", command: "show  calls", uuid: "f".repeat(36) },
    ],
    ["Originate user/1 &park()", { kind: "originate", command: "originate user/1 &park()" }],
    [
      "originate {a='b c'}user/1 &echo() XML default 'A B' 1 30",
      { kind: "originate", command: "originate {a='b c'}user/1 &echo() XML default 'A B' 1 30" },
    ],
    ...README_ORIGINATES.map((text) => [text, { kind: "originate", command: text }] as const),
  ] as const
) {
  Deno.test(`"${payload}" is a command`, () => {
    assert.deepEqual(parse(payload), expected);
  });
}

const NEITHER = /^it begins with neither/;
const CONTROL = /^it holds a control character/;
const UUID = /^`uuid:` needs 1 to 36 letters/;

for (
  const [what, payload, refusal] of [
    ["an empty message", "", NEITHER],
    ["another word", "api status", NEITHER],
    ["a longer word", "bgapis status", NEITHER],
    ["a word with no space after it", "bgapi:status", NEITHER],
    ["a leading space", " bgapi status", NEITHER],
    ["a byte order mark", "\ufeffbgapi status", NEITHER],
    ["a no-break space after the word", "bgapi\u00a0status", NEITHER],
    ["the word bgapi alone", "bgapi", /^`bgapi` has no command/],
    ["bgapi and spaces", "bgapi   ", /^`bgapi` has no command/],
    ["the word originate alone", "originate", /^`originate` needs an endpoint/],
    ["originate with an endpoint alone", "originate user/1", /^`originate` needs an endpoint/],
    ["an id with no command", "bgapi uuid:1", UUID],
    ["an empty id", "bgapi uuid: status", UUID],
    ["an id of 37 characters", `bgapi uuid:${"f".repeat(37)} status`, UUID],
    ["an id with another character", "bgapi uuid:a_b status", UUID],
    ["LF", "bgapi status\n", CONTROL],
    ["LF and a second command", "bgapi status\n\napi shutdown", CONTROL],
    ["CR", "bgapi status\rx", CONTROL],
    ["NUL", "bgapi status\0", CONTROL],
    ["a tab for a space", "bgapi\tstatus", CONTROL],
    ["a tab in the arguments", "bgapi echo a\tb", CONTROL],
    ["DEL", "bgapi echo \x7f", CONTROL],
    ["a C1 control character", "bgapi echo \x85", CONTROL],
    ["U+2028", "bgapi echo \u2028", CONTROL],
    ["U+2029", "bgapi echo \u2029", CONTROL],
    ["invalid UTF-8", [...encoder.encode("bgapi echo "), 0xe9], /^it is not valid UTF-8$/],
    [
      "an overlong LF",
      [...encoder.encode("bgapi echo "), 0xc0, 0x8a],
      /^it is not valid UTF-8$/,
    ],
    [
      "more than 64 KiB",
      "bgapi " + "x".repeat(64 * 1024 - 5),
      /^it is longer than 65536 bytes$/,
    ],
  ] as const
) {
  Deno.test(`${what} is refused`, () => {
    const result = parse(payload);
    assert("refusal" in result, JSON.stringify(result));
    assert.match(result.refusal, refusal);
  });
}

Deno.test("a command of exactly 64 KiB is one", () => {
  const result = parse("bgapi " + "x".repeat(64 * 1024 - 6));
  assert("command" in result && result.command.length === 64 * 1024 - 6);
});
