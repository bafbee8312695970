import assert from "node:assert/strict";
import { mosquittoTest, startBroker } from "../support/broker.ts";
import { message, numbers, options, Rig, text, Witness } from "./harness.ts";

const BIG = "x".repeat(3_500);

const brokers = [
  { protocolVersion: "V311", line: "max_packet_size 1000", qos: 1 },
  { protocolVersion: "V311", line: "max_packet_size 1000", qos: 2 },
  // mosquitto answers with a reason code that MQTT.js takes for a malformed packet.
  { protocolVersion: "V5", line: "message_size_limit 1000", qos: 1 },
] as const;

for (const { protocolVersion, line, qos } of brokers) {
  mosquittoTest(
    `${protocolVersion}, ${line}: a message of QoS ${qos} that the broker never takes is given up`,
    async () => {
      await using broker = await startBroker({ lines: [line] });
      await using witness = await Witness.start(broker.port);
      await using rig = new Rig(options(broker.port, { protocolVersion }));
      rig.connection.connect();
      await rig.state("connected");
      rig.queue.offer(message("t", BIG, { qos }));
      rig.offer("t", numbers(1, 50), qos);
      await rig.acknowledged(50);
      assert.deepEqual(rig.queue.books.dropped, { refused: 1 });
      assert.equal(rig.logged("Gave up a message of 3500 bytes").length, 1);
      await rig.until(
        "all came",
        () => new Set(witness.received.map(({ payload }) => text(payload))).size === 50,
      );
    },
  );
}
