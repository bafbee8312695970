/**
 * What the fuzz judges by. The model was compared with FreeSWITCH 1.11.2 on 2,000 random dial strings.
 */

import assert from "node:assert/strict";
import { type Call, readBgapi, readOriginate, separate } from "./hostile/freeswitch.ts";
import { narrowOracle, openOracle, patternOracle } from "./hostile/oracle.ts";

for (
  const [text, delimiter, parts] of [
    ["  a   b ", " ", ["a", "b"]],
    ["a 'b c' d", " ", ["a", "b c", "d"]],
    ["a'b c'd e", " ", ["ab cd", "e"]],
    ["a 'b c", " ", ["a", "'b c"]],
    ['a "b c"', " ", ["a", '"b', 'c"']],
    ["a\\sb c\\ d", " ", ["a b", "c\\ d"]],
    ["a\\nb", " ", ["a\nb"]],
    ["a\\,b", " ", ["a\\,b"]],
    ["a\\\\b \\'c", " ", ["a\\b", "'c"]],
    ["a '' b", " ", ["a", "", "b"]],
    ["^^|a b|c", " ", ["a b", "c"]],
    ["a,b\\,c,'d,e'", ",", ["a", "b,c", "d,e"]],
    ["a, b ,", ",", ["a", "b"]],
    ["^^:a:b,c", ",", ["a", "b,c"]],
    ["", ",", []],
  ] as const
) {
  Deno.test(`FreeSWITCH takes ${JSON.stringify(text)} apart at "${delimiter}"`, () => {
    assert.deepEqual(separate(text, delimiter, 10), parts);
  });
}

const variable = (name: string, value: string) => ({ name, value });

for (
  const [args, expected] of [
    ["user/1 &park(a)b", { endpoints: ["user/1"], app: { name: "park", args: "a" } }],
    ["user/1 &f(a(b)c)", { endpoints: ["user/1"], app: { name: "f", args: "a(b" } }],
    ["user/1 &", { endpoints: ["user/1"], extension: "&" }],
    ["user/1 x undef Undef UNDEF", { endpoints: ["user/1"], extension: "x" }],
    ["user/1,user/2|user/3 x", { endpoints: ["user/1", "user/2", "user/3"], extension: "x" }],
    ["user/1:_:user/2 x", { endpoints: ["user/1", "user/2"], extension: "x" }],
    [
      "{a=b,c='d,e'}{f=g}[h=i]user/1 x",
      {
        variables: [
          variable("a", "b"),
          variable("c", "d"),
          { name: "e", value: undefined },
          variable("f", "g"),
          variable("h", "i"),
        ],
        endpoints: ["user/1"],
        extension: "x",
      },
    ],
    ["{a=b\\,c}user/1 x", {
      variables: [variable("a", "b,c")],
      endpoints: ["user/1"],
      extension: "x",
    }],
    ["{a=1,^^:bb:3}user/1 x", {
      variables: [variable("a", "1"), variable("bb", "3")],
      endpoints: ["user/1"],
      extension: "x",
    }],
    ["user/1 2 XML public 'A B' 3 30", {
      endpoints: ["user/1"],
      extension: "2",
      dialplan: "XML",
      context: "public",
      callerIdName: "A B",
      callerIdNumber: "3",
      timeout: "30",
    }],
  ] satisfies [string, Partial<Call>][]
) {
  Deno.test(`FreeSWITCH reads the originate ${args}`, () => {
    assert.deepEqual(readOriginate(args), { variables: [], ...expected });
  });
}

Deno.test("FreeSWITCH shows how an originate is used that is none", () => {
  assert.deepEqual(readOriginate("user/1"), { usage: true });
  assert.deepEqual(readOriginate("a b c d e f g h"), { usage: true });
});

Deno.test("an API command's name ends at the first space", () => {
  assert.deepEqual(readBgapi("show  a b "), { name: "show", args: "a b" });
  assert.deepEqual(readBgapi("show\ta"), { name: "show\ta", args: "" });
});

for (
  const [oracle, line] of [
    [narrowOracle, "status x"],
    [narrowOracle, "originate user/1000 &park()x"],
    [narrowOracle, "originate user/1001 &park"],
    [openOracle, "system id"],
    [openOracle, "BG_SYSTEM id"],
    [openOracle, "show ${x}"],
    [openOracle, "originate loopback/1 2"],
    [openOracle, "originate user/1 &system(id)"],
    [openOracle, "originate user/1,user/2 2"],
    [openOracle, "originate {execute_on_answer=x}user/1 2"],
    [openOracle, "originate user/1 undef"],
    [openOracle, "originate user/1 2 inline"],
    [openOracle, "uuid_transfer a system:id inline"],
    [patternOracle, "originate {a=${x}}user/1 2"],
    [patternOracle, "originate user/1;fs_path=x 2"],
    [patternOracle, "originate user/1 &set(%a)"],
    [patternOracle, "version"],
  ] as const
) {
  Deno.test(`the oracle does not let pass: ${line}`, () => {
    assert.notEqual(oracle(line), undefined);
  });
}
