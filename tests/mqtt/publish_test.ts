import assert from "node:assert/strict";
import { mosquittoTest, startBroker } from "../support/broker.ts";
import { ALL_QOS, message, numbers, options, Rig, VERSIONS, Witness } from "./harness.ts";

for (const protocolVersion of VERSIONS) {
  for (const qos of ALL_QOS) {
    mosquittoTest(
      `${protocolVersion} publishes at QoS ${qos}, in order and at that QoS`,
      async () => {
        await using broker = await startBroker();
        await using witness = await Witness.start(broker.port);
        await using rig = new Rig(options(broker.port, { protocolVersion }));
        rig.connection.connect();
        rig.offer("t", numbers(1, 300), qos);
        assert.deepEqual(await witness.count("t", 300), numbers(1, 300));
        assert.ok(witness.received.every((one) => one.qos === qos));
        await rig.acknowledged(300);
        assert.deepEqual(rig.queue.books, {
          offered: 300,
          acknowledged: 300,
          inFlight: 0,
          queued: 0,
          dropped: {},
        });
      },
    );
  }
}

mosquittoTest("a payload goes out byte for byte, be it UTF-8 or not, empty or long", async () => {
  await using broker = await startBroker();
  await using witness = await Witness.start(broker.port, { protocolVersion: 5 });
  const long = crypto.getRandomValues(new Uint8Array(60_000));
  const payloads = [
    Uint8Array.of(0x63, 0x61, 0x66, 0xe9),
    Uint8Array.of(0, 0xff, 0xfe, 0xc0, 0x80),
    new Uint8Array(),
    new Uint8Array(await new Blob(Array.from({ length: 5 }, () => long)).arrayBuffer()),
    // A view into a larger buffer.
    new TextEncoder().encode("before-middle-after").subarray(7, 13),
  ];
  await using rig = new Rig(options(broker.port, { protocolVersion: "V5" }));
  rig.connection.connect();
  for (const payload of payloads) {
    for (const qos of ALL_QOS) rig.queue.offer(message(`t${qos}`, payload, { qos }));
  }
  for (const qos of ALL_QOS) {
    await witness.count(`t${qos}`, payloads.length);
    const received = witness.received.filter(({ topic }) => topic === `t${qos}`);
    assert.deepEqual(received.map(({ payload }) => new Uint8Array(payload)), payloads);
  }
});

mosquittoTest("the broker keeps a message with the retain flag, and no other", async () => {
  await using broker = await startBroker();
  await using rig = new Rig(options(broker.port));
  rig.connection.connect();
  for (const qos of ALL_QOS) {
    rig.queue.offer(message(`kept/${qos}`, "k", { qos, retain: true }));
    rig.queue.offer(message(`live/${qos}`, "l", { qos }));
  }
  await rig.acknowledged(6);
  await rig.connection.disconnect("disconnected");
  await using witness = await Witness.start(broker.port);
  await witness.caughtUp();
  const stored = witness.received.filter(({ retain }) => retain);
  assert.deepEqual(stored.map(({ topic }) => topic).sort(), ["kept/0", "kept/1", "kept/2"]);
});

mosquittoTest("each message that the broker has counts on its topic's counter", async () => {
  await using broker = await startBroker();
  await using rig = new Rig(options(broker.port));
  rig.connection.connect();
  const messages = ALL_QOS.map((qos) => message("t", "x", { qos }));
  for (const one of messages) rig.queue.offer(one);
  await rig.acknowledged(3);
  assert.deepEqual(messages.map(({ counter }) => counter.messages), [1, 1, 1]);
});

mosquittoTest(
  "drained resolves when everything is delivered, and at once without a broker",
  async () => {
    await using broker = await startBroker();
    await using rig = new Rig(options(broker.port));
    rig.offer("t", numbers(1, 10));
    await rig.connection.drained();
    assert.equal(rig.queue.length, 10);
    rig.connection.connect();
    await rig.state("connected");
    rig.offer("t", numbers(11, 200), 2);
    rig.offer("t", numbers(201, 210), 0);
    await rig.connection.drained();
    assert.equal(rig.queue.books.acknowledged, 210);
  },
);
