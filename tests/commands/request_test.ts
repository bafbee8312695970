import assert from "node:assert/strict";
import { decodePayload, parseRequest } from "../../lib/commands/request.ts";

const encoder = new TextEncoder();

const bgapi = (name: string, args = "") => ({ kind: "bgapi", name, args });
const originate = (call: unknown, isBgapi = false) => ({ kind: "originate", isBgapi, call });
const json = (fields: Readonly<Record<string, unknown>>) => JSON.stringify(fields);

const AT = "2026-11-23T08:15:00Z";
const AT_MS = Date.UTC(2026, 10, 23, 8, 15);

for (
  const [text, expected] of [
    ["bgapi status", bgapi("status")],
    ["bgapi show registrations", bgapi("show", "registrations")],
    ["BGAPI status", bgapi("status")],
    ["bGaPi  status ", bgapi("status")],
    ["bgapi STATUS", bgapi("STATUS")],
    ["bgapi echo a  b", bgapi("echo", "a  b")],
    ["bgapi   echo   a", bgapi("echo", "a")],
    ["bgapi echo größer 漢字", bgapi("echo", "größer 漢字")],
    ["bgapi ... x", bgapi("...", "x")],
    ["bgapi my_module.x+y:z-1", bgapi("my_module.x+y:z-1")],
    ["originate user/1 &park()", originate("user/1 &park()")],
    ["Originate   user/1 2 ", originate("user/1 2")],
    ["originate {a='b c'}user/1 2", originate("{a='b c'}user/1 2")],
    ["bgapi originate user/1 2", originate("user/1 2", true)],
    ["bgapi ORIGINATE user/1 2", originate("user/1 2", true)],
  ] as const
) {
  Deno.test(`"${text}" is a command`, () => {
    assert.deepEqual(parseRequest(text), { command: expected });
  });
}

for (
  const [text, expected] of [
    ["bgapi uuid:a-1 status", { command: bgapi("status"), id: "a-1", job: "a-1" }],
    [
      `bgapi uuid:${"f".repeat(36)}  show  calls`,
      { command: bgapi("show", "calls"), id: "f".repeat(36), job: "f".repeat(36) },
    ],
    [
      "bgapi uuid:1 originate user/1 2",
      { command: originate("user/1 2", true), id: "1", job: "1" },
    ],
  ] as const
) {
  Deno.test(`"${text}" is a command with an id, which is its Job-UUID too`, () => {
    assert.deepEqual(parseRequest(text), expected);
  });
}

Deno.test("a bgapi document is the command that its args say", () => {
  assert.deepEqual(parseRequest(json({ command: "bgapi", args: " show  calls " })), {
    command: bgapi("show", "calls"),
  });
});

Deno.test("white space may stand around a document", () => {
  const text = ` \r\n\t${json({ command: "bgapi", args: "status" })}\r\n `;
  assert.deepEqual(parseRequest(text), { command: bgapi("status") });
});

Deno.test("an id may be a whole number", () => {
  const text = json({ command: "bgapi", args: "status", id: 17 });
  assert.deepEqual(parseRequest(text), { command: bgapi("status"), id: "17" });
});

Deno.test("an originate behind bgapi is known as one in a document too", () => {
  const text = json({ command: "bgapi", args: "OriginatE user/1 2" });
  assert.deepEqual(parseRequest(text), { command: originate("user/1 2", true) });
});

Deno.test("an originate document may hold the text of one", () => {
  const text = json({ command: "originate", args: "user/1 &park" });
  assert.deepEqual(parseRequest(text), { command: originate("user/1 &park") });
});

Deno.test("an originate document may hold the parts of one", () => {
  const text = json({
    command: "originate",
    endpoint: "user/1000",
    variables: { leg_timeout: 20, ignore_early_media: true, origination_caller_id_name: "Anna, B" },
    destination: "9386",
    context: "public",
    caller_id_name: "Anna B",
    caller_id_number: "+4930",
    timeout: 30,
  });
  assert.deepEqual(parseRequest(text), {
    command: originate({
      variables: [
        ["leg_timeout", "20"],
        ["ignore_early_media", "true"],
        ["origination_caller_id_name", "Anna, B"],
      ],
      endpoint: "user/1000",
      destination: "9386",
      context: "public",
      callerIdName: "Anna B",
      callerIdNumber: "+4930",
      timeout: 30,
    }),
  });
});

Deno.test("the application of an originate document may have arguments", () => {
  const fields = { command: "originate", endpoint: "user/1", app: "playback" };
  const call = (args: string | undefined) =>
    originate({ variables: [], endpoint: "user/1", app: { name: "playback", args } });
  assert.deepEqual(parseRequest(json(fields)), { command: call(undefined) });
  assert.deepEqual(parseRequest(json({ ...fields, app_args: "a.wav" })), {
    command: call("a.wav"),
  });
});

Deno.test("a document says who sent it, when, and under which id", () => {
  const text = json({
    command: "bgapi",
    args: "status",
    id: "A-z_0.9:",
    issued_at: AT,
    sender: "é",
  });
  assert.deepEqual(parseRequest(text), {
    command: bgapi("status"),
    id: "A-z_0.9:",
    issuedAt: AT_MS,
    sender: "é",
  });
});

for (
  const [value, ms] of [
    ["2026-11-23T08:15:00.250Z", AT_MS + 250],
    ["2026-11-23T09:15:00+01:00", AT_MS],
    ["2026-11-23T08:15Z", AT_MS],
    [AT_MS / 1000, AT_MS],
    [AT_MS / 1000 + 0.5, AT_MS + 500],
    [0, 0],
    [-1, -1000],
  ] as const
) {
  Deno.test(`issued_at ${value} is a time`, () => {
    const text = json({ command: "bgapi", args: "status", issued_at: value });
    assert.deepEqual(parseRequest(text), { command: bgapi("status"), issuedAt: ms });
  });
}

const NEITHER = /^it begins with neither/;
const CONTROL = /^it holds a control character/;
const UUID = /^`uuid:` needs 1 to 36 letters/;
const NO_COMMAND = /^`bgapi` has no command/;
const NO_NAME = /^its API command is not the name of one$/;

for (
  const [what, text, fault] of [
    ["an empty message", "", /^it is empty$/],
    ["another word", "api status", NEITHER],
    ["a longer word", "bgapis status", NEITHER],
    ["a word with no space after it", "bgapi:status", NEITHER],
    ["a leading space", " bgapi status", NEITHER],
    ["a byte order mark", "\ufeffbgapi status", NEITHER],
    ["a no-break space after the word", "bgapi\u00a0status", NEITHER],
    ["a wide space after the word", "bgapi\u3000status", NEITHER],
    ["a dotless i in the word", "bgapı status", NEITHER],
    ["a word in wide letters", "ｂｇａｐｉ status", NEITHER],
    ["a document behind a no-break space", '\u00a0{"command":"bgapi","args":"status"}', NEITHER],
    ["a document behind a byte order mark", '\ufeff{"command":"bgapi","args":"status"}', NEITHER],
    ["originate behind bgapi alone", "bgapi originate ", /^`originate` has nothing after it$/],
    ["an API command of 65 letters", `bgapi ${"x".repeat(65)}`, NO_NAME],
    ["a list", '[{"command":"bgapi","args":"status"}]', NEITHER],
    ["a string", '"bgapi status"', NEITHER],
    ["the word bgapi alone", "bgapi", NO_COMMAND],
    ["bgapi and spaces", "bgapi   ", NO_COMMAND],
    ["the word originate alone", "originate", /^`originate` has nothing after it$/],
    ["originate and spaces", "originate   ", /^`originate` has nothing after it$/],
    ["an id with no command", "bgapi uuid:1", UUID],
    ["an id and a space", "bgapi uuid:1 ", UUID],
    ["an empty id", "bgapi uuid: status", UUID],
    ["an id of 37 characters", `bgapi uuid:${"f".repeat(37)} status`, UUID],
    ["an id with another character", "bgapi uuid:a_b status", UUID],
    ["an id of other digits", "bgapi uuid:١ status", UUID],
    ["a command in quotes", "bgapi 'status'", NO_NAME],
    ["a command in other letters", "bgapi ѕtatus", NO_NAME],
    ["a command in wide letters", "bgapi ｓｔａｔｕｓ", NO_NAME],
    ["a command with a zero-width space", "bgapi sta\u200btus", NO_NAME],
    ["a command with a no-break space", "bgapi show\u00a0calls", NO_COMMAND],
    ["a command with a no-break space behind it", "bgapi status\u00a0", NO_COMMAND],
    ["a command with a byte order mark before it", "bgapi \ufeffstatus", NO_COMMAND],
    ["a command with a backslash", "bgapi sta\\tus", NO_NAME],
    ["a command with a semicolon", "bgapi status;;shutdown", NO_NAME],
    ["a command that is a variable", "bgapi ${x}", NO_NAME],
    ["a command with a bar", "bgapi status|shutdown", NO_NAME],
    ["LF", "bgapi status\n", CONTROL],
    ["LF and a second command", "bgapi status\n\napi shutdown", CONTROL],
    ["CR", "bgapi status\rx", CONTROL],
    ["NUL", "bgapi status\0", CONTROL],
    ["a tab for a space", "bgapi\tstatus", CONTROL],
    ["a tab in the arguments", "bgapi echo a\tb", CONTROL],
    ["VT", "bgapi echo \v", CONTROL],
    ["DEL", "bgapi echo \x7f", CONTROL],
    ["a C1 control character", "bgapi echo \x85", CONTROL],
    ["U+2028", "bgapi echo \u2028", CONTROL],
    ["U+2029", "bgapi echo \u2029", CONTROL],
    ["a control character in an originate", "originate user/1 \x01", CONTROL],
  ] as const
) {
  Deno.test(`${what} is refused`, () => {
    const request = parseRequest(text);
    assert("fault" in request, JSON.stringify(request));
    assert.match(request.fault, fault);
    assert.equal(request.id, undefined);
  });
}

const STATUS = { command: "bgapi", args: "status" };
const CALL = { command: "originate", endpoint: "user/1", app: "park" };

for (
  const [what, document, fault] of [
    ["no JSON", "{", /^it is no valid JSON/],
    ["a repeated key", '{"command":"bgapi","args":"a","args":"b"}', /repeats the key "args"$/],
    ["an empty object", {}, /^its `command` is missing$/],
    ["another command", { command: "api", args: "status" }, /is neither `bgapi` nor `originate`$/],
    ["a command in capitals", { ...STATUS, command: "BGAPI" }, /is neither/],
    ["no args", { command: "bgapi" }, /^its `args` is missing$/],
    ["args that are a list", { ...STATUS, args: ["status"] }, /^its `args` is no text$/],
    ["args that are null", { ...STATUS, args: null }, /^its `args` is no text$/],
    ["args that are a number", { ...STATUS, args: 1 }, /^its `args` is no text$/],
    ["empty args", { ...STATUS, args: "" }, NO_COMMAND],
    ["args of an originate that are no text", { command: "originate", args: {} }, /is no text$/],
    ["a line end in args", { ...STATUS, args: "status\nx" }, /`args` holds a control/],
    ["U+2028 in args", { ...STATUS, args: "echo \u2028" }, /`args` holds a control/],
    ["a command of other letters", { ...STATUS, args: "ѕtatus" }, NO_NAME],
    ["a field of no command", { ...STATUS, arg: "x" }, /no such command has, "arg"$/],
    ["a field in capitals", { ...STATUS, ID: "x" }, /no such command has, "ID"$/],
    ["__proto__", '{"__proto__":{"command":"bgapi","args":"status"}}', /`command` is missing$/],
    ["__proto__ beside a command", `{"__proto__":{},${json(STATUS).slice(1)}`, /"__proto__"$/],
    ["constructor", { ...STATUS, constructor: "x" }, /"constructor"$/],
    ["an endpoint of a bgapi", { ...STATUS, endpoint: "user/1" }, /"endpoint"$/],
    ["args beside an endpoint", { ...CALL, args: "user/1 2" }, /"endpoint"$/],
    ["an empty id", { ...STATUS, id: "" }, /^its `id` is not 1 to 128/],
    ["an id of 129 characters", { ...STATUS, id: "x".repeat(129) }, /^its `id` is not/],
    ["an id with a space", { ...STATUS, id: "a b" }, /^its `id` is not/],
    ["an id with a line end", { ...STATUS, id: "a\n" }, /`id` holds a control/],
    ["an id that is half a number", { ...STATUS, id: 1.5 }, /^its `id` is no text$/],
    [
      "an id that no number is exact enough for",
      '{"command":"bgapi","args":"a","id":12345678901234567890}',
      /^its `id` is no text$/,
    ],
    ["an id that is true", { ...STATUS, id: true }, /^its `id` is no text$/],
    ["its own word in the args", { ...STATUS, args: "BGAPI status" }, /begin with `bgapi` itself/],
    ["no args but spaces", { command: "originate", args: " " }, /`originate` has nothing after it/],
    ["an id that is null", { ...STATUS, id: null }, /^its `id` is no text$/],
    ["an issued_at of words", { ...STATUS, issued_at: "now" }, /^its `issued_at` is neither/],
    ["an issued_at without a zone", { ...STATUS, issued_at: AT.slice(0, -1) }, /is neither/],
    ["an issued_at that is a date", { ...STATUS, issued_at: "2026-11-23" }, /is neither/],
    ["an issued_at of month 13", { ...STATUS, issued_at: "2026-13-01T00:00:00Z" }, /is neither/],
    ["a number as text in issued_at", { ...STATUS, issued_at: "1763885700" }, /is neither/],
    ["an infinite issued_at", '{"command":"bgapi","args":"a","issued_at":1e999}', /is neither/],
    ["an issued_at that is true", { ...STATUS, issued_at: true }, /is neither/],
    ["a sender that is too long", { ...STATUS, sender: "x".repeat(129) }, /`sender` is longer/],
    ["a sender with a line end", { ...STATUS, sender: "a\nb" }, /`sender` holds a control/],
    ["a sender that is a list", { ...STATUS, sender: ["x"] }, /`sender` is no text$/],
    ["an object in an object in an object", '{"variables":{"a":{"b":1}}}', /is too deep$/],
    ["a list in args", '{"command":"bgapi","args":[[]]}', /is too deep$/],
    ["no endpoint", { command: "originate", app: "park" }, /`endpoint` is missing$/],
    ["neither app nor destination", { ...CALL, app: undefined }, /needs either an `app` or/],
    ["both app and destination", { ...CALL, destination: "1" }, /needs either an `app` or/],
    ["a context beside an app", { ...CALL, context: "default" }, /`context` is of no use/],
    ["app_args without an app", {
      command: "originate",
      endpoint: "user/1",
      destination: "1",
      app_args: "x",
    }, /`app_args` are of no use/],
    ["an app that is an object", { ...CALL, app: {} }, /`app` is no text$/],
    ["a line end in the endpoint", { ...CALL, endpoint: "user/1\n" }, /`endpoint` holds a/],
    ["a timeout of 0", { ...CALL, timeout: 0 }, /^its `timeout` is no whole number/],
    ["a timeout of half a second", { ...CALL, timeout: 0.5 }, /^its `timeout` is no whole/],
    ["a timeout below 0", { ...CALL, timeout: -1 }, /^its `timeout` is no whole/],
    ["a timeout of text", { ...CALL, timeout: "30" }, /^its `timeout` is no whole/],
    ["an infinite timeout", `{"timeout":1e999,${json(CALL).slice(1)}`, /^its `timeout` is no/],
    [
      "variables that are a list",
      { ...CALL, variables: ["a=b"] },
      /^its `variables` are no object/,
    ],
    ["variables that are text", { ...CALL, variables: "a=b" }, /^its `variables` are no object$/],
    ["variables that are null", { ...CALL, variables: null }, /^its `variables` are no object$/],
    ["a variable that is null", { ...CALL, variables: { a: null } }, /^its `variables` hold other/],
    ["a variable of 1.5", { ...CALL, variables: { a: 1.5 } }, /^its `variables` hold other/],
    [
      "an infinite variable",
      '{"command":"originate","endpoint":"user/1","variables":{"a":1e999}}',
      /hold other/,
    ],
    [
      "a variable that no number is exact enough for",
      '{"command":"originate","endpoint":"user/1","variables":{"a":12345678901234567890}}',
      /hold other/,
    ],
    ["half a character in args", { ...STATUS, args: "echo \ud800" }, /`args` is no valid Unicode$/],
    [
      "half a character in sender",
      { ...STATUS, sender: "\udc00" },
      /`sender` is no valid Unicode$/,
    ],
    ["a line end in a variable", { ...CALL, variables: { a: "b\nc" } }, /`variables` holds a/],
    ["a line end in a variable's name", { ...CALL, variables: { "a\nb": "c" } }, /hold a control/],
  ] as const
) {
  Deno.test(`a document with ${what} is refused`, () => {
    const request = parseRequest(typeof document === "string" ? document : json(document));
    assert("fault" in request, JSON.stringify(request));
    assert.match(request.fault, fault);
  });
}

Deno.test("a document that is refused keeps its id, if it was meant as a command", () => {
  const idOf = (text: string) => {
    const request = parseRequest(text);
    assert("fault" in request);
    return request.id;
  };
  assert.equal(idOf(json({ id: "a", command: "bgapi" })), "a");
  assert.equal(idOf(json({ id: "a", command: "api" })), "a");
  assert.equal(idOf(json({ id: "a b", command: "bgapi" })), undefined);
  assert.equal(idOf(json({ id: 1, command: "bgapi" })), undefined);
  assert.equal(idOf(json({ id: "a", state: "accepted" })), undefined, "an answer is no command");
  assert.equal(idOf('{"id":"a","id":"b","command":"bgapi"}'), undefined);
});

Deno.test("what a refusal says of a strange field is short", () => {
  const request = parseRequest(json({ ...STATUS, ["x".repeat(10_000)]: 1 }));
  assert("fault" in request && request.fault.length < 100, JSON.stringify(request));
});

for (
  const [what, bytes] of [
    ["a Latin-1 letter", [0xe9]],
    ["an overlong LF", [0xc0, 0x8a]],
    ["an overlong quote of three bytes", [0xe0, 0x80, 0xa2]],
    ["half a letter", [0xc3]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["more than Unicode has", [0xf4, 0x90, 0x80, 0x80]],
    ["0xFF", [0xff]],
  ] as const
) {
  Deno.test(`${what} is no UTF-8`, () => {
    const payload = Uint8Array.from([...encoder.encode("bgapi echo "), ...bytes]);
    assert.equal(decodePayload(payload), undefined);
  });
}

Deno.test("UTF-8 is decoded as it is, a byte order mark included", () => {
  const text = "\ufeffbgapi echo größer 漢字 😀";
  assert.equal(decodePayload(encoder.encode(text)), text);
});
