import assert from "node:assert/strict";
import { MqttSession } from "../../lib/mqtt/session.ts";
import { SessionMemory } from "../../lib/mqtt/session_memory.ts";
import { EventQueue } from "../../lib/queue/event_queue.ts";
import { mosquittoTest, startBroker } from "../support/broker.ts";
import { ALL_QOS, numbers, options, Rig, until, VERSIONS, Witness } from "./harness.ts";
import { Peer } from "./peer.ts";

const will = (qos: 0 | 1 | 2, retain = false) => ({
  topic: "will",
  payload: "gone é",
  qos,
  retain,
});

for (const protocolVersion of VERSIONS) {
  for (const qos of ALL_QOS) {
    const what = `${protocolVersion} with a will of QoS ${qos}`;

    mosquittoTest(`${what}: an orderly end publishes it exactly once`, async () => {
      await using broker = await startBroker();
      await using witness = await Witness.start(broker.port);
      await using rig = new Rig(options(broker.port, { protocolVersion, will: will(qos) }));
      rig.connection.connect();
      await rig.state("connected");
      // Both are told to end it, as when a profile is switched off while the agent stops.
      await Promise.all([
        rig.connection.disconnect("disabled"),
        rig.connection.disconnect("disconnected"),
      ]);
      await rig.connection.disconnect("disabled");
      await witness.caughtUp();
      assert.deepEqual(witness.payloads("will"), ["gone é"]);
      assert.equal(witness.received[0]?.qos, qos);
    });
  }
}

mosquittoTest("a connection that is cut leaves the will to the broker", async () => {
  await using broker = await startBroker();
  await using witness = await Witness.start(broker.port);
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const connected = Promise.withResolvers<void>();
  const chosen = options(broker.port, { will: will(1, true) });
  const session = new MqttSession(
    { host: "127.0.0.1", port: broker.port },
    chosen,
    new SessionMemory(chosen, new EventQueue({ limits: { messages: 1, bytes: 1 } })),
    {
      accepted: () => {},
      connected: () => connected.resolve(),
      message: () => {},
      tooLong: () => {},
      drained: () => {},
      settled: () => {},
      closed: () => resolve(),
    },
  );
  await connected.promise;
  session.destroy();
  await closed;
  assert.deepEqual(await witness.count("will", 1), ["gone é"]);
  await using late = await Witness.start(broker.port);
  await late.count("will", 1);
  assert.equal(late.received[0]?.retain, true);
});

mosquittoTest("what is in flight is delivered before the will", async () => {
  await using broker = await startBroker();
  await using witness = await Witness.start(broker.port);
  await using rig = new Rig(options(broker.port, { will: will(1), sendMaximum: 10 }));
  rig.connection.connect();
  await rig.state("connected");
  rig.offer("t", numbers(1, 1_000));
  await rig.acknowledged(1);
  await rig.connection.disconnect("disconnected");
  await witness.caughtUp();
  const { acknowledged, inFlight, queued } = rig.queue.books;
  assert.equal(inFlight, 0);
  assert.ok(queued > 0, "the queue was not to be emptied first");
  assert.deepEqual(witness.payloads("t"), numbers(1, acknowledged));
  const topics = witness.received.map(({ topic }) => topic).filter((topic) =>
    topic !== "witness/mark"
  );
  assert.equal(topics.indexOf("will"), topics.length - 1);
});

mosquittoTest("nothing is published behind the will, and no event is lost by trying", async () => {
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port, { will: will(2) }));
  rig.connection.connect();
  const client = await peer.welcome();
  await rig.state("connected");
  const ended = rig.connection.disconnect("disconnected");
  const { messageId = 0 } = await client.read("publish");
  rig.offer("t", numbers(1, 10), 0);
  rig.offer("t", numbers(1, 10), 1);
  client.send({ cmd: "pubrec", messageId });
  await client.read("pubrel");
  client.send({ cmd: "pubcomp", messageId });
  await client.read("disconnect");
  client.socket.end();
  await ended;
  assert.equal(client.packets.length, 4);
  assert.equal(rig.queue.length, 20);
});

mosquittoTest("a full window is emptied before the will, which needs a place in it", async () => {
  await using peer = await Peer.listen(5);
  await using rig = new Rig(options(peer.port, { protocolVersion: "V5", will: will(1) }));
  rig.connection.connect();
  const client = await peer.welcome({ properties: { receiveMaximum: 2 } });
  await rig.state("connected");
  rig.offer("t", numbers(1, 3));
  const first = await client.read("publish");
  const second = await client.read("publish");
  const ended = rig.connection.disconnect("disconnected");
  client.send({ cmd: "puback", messageId: first.messageId ?? 0 });
  await client.settled();
  assert.deepEqual(client.packets.map(({ cmd }) => cmd), [
    "connect",
    "publish",
    "publish",
    "puback",
  ]);
  client.send({ cmd: "puback", messageId: second.messageId ?? 0 });
  await client.read("puback");
  assert.equal((await client.read("publish")).topic, "will");
  await client.read("disconnect");
  client.socket.end();
  await ended;
});

for (const qos of [0, 1, 2] as const) {
  mosquittoTest(
    `a frozen broker gets a will of QoS ${qos} once all the same, and holds nobody up`,
    async () => {
      await using broker = await startBroker();
      await using witness = await Witness.start(broker.port);
      await using rig = new Rig(options(broker.port, { will: will(qos) }));
      rig.connection.connect();
      await rig.state("connected");
      broker.freeze(true);
      await rig.connection.disconnect("disconnected");
      broker.freeze(false);
      await until("the will", () => witness.payloads("will").length > 0);
      await witness.caughtUp();
      assert.deepEqual(witness.payloads("will"), ["gone é"]);
    },
  );
}

mosquittoTest(
  "a message that crosses DISCONNECT is not taken, since it cannot be acknowledged",
  async () => {
    await using peer = await Peer.listen();
    await using rig = new Rig(options(peer.port));
    rig.connection.connect();
    const client = await peer.welcome();
    await rig.state("connected");
    client.lingers = true;
    const ended = rig.connection.disconnect("disconnected");
    await client.read("disconnect");
    client.send({
      cmd: "publish",
      topic: "c",
      payload: "x",
      qos: 1,
      messageId: 7,
      dup: false,
      retain: false,
    });
    client.socket.end();
    await ended;
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(client.packets.map(({ cmd }) => cmd), ["connect", "disconnect"]);
    assert.deepEqual(rig.received, []);
  },
);
