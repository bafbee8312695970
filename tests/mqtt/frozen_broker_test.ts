import assert from "node:assert/strict";
import { mosquittoTest, startBroker } from "../support/broker.ts";
import { message, numbers, options, Rig, Witness } from "./harness.ts";

const KILOBYTE = new Uint8Array(1_000);

for (const qos of [0, 1, 2] as const) {
  mosquittoTest(
    `QoS ${qos} to a frozen broker: the queue stays bounded, and drains after the thaw`,
    async () => {
      await using broker = await startBroker();
      await using other = await startBroker();
      await using rig = new Rig(options(broker.port), { limits: { messages: 100, bytes: 1e9 } });
      await using undisturbed = new Rig(options(other.port));
      rig.connection.connect();
      undisturbed.connection.connect();
      await rig.state("connected");
      await undisturbed.state("connected");
      broker.freeze(true);
      // More than the kernel holds for a socket.
      let offered = 0;
      await rig.until("a full queue", () => {
        for (let i = 0; i < 500; i++, offered++) {
          rig.queue.offer(message("t", KILOBYTE, { qos }));
        }
        return (rig.queue.books.dropped.queue_full ?? 0) >= 100;
      });
      assert.ok(rig.queue.length <= 100);
      assert.equal(rig.logged("The queue is full with 100 events").length, 1);
      undisturbed.offer("t", numbers(1, 100));
      await undisturbed.acknowledged(100);

      broker.freeze(false);
      await rig.until("an empty queue", () => rig.queue.length === 0 && rig.queue.inFlight === 0);
      const { acknowledged, dropped } = rig.queue.books;
      assert.equal(acknowledged + (dropped.queue_full ?? 0), offered);
      const told = rig.logged("The queue is empty again");
      assert.match(told[0] ?? "", new RegExp(`; ${dropped.queue_full} events were dropped`));
      assert.equal(told.length, 1);
    },
  );
}

mosquittoTest("keepalive finds a frozen broker, and all arrives after the thaw", async () => {
  await using broker = await startBroker();
  await using rig = new Rig(options(broker.port, { keepalive: 1 }));
  await using witness = await Witness.lasting(broker.port);
  rig.connection.connect();
  await rig.state("connected");
  broker.freeze(true);
  rig.offer("t", numbers(1, 100));
  await rig.until("the loss seen", () => rig.logged("no sign of life within keepalive").length > 0);
  assert.equal(rig.queue.books.offered, 100);
  broker.freeze(false);
  await rig.acknowledged(100);
  assert.deepEqual([...new Set(await witness.payload("t", "100"))], numbers(1, 100));
});

mosquittoTest(
  "a frozen broker that is killed: at QoS 0 only what a socket took is missing",
  async () => {
    await using broker = await startBroker();
    await using rig = new Rig(options(broker.port));
    rig.connection.connect();
    await rig.state("connected");
    broker.freeze(true);
    const padding = " ".repeat(1_000);
    let count = 0;
    // One in a turn, so that each is a write of its own; until the socket takes no more.
    while (rig.queue.length < 2_000) {
      rig.offer("t", [`${++count}${padding}`], 0);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(rig.queue.inFlight > 1);
    await broker.stop("SIGKILL");
    await rig.until("the loss seen", () => rig.connection.state.state !== "connected");
    const { acknowledged, queued, inFlight } = rig.queue.books;
    assert.equal(inFlight, 0);
    assert.equal(acknowledged + queued, count);
    // All that waited behind the write under way has come back.
    assert.ok(queued >= 2_000);
    await rig.connection.disconnect("disconnected");
    await broker.start();
    await using witness = await Witness.lasting(broker.port);
    rig.connection.connect();
    await rig.acknowledged(count);
    await witness.count("t", queued);
    const received = witness.payloads("t").map((payload) => payload.trim());
    assert.deepEqual(received, numbers(acknowledged + 1, count));
  },
);
