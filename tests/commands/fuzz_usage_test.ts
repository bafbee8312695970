/** The command line of `deno task fuzz`. */

import assert from "node:assert/strict";
import { runScript } from "../support/script.ts";

const fuzz = (...args: string[]) => runScript("fuzz.ts", args);

Deno.test("some rounds of a seed end well, and say what they sent", async () => {
  const { code, out } = await fuzz("--rounds", "2000", "--seed", "7");
  assert.equal(code, 0);
  assert.match(out, /^seed 7\n2000 rounds in \d+ s; commands sent\n +\d+ narrow\n/);
  assert.match(out, /\nall is well\n$/);
});

for (
  const [args, why] of [
    [["--rounds", "0"], '--rounds needs a whole number above 0, not "0"'],
    [["--rounds", "-1"], "Option '--rounds' needs a number above 0\n\n"],
    [["--seed", "1.5"], '--seed needs a whole number above 0, not "1.5"'],
    [["--seeds", "1"], "Unknown option '--seeds'"],
    [["1"], "Unexpected argument '1'"],
  ] as const
) {
  Deno.test(`${args.join(" ")} is refused with the usage`, async () => {
    const { code, out, err } = await fuzz(...args);
    assert.deepEqual([code, out], [64, ""]);
    assert(err.startsWith(why), err);
    assert.match(err, /\n\ndeno task fuzz \[--rounds N\]/);
    assert.doesNotMatch(err, /^\s+at /m);
  });
}
