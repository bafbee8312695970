/** A FreeSWITCH that has stopped reading can go on sending events for ever. */

import assert from "node:assert/strict";
import { Secret } from "../../lib/secret.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { openConnection, Peer, test } from "./helper.ts";

const EVENT = "Content-Length: 2\nContent-Type: text/event-json\n\n{}";
const REPLY = "Content-Type: command/reply\nReply-Text: +OK\n\n";

async function opened(peer: Peer, clock: ManualClock) {
  const endpoint = { host: "127.0.0.1", port: peer.port, password: new Secret("x") };
  const [connection] = await Promise.all([openConnection(endpoint, { clock }), peer.welcome()]);
  return connection;
}

/** Lets an event come each second, for so many seconds. */
async function stream(
  seconds: number,
  { peer, clock, events }: {
    peer: Peer;
    clock: ManualClock;
    events: Awaited<ReturnType<typeof opened>>["events"];
  },
): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    const index = events.all.length;
    clock.advance(1_000);
    await peer.send(EVENT);
    await events.at(index);
  }
}

test("an answer that is late by 60 s while events come ends the connection", async () => {
  using peer = new Peer();
  const clock = new ManualClock();
  using connection = await opened(peer, clock);
  const { events, closed } = connection;
  const answer = connection.connection.command("event json ALL");
  const failed = assert.rejects(answer, {
    kind: "lost",
    message: 'FreeSWITCH did not answer "event" within 60 s',
  });
  await stream(59, { peer, clock, events });
  assert.deepEqual(closed.all, []);
  clock.advance(1_000);
  await failed;
  assert.equal((await closed.at(0)).kind, "lost");
});

test("a burst that holds answers back by 59 s does not, nor do many commands in a row", async () => {
  using peer = new Peer();
  const clock = new ManualClock();
  using connection = await opened(peer, clock);
  const { events, closed } = connection;
  const answers = ["a", "b", "c"].map((word) => connection.connection.command(`event ${word}`));
  for (const answer of answers) {
    await stream(59, { peer, clock, events });
    await peer.send(REPLY);
    assert.equal((await answer).text, "+OK");
  }
  assert.deepEqual(closed.all, []);
});

test("a peer that never reads is found though nothing can be written to it", async () => {
  using peer = new Peer();
  const clock = new ManualClock();
  using connection = await opened(peer, clock);
  const { events, closed } = connection;
  // More than the kernel holds for a socket, so that the last is not even sent.
  const big = "x".repeat(1024 * 1024);
  const answers = Array.from({ length: 16 }, () => connection.connection.command(`bgapi ${big}`));
  const failed = Promise.all(answers.map((answer) => assert.rejects(answer, { kind: "lost" })));
  await stream(59, { peer, clock, events });
  assert.deepEqual(closed.all, []);
  clock.advance(1_000);
  await failed;
  assert.equal(closed.all.length, 1);
});
