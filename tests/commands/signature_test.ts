import assert from "node:assert/strict";
import { SIGNATURE_PREFIX } from "../../lib/commands/contract.ts";
import { sign, verifySigned } from "../../lib/commands/signature.ts";
import { Secret } from "../../lib/secret.ts";

const KEY = new Secret("0123456789abcdef0123456789abcdef");
const TOPIC = "pbx/größe/command";
const TEXT = '{"id":"a-1","issued_at":"2026-11-23T08:15:00Z","command":"bgapi","args":"status"}';
/**
 * Made with `printf 'fsmqtt-command-1\npbx/größe/command\n%s' "$TEXT" | openssl dgst -sha256 -hmac
 * "$KEY"`.
 */
const VECTOR = "7f314c81f7e8ef5d127013ca45801472f045ff6f30553cebdd04a8d20d9f7b4a";

const wrapped = (signature: unknown, rest: Readonly<Record<string, unknown>> = {}) =>
  JSON.stringify({ signed: TEXT, signature, ...rest });

Deno.test("a signature is the one that OpenSSL makes", () => {
  assert.equal(sign(TEXT, TOPIC, KEY), VECTOR);
});

Deno.test("OpenSSL makes the same signature today", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, `${SIGNATURE_PREFIX}${TOPIC}\n${TEXT}`);
  const { stdout } = await new Deno.Command("openssl", {
    args: ["dgst", "-sha256", "-hmac", KEY.reveal(), "-r", file],
  }).output();
  await Deno.remove(file);
  assert.equal(new TextDecoder().decode(stdout).split(" ")[0], VECTOR);
});

for (
  const [what, text] of [
    ["as it is", wrapped(VECTOR)],
    ["in capitals", wrapped(VECTOR.toUpperCase())],
    ["before what is signed", JSON.stringify({ signature: VECTOR, signed: TEXT })],
    ["with white space around", ` ${wrapped(VECTOR)}\n`],
  ] as const
) {
  Deno.test(`a valid signature ${what} gives the text that is signed`, () => {
    assert.deepEqual(verifySigned(text, TOPIC, KEY), { text: TEXT });
  });
}

const FORM = /^it has no signature: /;
const DIGITS = /^its `signature` is not 64 hexadecimal digits$/;
const MORE = /^it has a field beside `signed` and `signature`/;
const INVALID = /^its signature is not valid: /;

for (
  const [what, text, fault] of [
    ["nothing", "", FORM],
    ["text", "bgapi status", FORM],
    ["a list", `[${wrapped(VECTOR)}]`, FORM],
    ["null", "null", FORM],
    ["the command alone", TEXT, FORM],
    ["no signature", JSON.stringify({ signed: TEXT }), FORM],
    ["no signed text", JSON.stringify({ signature: VECTOR }), FORM],
    ["an empty signature", wrapped(""), DIGITS],
    ["a signature that is null", wrapped(null), DIGITS],
    ["a signature that is a list", wrapped([VECTOR]), DIGITS],
    ["half a signature", wrapped(VECTOR.slice(32)), DIGITS],
    ["a signature and more", wrapped(`${VECTOR}00`), DIGITS],
    ["a signature and a line end", wrapped(`${VECTOR}\n`), DIGITS],
    ["a signature in base64", wrapped(btoa(VECTOR)), DIGITS],
    ["a signature in wide digits", wrapped(VECTOR.replaceAll("0", "０")), DIGITS],
    [
      "a signed document that is no text",
      JSON.stringify({ signed: {}, signature: VECTOR }),
      /^its `signed` is no text/,
    ],
    ["one more field", wrapped(VECTOR, { id: "a" }), MORE],
    ["__proto__", `{"__proto__":"x",${wrapped(VECTOR).slice(1)}`, MORE],
    ["a repeated field", `{"signed":"x",${wrapped(VECTOR).slice(1)}`, FORM],
    ["half a character", JSON.stringify({ signed: "\ud800", signature: VECTOR }), /valid Unicode$/],
    ["zeros", wrapped("0".repeat(64)), INVALID],
    ["one other digit", wrapped(`${VECTOR.slice(0, -1)}${VECTOR.endsWith("0") ? 1 : 0}`), INVALID],
    ["another text", wrapped(VECTOR, { signed: TEXT.replace("a-1", "a-2") }), INVALID],
    ["another time", wrapped(VECTOR, { signed: TEXT.replace("08:15", "08:16") }), INVALID],
    ["a space more", wrapped(VECTOR, { signed: `${TEXT} ` }), INVALID],
  ] as const
) {
  Deno.test(`a signed command with ${what} is refused`, () => {
    const verified = verifySigned(text, TOPIC, KEY);
    assert("fault" in verified);
    assert.match(verified.fault, fault);
  });
}

Deno.test("a signature counts for one topic and one key", () => {
  for (
    const [topic, key] of [
      ["pbx/größe", KEY],
      ["pbx/größe/command/", KEY],
      ["pbx/Größe/command", KEY],
      [TOPIC, new Secret(`${KEY.reveal()}0`)],
      [TOPIC, new Secret("")],
    ] as const
  ) {
    const verified = verifySigned(wrapped(VECTOR), topic, key);
    assert("fault" in verified);
    assert.match(verified.fault, INVALID);
  }
});
