/** What is asked of FreeSWITCH, and what it then sends: the simulator, and a real one if there is. */

import assert from "node:assert/strict";
import { subscriptionCommands } from "../../lib/events/subscription.ts";
import { EVENT_NAMES, parseEventSelector } from "../../lib/protocol/event_names.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { EslClient, realFreeswitch, type Target } from "../support/esl_client.ts";

function subscriptionTo(...events: string[]): string[] {
  return subscriptionCommands(
    events.map((event) => parseEventSelector(event) ?? assert.fail(event)),
  );
}

const UNWANTED_EVENTS = (names: readonly string[]) =>
  `nixevent ${EVENT_NAMES.filter((name) => name !== "CUSTOM" && !names.includes(name)).join(" ")}`;

Deno.test("names are asked for with HEARTBEAT, and all others are taken back", () => {
  assert.deepEqual(subscriptionTo("CHANNEL_ANSWER", "SWITCH_EVENT_TALK", "CHANNEL_ANSWER"), [
    "event json HEARTBEAT CHANNEL_ANSWER TALK",
    UNWANTED_EVENTS(["HEARTBEAT", "CHANNEL_ANSWER", "TALK"]),
  ]);
});

Deno.test("nothing wanted is HEARTBEAT alone", () => {
  assert.deepEqual(subscriptionTo()[0], "event json HEARTBEAT");
});

Deno.test("subclasses stand behind the names, since all behind CUSTOM is taken for one", () => {
  assert.deepEqual(
    subscriptionTo("CUSTOM sofia::register", "TALK", "CUSTOM a::b", "CUSTOM a::b")[0],
    "event json HEARTBEAT TALK CUSTOM sofia::register a::b",
  );
});

Deno.test("ALL, and every CUSTOM event, take all that there is", () => {
  assert.deepEqual(subscriptionTo("ALL", "TALK", "CUSTOM a::b"), ["event json ALL"]);
  assert.deepEqual(subscriptionTo("TALK", "CUSTOM"), ["event json ALL"]);
});

Deno.test("with every name wanted, there is no `nixevent` without names, which is refused", () => {
  const subscription = subscriptionTo(...EVENT_NAMES.filter((name) => name !== "CUSTOM"));
  assert.equal(subscription.length, 1);
});

interface Case {
  readonly wanted: readonly string[];
  readonly delivered: readonly string[];
  readonly kept: readonly string[];
}

/** What `sendevent` fires: a name, or `CUSTOM` and a subclass. */
const CASES: readonly Case[] = [
  {
    wanted: ["GENERAL"],
    delivered: ["GENERAL", "HEARTBEAT"],
    kept: ["TALK", "CUSTOM", "CUSTOM sofia::register"],
  },
  {
    wanted: ["CUSTOM sofia::register", "GENERAL"],
    delivered: ["GENERAL", "CUSTOM sofia::register", "CUSTOM"],
    kept: ["TALK", "CUSTOM sofia::unregister", "CUSTOM fsmqtt::test"],
  },
  {
    wanted: ["CUSTOM fsmqtt::test"],
    delivered: ["CUSTOM fsmqtt::test"],
    kept: ["GENERAL", "CUSTOM sofia::register"],
  },
  {
    wanted: ["CUSTOM"],
    delivered: ["CUSTOM", "CUSTOM sofia::register", "CUSTOM fsmqtt::unheard", "HEARTBEAT"],
    kept: [],
  },
  {
    wanted: ["ALL"],
    delivered: ["GENERAL", "TALK", "CUSTOM", "CUSTOM sofia::register", "CUSTOM fsmqtt::test"],
    kept: [],
  },
];

const targets: [name: string, start: () => Promise<Target & AsyncDisposable>][] = [
  ["the simulator", () => Simulator.start({ heartbeatMs: 0 })],
];
const real = realFreeswitch();
if (real !== undefined) {
  targets.push([
    "a real FreeSWITCH",
    () => Promise.resolve({ ...real, [Symbol.asyncDispose]: () => Promise.resolve() }),
  ]);
}

/** Fires an event with a mark that tells it from those of anybody else. */
async function fire(sender: EslClient, event: string, mark: string): Promise<void> {
  const [name, subclass] = event.split(" ");
  const header = subclass === undefined ? "" : `\nEvent-Subclass: ${subclass}`;
  assert.match(await sender.ask(`sendevent ${name}${header}\nX-Mark: ${mark}`), /\+OK/);
}

/** The marks of the events that come until one has this mark. */
async function marksUntil(listener: EslClient, run: string, last: string): Promise<string[]> {
  const marks: string[] = [];
  while (marks.at(-1) !== last) {
    const event = await listener.event((json) => json.includes(run));
    const mark: string = JSON.parse(event)["X-Mark"];
    marks.push(mark.slice(run.length));
  }
  return marks;
}

for (const [target, start] of targets) {
  for (const { wanted, delivered, kept } of CASES) {
    Deno.test(`${wanted.join(" and ")}: ${target} sends just that`, async () => {
      await using freeswitch = await start();
      using listener = await EslClient.login(freeswitch);
      using sender = await EslClient.login(freeswitch);
      for (const command of subscriptionTo(...wanted)) {
        assert.match(await listener.ask(command), /\+OK/);
      }
      const run = crypto.randomUUID();
      for (const event of [...kept, ...delivered]) await fire(sender, event, run + event);
      // Wanted by every subscription, so it comes last.
      await fire(sender, "HEARTBEAT", `${run}end`);
      assert.deepEqual(await marksUntil(listener, run, "end"), [...delivered, "end"]);
    });
  }

  Deno.test(`${target}: a smaller subscription on the same connection takes names back`, async () => {
    await using freeswitch = await start();
    using listener = await EslClient.login(freeswitch);
    using sender = await EslClient.login(freeswitch);
    const run = crypto.randomUUID();
    for (const wanted of [["ALL"], ["GENERAL", "TALK"], ["TALK"]]) {
      for (const command of subscriptionTo(...wanted)) await listener.ask(command);
    }
    for (const event of ["GENERAL", "NOTALK", "TALK"]) await fire(sender, event, run + event);
    await fire(sender, "HEARTBEAT", `${run}end`);
    assert.deepEqual(await marksUntil(listener, run, "end"), ["TALK", "end"]);
  });
}
