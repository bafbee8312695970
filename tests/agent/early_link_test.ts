import assert from "node:assert/strict";
import { EarlyLink, eventMark } from "../../lib/agent/early_link.ts";
import type { LinkHandlers } from "../../lib/esl/link.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { configOfFile } from "../config/helper.ts";
import { eventually } from "../support/agent_process.ts";
import { configurationXml, params } from "./running_agent.ts";

/** A configuration for this FreeSWITCH that publishes what tests fire. */
const configured = (esl: number) =>
  configOfFile(configurationXml(esl, {
    connections: { c: params({ host: "127.0.0.1" }) },
    published: { t: params({ connection_name: "c", event: "HEARTBEAT", pattern: "t" }) },
  }));

/** Handlers that note what they are told. */
function listener() {
  const events: Uint8Array[] = [];
  const told: string[] = [];
  const note = (name: string) => () => void told.push(name);
  const handlers: LinkHandlers = {
    event: (body) => void events.push(new Uint8Array(body)),
    eventTooLong: note("eventTooLong"),
    state: ({ state }) => void told.push(state),
    identity: note("identity"),
    originalModuleLoaded: note("originalModuleLoaded"),
    callLegs: note("callLegs"),
    lost: note("lost"),
  };
  return { events, told, handlers };
}

Deno.test("what came before the agent is told in its order, but for what was taken", async () => {
  await using simulator = await Simulator.start();
  const config = configured(simulator.port);
  const former = new EarlyLink(config);
  const next = new EarlyLink(config);
  try {
    await Promise.all([former.listening(), next.listening()]);
    for (let i = 0; i < 6; i++) simulator.fireHeartbeat();
    const one = listener();
    former.giveTo(one.handlers, new Set());
    await eventually("the former has all", () => one.events.length === 6 || undefined);
    const taken = one.events.slice(0, 3).map(eventMark);
    const other = listener();
    next.giveTo(other.handlers, new Set(taken));
    await eventually("the next has the rest", () => other.events.length === 3 || undefined);
    simulator.fireHeartbeat();
    await eventually("and what comes later", () => other.events.length === 4 || undefined);
    await eventually("so has the former", () => one.events.length === 7 || undefined);
    assert.deepEqual(other.events.map(eventMark), one.events.slice(3).map(eventMark));
    assert.deepEqual(other.told, ["identity", "originalModuleLoaded", "callLegs", "connected"]);
  } finally {
    former.link.stop();
    next.link.stop();
  }
});

Deno.test("what is kept is as it came, whatever comes after it", async () => {
  await using simulator = await Simulator.start();
  const config = configured(simulator.port);
  const [keeping, telling] = [new EarlyLink(config), new EarlyLink(config)];
  const [kept, told] = [listener(), listener()];
  try {
    telling.giveTo(told.handlers, new Set());
    await Promise.all([keeping.listening(), telling.listening()]);
    for (let i = 1; i <= 300; i++) {
      simulator.fireHeartbeat();
      if (i % 50 === 0) await eventually("told", () => told.events.length === i || undefined);
    }
    // It is behind what it was sent before.
    await eventually("all have come", () => keeping.link.eventsReceived === 300 || undefined);
    keeping.giveTo(kept.handlers, new Set());
    assert.equal(new Set(kept.events.map(eventMark)).size, 300);
    assert.deepEqual(kept.events, told.events);
  } finally {
    keeping.link.stop();
    telling.link.stop();
  }
});

Deno.test("an event is told by all of it, whatever sequence its sender gives it", () => {
  const event = (text: string) => new TextEncoder().encode(text);
  const one = event('{"Event-Sequence":"5","Event-Name":"CUSTOM","n":"1","Event-Sequence":"8"}');
  const other = event('{"Event-Sequence":"5","Event-Name":"CUSTOM","n":"1","Event-Sequence":"9"}');
  assert.equal(eventMark(one), eventMark(one.slice()));
  assert.notEqual(eventMark(one), eventMark(other));
});

Deno.test("the first event is told to who waits for it, and nothing where FreeSWITCH is away", async () => {
  await using simulator = await Simulator.start();
  const link = new EarlyLink(configured(simulator.port));
  await simulator.waitForSubscription("HEARTBEAT");
  simulator.fireHeartbeat();
  const first = await link.listening();
  const { events, handlers } = listener();
  link.giveTo(handlers, new Set());
  await eventually("it is told", () => events.length > 0 || undefined);
  assert.equal(first, events[0] && eventMark(events[0]));
  link.link.stop();
  const port = simulator.port;
  await simulator[Symbol.asyncDispose]();
  const away = new EarlyLink(configured(port));
  assert.equal(await away.listening(), undefined);
  away.link.stop();
});
