/** The command line of `deno task footprint`. */

import assert from "node:assert/strict";
import { runScript } from "../support/script.ts";

const footprint = (...args: string[]) => runScript("footprint.ts", args);

Deno.test("each form that is asked for is started, cold and warm, and measured", async () => {
  const { code, out, err } = await footprint(
    ...["--form", "source, unconfined", "--runs", "1", "--idle", "0.2", "--json"],
  );
  assert.equal(code, 0, err);
  const rows = JSON.parse(out);
  assert.deepEqual(
    rows.map(({ name }: { name: string }) => name),
    ["MQTT.js alone", "source, unconfined"],
  );
  for (const { cold, warm, program_bytes, disk_bytes } of rows) {
    assert(disk_bytes > program_bytes && program_bytes > 0);
    for (const { connack_ms, rss_bytes, private_bytes } of [cold, warm]) {
      assert(connack_ms.median > 0);
      assert(rss_bytes.median > private_bytes.median);
    }
  }
});

for (
  const [args, why] of [
    [["--runs", "0"], '--runs needs a whole number above 0, not "0"'],
    [["--idle", "x"], '--idle needs a number above 0, not "x"'],
    [["--warm"], "Unknown option '--warm'"],
  ] as const
) {
  Deno.test(`${args.join(" ")} is refused with the usage`, async () => {
    const { code, out, err } = await footprint(...args);
    assert.deepEqual([code, out], [64, ""]);
    assert(err.startsWith(why), err);
    assert.match(err, /\n\ndeno task footprint \[--runs N\]/);
  });
}
