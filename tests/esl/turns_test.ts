/** How much is read at once, and when reading waits. */

import assert from "node:assert/strict";
import { EslConnection } from "../../lib/esl/connection.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { endpointOf, Peer, test } from "./helper.ts";

const EVENT = `Content-Length: 9000\nContent-Type: text/event-json\n\n${"x".repeat(9000)}`;
const EVENTS = 600;
/** What one turn may read: 256 KiB, and what the last read brings beyond that. */
const TURN_EVENTS = (2 * 256 * 1024) / EVENT.length;

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A connection to a FreeSWITCH that sends all at once; `counts` holds what each turn has read. */
async function flooded(isAhead: () => boolean) {
  const peer = new Peer();
  const clock = new ManualClock();
  const counts = { events: 0, inTurn: 0 };
  const [connection] = await Promise.all([
    EslConnection.open(endpointOf(peer), {
      event: () => {
        counts.events++;
        counts.inTurn++;
      },
      isAhead,
      tooLong: () => {},
      closed: () => {},
    }, { clock }),
    peer.welcome(),
  ]);
  const timers = clock.timersSet;
  const sent = peer.send(EVENT.repeat(EVENTS));
  const end = async () => {
    await sent;
    connection.close();
    peer[Symbol.dispose]();
  };
  return { clock, counts, timers, end };
}

test("where events go on more slowly than they come, the next read waits for a moment", async () => {
  const { clock, counts, timers, end } = await flooded(() => true);
  for (let waits = 1; counts.events < EVENTS - TURN_EVENTS; waits++) {
    await clock.timers(timers + waits);
    const before = counts.events;
    for (let i = 0; i < 10; i++) await turn();
    assert.equal(counts.events, before, "nothing is read meanwhile");
    clock.advance(1);
    assert.ok(before <= waits * TURN_EVENTS, `${before} events in ${waits} turns`);
  }
  while (counts.events < EVENTS) {
    clock.advance(1);
    await turn();
  }
  await end();
});

test("however much there is to read, all else has its turn between", async () => {
  let isAhead = true;
  const { clock, counts, timers, end } = await flooded(() => isAhead);
  // Meanwhile the system has taken all that it takes.
  await clock.timers(timers + 1);
  for (let i = 0; i < 100; i++) await turn();
  isAhead = false;
  clock.advance(1);
  let most = 0;
  while (counts.events < EVENTS) {
    counts.inTurn = 0;
    await turn();
    most = Math.max(most, counts.inTurn);
  }
  assert.ok(most <= TURN_EVENTS, `${most} events in one turn`);
  await end();
});
