import assert from "node:assert/strict";
import mqttPacket from "mqtt-packet";
import { startBroker } from "../support/broker.ts";
import { options, Rig } from "./harness.ts";

Deno.test("a connection has MQTT.js keep no buffer for each number", async () => {
  assert.equal(mqttPacket.writeToStream.cacheNumbers, true);
  await using broker = await startBroker();
  await using rig = new Rig(options(broker.port));
  rig.connection.connect();
  await rig.state("connected");
  assert.equal(mqttPacket.writeToStream.cacheNumbers, false);
});
