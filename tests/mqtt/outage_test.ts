import assert from "node:assert/strict";
import { freePort, mosquittoTest, startBroker } from "../support/broker.ts";
import { numbers, options, Rig, VERSIONS, Witness } from "./harness.ts";
import { Peer } from "./peer.ts";

/** Mosquitto keeps QoS 0 messages for a subscriber that is away only if it is told to. */
const KEEPS_ALL = { lines: ["queue_qos0_messages true", "max_queued_messages 0"] };

mosquittoTest("what is offered before the broker is there arrives once it is", async () => {
  await using broker = await startBroker(KEEPS_ALL);
  await using witness = await Witness.lasting(broker.port);
  await broker.stop();
  await using rig = new Rig(options(broker.port));
  rig.connection.connect();
  rig.offer("t", numbers(1, 50), 0);
  rig.offer("t", numbers(51, 100), 0);
  await rig.reason("waiting");
  assert.equal(rig.queue.length, 100);
  await broker.start();
  assert.deepEqual(await witness.count("t", 100), numbers(1, 100));
  await rig.acknowledged(100);
});

for (const protocolVersion of VERSIONS) {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const what =
      `${protocolVersion}: a broker ended by ${signal} and started again while events come`;

    // What it acknowledged before SIGKILL, it may have forgotten.
    const keeps = signal === "SIGTERM";

    mosquittoTest(`${what}: at QoS 1 all ${keeps ? "arrive, in order" : "are taken"}`, async () => {
      await using broker = await startBroker();
      await using rig = new Rig(options(broker.port, { protocolVersion }));
      await using witness = await Witness.lasting(broker.port);
      rig.connection.connect();
      const sent = await publishOverOutages(
        rig,
        () => broker.stop(signal),
        () => broker.start(),
        1,
      );
      await rig.acknowledged(sent);
      if (!keeps) return;
      const received = await witness.payload("t", String(sent));
      assert.deepEqual(firstTimes(received), numbers(1, sent));
      assert.equal(rig.connection.reconnects, 3);
    });
  }

  mosquittoTest(
    `${protocolVersion}: in a lasting session QoS 2 arrives exactly once over restarts`,
    async () => {
      await using broker = await startBroker(KEEPS_ALL);
      await using rig = new Rig(options(broker.port, { protocolVersion, cleanSession: false }));
      // Away meanwhile: how mosquitto and it come through a restart is not what is tested.
      await (await Witness.lasting(broker.port))[Symbol.asyncDispose]();
      rig.connection.connect();
      const sent = await publishOverOutages(rig, () => broker.stop(), () => broker.start(), 2);
      await rig.acknowledged(sent);
      await using witness = await Witness.lasting(broker.port);
      await witness.payload("t", String(sent));
      await witness.caughtUp();
      assert.deepEqual(witness.payloads("t"), numbers(1, sent));
    },
  );
}

mosquittoTest(
  "at QoS 0 nothing comes twice, and what is offered during the outage arrives",
  async () => {
    await using broker = await startBroker(KEEPS_ALL);
    await using rig = new Rig(options(broker.port));
    await using witness = await Witness.lasting(broker.port);
    rig.connection.connect();
    await rig.state("connected");
    rig.offer("t", numbers(1, 100), 0);
    await witness.count("t", 100);
    await broker.stop();
    await rig.until("the loss seen", () => rig.connection.state.state !== "connected");
    rig.offer("t", numbers(101, 200), 0);
    assert.equal(rig.queue.length, 100);
    await broker.start();
    assert.deepEqual(await witness.count("t", 200), numbers(1, 200));
    await rig.acknowledged(200);
  },
);

mosquittoTest(
  "nothing is written to a socket that has broken, and whose end is still to be told",
  async () => {
    await using peer = await Peer.listen();
    await using rig = new Rig(options(peer.port, { sendMaximum: 1 }));
    rig.connection.connect();
    const first = await peer.welcome();
    await rig.state("connected");
    rig.offer("t", ["1", "2"], 1);
    rig.offer("t", ["3", "4"], 0);
    const { messageId = 0 } = await first.read("publish");
    // The acknowledgement makes room; the unreadable rest breaks the connection before it is used.
    first.socket.write(Uint8Array.of(0x40, 2, messageId >> 8, messageId & 0xff, 0x60, 2, 0, 1));
    const second = await peer.welcome();
    const next = await second.read("publish");
    second.send({ cmd: "puback", messageId: next.messageId ?? 0 });
    await second.read("publish");
    await second.read("publish");
    const payloads = second.packets.flatMap((packet) =>
      packet.cmd === "publish" ? [String(packet.payload)] : []
    );
    assert.deepEqual(payloads, ["2", "3", "4"]);
    await rig.acknowledged(4);
  },
);

mosquittoTest(
  "a connection that is told to go and come is made again, and delivers what it kept",
  async () => {
    await using broker = await startBroker();
    await using witness = await Witness.start(broker.port);
    await using rig = new Rig(options(broker.port));
    rig.connection.connect();
    await rig.state("connected");
    await rig.connection.disconnect("disconnected");
    assert.equal(rig.connection.state.state, "disconnected");
    rig.offer("t", numbers(1, 10));
    assert.equal(rig.queue.length, 10);
    rig.connection.connect();
    await rig.acknowledged(10);
    // Told to go, and to come at once, and to go, and to come.
    const first = rig.connection.disconnect("disabled");
    rig.connection.connect();
    const second = rig.connection.disconnect("disabled");
    rig.connection.connect();
    await Promise.all([first, second]);
    await rig.state("connected");
    rig.offer("t", numbers(11, 20));
    await rig.acknowledged(20);
    assert.deepEqual(await witness.count("t", 20), numbers(1, 20));
    assert.deepEqual(rig.logged("WARNING"), []);
  },
);

mosquittoTest("a connection may be ended at any stage of an attempt", async () => {
  const port = freePort();
  await using rig = new Rig(options(port));
  for (let turn = 0; turn < 20; turn++) {
    rig.connection.connect();
    for (let i = 0; i < turn; i++) await new Promise((resolve) => setImmediate(resolve));
    await rig.connection.disconnect("disabled");
    assert.equal(rig.connection.state.state, "disabled");
  }
  await using broker = await startBroker();
  await using other = new Rig(options(broker.port));
  for (let turn = 0; turn < 20; turn++) {
    other.connection.connect();
    for (let i = 0; i < turn; i++) await new Promise((resolve) => setImmediate(resolve));
    await other.connection.disconnect("disabled");
    assert.equal(other.connection.state.state, "disabled");
  }
  other.connection.connect();
  await other.state("connected");
});

/** Publishes numbers while the broker goes and returns three times; returns how many. */
async function publishOverOutages(
  rig: Rig,
  stop: () => Promise<void>,
  start: () => Promise<void>,
  qos: 1 | 2,
): Promise<number> {
  await rig.state("connected");
  let sent = 0;
  const offerSome = (count: number) => {
    rig.offer("t", numbers(sent + 1, sent + count), qos);
    sent += count;
  };
  for (let outage = 0; outage < 3; outage++) {
    const before = rig.queue.books.acknowledged;
    offerSome(300);
    await rig.acknowledged(before + 40);
    const stopped = stop();
    offerSome(50);
    await stopped;
    await rig.until("the loss seen", () => rig.connection.state.state !== "connected");
    offerSome(50);
    await start();
    await rig.state("connected");
  }
  offerSome(1);
  return sent;
}

/** Each payload where it stands first. */
function firstTimes(payloads: readonly string[]): string[] {
  return [...new Set(payloads)];
}
