/** What a broker sends in one packet is bounded, and a message beyond that does not come again. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import mqttPacket, { type IPublishPacket, type Packet } from "mqtt-packet";
import mqtt from "mqtt";
import { longMessage, MAX_RECEIVED_BYTES, PacketLimit } from "../../lib/mqtt/packet_limit.ts";
import type { TlsSettings } from "../../lib/tls/settings.ts";
import { Authority } from "../support/authority.ts";
import { freePort, mosquittoTest, startBroker } from "../support/broker.ts";
import { tlsSettings } from "../tls/settings_helper.ts";
import { ALL_QOS, options, Rig, text, VERSIONS } from "./harness.ts";
import { Peer, type PeerConnection, publish } from "./peer.ts";

const NUMBERS = { V31: 3, V311: 4, V5: 5 } as const;
const LONG = Buffer.alloc(MAX_RECEIVED_BYTES, "x");

/** A payload with which a PUBLISH for topic `c` at QoS 0 has that many bytes. */
const payloadOf = (packetBytes: number) => LONG.subarray(0, packetBytes - 4 - 3);

/** What passes, by chunks, and the error that it ended with. */
async function passed(
  chunks: Iterable<Uint8Array>,
  isV5 = false,
): Promise<{ bytes: Buffer; fault?: string }> {
  const limit = new PacketLimit(isV5);
  const parts: Buffer[] = [];
  limit.on("data", (part) => parts.push(part));
  const end = new Promise<{ fault?: string }>((resolve) => {
    limit.on("end", () => resolve({}));
    limit.on("error", ({ message }) => resolve({ fault: message }));
  });
  for (const chunk of chunks) limit.write(chunk);
  limit.end();
  return { ...await end, bytes: Buffer.concat(parts) };
}

function parsed(bytes: Buffer, protocolVersion: number): IPublishPacket[] {
  const packets: Packet[] = [];
  const parser = mqttPacket.parser({ protocolVersion });
  parser.on("packet", (packet: Packet) => packets.push(packet));
  parser.on("error", (error: Error) => {
    throw error;
  });
  assert.equal(parser.parse(bytes), 0);
  return packets as IPublishPacket[];
}

const generate = (packet: Packet, protocolVersion = 4) =>
  mqttPacket.generate(packet, { protocolVersion });

for (const version of VERSIONS) {
  const protocolVersion = NUMBERS[version];
  for (const qos of ALL_QOS) {
    Deno.test(`${version}, QoS ${qos}: a long PUBLISH is replaced, wherever it is cut`, async () => {
      const id = qos === 0 ? {} : { messageId: 0x1234 };
      const topic = `topic/${"é".repeat(150)}`;
      const short = generate({ cmd: "pingresp" });
      const flags = { qos, retain: true, dup: qos > 0, ...id };
      const long = generate(publish({ topic, payload: LONG, ...flags }), protocolVersion);
      const stream = Buffer.concat([short, long, short, short]);
      const cuts = Array.from({ length: 320 }, (_, i) => i).concat(
        stream.length - 6,
        stream.length - 5,
        stream.length - 4,
        stream.length - 3,
        stream.length - 1,
      );
      const one = await passed([stream], version === "V5");
      assert.equal(one.fault, undefined);
      const [before, standIn, ...after] = parsed(one.bytes, protocolVersion);
      assert.deepEqual([before, ...after].map((packet) => packet?.cmd), Array(3).fill("pingresp"));
      const { topic: none, messageId, retain, dup, payload } = standIn ?? assert.fail();
      assert.deepEqual([none, standIn?.qos, retain, dup], ["", qos, true, qos > 0]);
      assert.equal(messageId, qos === 0 ? undefined : 0x1234);
      const told = longMessage(payload as Buffer);
      assert.equal(told.length, long.length);
      assert.equal(told.topic, topic.slice(0, 6 + 97));
      for (const cut of cuts) {
        const other = await passed(
          [stream.subarray(0, cut), stream.subarray(cut)],
          version === "V5",
        );
        assert.equal(other.bytes.equals(one.bytes), true, `cut at ${cut}`);
      }
    });
  }
}

Deno.test("a packet may be as long as the limit, and passes untouched in any chunks", async () => {
  const whole = (bytes: number) =>
    generate(publish({ topic: "c", qos: 0, payload: payloadOf(bytes) }));
  const fits = whole(MAX_RECEIVED_BYTES);
  assert.equal(fits.length, MAX_RECEIVED_BYTES);
  const small = [0, 1, 100, 121, 122, 123, 16_370, 16_380, 16_390].map((length) =>
    generate(publish({ topic: "c", qos: 0, payload: LONG.subarray(0, length) }))
  );
  const stream = Buffer.concat([...small, fits, ...small]);
  for (const size of [7, 1021, 65_536, stream.length]) {
    const chunks: Buffer[] = [];
    for (let at = 0; at < stream.length; at += size) chunks.push(stream.subarray(at, at + size));
    assert.equal((await passed(chunks)).bytes.equals(stream), true);
  }
  const over = await passed([whole(MAX_RECEIVED_BYTES + 1)]);
  assert.deepEqual(
    longMessage(parsed(over.bytes, 4)[0]?.payload as Buffer),
    { length: MAX_RECEIVED_BYTES + 1, topic: "c" },
  );
});

for (
  const [what, bytes, fault] of [
    [
      "a packet of another kind",
      [0x90, 0xff, 0xff, 0xff, 0x7f],
      "the broker sends a packet of 268435460 bytes; the limit is 1 MiB",
    ],
    [
      "a length of five bytes",
      [0x90, 0xff, 0xff, 0xff, 0xff],
      "the broker sends a malformed packet",
    ],
    ["a PUBLISH with one", [0x30, 0xff, 0xff, 0xff, 0xff], "the broker sends a malformed packet"],
  ] as const
) {
  Deno.test(`${what} ends the connection at its head, and what came before is heard`, async () => {
    await using peer = await Peer.listen();
    await using rig = new Rig(options(peer.port));
    rig.connection.connect();
    const client = await peer.welcome();
    await rig.state("connected");
    const before = generate(publish({ topic: "c", payload: "before", messageId: 1 }));
    client.socket.write(Buffer.concat([before, Uint8Array.from(bytes)]));
    assert.equal(await rig.reason("waiting"), fault);
    await rig.until("the message", () => rig.received.length === 1);
    await client.ended();
  });
}

/** Sends a message of 1 MiB and more, and has it acknowledged. */
async function sendLong(client: PeerConnection, qos: 0 | 1 | 2, messageId: number): Promise<void> {
  const id = qos === 0 ? {} : { messageId };
  client.send(publish({ topic: "long", payload: LONG, qos, ...id }));
  if (qos === 1) assert.equal((await client.read("puback")).messageId, messageId);
  if (qos !== 2) return;
  assert.equal((await client.read("pubrec")).messageId, messageId);
  client.send({ cmd: "pubrel", messageId });
  assert.equal((await client.read("pubcomp")).messageId, messageId);
}

for (const protocolVersion of VERSIONS) {
  for (const qos of ALL_QOS) {
    Deno.test(`${protocolVersion}: long messages of QoS ${qos} are acknowledged and ignored, and told once`, async () => {
      await using peer = await Peer.listen(NUMBERS[protocolVersion]);
      // MQTT 3.1 does not say that a session is new, and this peer knows nothing of an old one.
      const cleanSession = protocolVersion === "V31";
      await using rig = new Rig(options(peer.port, { protocolVersion, cleanSession }));
      rig.connection.connect();
      const first = await peer.welcome();
      await rig.state("connected");
      for (const id of [1, 2]) await sendLong(first, qos, id);
      first.send(publish({ topic: "c", payload: "after", messageId: 3 }));
      await first.read("puback");
      await rig.until("the next one", () => rig.received.length === 1);
      const ignored = () => rig.logged("Ignored a message");
      assert.match(
        ignored().join("\n"),
        /^\[WARNING\] Ignored a message of 10485\d\d bytes on topic "long": the limit is 1 MiB$/,
      );
      first.destroy();
      const second = await peer.welcome({ sessionPresent: true });
      await rig.until("it is connected again", () => rig.logged("connected again").length === 1);
      await sendLong(second, qos, 4);
      await second.settled();
      await rig.until("it is told again", () => ignored().length === 2);
      await rig.until("the last one", () => rig.received.length === 2);
      assert.deepEqual(rig.received.map(({ topic }) => topic), ["c", "settled"]);
    });
  }
}

Deno.test("a long message of QoS 2 that is released after a reconnect stays ignored", async () => {
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port, { cleanSession: false }));
  rig.connection.connect();
  const first = await peer.welcome();
  first.send(publish({ topic: "long", payload: LONG, qos: 2, messageId: 9 }));
  await first.read("pubrec");
  assert.deepEqual(rig.logged("Ignored"), []);
  first.destroy();
  const second = await peer.welcome({ sessionPresent: true });
  await rig.state("connected");
  second.send({ cmd: "pubrel", messageId: 9 });
  await second.read("pubcomp");
  assert.equal(rig.logged('Ignored a message of 1048588 bytes on topic "long"').length, 1);
  await second.settled();
  await rig.until("the next one", () => rig.received.length === 1);
  assert.equal(rig.received[0]?.topic, "settled");
});

Deno.test("a broker of MQTT 5 is told the limit at CONNECT", async () => {
  await using peer = await Peer.listen(5);
  await using rig = new Rig(options(peer.port, { protocolVersion: "V5" }));
  rig.connection.connect();
  const client = await peer.accept();
  const { properties } = await client.read("connect");
  assert.equal(properties?.maximumPacketSize, 2 ** 20);
});

const WAYS: Readonly<Record<string, Partial<TlsSettings> | undefined>> = {
  TCP: undefined,
  "Deno's TLS": {},
  OpenSSL: { advancedOptions: true, optsCiphers: "ECDHE-ECDSA-AES256-GCM-SHA384" },
};

for (const [by, way] of Object.entries(WAYS)) {
  for (const protocolVersion of VERSIONS) {
    mosquittoTest(
      `${protocolVersion} over ${by}: mosquitto's long messages do not come again`,
      async () => {
        await using authority = await Authority.start();
        const { certfile, keyfile } = await authority.issue("broker", { names: ["DNS:localhost"] });
        const tlsPort = freePort();
        await using broker = await startBroker({
          lines: [`listener ${tlsPort} 127.0.0.1`, `certfile ${certfile}`, `keyfile ${keyfile}`],
        });
        const address = way === undefined
          ? {}
          : { host: "localhost", tls: tlsSettings({ cafile: authority.root.certfile, ...way }) };
        const port = way === undefined ? broker.port : tlsPort;
        const chosen = options(port, { protocolVersion, cleanSession: false, ...address });
        await using rig = new Rig(chosen);
        rig.connection.subscribe([{ filter: "c", qos: 2 }]);
        rig.connection.connect();
        await rig.state("connected");
        await rig.connection.disconnect("disconnected");
        const sender = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`);
        for (const qos of [1, 2] as const) {
          await sender.publishAsync("c", Buffer.alloc(3 * 2 ** 20), { qos });
          await sender.publishAsync("c", `${qos}`, { qos });
        }
        const came = () => rig.received.map(({ payload }) => text(payload));
        rig.connection.connect();
        await rig.until("the short ones", () => rig.received.length === 2);
        assert.deepEqual(came(), ["1", "2"]);
        // One that MQTT 5 lets the broker drop never came.
        const ignored = protocolVersion === "V5" ? 0 : 1;
        assert.equal(rig.logged("Ignored a message of 31457").length, ignored);
        await rig.connection.disconnect("disconnected");
        rig.connection.connect();
        await rig.state("connected");
        await sender.publishAsync("c", "last", { qos: 2 });
        await sender.endAsync();
        await rig.until("the last", () => rig.received.length === 3);
        assert.deepEqual(came(), ["1", "2", "last"]);
        assert.equal(rig.logged("Ignored a message").length, ignored);
      },
    );
  }
}
