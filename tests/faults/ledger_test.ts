import assert from "node:assert/strict";
import type { ConnectionStatus } from "../../lib/control/status.ts";
import { Ledger } from "./ledger.ts";
import { imbalance, judge } from "./outcome.ts";
import { Random } from "./random.ts";

function event(core: string, sequence: number): Uint8Array {
  const headers = { "Event-Name": "CODEC", "Core-UUID": core, "Event-Sequence": `${sequence}` };
  return new TextEncoder().encode(JSON.stringify(headers));
}

function receive(ledger: Ledger, core: string, ...sequences: readonly number[]): void {
  for (const sequence of sequences) ledger.receive(event(core, sequence), 0);
}

function books(changed: Partial<ConnectionStatus>): ConnectionStatus {
  const none = { offered: 0, acknowledged: 0, in_flight: 0, queued: 0, dropped: {} };
  return { ...none, ...changed } as ConnectionStatus;
}

Deno.test("a ledger tells the lost, the repeated, the late and the unknown", () => {
  const ledger = new Ledger();
  ledger.fire("a", 1, 3, 0);
  ledger.fire("a", 7, 9, 10);
  receive(ledger, "a", 1, 3, 2, 2, 5, 7, 9);
  const { fired, received, lost, repeated, outOfOrder, unknown } = ledger.tally();
  assert.deepEqual({ fired, received, lost, repeated, outOfOrder, unknown }, {
    fired: 6,
    received: 5,
    lost: 1,
    repeated: 1,
    outOfOrder: 1,
    unknown: 1,
  });
});

Deno.test("what the broker sent twice was not repeated by the agent", () => {
  const ledger = new Ledger();
  ledger.fire("a", 1, 2, 0);
  receive(ledger, "a", 1, 1);
  // Of a first receipt it means nothing.
  for (const sequence of [1, 2]) ledger.receive(event("a", sequence), 0, true);
  const { received, repeated, resent } = ledger.tally();
  assert.deepEqual({ received, repeated, resent }, { received: 2, repeated: 1, resent: 1 });
});

Deno.test("the numbers of another core are other events", () => {
  const ledger = new Ledger();
  ledger.fire("a", 1, 2, 0);
  ledger.fire("b", 1, 2, 5);
  receive(ledger, "a", 1, 2);
  receive(ledger, "b", 1);
  const { lost, repeated, outOfOrder } = ledger.tally();
  assert.deepEqual({ lost, repeated, outOfOrder }, { lost: 1, repeated: 0, outOfOrder: 0 });
  assert.equal(ledger.hasLast, false);
  receive(ledger, "b", 2);
  assert.equal(ledger.hasLast, true);
});

Deno.test("only what is lost within an excused time is excused", () => {
  const ledger = new Ledger();
  for (let i = 1; i <= 5; i++) ledger.fire("a", i, i, i * 100);
  receive(ledger, "a", 3);
  ledger.excuse(200, 400, "reason", 450);
  const { lost, excused, oldestExcusedMs } = ledger.tally();
  assert.deepEqual({ lost, excused, oldestExcusedMs }, {
    lost: 4,
    excused: { reason: 2 },
    oldestExcusedMs: 250,
  });
});

Deno.test("what a broker acknowledged is the broker's", () => {
  const ledger = new Ledger();
  ledger.fire("a", 1, 3, 0);
  receive(ledger, "a", 1);
  for (const sequence of [1, 2]) ledger.acknowledged({ core: "a", sequence });
  assert.deepEqual(ledger.tally().excused, { "forgotten by the broker": 1 });
});

Deno.test("a large sequence finds room", () => {
  const ledger = new Ledger();
  ledger.fire("a", 100_000, 100_001, 0);
  receive(ledger, "a", 100_001, 100_000);
  assert.deepEqual([ledger.received, ledger.tally().outOfOrder], [2, 1]);
});

Deno.test("a lane is judged by what it lost, dropped, repeated and offered", () => {
  const ledger = new Ledger();
  ledger.fire("a", 1, 4, 0);
  receive(ledger, "a", 1, 2, 2);
  const tally = ledger.tally();
  const dropped = books({ offered: 4, acknowledged: 2, dropped: { queue_full: 2 } });
  assert.deepEqual(judge(1, tally, dropped, { drops: "counted" }), []);
  assert.deepEqual(judge(2, tally, dropped, { drops: "counted" }), [
    "1 events came again at QoS 2",
  ]);
  assert.equal(judge(1, tally, dropped, {}).length, 2);
  const short = books({ offered: 4, acknowledged: 3, dropped: { queue_full: 1 } });
  assert.equal(judge(1, tally, short, { drops: "counted" }).length, 1);
  const few = books({ offered: 3, acknowledged: 1, dropped: { queue_full: 2 } });
  assert.equal(judge(1, tally, few, { drops: "counted" }).length, 1);
});

Deno.test("books balance or do not", () => {
  const balanced = { offered: 10, acknowledged: 4, in_flight: 3, queued: 2, dropped: { a: 1 } };
  assert.equal(imbalance(books(balanced)), undefined);
  assert.match(imbalance(books({ ...balanced, queued: 3 })) ?? "", /do not balance/);
});

Deno.test("randomness is the same for the same seed", () => {
  const draw = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 1_000 }, () => random.between(3, 5));
  };
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
  assert.deepEqual([...new Set(draw(7))].sort(), [3, 4, 5]);
});
