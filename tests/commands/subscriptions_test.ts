import assert from "node:assert/strict";
import { TestInbox, topic } from "./inbox_helper.ts";

function subscriptions(...wanted: readonly (readonly [filter: string, qos: 0 | 1 | 2])[]) {
  const { inbox } = new TestInbox(wanted.map(([filter, qos]) => topic(filter, { qos })));
  return inbox.subscriptions.map(({ filter, qos }) => [filter, qos]);
}

Deno.test("filters that have nothing in common are all subscribed to", () => {
  assert.deepEqual(subscriptions(["a", 0], ["b/+", 1], ["$share/g/c", 2]), [
    ["a", 0],
    ["b/+", 1],
    ["$share/g/c", 2],
  ]);
});

Deno.test("a filter that another covers is left out, and its QoS is kept", () => {
  assert.deepEqual(subscriptions(["a/b", 2], ["a/#", 0], ["a/+", 1]), [["a/#", 2]]);
});

Deno.test("only what is covered raises the QoS", () => {
  assert.deepEqual(subscriptions(["a/#", 0], ["b", 2]), [["a/#", 0], ["b", 2]]);
});

Deno.test("a shared subscription covers nothing and is covered by nothing", () => {
  assert.deepEqual(subscriptions(["#", 0], ["$share/g/a", 1], ["a", 2]), [
    ["#", 2],
    ["$share/g/a", 1],
  ]);
});

Deno.test("two topics with the same filter are one subscription", () => {
  assert.deepEqual(subscriptions(["a", 0], ["a", 1]), [["a", 1]]);
});

Deno.test("nobody listening means no subscription", () => {
  assert.deepEqual(subscriptions(), []);
});
