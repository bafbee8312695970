/** A secret is never printed by accident. */

import assert from "node:assert/strict";
import { format, inspect } from "node:util";
import { MASK, Secret } from "../../lib/secret.ts";

const TEXT = "hunter2";
const secret = new Secret(TEXT);

Deno.test("the one who needs it can have it", () => {
  assert.equal(secret.reveal(), TEXT);
});

for (
  const [name, print] of [
    ["String()", () => String(secret)],
    ["a template", () => `${secret}`],
    ["joining", () => ["a", secret].join()],
    ["adding to a text", () => "" + (secret as unknown as string)],
    ["JSON", () => JSON.stringify(secret)],
    ["JSON of what holds it", () => JSON.stringify({ a: [secret], b: new Map([["c", secret]]) })],
    ["Deno.inspect", () => Deno.inspect(secret)],
    [
      "Deno.inspect with everything on",
      () => Deno.inspect({ a: { b: [secret] } }, { depth: 9, showHidden: true, getters: true }),
    ],
    ["node's inspect", () => inspect({ a: secret }, { depth: 9, showHidden: true })],
    ["node's format", () => format("%s %o %O %j", secret, secret, secret, secret)],
    ["an error", () => Deno.inspect(new Error(`about ${secret}`, { cause: secret }))],
    ["its keys", () => Deno.inspect([Object.entries(secret), Reflect.ownKeys(secret)])],
    ["a copy", () => Deno.inspect([{ ...secret }, structuredClone(secret)])],
  ] as [string, () => string][]
) {
  Deno.test(`${name} does not show it`, () => {
    assert.equal(print().includes(TEXT), false);
  });
}

Deno.test("where a text is wanted the mask stands for it, of the same length for all", () => {
  for (const one of [secret, new Secret(""), new Secret("x".repeat(100))]) {
    assert.equal(`${one}`, MASK);
    assert.equal(JSON.stringify(one), JSON.stringify(MASK));
    assert.equal(Deno.inspect(one), MASK);
  }
});

Deno.test("console prints the mask", async () => {
  const code = `
    import { Secret } from ${JSON.stringify(import.meta.resolve("../../lib/secret.ts"))};
    const secret = new Secret(${JSON.stringify(TEXT)});
    console.log(secret, "%s", secret, { deep: { secret } });
    console.error("%o %O %s %j", secret, secret, secret, secret);
    console.table([secret]);
    console.dir({ secret });
  `;
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", code],
    env: { NO_COLOR: "1" },
  }).output();
  const printed = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.equal(success, true, printed);
  assert.equal(printed.includes(TEXT), false);
  assert.ok(printed.includes(MASK));
});
