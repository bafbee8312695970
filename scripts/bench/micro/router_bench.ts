/**
 * How long it takes to find the topics that want an event, by how many topics there are, beside
 * parsing the event and looking into a table.
 *
 * @module
 */

import { eventName } from "../../../lib/esl/event_json.ts";
import { Router } from "../../../lib/events/router.ts";
import { EVENT_NAMES, type EventSelector } from "../../../lib/protocol/event_names.ts";
import { eventOf, named, parsedHeader, SIZES } from "./events.ts";

const event = eventOf(SIZES["4.5 KB"]);
const name = eventName(event) ?? "";
const custom = named(event, "CUSTOM", "bench::wanted");
const others = EVENT_NAMES.filter((other) => other !== name && other !== "CUSTOM");
const COUNTS = [1, 10, 100];

/** A router with so many topics; `selectorOf` says what each of them wants. */
function routerOf(
  count: number,
  selectorOf: (index: number) => EventSelector,
): Router<{ readonly topic: string }> {
  return new Router(Array.from({ length: count }, (_, index) => ({
    events: [selectorOf(index)],
    target: { topic: `bench/${index}` },
  })));
}

const another = (index: number): EventSelector => ({
  kind: "name",
  name: others[index % others.length] ?? "",
});
const anotherSubclass = (index: number): EventSelector => ({
  kind: "custom",
  subclass: `bench::other-${index}`,
});

/** What the topics of a group want of its event. */
const GROUPS: readonly (readonly [string, Uint8Array, (index: number) => EventSelector])[] = [
  ["the first of them wants it", event, (i) => i === 0 ? { kind: "name", name } : another(i)],
  ["none of them wants it", event, another],
  ["all of them want it", event, () => ({ kind: "all" })],
  [
    "the first of them wants its subclass",
    custom,
    (i) => i === 0 ? { kind: "custom", subclass: "bench::wanted" } : anotherSubclass(i),
  ],
  ["none of them wants its subclass", custom, anotherSubclass],
];

for (const [group, json, selectorOf] of GROUPS) {
  for (const count of COUNTS) {
    const router = routerOf(count, selectorOf);
    const topics = `${count} topic${count === 1 ? "" : "s"}`;
    Deno.bench({ name: `${topics}, ${group}`, group, baseline: count === 1 }, () => {
      router.targets(json);
    });
  }
  const table = new Map([[name, ["bench/0"]]]);
  Deno.bench({ name: `JSON.parse and a table, ${group}`, group }, () => {
    table.get(parsedHeader(json, "Event-Name") ?? "");
  });
}

for (const count of COUNTS) {
  const group = "made anew, as at each reload";
  Deno.bench({ name: `a router of ${count}, ${group}`, group, baseline: count === 1 }, () => {
    routerOf(count, another);
  });
}
