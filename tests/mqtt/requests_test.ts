import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import mqtt, { type IClientPublishOptions } from "mqtt";
import { requestProperties } from "../../lib/mqtt/properties.ts";
import { mosquittoTest, startBroker } from "../support/broker.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { ALL_QOS, options, Rig, text } from "./harness.ts";
import { Peer, publish } from "./peer.ts";

const REQUEST = {
  responseTopic: "replies/é",
  correlationData: Buffer.from([0, 0xff, 0xfe, 0x0a]),
  messageExpiryInterval: 3_600,
};

/** What a rig was told of its messages, with plain bytes; a broker may round the time down. */
function requests({ received }: Rig) {
  return received.map(({ payload, correlationData, expirySeconds, ...rest }) => ({
    payload: text(payload),
    ...rest,
    ...(correlationData === undefined ? {} : { correlationData: [...correlationData] }),
    ...(expirySeconds === undefined
      ? {}
      : { expirySeconds: expirySeconds === 3_599 ? 3_600 : expirySeconds }),
  }));
}

/** Publishes once as a client of MQTT 5. */
async function request(
  port: number,
  payload: string,
  chosen: IClientPublishOptions,
): Promise<void> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5 });
  await client.publishAsync("c", payload, chosen);
  await client.endAsync();
}

for (const qos of ALL_QOS) {
  mosquittoTest(`V5: a request of QoS ${qos} says where and how it wants its answer`, async () => {
    await using broker = await startBroker();
    await using rig = new Rig(options(broker.port, { protocolVersion: "V5" }));
    rig.connection.subscribe([{ filter: "c", qos }]);
    rig.connection.connect();
    await rig.state("connected");
    await request(broker.port, "with", { qos, properties: REQUEST });
    await rig.until("the first", () => rig.received.length === 1);
    await request(broker.port, "without", { qos });
    await rig.until("both", () => rig.received.length === 2);
    const rest = { topic: "c", retained: false, repeated: false };
    assert.deepEqual(requests(rig), [
      {
        ...rest,
        payload: "with",
        responseTopic: "replies/é",
        correlationData: [0, 0xff, 0xfe, 0x0a],
        expirySeconds: 3_600,
      },
      { ...rest, payload: "without" },
    ]);
  });

  mosquittoTest(`V311: a request of QoS ${qos} says nothing of an answer`, async () => {
    await using broker = await startBroker();
    await using rig = new Rig(options(broker.port, { protocolVersion: "V311" }));
    rig.connection.subscribe([{ filter: "c", qos }]);
    rig.connection.connect();
    await rig.state("connected");
    await request(broker.port, "x", { qos, properties: REQUEST });
    await rig.until("it", () => rig.received.length === 1);
    assert.deepEqual(requests(rig), [
      { topic: "c", payload: "x", retained: false, repeated: false },
    ]);
  });

  if (qos === 0) continue;
  mosquittoTest(
    `what waited in the broker at QoS ${qos} still says what it asked for`,
    async () => {
      await using broker = await startBroker();
      await using rig = new Rig(
        options(broker.port, { protocolVersion: "V5", cleanSession: false }),
      );
      rig.connection.subscribe([{ filter: "c", qos }]);
      rig.connection.connect();
      await rig.state("connected");
      await rig.connection.disconnect("disconnected");
      await request(broker.port, "x", { qos, properties: REQUEST });
      rig.connection.connect();
      await rig.until("it", () => rig.received.length === 1);
      const [{ responseTopic, correlationData, expirySeconds = 0 } = assert.fail()] = rig.received;
      assert.equal(responseTopic, "replies/é");
      assert.deepEqual([...correlationData ?? []], [0, 0xff, 0xfe, 0x0a]);
      assert.ok(expirySeconds > 3_500 && expirySeconds <= 3_600);
    },
  );
}

Deno.test("at QoS 2 a request is kept whole over a reconnect, and grows no younger by it", async () => {
  const clock = new ManualClock();
  await using peer = await Peer.listen(5);
  const chosen = options(peer.port, { protocolVersion: "V5", cleanSession: false });
  await using rig = new Rig(chosen, { clock });
  rig.connection.connect();
  const first = await peer.welcome();
  const request = (messageId: number, messageExpiryInterval: number) =>
    publish({
      topic: "c",
      payload: String(messageId),
      qos: 2,
      messageId,
      properties: { ...REQUEST, messageExpiryInterval },
    });
  first.send(request(1, 100));
  first.send(request(2, 10));
  first.send(publish({ topic: "c", payload: "3", qos: 2, messageId: 3 }));
  for (let i = 0; i < 3; i++) await first.read("pubrec");
  first.destroy();
  await rig.reason("waiting");
  clock.advance(60_500);
  const second = await peer.welcome({ sessionPresent: true });
  for (const messageId of [1, 2, 3]) {
    second.send({ cmd: "pubrel", messageId });
    await second.read("pubcomp");
  }
  await rig.until("all", () => rig.received.length === 3);
  const rest = { topic: "c", retained: false, repeated: false };
  const asked = { responseTopic: "replies/é", correlationData: [0, 0xff, 0xfe, 0x0a] };
  assert.deepEqual(requests(rig), [
    { ...rest, payload: "1", ...asked, expirySeconds: 40 },
    { ...rest, payload: "2", ...asked, expirySeconds: 0 },
    { ...rest, payload: "3" },
  ]);
});

Deno.test("what a sender says is handed on as it is, be it of no use", async () => {
  await using peer = await Peer.listen(5);
  await using rig = new Rig(options(peer.port, { protocolVersion: "V5" }));
  rig.connection.connect();
  const client = await peer.welcome();
  const said = [
    { responseTopic: "replies/#" },
    { responseTopic: "+" },
    { responseTopic: "" },
    { responseTopic: "$SYS/x" },
    { correlationData: Buffer.alloc(0) },
    { correlationData: Buffer.alloc(65_535) },
    { messageExpiryInterval: 0 },
    { messageExpiryInterval: 0xffff_ffff },
  ];
  for (const [index, properties] of said.entries()) {
    client.send(publish({ topic: "c", messageId: index + 1, properties }));
  }
  await rig.until("all", () => rig.received.length === said.length);
  assert.deepEqual(
    rig.received.map(({ responseTopic }) => responseTopic).slice(0, 4),
    ["replies/#", "+", "", "$SYS/x"],
  );
  assert.deepEqual(
    rig.received.map(({ correlationData }) => correlationData?.length).slice(4, 6),
    [0, 65_535],
  );
  assert.deepEqual(
    rig.received.map(({ expirySeconds }) => expirySeconds).slice(6),
    [0, 0xffff_ffff],
  );
});

for (
  const properties of [
    { responseTopic: ["a", "b"] },
    { correlationData: [Buffer.from("a"), Buffer.from("b")] },
    { messageExpiryInterval: [1, 2] },
  ]
) {
  const [name] = Object.keys(properties);
  Deno.test(`a message that says its ${name} twice is acknowledged, and goes no further`, async () => {
    await using peer = await Peer.listen(5);
    await using rig = new Rig(options(peer.port, { protocolVersion: "V5" }));
    rig.connection.connect();
    const client = await peer.welcome();
    await rig.state("connected");
    for (const qos of [0, 1, 2] as const) {
      client.send(
        publish({ topic: "c", payload: "bad", qos, messageId: 5, properties: properties as never }),
      );
    }
    await client.read("puback");
    await client.read("pubrec");
    client.send({ cmd: "pubrel", messageId: 5 });
    await client.read("pubcomp");
    client.send(publish({ topic: "c", payload: "good", messageId: 6 }));
    await rig.until("the good one", () => rig.received.length > 0);
    assert.deepEqual(rig.received.map(({ payload }) => text(payload)), ["good"]);
    assert.deepEqual(rig.logged("WARNING"), [
      '[WARNING] Ignored a message on "c": its properties are malformed',
    ]);
  });
}

Deno.test("properties that were cut short are malformed", () => {
  // MQTT.js reads them so where their length leads beyond the packet.
  for (
    const parsed of [
      { responseTopic: null },
      { correlationData: null },
      { messageExpiryInterval: -1 },
    ]
  ) assert.equal(requestProperties(parsed), undefined);
  assert.deepEqual(requestProperties(undefined), {});
  assert.deepEqual(requestProperties({ userProperties: { responseTopic: "x" } }), {});
});

Deno.test("a message under a topic alias is not taken, since none was offered", async () => {
  await using peer = await Peer.listen(5);
  await using rig = new Rig(options(peer.port, { protocolVersion: "V5" }));
  rig.connection.connect();
  const first = await peer.accept();
  const { properties } = await first.read("connect");
  assert.equal(properties?.topicAliasMaximum, undefined);
  first.accept();
  await rig.state("connected");
  first.send(publish({ topic: "c", messageId: 1, properties: { topicAlias: 1 } }));
  await first.ended();
  const second = await peer.welcome();
  second.send(publish({ topic: "", messageId: 1, properties: { topicAlias: 1 } }));
  await second.ended();
  assert.deepEqual(rig.received, []);
  assert.ok(rig.logged("no Topic Alias Maximum was advertised").length > 0);
});
