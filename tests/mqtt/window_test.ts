import assert from "node:assert/strict";
import type { IConnackPacket } from "mqtt-packet";
import { message, numbers, options, Rig } from "./harness.ts";
import { Peer, type PeerConnection } from "./peer.ts";

type Limits = NonNullable<IConnackPacket["properties"]>;

/** A rig of MQTT 5 at a peer that has told its limits. */
async function limited(
  peer: Peer,
  properties: Limits,
  sendMaximum = 20,
): Promise<{ rig: Rig; client: PeerConnection }> {
  const rig = new Rig(options(peer.port, { protocolVersion: "V5", sendMaximum }));
  rig.connection.connect();
  const client = await peer.welcome({ properties });
  await rig.state("connected");
  return { rig, client };
}

/** The payloads of the messages that came. */
function published(client: PeerConnection): string[] {
  return client.packets.flatMap((packet) =>
    packet.cmd === "publish" ? [String(packet.payload)] : []
  );
}

for (
  const [what, sendMaximum, receiveMaximum] of [
    ["send_maximum", 3, 65_535],
    ["the broker's receive maximum", 20, 3],
  ] as const
) {
  Deno.test(`never more messages are on their way than ${what}`, async () => {
    await using peer = await Peer.listen(5);
    const { rig, client } = await limited(peer, { receiveMaximum }, sendMaximum);
    await using _ = rig;
    rig.offer("t", numbers(1, 5), 1);
    rig.offer("t", numbers(6, 10), 2);
    for (let done = 0; done < 10; done++) {
      const expected = Math.min(done + 3, 10);
      await rig.until("the next message", () => published(client).length >= expected);
      await client.settled();
      assert.deepEqual(published(client), numbers(1, expected));
      assert.equal(rig.queue.inFlight, expected - done);
      const packet = client.packets.filter(({ cmd }) => cmd === "publish")[done];
      const { messageId = 0 } = packet ?? {};
      if (done < 5) {
        client.send({ cmd: "puback", messageId });
      } else {
        // PUBREC gives no place back, PUBCOMP does.
        client.send({ cmd: "pubrec", messageId });
        await rig.until(
          "PUBREL",
          () => client.packets.some((one) => one.cmd === "pubrel" && one.messageId === messageId),
        );
        await client.settled();
        assert.equal(published(client).length, expected);
        client.send({ cmd: "pubcomp", messageId });
      }
    }
    await rig.acknowledged(10);
  });
}

Deno.test("QoS 0 needs no place in the window, but keeps its place in the queue", async () => {
  await using peer = await Peer.listen(5);
  const { rig, client } = await limited(peer, {}, 1);
  await using _ = rig;
  rig.offer("t", ["first"], 1);
  rig.offer("t", ["second"], 0);
  rig.offer("t", ["third"], 1);
  rig.offer("t", ["fourth"], 0);
  await rig.until("two messages", () => published(client).length >= 2);
  await client.settled();
  assert.deepEqual(published(client), ["first", "second"]);
  const first = client.packets.find(({ cmd }) => cmd === "publish");
  client.send({ cmd: "puback", messageId: first?.messageId ?? 0 });
  await rig.until("all", () => published(client).length === 4);
  assert.deepEqual(published(client), ["first", "second", "third", "fourth"]);
  client.destroy();
});

for (const maximumQoS of [0, 1] as const) {
  Deno.test(`a broker that takes QoS ${maximumQoS} at most gets no higher one`, async () => {
    await using peer = await Peer.listen(5);
    const { rig, client } = await limited(peer, { maximumQoS });
    await using _ = rig;
    for (const qos of [0, 1, 2] as const) rig.offer("t", [`asked for ${qos}`], qos);
    await rig.until("all", () => published(client).length === 3);
    const sent = client.packets.flatMap((packet) => packet.cmd === "publish" ? [packet] : []);
    assert.deepEqual(sent.map(({ qos }) => qos), [0, maximumQoS, maximumQoS]);
    for (const { qos, messageId = 0 } of sent) {
      if (qos > 0) client.send({ cmd: "puback", messageId });
    }
    await rig.acknowledged(3);
  });
}

Deno.test("a broker that stores no messages gets none to store", async () => {
  await using peer = await Peer.listen(5);
  const { rig, client } = await limited(peer, { retainAvailable: false });
  await using _ = rig;
  rig.queue.offer(message("t", "x", { qos: 0, retain: true }));
  assert.equal((await client.read("publish")).retain, false);
});

for (const qos of [0, 1] as const) {
  // The packet's own length takes one byte more from 128 on, and from 16,384 on.
  for (const length of [119, 120, 121, 122, 16_375, 16_376, 16_377, 16_378]) {
    Deno.test(`a packet of QoS ${qos} as long as the broker takes goes, one byte more does not: ${length}`, async () => {
      await using peer = await Peer.listen(5);
      const { rig, client } = await limited(peer, {});
      rig.queue.offer(message("tö", new Uint8Array(length), { qos }));
      const packet = await client.read("publish");
      const { length: remaining = 0 } = packet;
      const bytes = 1 + (remaining > 16_383 ? 3 : remaining > 127 ? 2 : 1) + remaining;
      client.destroy();
      await rig[Symbol.asyncDispose]();

      for (const [maximumPacketSize, goes] of [[bytes, true], [bytes - 1, false]] as const) {
        const again = await limited(peer, { maximumPacketSize });
        await using _ = again.rig;
        again.rig.queue.offer(message("tö", new Uint8Array(length), { qos }));
        again.rig.queue.offer(message("tö", new Uint8Array(length), { qos }));
        again.rig.queue.offer(message("t", "short", { qos }));
        await again.rig.until("the short one", () => published(again.client).includes("short"));
        assert.equal(published(again.client).length, goes ? 3 : 1);
        assert.equal(again.rig.queue.books.dropped.too_large, goes ? undefined : 2);
        // Told once.
        assert.equal(again.rig.logged("broker takes packets of at most").length, goes ? 0 : 1);
        again.client.destroy();
      }
    });
  }
}

Deno.test("a message that a broker of MQTT 5 refuses is counted, told once, and not sent again", async () => {
  await using peer = await Peer.listen(5);
  const { rig, client } = await limited(peer, {});
  await using _ = rig;
  rig.offer("t", ["a", "b"], 1);
  rig.offer("t", ["c"], 2);
  rig.offer("t", ["d", "e"], 1);
  for (const reply of ["puback", "puback", "pubrec"] as const) {
    const { messageId = 0 } = await client.read("publish");
    client.send({ cmd: reply, messageId, reasonCode: 135 });
  }
  const fourth = await client.read("publish");
  client.send({ cmd: "puback", messageId: fourth.messageId ?? 0, reasonCode: 153 });
  // "No matching subscribers" is no refusal.
  const fifth = await client.read("publish");
  client.send({ cmd: "puback", messageId: fifth.messageId ?? 0, reasonCode: 16 });
  await rig.acknowledged(1);
  assert.deepEqual(rig.queue.books.dropped, { refused: 4 });
  assert.equal(rig.logged('The broker refused a message for "t": Not authorized').length, 1);
  assert.equal(
    rig.logged('The broker refused a message for "t": Payload format invalid').length,
    1,
  );
});

Deno.test("a message for which a broker of MQTT 5 has no room at present is sent again later", async () => {
  await using peer = await Peer.listen(5);
  const { rig, client } = await limited(peer, {});
  await using _ = rig;
  rig.offer("t", ["a"], 1);
  const { messageId = 0 } = await client.read("publish");
  client.send({ cmd: "puback", messageId, reasonCode: 151 });
  await client.ended();
  const again = await peer.welcome();
  const repeated = await again.read("publish");
  assert.equal(String(repeated.payload), "a");
  again.send({ cmd: "puback", messageId: repeated.messageId ?? 0 });
  await rig.acknowledged(1);
  assert.deepEqual(rig.queue.books.dropped, {});
  assert.match(rig.logged("quota is exceeded").join(), /next attempt/);
});

Deno.test("a message larger than the queue is told as that, not as a full queue", async () => {
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port), { limits: { messages: 1, bytes: 1_000 } });
  for (let i = 0; i < 3; i++) rig.queue.offer(message("t", new Uint8Array(2_000)));
  assert.deepEqual(rig.queue.books.dropped, { too_large: 3 });
  assert.equal(rig.logged("[WARNING] Dropped a message of 2000 bytes").length, 1);
  assert.equal(rig.logged("queue is full").length, 0);
});
