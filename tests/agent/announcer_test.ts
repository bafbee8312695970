/** What is said, and how often: without a broker, and with a clock that stands still. */

import assert from "node:assert/strict";
import { Announcer } from "../../lib/agent/announcer.ts";
import type { Announcement } from "../../lib/control/announcement.ts";
import type { StatusReport } from "../../lib/control/status.ts";
import { ManualClock } from "../support/manual_clock.ts";

class Rig {
  readonly clock = new ManualClock();
  freeswitch: StatusReport["freeswitch"]["state"] = "connected";
  eventsReceived = 0;
  readonly said: Announcement[] = [];
  looks = 0;
  readonly connection = { announce: () => this.say() };
  readonly announcer = new Announcer({
    clock: this.clock,
    report: () => this.#report(),
    find: (_, name) => name === "c" ? this.connection : undefined,
  });

  say(): void {
    this.said.push(JSON.parse(this.announcer.document("p", "c") ?? ""));
  }

  #report(): StatusReport {
    this.looks++;
    const connection = {
      name: "c",
      enabled: true,
      state: "connected",
      breaker: { state: "closed" },
    };
    const freeswitch = {
      state: this.freeswitch,
      hostname: "h",
      switchname: "s",
      core_uuid: "u",
      events_received: this.eventsReceived,
      last_gap: null,
    };
    const connections = [
      { ...connection, parameters: { status_topic: "st" } },
      { ...connection, name: "silent", parameters: { status_topic: null } },
    ];
    const profiles = [{ name: "p", enabled: true, connections, subscribers: [] }];
    return { version: "1", freeswitch, profiles } as unknown as StatusReport;
  }
}

Deno.test("only what is different is said, and its state keeps its beginning", () => {
  const rig = new Rig();
  rig.say();
  rig.eventsReceived = 5;
  rig.announcer.changed();
  rig.clock.advance(1_000);
  assert.equal(rig.said.length, 1);
  rig.freeswitch = "connecting";
  rig.announcer.changed();
  rig.clock.advance(1_000);
  rig.freeswitch = "refused";
  rig.announcer.changed();
  rig.clock.advance(1_000);
  assert.deepEqual(rig.said.map(({ state, freeswitch }) => [state, freeswitch]), [
    ["online", "connected"],
    ["degraded", "connecting"],
    ["degraded", "refused"],
  ]);
  assert.equal(rig.said[2]?.since, rig.said[1]?.since);
  assert.notEqual(rig.said[2]?.time, rig.said[1]?.time);
});

Deno.test("a storm of changes is said once a second, the latest of them", () => {
  const rig = new Rig();
  rig.say();
  const before = rig.looks;
  for (let ms = 0; ms < 3_000; ms += 10) {
    rig.freeswitch = ms % 20 === 0 ? "connected" : "connecting";
    rig.announcer.changed();
    rig.clock.advance(10);
  }
  rig.freeswitch = "refused";
  rig.announcer.changed();
  rig.clock.advance(1_000);
  assert.ok(rig.said.length <= 1 + 4, `${rig.said.length} were said`);
  assert.ok(rig.looks - before <= 2 * 4, `${rig.looks - before} looks`);
  assert.equal(rig.said.at(-1)?.freeswitch, "refused");
});

Deno.test("nothing is said without a change, nor after the end", () => {
  const rig = new Rig();
  rig.say();
  rig.clock.advance(60_000);
  assert.equal(rig.clock.pending, 0);
  rig.freeswitch = "connecting";
  rig.announcer.changed();
  rig.announcer.stop();
  rig.announcer.changed();
  rig.clock.advance(60_000);
  assert.equal(rig.said.length, 1);
});
