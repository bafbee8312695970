import assert from "node:assert/strict";
import { growth, row } from "./idle.ts";
import { rowTest } from "./short_form.ts";

rowTest(row);

for (
  const [name, bytes, grown] of [
    ["no sample is no growth", [], 0],
    ["one sample is no growth", [5], 0],
    ["what stays does not grow", [7, 7, 7, 7], 0],
    ["what grows by the second grows by the difference", [10, 20, 30, 40], 30],
    ["what shrinks grows by less than nothing", [40, 30, 20, 10], -30],
    ["what goes up and down alike does not grow", [1, 9, 9, 1], 0],
    ["one peak in the middle is not growth", [5, 5, 500, 5, 5], 0],
  ] as const
) {
  Deno.test(`growth: ${name}`, () => {
    const samples = bytes.map((each, i) => ({ second: 100 + 10 * i, bytes: each }));
    assert.equal(Math.round(growth(samples)), grown);
  });
}
