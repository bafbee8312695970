import assert from "node:assert/strict";
import { STUCK_ROUNDS, watchLoop } from "../../lib/service/watch.ts";
import { ManualClock } from "../support/manual_clock.ts";

/** A loop that answers as told, and what is heard of it. */
function watched(answer: () => Promise<void>) {
  const clock = new ManualClock();
  const heard = { asked: 0, alive: 0, stuck: 0 };
  const end = watchLoop({
    ping: () => {
      heard.asked++;
      return answer();
    },
    alive: () => heard.alive++,
    stuck: () => heard.stuck++,
    intervalMs: 1_000,
    clock,
  });
  const rounds = async (count: number) => {
    // The answers are promises.
    const settled = () => new Promise((resolve) => setTimeout(resolve));
    await settled();
    for (let i = 0; i < count; i++) {
      await clock.advance(1_000);
      await settled();
    }
  };
  return { heard, rounds, end, clock };
}

Deno.test("a loop that comes round is alive at each look", async () => {
  const { heard, rounds, end, clock } = watched(() => Promise.resolve());
  await rounds(20);
  assert.deepEqual(heard, { asked: 21, alive: 21, stuck: 0 });
  end();
  assert.equal(clock.pending, 0);
});

Deno.test("a loop that does not answer is asked once, and is stuck after so many looks", async () => {
  const { heard, rounds, clock } = watched(() => new Promise(() => {}));
  await rounds(STUCK_ROUNDS - 1);
  assert.deepEqual(heard, { asked: 1, alive: 0, stuck: 0 });
  await rounds(5);
  assert.deepEqual(heard, { asked: 1, alive: 0, stuck: 1 });
  assert.equal(clock.pending, 0);
});

Deno.test("a late answer counts, and the loop is asked again", async () => {
  let answer = () => {};
  const { heard, rounds, end } = watched(() => new Promise((resolve) => answer = resolve));
  await rounds(STUCK_ROUNDS - 1);
  answer();
  await rounds(STUCK_ROUNDS - 1);
  assert.deepEqual(heard, { asked: 2, alive: 1, stuck: 0 });
  end();
});

Deno.test("where nobody is there to ask, the next one is asked", async () => {
  let isThere = false;
  const { heard, rounds, end } = watched(() => isThere ? Promise.resolve() : Promise.reject());
  await rounds(2);
  isThere = true;
  await rounds(STUCK_ROUNDS * 2);
  assert.deepEqual([heard.alive > 0, heard.stuck], [true, 0]);
  end();
});
