/** What leaves for the socket: the bytes, their order, and what is known of each message. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import mqttPacket, { type IPublishPacket, type Packet } from "mqtt-packet";
import { Batches } from "../../lib/mqtt/batches.ts";
import type { Message, Unwritten } from "../../lib/mqtt/outbox.ts";
import { type BrokerStream, openStream } from "../../lib/mqtt/stream.ts";
import type { TlsSettings } from "../../lib/tls/settings.ts";
import { numbers as randomNumbers } from "../queue/random.ts";
import { Authority } from "../support/authority.ts";
import { tlsSettings } from "../tls/settings_helper.ts";
import { message, until } from "./harness.ts";

const PROTOCOL = { V31: 3, V311: 4, V5: 5 } as const;
type Version = keyof typeof PROTOCOL;
const VERSIONS = Object.keys(PROTOCOL) as Version[];

type Callback = (error?: Error | null) => void;

/** A stream that takes what is written when the test says so, and looks at it no sooner. */
class SlowStream extends Duplex {
  /** What it has taken. */
  readonly taken: Uint8Array[] = [];
  /** How often it was asked to take something. */
  writes = 0;
  /** Whether it takes at once. */
  prompt = false;
  #settled = 0;
  #underWay: { readonly chunks: readonly Uint8Array[]; readonly callback: Callback } | undefined;

  constructor() {
    super({ highWaterMark: 16 * 1024 });
    this.on("error", () => {});
  }

  get bytesWritten(): number {
    return this.#settled + this.writableLength;
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: string, callback: Callback): void {
    this.#begin([chunk], callback);
  }

  override _writev(chunks: { chunk: Uint8Array }[], callback: Callback): void {
    this.#begin(chunks.map(({ chunk }) => chunk), callback);
  }

  #begin(chunks: readonly Uint8Array[], callback: Callback): void {
    this.writes++;
    this.#underWay = { chunks, callback };
    if (this.prompt) this.accept();
  }

  /** Takes what is under way. */
  accept(): void {
    const { chunks = [], callback = () => {} } = this.#underWay ?? {};
    this.#underWay = undefined;
    for (const chunk of chunks) {
      this.#settled += chunk.length;
      this.taken.push(new Uint8Array(chunk));
    }
    callback();
  }

  /** Whether something is under way. */
  get isBusy(): boolean {
    return this.#underWay !== undefined;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.taken);
  }
}

/** Batches over a stream, and what they have told. */
function batching(stream: Duplex & { readonly bytesWritten: number }, version: Version = "V311") {
  const taken: Message[] = [];
  const batches: Batches = new Batches(stream, version === "V5", () => batches.settle(take));
  const take = (one: Message) => void taken.push(one);
  return { batches, taken, settle: () => batches.settle(take) };
}

/** The packet of a message of QoS 0 as MQTT.js writes it. */
function packetOf({ topic, payload }: Message, retain = false): IPublishPacket {
  return {
    cmd: "publish",
    topic,
    payload: Buffer.from(payload),
    qos: 0,
    dup: false,
    retain,
  };
}

function generate(packet: Packet, version: Version): Buffer {
  return mqttPacket.generate(packet, { protocolVersion: PROTOCOL[version] });
}

/** MQTT.js's way of writing a packet, part by part. */
function writeParts(packet: Packet, stream: Duplex, version: Version): void {
  mqttPacket.writeToStream(packet, stream, { protocolVersion: PROTOCOL[version] });
}

/** The end of the present task. */
const taskEnd = () => new Promise<void>((resolve) => setTimeout(resolve));

/** A payload that no other is like. */
function filled(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const below = randomNumbers(seed);
  return Uint8Array.from({ length }, () => below(256));
}

function assertSameBytes(found: Uint8Array, wanted: Uint8Array, what: string): void {
  assert.ok(Buffer.compare(found, wanted) === 0, `${what}: ${found.length} of ${wanted.length}`);
}

const LENGTHS = [
  0,
  1,
  ...[127, 128, 16_383, 16_384, 65_535, 65_536, 2_097_151, 2_097_152]
    // Of the payload, and of what the packet has behind its first bytes.
    .flatMap((length) => [length - 12, length - 5, length - 4, length - 3, length - 1, length]),
];

for (const version of VERSIONS) {
  Deno.test(`${version}: a packet of QoS 0 is as MQTT.js writes it`, () => {
    const stream = new SlowStream();
    stream.prompt = true;
    const { batches } = batching(stream, version);
    for (const topic of ["t", "käse/☎/𝄞", "x".repeat(65_535)]) {
      for (const retain of [false, true]) {
        for (const [index, length] of LENGTHS.entries()) {
          if (topic.length > 1000 && length > 70_000) continue;
          const one = message(topic, filled(Math.min(length, 5_000), index), { qos: 0 });
          const payload = new Uint8Array(length);
          payload.set(one.payload);
          batches.add({ ...one, payload }, retain);
          batches.flush();
          const wanted = generate(packetOf({ ...one, payload }, retain), version);
          const what = `${topic.slice(0, 9)} ${retain} ${length}`;
          assertSameBytes(stream.bytes, wanted, what);
          stream.taken.length = 0;
        }
      }
    }
  });

  for (let seed = 1; seed <= 10; seed++) {
    Deno.test(`${version}: all that is written arrives in its order, and once (seed ${seed})`, async () => {
      const below = randomNumbers(seed);
      const stream = new SlowStream();
      const { batches, taken, settle } = batching(stream, version);
      const wanted: Uint8Array[] = [];
      const added: Message[] = [];
      const lent = new Uint8Array(70_000);
      const id = () => 1 + below(65_535);
      const length = () =>
        [below(10), below(300), below(3_000), 65_400 + below(200)][below(4)] ?? 0;
      const others: (() => Packet)[] = [
        () => ({ cmd: "pingreq" }),
        () => ({ cmd: "puback", messageId: id() }),
        () => ({ cmd: "pubrel", messageId: id() }),
        () => ({
          cmd: "subscribe",
          messageId: id(),
          subscriptions: [{ topic: "ü/#", qos: 1 }],
        }),
        () => ({
          ...packetOf(message("ö/☎", filled(length(), below(1_000)))),
          qos: 1,
          messageId: id(),
        }),
        () => ({
          ...packetOf(message("reply", "")),
          payload: "ça va 𝄞".repeat(below(100)),
          ...(version === "V5"
            ? { properties: { correlationData: Buffer.from(filled(20, 1)) } }
            : {}),
        }),
      ];
      for (let step = 0; step < 600; step++) {
        const choice = below(100);
        if (choice < 50) {
          const payload = lent.subarray(0, length());
          payload.set(filled(Math.min(payload.length, 200), step));
          const one = message(`t/${below(5)}`, payload, { qos: 0 });
          batches.add(one, choice < 10);
          added.push(one);
          wanted.push(generate(packetOf(one, choice < 10), version));
          lent.fill(0xee);
        } else if (choice < 75) {
          const packet = others[below(others.length)]?.() ?? assert.fail();
          writeParts(packet, stream, version);
          wanted.push(generate(packet, version));
        } else if (choice < 80) batches.flush();
        else if (choice < 85) settle();
        else if (choice < 90) await taskEnd();
        else stream.accept();
      }
      for (batches.flush(); stream.writableLength > 0;) {
        stream.accept();
        await taskEnd();
      }
      assertSameBytes(stream.bytes, Buffer.concat(wanted), "all");
      assert.ok(taken.every((one, i) => one === added[i]), "told in their order");
      assert.equal(taken.length, added.length);
      assert.deepEqual(batches.rest(), []);
    });
  }
}

Deno.test("what is written in one task is one write, at its end or when it is flushed", async () => {
  const stream = new SlowStream();
  stream.prompt = true;
  const { batches, taken } = batching(stream);
  for (let i = 0; i < 20; i++) {
    batches.add(message("t", `${i}`, { qos: 0 }), false);
    writeParts({ cmd: "pingreq" }, stream, "V311");
    stream.cork();
    stream.write("text");
    stream.uncork();
  }
  assert.equal(stream.writes, 0);
  await Promise.resolve();
  assert.equal(stream.writes, 1);
  batches.add(message("t", "now", { qos: 0 }), false);
  batches.flush();
  assert.equal(stream.writes, 2);
  batches.flush();
  await taskEnd();
  assert.equal(stream.writes, 2);
  assert.equal(taken.length, 21);
});

Deno.test("a packet goes into a batch whole, and a batch that is full goes at once", () => {
  const stream = new SlowStream();
  stream.prompt = true;
  const { batches } = batching(stream);
  const added = 40;
  for (let i = 0; i < added; i++) batches.add(message("t", filled(5_000, i), { qos: 0 }), false);
  assert.equal(stream.writes, 3);
  for (const chunk of stream.taken) {
    assert.equal(chunk.length % 5_006, 0);
    assert.ok(chunk.length <= 65_536);
  }
});

Deno.test("a writer hears whether the stream is full, and when it takes more", async () => {
  const stream = new SlowStream();
  batching(stream);
  assert.equal(stream.write(new Uint8Array(100)), true);
  await taskEnd();
  assert.equal(stream.write(new Uint8Array(20_000)), true, "not written yet");
  await taskEnd();
  assert.equal(stream.write(new Uint8Array(1)), false);
  const drained = once(stream, "drain");
  await taskEnd();
  while (stream.isBusy) {
    stream.accept();
    await taskEnd();
  }
  await drained;
  assert.equal(stream.write(new Uint8Array(1)), true);
  await taskEnd();
});

Deno.test("memory is used again only when the stream has taken what was in it", async () => {
  const stream = new SlowStream();
  const { batches, taken } = batching(stream);
  const memory = new Set<ArrayBufferLike>();
  const { _write, _writev } = SlowStream.prototype;
  stream._write = function (chunk, ...rest) {
    memory.add(chunk.buffer);
    _write.call(this, chunk, ...rest);
  };
  stream._writev = function (chunks, ...rest) {
    for (const { chunk } of chunks) memory.add(chunk.buffer);
    _writev.call(this, chunks, ...rest);
  };
  const wanted: Buffer[] = [];
  let number = 0;
  const add = () => {
    const one = message("t", filled(30_000, ++number), { qos: 0 });
    batches.add(one, false);
    wanted.push(generate(packetOf(one), "V311"));
    batches.flush();
  };
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 4; i++) add();
    while (stream.isBusy) {
      stream.accept();
      await taskEnd();
    }
  }
  assert.equal(taken.length, 200);
  assertSameBytes(stream.bytes, Buffer.concat(wanted), "all");
  assert.ok(memory.size <= 5, `${memory.size} pieces`);
  // Of many at once, few are kept.
  const burst = async () => {
    memory.clear();
    for (let i = 0; i < 60; i++) add();
    while (stream.isBusy) {
      stream.accept();
      await taskEnd();
    }
    return new Set(memory);
  };
  const before = await burst();
  const kept = [...await burst()].filter((one) => before.has(one));
  assert.ok(kept.length > 0 && kept.length <= 20, `${kept.length} are kept`);
  assertSameBytes(stream.bytes, Buffer.concat(wanted), "all");
});

Deno.test("the rest is each message that was not taken, with its payload, in order", async () => {
  const stream = new SlowStream();
  const { batches, taken } = batching(stream, "V5");
  const lent = new Uint8Array(100_000);
  const payloads: Uint8Array[] = [];
  const added: Message[] = [];
  const lengths = [5, 0, 1, 3_000, 0, 64_000, 70_000, 90_000, 2, 0, 40_000, 40_000, 1];
  for (const [index, length] of lengths.entries()) {
    const payload = lent.subarray(0, length);
    payload.set(filled(length, index));
    payloads.push(new Uint8Array(payload));
    const one = message(`t/${index}`, payload, { qos: 0 });
    added.push(one);
    batches.add(one, false);
    writeParts({ cmd: "puback", messageId: 1 }, stream, "V5");
    lent.fill(0xdd);
    if (index === 3) {
      batches.flush();
      stream.accept();
      await taskEnd();
    }
  }
  assert.equal(taken.length, 4);
  const rest = batches.rest();
  assert.deepEqual(rest.map((one) => one.message.topic), added.slice(4).map(({ topic }) => topic));
  assert.ok(rest.every((one, i) => one.message === added[i + 4]));
  for (const [i, { payload }] of rest.entries()) {
    assertSameBytes(payload, payloads[i + 4] ?? assert.fail(), `payload ${i + 4}`);
  }
  assert.deepEqual(batches.rest(), []);
});

Deno.test("what came too late to be written is behind what waited", async () => {
  const stream = new SlowStream();
  const { batches, taken, settle } = batching(stream);
  for (const text of ["under way", "waits", "waits too"]) {
    batches.add(message("t", text, { qos: 0 }), false);
    batches.flush();
  }
  stream.destroy();
  batches.add(message("t", "late", { qos: 0 }), false);
  batches.flush();
  batches.add(message("t", "later", { qos: 0 }), false);
  await taskEnd();
  batches.add(message("t", "last", { qos: 0 }), false);
  settle();
  assert.deepEqual(taken, []);
  assert.deepEqual(texts(batches.rest()).slice(1), [
    "waits",
    "waits too",
    "late",
    "later",
    "last",
  ]);
});

/** A peer that reads nothing until it is told to. */
async function silentPeer(): Promise<{ port: number; peer: () => Promise<Socket>; end(): void }> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  let accepted: Socket | undefined;
  server.on("connection", (socket) => {
    accepted = socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return {
    port: address.port,
    peer: () => until("the peer", () => accepted),
    end: () => {
      accepted?.destroy();
      server.close();
    },
  };
}

for (const end of ["destroyed", "ended", "ended by the peer"] as const) {
  Deno.test(`what comes to be written on a stream that was ${end} was not taken`, async () => {
    const listening = await silentPeer();
    const stream = connect(listening.port, "127.0.0.1");
    stream.on("error", ({ message }) => assert.fail(message));
    const closed = new Promise((resolve) => stream.once("close", resolve));
    const { batches, taken, settle } = batching(stream);
    await once(stream, "connect");
    stream.resume();
    const peer = await listening.peer();
    batches.add(message("t", "taken", { qos: 0 }), false);
    await until("one taken", () => taken.length === 1);
    if (end === "ended by the peer") {
      peer.end();
      await until("its end", () => !stream.writable);
    }
    batches.add(message("t", "late", { qos: 0 }), false);
    if (end === "destroyed") stream.destroy();
    if (end === "ended") stream.end();
    await taskEnd();
    batches.add(message("t", "later", { qos: 0 }), false);
    settle();
    await taskEnd();
    peer.resume();
    stream.destroy();
    await closed;
    settle();
    assert.equal(taken.length, 1);
    assert.deepEqual(texts(batches.rest()), ["late", "later"]);
    listening.end();
  });
}

/** A stream to a peer that reads nothing, and how that breaks the connection. */
interface Stuck {
  readonly stream: BrokerStream["stream"];
  breakOff(): void;
  end(): Promise<void>;
}

async function stuckTcp(): Promise<Stuck> {
  const { port, peer, end } = await silentPeer();
  const { stream } = openStream({ host: "127.0.0.1", port }, {});
  await once(stream, "connect");
  const socket = await peer();
  return {
    stream,
    breakOff: () => void socket.resetAndDestroy(),
    end: () => Promise.resolve(end()),
  };
}

async function stuckTls(way: Partial<TlsSettings>): Promise<Stuck> {
  const authority = await Authority.start();
  const { certfile, keyfile } = await authority.issue("broker", { names: ["DNS:localhost"] });
  const cert = await Deno.readTextFile(certfile);
  const key = await Deno.readTextFile(keyfile);
  const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const { port } = listener.addr;
  const tls = tlsSettings({ cafile: authority.root.certfile, ...way });
  const { stream } = openStream({ host: "localhost", port }, { tls });
  const secured = once(stream, "secureConnect");
  const connection = await listener.accept();
  await connection.handshake();
  await secured;
  listener.close();
  return {
    stream,
    // With bytes that were not read, the system resets it.
    breakOff: () => connection.close(),
    end: () => authority[Symbol.asyncDispose](),
  };
}

const STUCK: Readonly<Record<string, () => Promise<Stuck>>> = {
  "over TCP": stuckTcp,
  "over TLS by Deno": () => stuckTls({}),
  "over TLS by OpenSSL": () => stuckTls({ advancedOptions: true, optsCiphers: "HIGH" }),
};

for (const [how, start] of Object.entries(STUCK)) {
  Deno.test(`a peer that reads no more and breaks off: what waited behind a full socket was not taken (${how})`, async () => {
    const { stream, breakOff, end } = await start();
    stream.on("error", () => {});
    const closed = new Promise((resolve) => stream.once("close", resolve));
    const { batches, taken, settle } = batching(stream);
    stream.resume();
    let count = 0;
    const add = () => {
      batches.add(message("t", `${++count}`.padEnd(20_000), { qos: 0 }), false);
      batches.flush();
    };
    let quiet = 0;
    for (let before = 0; quiet < 10; before = taken.length) {
      if (stream.writableLength < 100_000) add();
      const pauseMs = stream.writableLength < 100_000 ? 0 : 20;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      quiet = pauseMs > 0 && taken.length === before ? quiet + 1 : 0;
    }
    const underWay = count;
    for (let i = 0; i < 300; i++) add();
    breakOff();
    await closed;
    settle();
    const rest = texts(batches.rest()).map(Number);
    assert.equal(taken.length + rest.length, count);
    assert.deepEqual(rest, Array.from({ length: rest.length }, (_, i) => taken.length + 1 + i));
    // Nobody knows of the write under way.
    assert.ok(taken.length <= underWay, `${taken.length} of ${underWay}`);
    await end();
  });
}

function texts(unwritten: readonly Unwritten[]): string[] {
  return unwritten.map(({ payload }) => new TextDecoder().decode(payload).trim());
}
