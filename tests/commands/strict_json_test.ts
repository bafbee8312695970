import assert from "node:assert/strict";
import { parseStrictJson } from "../../lib/commands/strict_json.ts";

for (
  const [what, text, value] of [
    ["an object", '{"a":"b","c":1}', { a: "b", c: 1 }],
    ["the same key in two objects", '[{"a":1},{"a":2}]', [{ a: 1 }, { a: 2 }]],
    ["the same key within and without", '{"a":{"a":1}}', { a: { a: 1 } }],
    ["a key that is also a value", '{"a":"b","b":"a"}', { a: "b", b: "a" }],
    ["a value twice", '{"a":"x","b":"x"}', { a: "x", b: "x" }],
    ["signs within strings", '{"a":"{[:\\"}","b":":"}', { a: '{[:"}', b: ":" }],
    ["a key that ends in a backslash", '{"a\\\\":1,"a":2}', { "a\\": 1, a: 2 }],
    ["keys that differ in case", '{"id":1,"ID":2}', { id: 1, ID: 2 }],
    ["keys that differ by a combining sign", '{"é":1,"e\u0301":2}', { é: 1, "e\u0301": 2 }],
    ["two objects beside each other", '[[{"a":1}],[{"a":1}]]', [[{ a: 1 }], [{ a: 1 }]]],
    ["a bare string", '"a"', "a"],
    ["white space", ' {\n\t"a" : 1 } ', { a: 1 }],
    ["U+2028 in a string", '{"a":"\u2028"}', { a: "\u2028" }],
  ] as const
) {
  Deno.test(`strict JSON takes ${what}`, () => {
    assert.deepEqual(parseStrictJson(text, 3), value);
  });
}

const REPEATS = /^its JSON repeats the key ".*"$/;
const INVALID = /^it is no valid JSON( \(at character \d+\))?$/;
const DEEP = /^its JSON is too deep$/;

for (
  const [what, text, fault] of [
    ["a repeated key", '{"a":1,"a":1}', REPEATS],
    ["a repeated key after an object", '{"a":{"b":1},"a":1}', REPEATS],
    ["a repeated key within", '{"x":{"a":1,"b":2,"a":3}}', REPEATS],
    ["a key that is written in two ways", '{"id":1,"\\u0069d":2}', REPEATS],
    ["a slash that is written in two ways", '{"a/b":1,"a\\/b":2}', REPEATS],
    ["an empty key twice", '{"":1,"":2}', REPEATS],
    ["__proto__ twice", '{"__proto__":1,"__proto__":2}', REPEATS],
    ["two of the same lone surrogate", '{"\\ud800":1,"\\uD800":2}', REPEATS],
    ["objects four deep", '{"a":{"a":{"a":{}}}}', DEEP],
    ["lists four deep", "[[[[]]]]", DEEP],
    ["100,000 brackets", "[".repeat(50_000) + "]".repeat(50_000), DEEP],
    ["100,000 open brackets", "[".repeat(100_000), INVALID],
    ["nothing", "", INVALID],
    ["a comma at the end", '{"a":1,}', INVALID],
    ["a comment", '{"a":1}//', INVALID],
    ["two values", '{"a":1}{"a":1}', INVALID],
    ["single quotes", "{'a':1}", INVALID],
    ["a key without quotes", "{a:1}", INVALID],
    ["NaN", '{"a":NaN}', INVALID],
    ["a byte order mark", '\ufeff{"a":1}', INVALID],
    ["a tab in a string", '{"a":"\t"}', INVALID],
  ] as const
) {
  Deno.test(`strict JSON refuses ${what}`, () => {
    assert.throws(() => parseStrictJson(text, 3), (error) => {
      assert(error instanceof SyntaxError);
      assert.match(error.message, fault);
      return true;
    });
  });
}

Deno.test("what strict JSON says of a repeated key is short", () => {
  const key = "x".repeat(10_000);
  assert.throws(
    () => parseStrictJson(`{"${key}":1,"${key}":2}`, 3),
    (error) => (error as Error).message.length < 100,
  );
});

Deno.test("what strict JSON says of a document that is none holds nothing of it", () => {
  assert.throws(() => parseStrictJson('{"a":s3cret}', 3), (error) => {
    assert.doesNotMatch(String(error), /s3cret/);
    return true;
  });
});
