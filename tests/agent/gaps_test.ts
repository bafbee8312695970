/** What is said of missed events: never less than was missed, and never more than is known. */

import assert from "node:assert/strict";
import { Gaps } from "../../lib/agent/gaps.ts";
import { recordedEvents } from "../../lib/simulator/simulator.ts";
import { ManualClock } from "../support/manual_clock.ts";

const encoder = new TextEncoder();
const ONE = "core-1";
const TWO = "core-2";

function event(sequence: number, name = "GENERAL", more = ""): Uint8Array {
  return encoder.encode(`{"Event-Name":"${name}",${more}"Event-Sequence":"${sequence}"}`);
}
const beat = (sequence: number, legs: number) =>
  event(sequence, "HEARTBEAT", `"Session-Since-Startup":"${legs}",`);

class Rig {
  readonly clock = new ManualClock();
  readonly told: string[] = [];
  changes = 0;
  readonly gaps = new Gaps(this.clock, {
    missed: (text) => this.told.push(text),
    changed: () => this.changes++,
  });

  /** As the link does it: identity and legs where they may be asked, then the events. */
  connect(core: string | undefined, legs?: number): void {
    if (core !== undefined) this.gaps.identified(core);
    if (legs !== undefined) this.gaps.callLegs(legs);
    this.gaps.connected();
  }

  /** As the link does it: the event is only lent. */
  event(body: Uint8Array): void {
    const lent = new Uint8Array(body);
    this.gaps.event(lent);
    lent.fill(0x2a);
  }

  get numbers() {
    const { restarted, events_at_most, call_legs_at_most } = this.gaps.last ?? {};
    return [restarted, events_at_most, call_legs_at_most];
  }
}

Deno.test("the first connection of all is no gap", () => {
  const rig = new Rig();
  rig.connect(ONE, 5);
  rig.event(event(1000));
  rig.event(beat(1001, 5));
  assert.deepEqual([rig.gaps.count, rig.gaps.last, rig.told], [0, undefined, []]);
});

Deno.test("a gap is told at once, and its numbers with the first event", () => {
  const rig = new Rig();
  rig.connect(ONE, 5);
  rig.event(event(1000));
  rig.gaps.lost("it was cut", 0);
  rig.clock.advance(11_500);
  rig.connect(ONE, 8);
  assert.deepEqual(rig.told, [
    "FreeSWITCH's events of the last 12 s are missed: its event socket has no replay",
  ]);
  assert.deepEqual(rig.gaps.last, {
    from: "2026-11-22T12:00:00.000Z",
    until: "2026-11-22T12:00:11.500Z",
    seconds: 12,
    reason: "it was cut",
    restarted: false,
    events_at_most: null,
    call_legs_at_most: 3,
  });
  rig.event(event(1043));
  // 1001 to 1042.
  assert.deepEqual(rig.numbers, [false, 42, 3]);
  assert.deepEqual(rig.told.slice(1), [
    "Missed in those 12 s: at most 42 events of all kinds were fired, and at most 3 call legs began",
  ]);
  rig.event(event(2000));
  rig.event(beat(2001, 9));
  assert.deepEqual(rig.numbers, [false, 42, 3]);
  assert.equal(rig.told.length, 2);
  assert.equal(rig.gaps.count, 1);
});

Deno.test("a gap begins when FreeSWITCH fell silent, not when that was noticed", () => {
  const rig = new Rig();
  rig.connect(ONE);
  rig.event(event(1));
  rig.clock.advance(35_000);
  rig.gaps.lost("silence", 35_000);
  rig.clock.advance(1_000);
  rig.connect(ONE);
  assert.equal(rig.gaps.last?.from, "2026-11-22T12:00:00.000Z");
  assert.equal(rig.gaps.last.seconds, 36);
});

Deno.test("a user who may not ask learns all of it with HEARTBEAT", () => {
  const rig = new Rig();
  rig.connect(undefined);
  rig.gaps.identified(ONE);
  rig.event(event(10));
  rig.event(beat(11, 100));
  rig.event(event(12));
  rig.gaps.lost("cut", 0);
  rig.connect(undefined);
  assert.deepEqual(rig.numbers, [null, null, null]);
  rig.gaps.identified(ONE);
  rig.event(event(20));
  assert.deepEqual(rig.numbers, [false, 7, null]);
  assert.equal(rig.told.length, 1);
  rig.event(beat(21, 104));
  assert.deepEqual(rig.numbers, [false, 7, 4]);
  assert.equal(rig.told.length, 2);
});

Deno.test("where sequences run backwards, the highest counts, and what is missing below it", () => {
  const rig = new Rig();
  rig.connect(ONE, 0);
  for (const sequence of [518, 520, 522, 517, 521]) rig.event(event(sequence));
  rig.gaps.lost("cut", 0);
  rig.connect(ONE, 0);
  // Not the end of the gap: it had been on its way before.
  rig.event(event(519));
  assert.equal(rig.gaps.last?.events_at_most, null);
  rig.event(event(525));
  // 523, 524, and 519 for all that was known when the link was lost.
  assert.deepEqual(rig.numbers, [false, 3, 0]);
});

Deno.test("of many events the last count, and large ones do no harm", () => {
  const rig = new Rig();
  rig.connect(ONE, 0);
  for (let sequence = 1; sequence <= 1000; sequence++) rig.event(event(sequence));
  rig.event(event(1001, "GENERAL", `"x":"${"x".repeat(100_000)}",`));
  rig.gaps.lost("cut", 0);
  rig.connect(ONE, 0);
  rig.event(event(1011));
  // The large one was not kept: the bound is one too high, and true.
  assert.deepEqual(rig.numbers, [false, 10, 0]);
});

Deno.test("after a restart the numbers are those of the new FreeSWITCH, and that is said", () => {
  const rig = new Rig();
  rig.connect(ONE, 500);
  rig.event(beat(90_000, 500));
  rig.gaps.lost("FreeSWITCH closed the connection", 0);
  rig.clock.advance(4_000);
  rig.connect(TWO, 2);
  rig.event(event(31));
  assert.deepEqual(rig.numbers, [true, 30, 2]);
  assert.equal(
    rig.told[1],
    "FreeSWITCH was restarted in those 4 s: since its start at most 30 events of all kinds were " +
      "fired, and at most 2 call legs began; what the former one did before its end is unknown",
  );
});

Deno.test("a link that is lost again before the first event makes one longer gap", () => {
  const rig = new Rig();
  rig.connect(ONE, 10);
  rig.event(event(100));
  rig.gaps.lost("cut", 0);
  rig.clock.advance(2_000);
  rig.connect(ONE, 15);
  rig.clock.advance(1_000);
  rig.gaps.lost("cut again", 0);
  rig.clock.advance(2_000);
  rig.connect(ONE, 17);
  rig.event(event(200));
  assert.equal(rig.gaps.count, 1);
  assert.equal(rig.gaps.last?.seconds, 5);
  assert.deepEqual(rig.numbers, [false, 99, 7]);
});

Deno.test("no call leg begins without an event", () => {
  const rig = new Rig();
  rig.connect(ONE, 10);
  // Of those that began since then, all but two were seen.
  rig.event(event(100));
  rig.gaps.lost("cut", 0);
  rig.connect(ONE, 70);
  assert.deepEqual(rig.numbers, [false, null, 60]);
  rig.event(event(103));
  assert.deepEqual(rig.numbers, [false, 2, 2]);
});

Deno.test("a restart between two losses without an event is still told", () => {
  const rig = new Rig();
  rig.connect(ONE, 10);
  rig.event(event(100));
  rig.gaps.lost("cut", 0);
  rig.connect(TWO, 1);
  rig.gaps.lost("cut again", 0);
  rig.connect(TWO, 2);
  rig.event(event(20));
  assert.deepEqual(rig.numbers, [true, 19, 2]);
});

Deno.test("what came of an attempt that failed later was not taken up to there", () => {
  const rig = new Rig();
  rig.connect(ONE, 10);
  rig.event(event(100));
  rig.gaps.lost("cut", 0);
  rig.gaps.identified(ONE);
  rig.gaps.callLegs(15);
  rig.event(event(200));
  rig.gaps.failed();
  rig.connect(ONE, 20);
  rig.event(event(300));
  assert.deepEqual(rig.numbers, [false, 199, 10]);
});

Deno.test("what was never heard is unknown, not 0", () => {
  const rig = new Rig();
  rig.connect(ONE, 4);
  rig.gaps.lost("cut", 0);
  rig.connect(ONE, 6);
  rig.event(event(300));
  assert.deepEqual(rig.numbers, [false, null, 2]);
  assert.match(
    rig.told[1] ?? "",
    /how many events were fired is unknown, and at most 2 call legs began/,
  );
});

Deno.test("another FreeSWITCH has no gap towards the one before", () => {
  const rig = new Rig();
  rig.connect(ONE, 4);
  rig.event(event(300));
  rig.gaps.reset();
  rig.connect(TWO, 9);
  rig.event(event(5));
  assert.deepEqual([rig.gaps.count, rig.told], [0, []]);
});

Deno.test("fsmqtt's own absence is a gap, by what the one before had heard", () => {
  const before = new Rig();
  before.connect(ONE, 10);
  before.event(event(100));
  before.event(beat(103, 12));
  before.event(event(102));
  const heard = before.gaps.heard();
  assert.deepEqual(heard, {
    coreUuid: ONE,
    until: "2026-11-22T12:00:00.000Z",
    sequence: 103,
    holes: 1,
    callLegs: 12,
  });
  const rig = new Rig();
  rig.clock.advance(60_000);
  rig.gaps.resume(heard);
  // Ended before FreeSWITCH was there: that is still what was heard.
  assert.deepEqual(rig.gaps.heard(), heard);
  rig.connect(ONE, 20);
  rig.event(event(204));
  assert.deepEqual(rig.numbers, [false, 101, 8]);
  assert.deepEqual(rig.told, [
    "FreeSWITCH's events of the last 60 s are missed: fsmqtt was not running",
    "Missed in those 60 s: at most 101 events of all kinds were fired, and at most 8 call legs began",
  ]);
});

Deno.test("ended while FreeSWITCH was away, what was missed from then on counts", () => {
  const rig = new Rig();
  rig.connect(ONE, 10);
  rig.event(event(100));
  rig.gaps.lost("cut", 0);
  rig.clock.advance(5_000);
  assert.deepEqual(rig.gaps.heard(), {
    coreUuid: ONE,
    until: "2026-11-22T12:00:00.000Z",
    sequence: 100,
    holes: 0,
    callLegs: 10,
  });
});

Deno.test("after an end without order nothing is claimed but that, and a restart", () => {
  for (const [core, restarted] of [[ONE, false], [TWO, true]] as const) {
    const rig = new Rig();
    rig.gaps.resume({ coreUuid: ONE });
    rig.connect(core, 20);
    rig.event(event(204));
    const { from, seconds } = rig.gaps.last ?? {};
    assert.deepEqual([from, seconds, rig.gaps.count], [null, null, 1]);
    assert.deepEqual(rig.numbers, restarted ? [true, 203, 20] : [false, null, null]);
    assert.match(rig.told[0] ?? "", /not ended in order .* nobody knows/);
    assert.equal(rig.told.length, restarted ? 2 : 1);
  }
});

Deno.test("in a real recording, cut anywhere, the bound holds", async () => {
  const url = new URL("../fixtures/esl/calls-json.esl", import.meta.url);
  const events = recordedEvents(await Deno.readFile(url));
  assert.ok(events.length > 30);
  for (const length of [1, 5, 20]) {
    for (let from = 1; from + length < events.length; from++) {
      const after = events.slice(from + length);
      const rig = new Rig();
      rig.connect(ONE, 0);
      events.slice(0, from).forEach((body) => rig.event(body));
      rig.gaps.lost("cut", 0);
      rig.connect(ONE, 0);
      after.forEach((body) => rig.event(body));
      const bound = rig.gaps.last?.events_at_most ?? -1;
      assert.ok(bound >= length, `cut at ${from}: at most ${bound}, and ${length} were missed`);
    }
  }
});
