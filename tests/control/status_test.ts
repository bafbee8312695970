import assert from "node:assert/strict";
import { type GapStatus, missedIn } from "../../lib/control/status.ts";

const gap: GapStatus = {
  from: null,
  until: "2026-11-22T12:00:00.000Z",
  seconds: null,
  reason: "cut",
  restarted: null,
  events_at_most: null,
  call_legs_at_most: null,
};

for (
  const [events_at_most, call_legs_at_most, text] of [
    [null, null, "how many events were fired is unknown, and how many call legs began is unknown"],
    [null, 0, "how many events were fired is unknown, and no call leg began"],
    [0, 0, "no event was fired, and no call leg began"],
    [1, 1, "at most 1 event was fired, and at most 1 call leg began"],
    [42, 3, "at most 42 events of all kinds were fired, and at most 3 call legs began"],
  ] as const
) {
  Deno.test(`of ${events_at_most} events and ${call_legs_at_most} call legs it is said: ${text}`, () => {
    assert.equal(missedIn({ ...gap, events_at_most, call_legs_at_most }), text);
  });
}
