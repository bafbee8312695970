import assert from "node:assert/strict";
import { narrowest, subscriptionsFor } from "../../lib/commands/filters.ts";
import { TestInbox } from "./inbox_helper.ts";

function subscriptions(...wanted: readonly (readonly [filter: string, qos: 0 | 1 | 2])[]) {
  return subscriptionsFor(wanted.map(([filter, qos]) => ({ filter, qos })))
    .map(({ filter, qos }) => [filter, qos]);
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

Deno.test("an inbox subscribes to what its topics listen to", () => {
  const { inbox } = new TestInbox({ "a/#": { qos: 1 }, "a/b": { qos: 2 }, c: {} });
  assert.deepEqual(inbox.subscriptions, [{ filter: "a/#", qos: 2 }, { filter: "c", qos: 0 }]);
  inbox.listen([]);
  assert.deepEqual(inbox.subscriptions, []);
});

for (
  const [topic, filters, expected] of [
    ["a/b", ["a/b", "a/+", "#"], ["a/b"]],
    ["a/b", ["#", "a/+", "a/b"], ["a/b"]],
    ["a/c", ["a/b", "a/+", "#"], ["a/+"]],
    ["a/b", ["a/+", "+/b"], ["a/+", "+/b"]],
    ["a/b", ["a/+", "+/b", "a/b"], ["a/b"]],
    ["a/b", ["a/b", "a/b"], ["a/b", "a/b"]],
    ["a", ["a/#", "#"], ["a/#"]],
    ["a", ["A", "a/b", "b"], []],
    ["$SYS/a", ["#", "+/a"], []],
    ["a", ["$share/g/a", "#"], ["$share/g/a"]],
  ] as const
) {
  Deno.test(`of ${filters.join(", ")} those that count for ${topic}: ${expected.join(", ")}`, () => {
    const found = narrowest(filters.map((filter) => ({ filter })), topic);
    assert.deepEqual(found.map(({ filter }) => filter), expected);
  });
}
