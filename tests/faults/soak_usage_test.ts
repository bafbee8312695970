/** The command line of `deno task soak`. */

import assert from "node:assert/strict";
import { runScript } from "../support/script.ts";
import { ROWS } from "./rows.ts";

const soak = (...args: string[]) => runScript("soak.ts", args);

Deno.test("help names each row", async () => {
  const { code, out } = await soak("--help");
  assert.equal(code, 0);
  for (const { number, title } of ROWS) assert.ok(out.includes(`${number}  ${title}\n`), title);
});

for (
  const [args, why] of [
    [["--row", "99"], "There is no row 99; there are 1 to 12"],
    [["--row", "x"], "There is no row x; there are 1 to 12"],
    [["--minuts", "3"], "Unknown option '--minuts'"],
    [["--minutes", "-1"], "Option '--minutes' needs a number above 0\n\n"],
    [["--minutes=-1"], '--minutes needs a number above 0, not "-1"'],
    [["--seed", "x"], '--seed needs a whole number above 0, not "x"'],
    [["7"], "Unexpected argument '7'"],
  ] as const
) {
  Deno.test(`${args.join(" ")} is refused with the usage`, async () => {
    const { code, out, err } = await soak(...args);
    assert.deepEqual([code, out], [64, ""]);
    assert.ok(err.startsWith(why), err);
    assert.match(err, /\n\ndeno task soak \[--minutes N\]/);
    assert.doesNotMatch(err, /^\s+at /m);
  });
}
