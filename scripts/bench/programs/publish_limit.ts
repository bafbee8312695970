/**
 * The limit of publishing: MQTT.js, given messages by a bare loop.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect } from "node:net";
import { MqttClient } from "mqtt";
import { Blocks } from "../wire/block.ts";
import { ProgressListener } from "../wire/progress.ts";
import type { Feeder } from "../wire/roles.ts";
import { Sender } from "../wire/sender.ts";
import { options, serve } from "../wire/steering.ts";

/** What it is started with. */
export interface PublishLimitOptions {
  /** The port of the broker. */
  readonly broker: number;
  /** Of the messages. */
  readonly qos: 0 | 1 | 2;
  /** Where they go. */
  readonly topic: string;
  /** So many of QoS 1 and 2 are under way at most. */
  readonly window: number;
}

/** It as it is steered. */
export interface PublishLimit extends Feeder {
  /** The port of its `ProgressListener`. */
  ports(): Promise<{ readonly progress: number }>;
}

/** More than are ever on their way to the socket: each is written over when its turn comes again. */
const RING_BYTES = 16 * 2 ** 20;

const { broker, qos, topic, window } = options<PublishLimitOptions>();
const progress = ProgressListener.listen();
const sender = new Sender();
const stream = connect({ host: "127.0.0.1", port: broker, noDelay: true });
const client = new MqttClient(() => stream, { reconnectPeriod: 0, keepalive: 0 });
const connected = new Promise((resolve) => client.once("connect", resolve));
const blocks = new Blocks({ head: () => "", leastBytes: RING_BYTES });
let underWay = 0;
let goOn = () => {};

function publish({ buffer, byteOffset, length }: Uint8Array<ArrayBuffer>) {
  // Of anything but a Buffer MQTT.js copies all that lies behind it.
  const payload = Buffer.from(buffer, byteOffset, length);
  if (qos === 0) {
    client.publish(topic, payload);
    return stream.writableNeedDrain ? once(stream, "drain") : undefined;
  }
  underWay++;
  client.publish(topic, payload, { qos }, () => {
    underWay--;
    goOn();
  });
  return underWay < window ? undefined : new Promise<void>((resolve) => goOn = resolve);
}

await serve<PublishLimit>({
  ports: () => Promise.resolve({ progress: progress.port }),
  send: async (order) => {
    await connected;
    const block = blocks.of(order.series);
    return await sender.send(order, { sink: publish, block, atOnce: 1, progress });
  },
});
