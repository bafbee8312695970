/** Which targets want an event. */

import assert from "node:assert/strict";
import { Router } from "../../lib/events/router.ts";
import { EVENT_NAMES, parseEventSelector } from "../../lib/protocol/event_names.ts";

function router(routes: Readonly<Record<string, readonly string[]>>): Router<string> {
  return new Router(
    Object.entries(routes).map(([target, events]) => ({
      target,
      events: events.map((event) => parseEventSelector(event) ?? assert.fail(event)),
    })),
  );
}

function event(name: string, subclass?: string): Uint8Array {
  const custom = subclass === undefined ? {} : { "Event-Subclass": subclass };
  return new TextEncoder().encode(JSON.stringify({ ...custom, "Event-Name": name, X: "1" }));
}

Deno.test("an event goes to those who want its name, in the order of the routes", () => {
  const routes = router({ b: ["TALK"], a: ["TALK", "GENERAL"], c: ["HEARTBEAT"] });
  assert.deepEqual(routes.targets(event("TALK")), ["b", "a"]);
  assert.deepEqual(routes.targets(event("GENERAL")), ["a"]);
  assert.deepEqual(routes.targets(event("NOTALK")), []);
});

Deno.test("ALL wants every event, custom ones and ones that are new to fsmqtt included", () => {
  const routes = router({ all: ["ALL"], talk: ["TALK"] });
  for (const name of EVENT_NAMES) {
    assert.deepEqual(routes.targets(event(name)), name === "TALK" ? ["all", "talk"] : ["all"]);
  }
  assert.deepEqual(routes.targets(event("CUSTOM", "a::b")), ["all"]);
  assert.deepEqual(routes.targets(event("BRAND_NEW_IN_1_12")), ["all"]);
});

Deno.test("CUSTOM wants every subclass, and none at all; a subclass wants only its own", () => {
  const routes = router({ every: ["CUSTOM"], one: ["CUSTOM a::b"], two: ["CUSTOM a::c"] });
  assert.deepEqual(routes.targets(event("CUSTOM", "a::b")), ["every", "one"]);
  assert.deepEqual(routes.targets(event("CUSTOM", "a::c")), ["every", "two"]);
  assert.deepEqual(routes.targets(event("CUSTOM", "A::B")), ["every"]);
  assert.deepEqual(routes.targets(event("CUSTOM", "other")), ["every"]);
  assert.deepEqual(routes.targets(event("CUSTOM")), ["every"]);
});

Deno.test("a target whose selectors overlap gets an event once", () => {
  const routes = router({ a: ["ALL", "TALK", "CUSTOM", "CUSTOM a::b", "CUSTOM a::b", "TALK"] });
  assert.deepEqual(routes.targets(event("TALK")), ["a"]);
  assert.deepEqual(routes.targets(event("CUSTOM", "a::b")), ["a"]);
});

Deno.test("two routes to the same target are two publications", () => {
  const talk = { kind: "name", name: "TALK" } as const;
  const routes = new Router([
    { target: "same", events: [talk] },
    { target: "same", events: [talk] },
  ]);
  assert.deepEqual(routes.targets(event("TALK")), ["same", "same"]);
});

Deno.test("a name that is a property of every object is a name like another", () => {
  const routes = router({ talk: ["TALK"] });
  assert.deepEqual(routes.targets(event("constructor")), []);
  assert.deepEqual(routes.targets(event("CUSTOM", "__proto__")), []);
});

Deno.test("without a name only ALL wants it; without routes nobody does", () => {
  const nameless = new TextEncoder().encode("{}");
  assert.deepEqual(router({ all: ["ALL"], talk: ["TALK"] }).targets(nameless), ["all"]);
  assert.deepEqual(router({}).targets(event("TALK")), []);
  assert.deepEqual(router({ none: [] }).targets(event("TALK")), []);
});
