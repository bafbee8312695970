import assert from "node:assert/strict";
import { InFlightStore } from "../../lib/mqtt/in_flight.ts";
import { EventQueue } from "../../lib/queue/event_queue.ts";
import { message, numbers, options, Rig } from "./harness.ts";
import { Peer, type PeerConnection } from "./peer.ts";

/** What was published, with DUP marked. */
function published(client: PeerConnection): string[] {
  return client.packets.flatMap((packet) =>
    packet.cmd === "publish" ? [`${packet.payload}${packet.dup ? " again" : ""}`] : []
  );
}

/** Answers each PUBLISH and PUBREL from here on. */
async function answer(client: PeerConnection, until: () => boolean, rig: Rig): Promise<void> {
  let next = 1;
  await rig.until("all answered", () => {
    for (; next < client.packets.length; next++) {
      const packet = client.packets[next];
      const messageId = packet?.messageId ?? 0;
      if (packet?.cmd === "publish" && packet.qos === 1) client.send({ cmd: "puback", messageId });
      if (packet?.cmd === "publish" && packet.qos === 2) client.send({ cmd: "pubrec", messageId });
      if (packet?.cmd === "pubrel") client.send({ cmd: "pubcomp", messageId });
    }
    return until();
  });
}

for (const [version, number] of [["V311", 4], ["V5", 5]] as const) {
  Deno.test(`${version}: in a session that goes on, what is unacknowledged comes again with DUP, in order, before the rest`, async () => {
    await using peer = await Peer.listen(number);
    await using rig = new Rig(
      options(peer.port, { protocolVersion: version, cleanSession: false, sendMaximum: 4 }),
    );
    rig.connection.connect();
    const first = await peer.welcome();
    rig.offer("t", numbers(11, 16));
    await rig.until("a full window", () => published(first).length === 4);
    const ids = first.packets.slice(1).map(({ messageId }) => messageId);
    first.send({ cmd: "puback", messageId: ids[1] ?? 0 });
    await rig.until("the fifth", () => published(first).length === 5);
    first.destroy();
    const second = await peer.welcome({ sessionPresent: true });
    await answer(second, () => rig.queue.books.acknowledged === 6, rig);
    assert.deepEqual(published(second), ["11 again", "13 again", "14 again", "15 again", "16"]);
    assert.deepEqual(
      second.packets.slice(1, 4).map(({ messageId }) => messageId),
      [ids[0], ids[2], ids[3]],
    );
  });

  Deno.test(`${version}: in a new session it is sent as new, for the broker has forgotten it`, async () => {
    await using peer = await Peer.listen(number);
    await using rig = new Rig(
      options(peer.port, { protocolVersion: version, cleanSession: false }),
    );
    rig.connection.connect();
    const first = await peer.welcome();
    rig.offer("t", ["1", "2"], 2);
    rig.offer("t", ["3"], 1);
    const { messageId = 0 } = await first.read("publish");
    first.send({ cmd: "pubrec", messageId });
    await rig.until("PUBREL", () => first.packets.some(({ cmd }) => cmd === "pubrel"));
    first.destroy();
    const second = await peer.welcome({ sessionPresent: false });
    await second.read("publish");
    second.destroy();
    // This session the broker keeps, but it never said that it has the first message.
    const third = await peer.welcome({ sessionPresent: true });
    await answer(third, () => rig.queue.books.acknowledged === 3, rig);
    assert.deepEqual(published(second), ["1"]);
    assert.deepEqual(published(third), ["1 again", "2 again", "3 again"]);
  });

  Deno.test(`${version}: what the broker has received at QoS 2 is only released, not sent again`, async () => {
    await using peer = await Peer.listen(number);
    await using rig = new Rig(
      options(peer.port, { protocolVersion: version, cleanSession: false }),
    );
    rig.connection.connect();
    const first = await peer.welcome();
    rig.offer("t", ["1", "2", "3"], 2);
    await rig.until("all", () => published(first).length === 3);
    const { messageId = 0 } = await first.read("publish");
    first.send({ cmd: "pubrec", messageId });
    await rig.until("PUBREL", () => first.packets.some(({ cmd }) => cmd === "pubrel"));
    first.destroy();
    const second = await peer.welcome({ sessionPresent: true });
    assert.equal((await second.read("pubrel")).messageId, messageId);
    // It had heard of the release before, and has forgotten the identifier: no refusal.
    second.send({ cmd: "pubcomp", messageId, reasonCode: version === "V5" ? 0x92 : 0 });
    await answer(second, () => rig.queue.books.acknowledged === 3, rig);
    assert.deepEqual(published(second), ["2 again", "3 again"]);
    assert.deepEqual(rig.queue.books.dropped, {});
  });
}

Deno.test("V31: a broker that does not tell of its session is taken to keep it when asked to", async () => {
  for (const cleanSession of [false, true]) {
    await using peer = await Peer.listen(3);
    await using rig = new Rig(options(peer.port, { protocolVersion: "V31", cleanSession }));
    rig.connection.connect();
    const first = await peer.welcome();
    // What another process may have left in the session is released first.
    for (let id = 1; !cleanSession && id <= 220; id++) {
      assert.equal((await first.read("pubrel")).messageId, id);
      first.send({ cmd: "pubcomp", messageId: id });
    }
    rig.offer("t", ["1"], 2);
    const { messageId = 0 } = await first.read("publish");
    first.send({ cmd: "pubrec", messageId });
    await first.read("pubrel");
    first.destroy();
    const second = await peer.welcome();
    await second.read(cleanSession ? "publish" : "pubrel");
    second.destroy();
  }
});

Deno.test("a connection that breaks during the resend loses nothing and keeps the order", async () => {
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port, { cleanSession: false, sendMaximum: 5 }));
  rig.connection.connect();
  let client = await peer.welcome();
  rig.offer("t", numbers(1, 8));
  await rig.until("a full window", () => published(client).length === 5);
  for (let broken = 1; broken <= 4; broken++) {
    client.destroy();
    client = await peer.welcome({ sessionPresent: true });
    const { messageId = 0, payload } = await client.read("publish");
    assert.equal(String(payload), String(broken));
    client.send({ cmd: "puback", messageId });
    await rig.acknowledged(broken);
    // What comes meanwhile waits behind it.
    rig.offer("t", [String(8 + broken)]);
  }
  client.destroy();
  client = await peer.welcome({ sessionPresent: true });
  await answer(client, () => rig.queue.books.acknowledged === 12, rig);
  assert.deepEqual(published(client), ["5 again", ...numbers(6, 12)]);
});

Deno.test("the end of a connection at rest takes back what was in flight, in order", async () => {
  await using peer = await Peer.listen();
  const rig = new Rig(options(peer.port, { sendMaximum: 3 }));
  rig.connection.connect();
  const client = await peer.welcome();
  rig.offer("t", numbers(1, 5));
  await rig.until("a full window", () => published(client).length === 3);
  const closed = rig.connection.close();
  client.destroy();
  await closed;
  assert.equal(rig.queue.inFlight, 0);
  const left = Array.from({ length: 5 }, () => rig.queue.take());
  assert.deepEqual(
    left.map((one) => new TextDecoder().decode(one?.payload)),
    numbers(1, 5),
  );
});

Deno.test("a message whose packet identifier is in use is not taken", () => {
  const ended: string[] = [];
  const queue = new EventQueue({ limits: { messages: 10, bytes: 10_000 } });
  const store = new InFlightStore(queue, { remembers: false });
  store.tells(({ topic }, refusal) => ended.push(`${topic} ${refusal}`));
  const put = (topic: string, messageId: number) =>
    store.track(message(topic, "x"), () => store.put({ cmd: "publish", messageId }, () => {}));
  assert.equal(put("a", 1), true);
  assert.equal(put("b", 1), false);
  assert.equal(put("c", 2), true);
  // A client that is ending stores nothing.
  assert.equal(store.track(message("d", "x"), () => {}), false);
  assert.equal(store.size, 2);
  store.markRefused(2, "no");
  store.del({ messageId: 1 }, () => {});
  store.del({ messageId: 2 }, () => {});
  store.del({ messageId: 2 }, () => {});
  assert.deepEqual(ended, ["a undefined", "c no"]);
});
