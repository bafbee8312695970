/** When a queue says that events come faster than they go on. */

import assert from "node:assert/strict";
import { EventQueue } from "../../lib/queue/event_queue.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { message } from "./helper.ts";

const BOUNDS = { limits: { messages: 10_000, bytes: 64 * 2 ** 20 } };
const MEBIBYTE = 2 ** 20;

/** A queue in which 3 MiB wait, and one message is in flight. */
function rig() {
  const clock = new ManualClock();
  const queue = new EventQueue(BOUNDS, { clock });
  for (let i = 0; i < 4; i++) queue.offer(message(`${i}`, MEBIBYTE));
  const acknowledge = () => queue.acknowledge(queue.take() ?? assert.fail());
  return { clock, queue, acknowledge };
}

Deno.test("a queue catches up while much waits and its broker takes some", () => {
  const { clock, queue, acknowledge } = rig();
  acknowledge();
  assert.equal(queue.isCatchingUp, true);
  clock.advance(99);
  assert.equal(queue.isCatchingUp, true);
});

Deno.test("a broker that takes nothing holds up nothing", () => {
  const { clock, queue, acknowledge } = rig();
  assert.equal(queue.isCatchingUp, false);
  acknowledge();
  assert.equal(queue.isCatchingUp, true);
  clock.advance(100);
  assert.equal(queue.isCatchingUp, false);
  acknowledge();
  queue.offer(message("one more", MEBIBYTE));
  assert.equal(queue.isCatchingUp, true);
});

Deno.test("what goes on in a moment is not waited for", () => {
  const { queue, acknowledge } = rig();
  acknowledge();
  acknowledge();
  // 2 MiB are left, which is not more than what a broker is to have at hand.
  assert.equal(queue.isCatchingUp, false);
});
