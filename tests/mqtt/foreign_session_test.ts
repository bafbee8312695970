import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect } from "node:net";
import mqttPacket from "mqtt-packet";
import { mosquittoTest, startBroker } from "../support/broker.ts";
import { numbers, options, Rig, text, Witness } from "./harness.ts";
import { Peer } from "./peer.ts";

/** Begins to publish at QoS 2 as a process does that is killed: no PUBREL follows. */
async function leaveHalfSent(port: number, clientId: string, version: 4 | 5, ids: number[]) {
  const socket = connect({ host: "127.0.0.1", port });
  const parser = mqttPacket.parser({ protocolVersion: version });
  let answered = 0;
  const allAnswered = new Promise<void>((resolve) => {
    parser.on("packet", ({ cmd }) => {
      if (cmd === "pubrec" && ++answered === ids.length) resolve();
    });
  });
  socket.on("data", (data) => parser.parse(Buffer.from(data)));
  const send = (packet: mqttPacket.Packet) =>
    socket.write(mqttPacket.generate(packet, { protocolVersion: version }));
  send({
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: version,
    clientId,
    clean: false,
    keepalive: 0,
    ...(version === 5 ? { properties: { sessionExpiryInterval: 1000 } } : {}),
  });
  for (const messageId of ids) {
    const payload = `old ${messageId}`;
    send({ cmd: "publish", topic: "t", payload, qos: 2, messageId, dup: false, retain: false });
  }
  await allAnswered;
  socket.destroy();
  await once(socket, "close");
}

for (const [protocolVersion, version] of [["V311", 4], ["V5", 5]] as const) {
  mosquittoTest(
    `${protocolVersion}: QoS 2 that a killed process left half sent is released, and blocks nothing`,
    async () => {
      await using broker = await startBroker();
      await using witness = await Witness.start(broker.port);
      const clientId = "lasting";
      await leaveHalfSent(
        broker.port,
        clientId,
        version,
        Array.from({ length: 20 }, (_, i) => i + 1),
      );

      await using rig = new Rig(
        options(broker.port, { protocolVersion, clientId, cleanSession: false }),
      );
      rig.connection.connect();
      await rig.state("connected");
      rig.offer("t", numbers(1, 200), 2);
      await rig.acknowledged(200);
      await rig.until("all came", () => witness.received.length >= 220);
      const texts = witness.received.map(({ payload }) => text(payload));
      assert.deepEqual(texts.filter((each) => !each.startsWith("old")), numbers(1, 200));
      assert.equal(texts.filter((each) => each.startsWith("old")).length, 20);
      assert.equal(rig.connection.reconnects, 0);
    },
  );
}

Deno.test("a release that was cut off is made up for at the next connection", async () => {
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port, { cleanSession: false, sendMaximum: 1 }));
  rig.connection.connect();
  const first = await peer.welcome({ sessionPresent: true });
  await first.read("pubrel");
  first.destroy();
  const second = await peer.welcome({ sessionPresent: true });
  const { messageId = 0 } = await second.read("pubrel");
  assert.equal(messageId, 1);
  await rig.until("the last", () => second.packets.at(-1)?.messageId === 201);
  second.send({ cmd: "pubcomp", messageId: 201 });
  rig.offer("t", ["new"]);
  await rig.until("PUBLISH", () => second.packets.at(-1)?.cmd === "publish");
  second.destroy();
  // Once is enough.
  const third = await peer.welcome({ sessionPresent: true });
  await third.read("publish");
});
