/** What routing costs, counted in steps: how often each block of the code runs. */

import assert from "node:assert/strict";
import { type Profiler, Session } from "node:inspector/promises";
import { Router } from "../../lib/events/router.ts";
import { EVENT_NAMES, type EventSelector } from "../../lib/protocol/event_names.ts";

const LIB = new URL("../../lib/", import.meta.url).href;

const session = new Session();
session.connect();
await session.post("Profiler.enable");
// V8 counts the blocks of those functions alone that it compiles from here on, at their first call.
await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
Deno.test.afterAll(() => session.disconnect());

/** What has run since this was called last: calls, and runs of each branch and loop in `lib/`. */
async function stepsSince(): Promise<number> {
  const { result } = await session.post("Profiler.takePreciseCoverage");
  const own = (result as Profiler.ScriptCoverage[]).filter(({ url }) => url.startsWith(LIB));
  return own.flatMap(({ functions }) => functions).flatMap(({ ranges }) => ranges)
    .reduce((sum, { count }) => sum + count, 0);
}

/** The most of several counts: V8 loses some while it compiles a function anew, and invents none. */
async function stepsOf(work: () => void): Promise<number> {
  let most = 0;
  for (let i = 0; i < 5; i++) {
    await stepsSince();
    work();
    most = Math.max(most, await stepsSince());
  }
  return most;
}

function event(name: string, subclass?: string): Uint8Array {
  const custom = subclass === undefined ? {} : { "Event-Subclass": subclass };
  return new TextEncoder().encode(JSON.stringify({ "Event-Name": name, ...custom, X: "1" }));
}

const UNWANTED = EVENT_NAMES.filter((name) => !["TALK", "SHUTDOWN", "CUSTOM"].includes(name));
const another = (index: number): EventSelector =>
  index % 2 === 0
    ? { kind: "name", name: UNWANTED[index % UNWANTED.length] ?? "" }
    : { kind: "custom", subclass: `other::${index}` };

/** A route that wants what is looked for, and so many more that do not. */
function router(wanted: EventSelector, others: number): Router<string> {
  return new Router([
    { events: [wanted], target: "wanted" },
    ...Array.from({ length: others }, (_, i) => ({ events: [another(i)], target: `other ${i}` })),
  ]);
}

interface Case {
  readonly what: string;
  readonly wanted: EventSelector;
  readonly event: Uint8Array;
}

const talk: EventSelector = { kind: "name", name: "TALK" };
const register: EventSelector = { kind: "custom", subclass: "sofia::register" };

const CASES: readonly Case[] = [
  { what: "an event that one topic wants", wanted: talk, event: event("TALK") },
  { what: "an event that no topic wants", wanted: talk, event: event("SHUTDOWN") },
  { what: "an event of a new name", wanted: { kind: "all" }, event: event("BRAND_NEW") },
  {
    what: "a subclass that one topic wants",
    wanted: register,
    event: event("CUSTOM", "sofia::register"),
  },
  { what: "a subclass that no topic wants", wanted: register, event: event("CUSTOM", "a::b") },
  { what: "an event without a name", wanted: talk, event: new TextEncoder().encode("{}") },
];

for (const { what, wanted, event } of CASES) {
  Deno.test(`${what} is routed in as many steps beside 100 other topics as beside none`, async () => {
    const [alone, among] = [router(wanted, 0), router(wanted, 100)];
    assert.deepEqual(among.targets(event), alone.targets(event));
    const steps = await stepsOf(() => alone.targets(event));
    assert.ok(steps > 0);
    assert.equal(await stepsOf(() => among.targets(event)), steps);
  });
}

Deno.test("the topics that want an event are listed once, and not for each event", () => {
  const routes = Array.from({ length: 100 }, (_, index) => ({ events: [talk], target: index }));
  const router = new Router(routes);
  assert.equal(router.targets(event("TALK")).length, 100);
  assert.equal(router.targets(event("TALK")), router.targets(event("TALK")));
});

Deno.test("steps are counted: a router is made in more of them for more topics", async () => {
  const few = await stepsOf(() => router(talk, 1));
  assert.ok(await stepsOf(() => router(talk, 100)) > 10 * few);
});
