/** Every payload goes out as it was offered, however late, and in its order. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Packet } from "mqtt-packet";
import type { BrokerOptions } from "../../lib/mqtt/options.ts";
import { MqttSession } from "../../lib/mqtt/session.ts";
import { SessionMemory } from "../../lib/mqtt/session_memory.ts";
import { EventQueue } from "../../lib/queue/event_queue.ts";
import { systemClock } from "../../lib/clock.ts";
import { FakeSpools, settled } from "../queue/fake_spools.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { message, numbers, options, Rig, until } from "./harness.ts";
import { Peer, type PeerConnection } from "./peer.ts";

const BOUNDS = { messages: 10_000, bytes: 64 * 2 ** 20 };
const lent = new Uint8Array(300_000);

/** Offers messages with these texts, all lent in the same place. */
function lend(rig: Rig, topic: string, texts: readonly string[], qos: 0 | 1 | 2): void {
  for (const text of texts) {
    const { written } = new TextEncoder().encodeInto(text, lent);
    rig.queue.offer(message(topic, lent.subarray(0, written), { qos }));
    lent.fill(0x2a, 0, written);
  }
  rig.assertBalance();
}

/** What was published, with its QoS, and with DUP marked. */
function published(client: PeerConnection): string[] {
  return client.packets.flatMap((packet) =>
    packet.cmd === "publish" ? [`${packet.qos} ${packet.payload}${packet.dup ? " again" : ""}`] : []
  );
}

/** Answers all that has come; returns how far it got. */
function answer(client: PeerConnection, from: number): number {
  for (const packet of client.packets.slice(from)) {
    const messageId = packet.messageId ?? 0;
    if (packet.cmd === "publish" && packet.qos === 1) client.send({ cmd: "puback", messageId });
    if (packet.cmd === "publish" && packet.qos === 2) client.send({ cmd: "pubrec", messageId });
    if (packet.cmd === "pubrel") client.send({ cmd: "pubcomp", messageId });
  }
  return client.packets.length;
}

/** Answers until so many are acknowledged. */
async function answerUntil(rig: Rig, client: PeerConnection, count: number): Promise<void> {
  let next = 0;
  await rig.until(`${count} acknowledged`, () => {
    next = answer(client, next);
    return rig.queue.books.acknowledged >= count;
  });
}

async function connected(
  changed?: Partial<BrokerOptions>,
  queue?: EventQueue,
): Promise<{ peer: Peer; rig: Rig; client: PeerConnection } & AsyncDisposable> {
  const peer = await Peer.listen();
  const chosen = options(peer.port, changed);
  const rig = new Rig(chosen, queue === undefined ? {} : { queue });
  rig.connection.connect();
  const client = await peer.welcome();
  await rig.state("connected");
  const end = async () => {
    client.destroy();
    await rig[Symbol.asyncDispose]();
    await peer[Symbol.asyncDispose]();
  };
  return { peer, rig, client, [Symbol.asyncDispose]: end };
}

/** Its length takes three bytes. */
const LONG = "x".repeat(20_000);

Deno.test("all QoS in turn on one connection: each payload as it was, each topic in its order", async () => {
  await using bench = await connected({ sendMaximum: 5 });
  const { rig, client } = bench;
  for (let i = 0; i < 300; i++) {
    lend(rig, `t${i % 3}`, [`${i}`.repeat(1 + i % 7)], (i % 3) as 0 | 1 | 2);
    if (i % 17 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await answerUntil(rig, client, 300);
  for (const qos of [0, 1, 2]) {
    const wanted = numbers(0, 299).map(Number).filter((i) => i % 3 === qos)
      .map((i) => `${qos} ${`${i}`.repeat(1 + i % 7)}`);
    assert.deepEqual(published(client).filter((one) => one.startsWith(`${qos}`)), wanted);
  }
});

Deno.test("QoS 0 keeps its place behind QoS 1 that waits for the window", async () => {
  await using bench = await connected({ sendMaximum: 2 });
  const { rig, client } = bench;
  const wanted: string[] = [];
  for (let i = 0; i < 60; i++) {
    const qos = i % 2 === 0 ? 1 : 0;
    lend(rig, "t", [`${i}`], qos);
    wanted.push(`${qos} ${i}`);
  }
  await answerUntil(rig, client, 60);
  assert.deepEqual(published(client), wanted);
});

Deno.test("QoS 0 goes out at the end of the task in which it is offered", async () => {
  await using bench = await connected();
  const { rig, client } = bench;
  let writes = 0;
  client.socket.on("data", () => writes++);
  lend(rig, "t", numbers(1, 50), 0);
  assert.deepEqual([rig.queue.length, rig.queue.inFlight], [0, 50]);
  await rig.acknowledged(50);
  await rig.until("all", () => published(client).length === 50);
  assert.deepEqual(published(client), numbers(1, 50).map((one) => `0 ${one}`));
  assert.equal(writes, 1);
});

Deno.test("what takes the places of many that were acknowledged in one chunk is one write", async () => {
  await using bench = await connected({ sendMaximum: 20 });
  const { rig, client } = bench;
  lend(rig, "t", numbers(1, 60), 1);
  await rig.until("a full window", () => published(client).length === 20);
  await client.settled();
  let writes = 0;
  client.socket.on("data", () => writes++);
  client.socket.cork();
  for (const { messageId = 0 } of client.packets.filter(({ cmd }) => cmd === "publish")) {
    client.send({ cmd: "puback", messageId });
  }
  client.socket.uncork();
  await rig.until("another window", () => published(client).length === 40);
  assert.equal(writes, 1);
});

for (const qos of [1, 2] as const) {
  Deno.test(`QoS ${qos} comes again with its payload, also an empty one`, async () => {
    await using bench = await connected({ cleanSession: false });
    const { peer, rig, client } = bench;
    lend(rig, "t", ["one", "", "three", LONG], qos);
    await rig.until("all", () => published(client).length === 4);
    assert.deepEqual(published(client)[1], `${qos} `);
    client.destroy();
    const again = await peer.welcome({ sessionPresent: true });
    lend(rig, "t", ["five"], qos);
    await answerUntil(rig, again, 5);
    assert.deepEqual(published(again), [
      `${qos} one again`,
      `${qos}  again`,
      `${qos} three again`,
      `${qos} ${LONG} again`,
      `${qos} five`,
    ]);
    again.destroy();
  });
}

Deno.test("QoS 2 that waits for the disk goes out with its payload, and what comes behind it too", async () => {
  const clock = new ManualClock();
  const spools = new FakeSpools();
  const queue = new EventQueue({ limits: BOUNDS, spool: { limits: BOUNDS, commitMs: 50 } }, {
    clock,
  });
  await queue.open(spools, "spool");
  await using bench = await connected({ cleanSession: false }, queue);
  const { rig, client } = bench;
  await rig.connection.disconnect("disconnected");
  lend(rig, "t", ["one", "", "three"], 2);
  clock.advance(50);
  await settled();
  assert.equal(spools.disk.rows.size, 3);
  spools.prompt = false;
  rig.connection.connect();
  const again = await bench.peer.welcome({ sessionPresent: true });
  // What an earlier process may have left is released first.
  let next = 0;
  await rig.until("the disk is asked", () => {
    next = answer(again, next);
    return spools.asked > 0;
  });
  lend(rig, "t", ["four"], 1);
  lend(rig, "t", ["zero"], 0);
  await again.settled();
  assert.deepEqual(published(again), ["0 zero"], "it has said nothing");
  spools.prompt = true;
  spools.answer();
  await answerUntil(rig, again, 5);
  assert.deepEqual(published(again), ["0 zero", "2 one", "2 ", "2 three", "1 four"]);
  assert.equal(client.isEnded, true);
  again.destroy();
  await settled();
  clock.advance(1_000);
  await settled();
  assert.equal(spools.disk.rows.size, 0);
});

Deno.test("a message that is gone when the disk answers never goes out without its payload", async () => {
  await using peer = await Peer.listen();
  const chosen = options(peer.port, { cleanSession: false });
  const queue = new EventQueue({ limits: BOUNDS });
  const asked: (() => void)[] = [];
  queue.remember = (_message, _delivery, then) => void asked.push(then);
  const memory = new SessionMemory(chosen, queue, systemClock);
  memory.isSessionKnown = true;
  const ended = Promise.withResolvers<string>();
  const ready = Promise.withResolvers<void>();
  const session = new MqttSession({ host: "127.0.0.1", port: peer.port }, chosen, memory, {
    accepted: () => {},
    connected: () => ready.resolve(),
    message: () => {},
    tooLong: () => {},
    drained: () => {},
    settled: () => {},
    closed: ({ reason }) => ended.resolve(reason),
  });
  const client = await peer.welcome();
  await ready.promise;
  session.publish(message("t", "before", { qos: 0 }), 0);
  assert.equal(session.publish(message("t", "gone", { qos: 2 }), 2), true);
  memory.outgoing.clear();
  asked.forEach((then) => then());
  assert.match(await ended.promise, /a message was lost on its way to MQTT.js/);
  await client.ended();
  assert.deepEqual(published(client), []);
  assert.deepEqual(
    session.unsettled().map(({ payload }) => new TextDecoder().decode(payload)),
    ["before"],
  );
});

/** The packets that a peer got after CONNECT, in words. */
const words = (packets: readonly Packet[]) =>
  packets.slice(1).map((packet) =>
    packet.cmd === "publish" ? `${packet.topic} ${packet.payload}` : packet.cmd
  );

for (const qos of [0, 1] as const) {
  Deno.test(`announcement, will and DISCONNECT come behind what was published before them (QoS ${qos})`, async () => {
    await using peer = await Peer.listen();
    const will = { topic: "will", payload: "gone", qos: 0, retain: false } as const;
    const offline = { topic: "status", payload: "offline", qos: 0, retain: true } as const;
    const rig = new Rig(options(peer.port, { will, offline }));
    rig.connection.connect();
    const client = await peer.welcome();
    await rig.state("connected");
    lend(rig, "t", numbers(1, 10), qos);
    const closed = rig.connection.disconnect("disconnected");
    lend(rig, "t", ["late"], qos);
    let next = 0;
    await until("DISCONNECT", () => {
      next = answer(client, next);
      return client.packets.some(({ cmd }) => cmd === "disconnect");
    });
    await closed;
    const events = qos === 0 ? numbers(1, 10).map((one) => `t ${one}`) : [];
    assert.deepEqual(words(client.packets), [
      ...events,
      "status offline",
      "will gone",
      "disconnect",
    ]);
    assert.equal(rig.queue.length, qos === 0 ? 1 : 11);
    await rig[Symbol.asyncDispose]();
  });
}

/** The socket's memory is some MB; behind that, messages wait in the process. */
const PADDING = " ".repeat(20_000);

for (const version of ["V311", "V5"] as const) {
  Deno.test(`${version}: a broker that reads no more, resets and comes back: nothing twice, nothing lost uncounted`, async () => {
    await using peer = await Peer.listen(version === "V5" ? 5 : 4);
    await using rig = new Rig(options(peer.port, { protocolVersion: version }));
    rig.connection.connect();
    const client = await peer.welcome();
    await rig.state("connected");
    client.socket.pause();
    let count = 0;
    while (rig.queue.length < 100) {
      lend(rig, "t", [`${++count}${PADDING}`], 0);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { inFlight, queued, acknowledged: before } = rig.queue.books;
    // What was written and not taken, behind the write under way.
    assert.ok(inFlight > 1 && queued === 100, `${inFlight} in flight`);
    client.socket.resetAndDestroy();
    const again = await peer.accept();
    const { acknowledged } = rig.queue.books;
    assert.equal(rig.queue.inFlight, 0);
    assert.ok(acknowledged <= before + inFlight);
    await again.read("connect");
    again.accept();
    await rig.acknowledged(count);
    await rig.until("all", () => published(again).length >= count - acknowledged);
    assert.deepEqual(
      published(again).map((one) => one.trim()),
      numbers(acknowledged + 1, count).map((one) => `0 ${one}`),
    );
    assert.deepEqual(rig.queue.books.dropped, {});
    again.destroy();
  });
}

Deno.test("a broker that says goodbye while something is published has not taken it", async () => {
  await using bench = await connected();
  const { peer, rig, client } = bench;
  lend(rig, "t", ["one"], 0);
  await rig.acknowledged(1);
  client.socket.end();
  let count = 1;
  await rig.until("the end", () => {
    lend(rig, "t", [`${++count}`], 0);
    return rig.connection.state.state !== "connected";
  });
  assert.deepEqual(rig.logged("write after end"), []);
  const { acknowledged } = rig.queue.books;
  const again = await peer.welcome();
  await rig.acknowledged(count);
  await rig.until("the rest", () => published(again).length >= count - acknowledged);
  // Between its goodbye and its end, the broker's system may have taken some.
  assert.deepEqual(
    published(again),
    numbers(acknowledged + 1, count).map((one) => `0 ${one}`),
  );
  assert.equal(published(client).length, acknowledged);
  again.destroy();
});

Deno.test("many connections broken at any moment: what was not acknowledged comes, as it was and in order", async () => {
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port, { cleanSession: false, sendMaximum: 10 }));
  rig.connection.connect();
  const seen: { packets: readonly Packet[] }[] = [];
  let offered = 0;
  const texts = new Map<number, string>();
  for (let round = 0; round < 15; round++) {
    const client = await peer.welcome({ sessionPresent: round > 0 });
    seen.push(client);
    let next = 0;
    for (let step = 0; step < 10 + round; step++) {
      const burst = numbers(offered + 1, offered + 7).map((one) =>
        `${one} ${"x".repeat(step * 97)}`
      );
      for (const text of burst) texts.set(++offered, text);
      lend(rig, "t", burst.slice(0, 3), 0);
      lend(rig, "t", burst.slice(3, 5), 1);
      lend(rig, "t", burst.slice(5), 2);
      if (step % 3 === 0) next = answer(client, next);
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (round % 2 === 0) client.socket.resetAndDestroy();
    else client.destroy();
  }
  const last = await peer.welcome({ sessionPresent: true });
  seen.push(last);
  let next = 0;
  await rig.until("all acknowledged", () => {
    next = answer(last, next);
    return rig.queue.books.acknowledged === offered;
  });
  await last.settled();
  const first = new Map<number, number>();
  for (const { packets } of seen) {
    for (const packet of packets) {
      if (packet.cmd !== "publish") continue;
      const text = Buffer.from(packet.payload).toString();
      const id = Number.parseInt(text);
      assert.equal(text, texts.get(id), "a payload as it was");
      first.set(id, (first.get(id) ?? 0) + 1);
    }
  }
  for (const [id] of texts) {
    const place = (id - 1) % 7;
    if (place < 3) assert.ok((first.get(id) ?? 0) <= 1, `${id} of QoS 0 came twice`);
    else assert.ok(first.has(id), `${id} never came`);
  }
});
