import assert from "node:assert/strict";
import { systemClock } from "../../lib/clock.ts";

Deno.test("a timer of a year does not call back at once", async () => {
  let calls = 0;
  const cancel = systemClock.after(365 * 86_400_000, () => calls++);
  await new Promise<void>((resolve) => systemClock.after(20, resolve));
  cancel();
  assert.equal(calls, 0);
});
