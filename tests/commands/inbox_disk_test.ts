/** What must not be forgotten over a restart runs only while the disk takes it. */

import assert from "node:assert/strict";
import { CommandMemory } from "../../lib/commands/memory.ts";
import { sign } from "../../lib/commands/signature.ts";
import { Secret } from "../../lib/secret.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { document, TestInbox } from "./inbox_helper.ts";
import type { Written } from "./rules.ts";

const KEY = "a key of more than 32 bytes, for tests";
const CALL = "originate user/1 2";
const SIGNED_FAULT = "after a restart what was signed could run again";
const CALLS_FAULT = "a restart would forget calls of max_calls_per_day";

/** An inbox whose memory loses its disk when it is told to. */
function bench(cmd: Written) {
  const clock = new ManualClock();
  const memory = CommandMemory.open(undefined, { clock, complain: assert.fail });
  const disk = { isLasting: true, failsAtNextWrite: false };
  const lose = () => {
    if (disk.failsAtNextWrite) disk.isLasting = false;
  };
  const { claim, noteCall } = memory;
  Object.defineProperties(memory, {
    isLasting: { get: () => disk.isLasting },
    claim: {
      value: (...args: Parameters<typeof claim>) => {
        lose();
        return claim.apply(memory, args);
      },
    },
    noteCall: {
      value: (name: string) => {
        lose();
        noteCall.call(memory, name);
      },
    },
  });
  return { test: new TestInbox({ cmd }, { clock, memory }), memory, disk, clock };
}

function signed(id: string, clock: ManualClock): string {
  const text = document({ id, issued_at: clock.date().toISOString() });
  return JSON.stringify({ signed: text, signature: sign(text, "cmd", new Secret(KEY)) });
}

function call(id: string): string {
  return JSON.stringify({ id, command: "originate", args: "user/1 2" });
}

Deno.test("without a disk nothing that is signed runs, and no call that is counted", async () => {
  for (
    const [cmd, text, fault] of [
      [{ hmac_key: KEY }, signed, SIGNED_FAULT],
      [{ max_calls_per_day: 2 }, () => CALL, CALLS_FAULT],
      [{ max_calls_per_day: 2 }, call, CALLS_FAULT],
      [{ max_calls_per_day: 2 }, () => "bgapi uuid_bridge a b", CALLS_FAULT],
    ] as const
  ) {
    const { test, memory, disk, clock } = bench(cmd);
    disk.isLasting = false;
    await test.takeAll(text("a", clock), text("a", clock));
    assert.deepEqual([test.ran, test.refusals], [[], { busy: 2 }]);
    assert.match(test.log[0] ?? "", /: what ran cannot be written to disk, and /);
    assert(test.log[0]?.endsWith(fault));
    assert.equal(memory.callsInADay("cmd"), 0);
    disk.isLasting = true;
    await test.takeAll(text("a", clock));
    assert.equal(test.ran.length, 1, "it may be sent again");
  }
});

Deno.test("a command whose own claim the disk does not take does not run, and may be sent again", async () => {
  for (
    const [cmd, text] of [
      [{ hmac_key: KEY }, signed],
      [{ max_calls_per_day: 9 }, () => CALL],
      [{ max_calls_per_day: 9 }, call],
    ] as const
  ) {
    const { test, disk, clock } = bench(cmd);
    disk.failsAtNextWrite = true;
    await test.takeAll(text("a", clock));
    assert.deepEqual([test.ran, test.refusals], [[], { busy: 1 }]);
    Object.assign(disk, { isLasting: true, failsAtNextWrite: false });
    await test.takeAll(text("a", clock));
    assert.equal(test.ran.length, 1);
    if (text === signed) await test.takeAll(text("a", clock));
    assert.equal(test.ran.length, 1);
  }
});

Deno.test("without a disk everything else goes on", async () => {
  const { test, disk } = bench({ max_calls_per_day: 2 });
  disk.isLasting = false;
  await test.takeAll("bgapi status", document({ id: "a" }), document({ id: "a" }));
  assert.deepEqual([test.ran.length, test.refusals], [2, { duplicate: 1 }]);
  const { test: free, disk: lost } = bench({});
  lost.isLasting = false;
  await free.takeAll(CALL, call("a"), call("a"));
  assert.deepEqual([free.ran.length, free.refusals], [2, { duplicate: 1 }]);
});
