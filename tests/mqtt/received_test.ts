import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { DeliveryMemory } from "../../lib/mqtt/deliveries.ts";
import { options, Rig, text } from "./harness.ts";
import { Peer, type PeerConnection, publish } from "./peer.ts";

/** What a rig has received, as "payload" or "payload repeated". */
function received({ received }: Rig): string[] {
  return received.map(({ payload, repeated }) => `${text(payload)}${repeated ? " repeated" : ""}`);
}

for (const qos of [1, 2] as const) {
  Deno.test(`at QoS ${qos} a message is acknowledged on the wire before it is handed on`, async () => {
    await using peer = await Peer.listen();
    const { port } = peer;
    const clients: PeerConnection[] = [];
    const acknowledgement = qos === 1 ? "puback" : "pubcomp";
    const early: string[] = [];
    await using rig = new Rig(options(port), {
      onReceived({ payload }) {
        const isRead = clients[0]?.packets.some((packet) =>
          packet.cmd === acknowledgement && String(packet.messageId) === text(payload)
        );
        if (isRead !== true && unreadBytes(port) === 0) early.push(text(payload));
      },
    });
    rig.connection.connect();
    const client = await peer.welcome();
    clients.push(client);
    for (let messageId = 1; messageId <= 20; messageId++) {
      client.send(publish({ topic: "c", payload: String(messageId), messageId, qos }));
      if (qos === 2) {
        await client.read("pubrec");
        client.send({ cmd: "pubrel", messageId });
      }
      await client.read(acknowledgement);
    }
    await rig.until("all", () => rig.received.length === 20);
    assert.deepEqual(early, []);
  });
}

/** Bytes that have come to sockets of a local port and that nobody has read yet. */
function unreadBytes(port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")} `;
  return Deno.readTextFileSync("/proc/net/tcp").split("\n")
    .filter((line) => line.slice(0, 20).includes(local))
    .reduce(
      (sum, line) => sum + parseInt(line.trim().split(/\s+/)[4]?.split(":")[1] ?? "0", 16),
      0,
    );
}

for (const [version, number] of [["V311", 4], ["V5", 5]] as const) {
  Deno.test(`${version}: a delivery whose acknowledgement was lost is repeated, another one is not`, async () => {
    await using peer = await Peer.listen(number);
    await using rig = new Rig(
      options(peer.port, { protocolVersion: version, cleanSession: false }),
    );
    rig.connection.connect();
    const first = await peer.welcome({ sessionPresent: false });
    first.send(publish({ topic: "c", payload: "one", messageId: 1 }));
    first.send(publish({ topic: "c", payload: "two", messageId: 2 }));
    await rig.until("both", () => rig.received.length === 2);
    first.destroy();
    const second = await peer.welcome({ sessionPresent: true });
    second.send(publish({ topic: "c", payload: "one", messageId: 1, dup: true }));
    // The broker has reused the identifier of an acknowledged one, and its first try was lost.
    second.send(publish({ topic: "c", payload: "three", messageId: 2, dup: true }));
    second.send(publish({ topic: "d", payload: "one", messageId: 3, dup: true }));
    // Without DUP it is a message of its own, be it equal.
    second.send(publish({ topic: "c", payload: "three", messageId: 2 }));
    await rig.until("all", () => rig.received.length === 6);
    assert.deepEqual(received(rig), ["one", "two", "one repeated", "three", "one", "three"]);
  });
}

Deno.test("in a session that is older than this process a DUP may be a repetition, so it is one", async () => {
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port, { cleanSession: false }));
  rig.connection.connect();
  const first = await peer.welcome({ sessionPresent: true });
  first.send(publish({ topic: "c", payload: "old", messageId: 1, dup: true }));
  first.send(publish({ topic: "c", payload: "new", messageId: 2 }));
  await rig.until("both", () => rig.received.length === 2);
  first.destroy();
  const second = await peer.welcome({ sessionPresent: true });
  // Identifier 2 was used in this process: what it carries now was sent for the first time since.
  second.send(publish({ topic: "c", payload: "later", messageId: 2, dup: true }));
  second.send(publish({ topic: "c", payload: "unknown", messageId: 3, dup: true }));
  // At QoS 2 nothing is handed on before its release, after which it never comes again.
  second.send(publish({ topic: "c", payload: "once", messageId: 4, dup: true, qos: 2 }));
  await rig.until("PUBREC", () => second.packets.some(({ cmd }) => cmd === "pubrec"));
  second.send({ cmd: "pubrel", messageId: 4 });
  await rig.until("all", () => rig.received.length === 5);
  assert.deepEqual(received(rig), ["old repeated", "new", "later", "unknown repeated", "once"]);
});

Deno.test("a refusal of the broker says nothing about its session", async () => {
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port, { cleanSession: false }));
  rig.connection.connect();
  const first = await peer.welcome({ sessionPresent: true });
  first.send(publish({ topic: "c", payload: "run me once", messageId: 1 }));
  await rig.until("the first", () => rig.received.length === 1);
  first.destroy();
  await peer.welcome({ returnCode: 3 });
  const third = await peer.welcome({ sessionPresent: true });
  third.send(publish({ topic: "c", payload: "run me once", messageId: 1, dup: true }));
  await rig.until("the second", () => rig.received.length === 2);
  assert.deepEqual(received(rig), ["run me once", "run me once repeated"]);
});

Deno.test("a new session knows nothing of the old one's identifiers", async () => {
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port));
  rig.connection.connect();
  const first = await peer.welcome();
  first.send(publish({ topic: "c", payload: "x", messageId: 1 }));
  await rig.until("the first", () => rig.received.length === 1);
  first.destroy();
  const second = await peer.welcome({ sessionPresent: false });
  second.send(publish({ topic: "c", payload: "x", messageId: 1, dup: true }));
  await rig.until("the second", () => rig.received.length === 2);
  assert.deepEqual(received(rig), ["x", "x"]);
});

Deno.test("at QoS 2 a message is handed on once, wherever the connection breaks", async () => {
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port, { cleanSession: false }));
  rig.connection.connect();
  const delivery = publish({ topic: "c", payload: "x", qos: 2, messageId: 9 });
  const first = await peer.welcome();
  first.send(delivery);
  await first.read("pubrec");
  first.send(delivery);
  await first.read("pubrec");
  assert.equal(rig.received.length, 0);
  first.destroy();
  // PUBREC was lost: it comes again.
  const second = await peer.welcome({ sessionPresent: true });
  second.send({ ...delivery, dup: true });
  await second.read("pubrec");
  second.destroy();
  // PUBREC arrived: only the release comes.
  const third = await peer.welcome({ sessionPresent: true });
  third.send({ cmd: "pubrel", messageId: 9 });
  await third.read("pubcomp");
  third.destroy();
  // PUBCOMP was lost: the release comes again.
  const fourth = await peer.welcome({ sessionPresent: true });
  fourth.send({ cmd: "pubrel", messageId: 9 });
  await fourth.read("pubcomp");
  assert.deepEqual(received(rig), ["x"]);
});

Deno.test("what an ended session had not released is forgotten with it", async () => {
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port, { cleanSession: false }));
  rig.connection.connect();
  const first = await peer.welcome();
  first.send(publish({ topic: "c", payload: "old", qos: 2, messageId: 9 }));
  await first.read("pubrec");
  first.destroy();
  const second = await peer.welcome({ sessionPresent: false });
  second.send({ cmd: "pubrel", messageId: 9 });
  await second.read("pubcomp");
  assert.deepEqual(rig.received, []);
});

Deno.test("a payload is handed on byte for byte", async () => {
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port));
  rig.connection.connect();
  const client = await peer.welcome();
  const bytes = Buffer.from([0, 0xff, 0xe9, 0x0a]);
  for (const qos of [0, 1, 2] as const) {
    client.send(publish({ topic: "c", payload: bytes, qos, messageId: 5 + qos }));
  }
  await client.read("puback");
  const { messageId } = await client.read("pubrec");
  client.send({ cmd: "pubrel", messageId: messageId ?? 0 });
  await rig.until("all", () => rig.received.length === 3);
  for (const { payload } of rig.received) assert.deepEqual([...payload], [...bytes]);
});

Deno.test("the memory of deliveries tells by identifier, topic and payload together", () => {
  const memory = new DeliveryMemory();
  memory.connected(false);
  const at = (messageId: number, topic: string, body: string, dup: boolean) =>
    memory.isRepeated({ messageId, topic, dup, payload: new TextEncoder().encode(body) });
  assert.equal(at(1, "ab", "c", false), false);
  assert.equal(at(1, "a", "bc", true), false);
  assert.equal(at(1, "a", "bc", true), true);
  assert.equal(at(1, "a", "bc", false), false);
  assert.equal(at(2, "a", "bc", true), false);
  memory.connected(true);
  assert.equal(at(2, "a", "bc", true), true);
  memory.connected(false);
  assert.equal(at(2, "a", "bc", true), false);
});
