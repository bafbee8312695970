/**
 * The subscriber: counts what the broker sends, and tells the feeder.
 *
 * @module
 */

import { ProgressTeller } from "../wire/progress.ts";
import { PacketType, PublishReader } from "../wire/publish_reader.ts";
import { Reached } from "../wire/reached.ts";
import type { Receiver } from "../wire/roles.ts";
import { options, serve } from "../wire/steering.ts";
import { Tally } from "../wire/tally.ts";
import { nowMicros } from "../wire/time.ts";

/** What a subscriber is started with. */
export interface SubscriberOptions {
  /** The port of the broker. */
  readonly broker: number;
  /** The port of the feeder's `ProgressListener`. */
  readonly progress: number;
  /** What it subscribes to. */
  readonly filter: string;
}

/** The subscriber as it is steered. */
export interface Subscriber extends Receiver {
  /** Resolves when the broker has taken the subscription. */
  subscribed(): Promise<void>;
}

/** The feeder is told each time that so many events more have arrived. */
const STEP = 64;

const { broker, progress, filter } = options<SubscriberOptions>();
const teller = await ProgressTeller.connect(progress);
const connection = await Deno.connect({ hostname: "127.0.0.1", port: broker });
connection.setNoDelay(true);
const tally = new Tally();
const reached = new Reached();
const subscribed = Promise.withResolvers<void>();
let arrived = 0;
let copies = 1;
let readAt = 0;

const reader = new PublishReader((type, bytes, start, end) => {
  if (type === PacketType.PUBLISH) {
    tally.take(bytes, start, end, readAt);
    arrived++;
  } else if (type === PacketType.SUBACK) subscribed.resolve();
});

async function read(): Promise<void> {
  await connection.write(connectPacket());
  await connection.write(subscribePacket(filter));
  for (;;) {
    const count = await connection.read(reader.room);
    if (count === null) throw new Error("the broker has closed the connection");
    readAt = nowMicros() + teller.offsetMicros;
    reader.read(count);
    teller.tell(Math.floor(arrived / copies), STEP);
    reached.at(tally.messages, readAt);
  }
}

/** MQTT 3.1.1 without keep-alive, under a name of its own (section 3.1). */
function connectPacket(): Uint8Array {
  const id = new TextEncoder().encode("bench-subscriber");
  return new Uint8Array([
    ...[0x10, 12 + id.length],
    ...[0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0],
    ...[0, id.length, ...id],
  ]);
}

/** QoS 0 (section 3.8). */
function subscribePacket(topic: string): Uint8Array {
  const bytes = new TextEncoder().encode(topic);
  return new Uint8Array([0x82, 5 + bytes.length, 0, 1, 0, bytes.length, ...bytes, 0]);
}

read();
await serve<Subscriber>({
  subscribed: () => subscribed.promise,
  expect: (expectation) => {
    copies = expectation.copies;
    tally.expect(expectation);
    return Promise.resolve();
  },
  reach: (messages) => reached.reach(messages, tally.messages),
  report: () => Promise.resolve(tally.report()),
});
