import assert from "node:assert/strict";
import { type CommandMessage, screen } from "../../lib/commands/screening.ts";
import { sign } from "../../lib/commands/signature.ts";
import { Secret } from "../../lib/secret.ts";
import { rulesOf, type Written } from "./rules.ts";

const NOW = Date.UTC(2026, 10, 23, 12);
const encoder = new TextEncoder();

function message(payload: string | Uint8Array, rest: Partial<CommandMessage> = {}): CommandMessage {
  const bytes = typeof payload === "string" ? encoder.encode(payload) : payload;
  return { topic: "cmd", payload: bytes, retained: false, repeated: false, ...rest };
}

function document(fields: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ command: "bgapi", args: "status", ...fields });
}

const seconds = (fromNow: number) => NOW / 1000 + fromNow;
const at = (fromNow: number) => new Date(NOW + fromNow * 1000).toISOString();

/** What becomes of a message: `runs`, or the reason why it does not. */
function fate(message: CommandMessage, written: Written = {}): string {
  const request = screen(message, rulesOf(written), NOW);
  return "fault" in request ? request.reason : "runs";
}

for (
  const [what, expected, sent, written] of [
    ["a command", "runs", message("bgapi status")],
    ["a stored message", "retained", message("bgapi status", { retained: true })],
    ["a stored message with an id", "retained", message(document({ id: "a" }), { retained: true })],
    ["a stored message that is no command", "retained", message("x", { retained: true })],
    ["a repeated delivery", "repeated", message("bgapi status", { repeated: true })],
    [
      "a repeated delivery with correlation data",
      "repeated",
      message("bgapi status", { repeated: true, correlationData: Uint8Array.of(1) }),
    ],
    [
      "a repeated delivery with an id, of nobody knows when",
      "repeated",
      message("bgapi uuid:a status", { repeated: true }),
    ],
    [
      "a repeated delivery of nobody knows what, that says when",
      "repeated",
      message(document({ issued_at: at(0) }), { repeated: true }),
    ],
    [
      "a repeated delivery with an id, that says when",
      "runs",
      message(document({ id: "a", issued_at: at(0) }), { repeated: true }),
    ],
    ["one whose time is over", "expired", message("bgapi status", { expirySeconds: 0 })],
    ["one whose time is not over", "runs", message("bgapi status", { expirySeconds: 1 })],
    ["one that is too long", "too_large", message("bgapi " + "x".repeat(65_531))],
    ["one of the greatest length", "runs", message("bgapi echo " + "x".repeat(65_525))],
    ["one over a length of the owner's", "too_large", message("bgapi status 12345"), {
      max_command_bytes: 17,
    }],
    ["one of a length of the owner's", "runs", message("bgapi status 12345"), {
      max_command_bytes: 18,
    }],
    ["bytes that count, not letters", "too_large", message("bgapi echo ééé"), {
      max_command_bytes: 16,
    }],
    ["no UTF-8", "malformed", message(Uint8Array.of(...encoder.encode("bgapi echo "), 0xe9))],
    ["an empty message", "malformed", message("")],
    ["an answer of fsmqtt's", "malformed", message('{"id":"a","state":"accepted","time":"x"}')],
    ["UTF-16", "malformed", message([..."bgapi status"].join("\0") + "\0")],
    ["one that was asked for a minute ago", "runs", message(document({ issued_at: at(-60) }))],
    ["one of more than a minute ago", "stale", message(document({ issued_at: at(-60.001) }))],
    ["one of yesterday", "stale", message(document({ issued_at: seconds(-86_400) }))],
    ["one of 1970", "stale", message(document({ issued_at: 0 }))],
    ["one of in a minute", "runs", message(document({ issued_at: seconds(60) }))],
    ["one of in more than a minute", "stale", message(document({ issued_at: at(60.001) }))],
    ["one in milliseconds", "stale", message(document({ issued_at: NOW }))],
    ["one of half an hour ago", "runs", message(document({ issued_at: at(-1800) })), {
      max_command_age: 1800,
    }],
    ["one that does not say when, where it has to", "stale", message(document()), {
      require_issued_at: true,
    }],
    ["a text, where it has to say when", "stale", message("bgapi status"), {
      require_issued_at: true,
    }],
    ["one that says when, where it has to", "runs", message(document({ issued_at: at(0) })), {
      require_issued_at: true,
    }],
  ] satisfies [string, string, CommandMessage, Written?][]
) {
  Deno.test(`of ${what}: ${expected}`, () => assert.equal(fate(sent, written), expected));
}

Deno.test("a message that is refused keeps the id that it has", () => {
  const idOf = (sent: CommandMessage) => {
    const request = screen(sent, rulesOf({}), NOW);
    assert("fault" in request);
    return request.id;
  };
  assert.equal(idOf(message(document({ id: "a", issued_at: 0 }))), "a");
  assert.equal(idOf(message("bgapi uuid:a status", { repeated: true })), "a");
  assert.equal(idOf(message(document({ id: "a", args: "" }))), "a");
  assert.equal(idOf(message(document({ id: "a" }), { retained: true })), undefined);
});

Deno.test("what a refusal says is for the owner, and tells how old a message is", () => {
  const request = screen(message(document({ issued_at: seconds(-3600) })), rulesOf({}), NOW);
  assert("fault" in request);
  assert.match(
    request.fault,
    /^its `issued_at` is 3600 s in the past, more than max_command_age, 60/,
  );
});

const KEY = "a key of more than thirty-two bytes";
const SIGNED: Written = { hmac_key: KEY };
const signed = (text: string, topic = "cmd", key = KEY) =>
  JSON.stringify({ signed: text, signature: sign(text, topic, new Secret(key)) });
const FRESH = document({ id: "a", issued_at: at(0) });

for (
  const [what, expected, payload, rest] of [
    ["a signed command", "runs", signed(FRESH)],
    ["the command without a signature", "unsigned", FRESH],
    ["a text without a signature", "unsigned", "bgapi status"],
    ["no UTF-8", "malformed", "\ud800"],
    ["a signature for another topic", "unsigned", signed(FRESH, "other")],
    ["a signature with another key", "unsigned", signed(FRESH, "cmd", "another")],
    ["a signed command that was changed", "unsigned", signed(FRESH).replace("status", "uptime")],
    ["a signed command without an id", "unsigned", signed(document({ issued_at: at(0) }))],
    ["a signed text, which has no time", "stale", signed("bgapi uuid:a status")],
    ["a signed command that does not say when", "stale", signed(document({ id: "a" }))],
    [
      "a signed command of yesterday",
      "stale",
      signed(document({ id: "a", issued_at: at(-86_400) })),
    ],
    ["a signed nonsense", "malformed", signed("nonsense")],
    ["a signed command that is signed again", "malformed", signed(signed(FRESH))],
    ["a stored signed command", "retained", signed(FRESH), { retained: true }],
    ["a repeated signed command", "runs", signed(FRESH), { repeated: true }],
  ] satisfies [string, string, string, Partial<CommandMessage>?][]
) {
  Deno.test(`where commands have to be signed, of ${what}: ${expected}`, () => {
    const bytes = payload === "\ud800" ? Uint8Array.of(0xff) : payload;
    assert.equal(fate(message(bytes, rest), SIGNED), expected);
  });
}

Deno.test("a signed command where none is asked for is no command", () => {
  assert.equal(fate(message(signed(FRESH))), "malformed");
});
