import assert from "node:assert/strict";
import { nextTick } from "node:process";
import {
  type HeldReply,
  type Reply,
  ReplyBox,
  type ReplyLimits,
  SentReplies,
} from "../../lib/mqtt/replies.ts";
import { mosquittoTest, startBroker } from "../support/broker.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { message, numbers, options, Rig, type RigOptions, VERSIONS, Witness } from "./harness.ts";
import { type PacketOf, Peer, type PeerConnection, publish } from "./peer.ts";

const encoder = new TextEncoder();

/** A reply for "r", good for a minute and at QoS 1 if nothing else is said. */
function reply(payload: string, changed: Partial<Reply> = {}): Reply {
  return { topic: "r", payload: encoder.encode(payload), qos: 1, goodForMs: 60_000, ...changed };
}

/** The PUBLISH packets that came. */
function sent(client: PeerConnection): PacketOf<"publish">[] {
  return client.packets.flatMap((packet) => packet.cmd === "publish" ? [packet] : []);
}

/** The payloads of the messages that came. */
function payloads(client: PeerConnection): string[] {
  return sent(client).map(({ payload }) => String(payload));
}

/** Acknowledges a PUBLISH. */
function acknowledge(client: PeerConnection, packet?: PacketOf<"publish">, reasonCode = 0): void {
  client.send({ cmd: "puback", messageId: packet?.messageId ?? 0, reasonCode });
}

/** A rig of MQTT 5 that has a connection to a peer. */
async function connected(
  peer: Peer,
  properties: Parameters<Peer["welcome"]>[0] = {},
  chosen: RigOptions & { sendMaximum?: number } = {},
): Promise<{ rig: Rig; client: PeerConnection }> {
  const { sendMaximum = 20, ...rest } = chosen;
  const rig = new Rig(options(peer.port, { protocolVersion: "V5", sendMaximum }), rest);
  rig.connection.connect();
  const client = await peer.welcome(properties);
  await rig.state("connected");
  return { rig, client };
}

for (const protocolVersion of VERSIONS) {
  for (const qos of [0, 1] as const) {
    mosquittoTest(
      `${protocolVersion}: replies at QoS ${qos} come in order, with what MQTT knows of them`,
      async () => {
        await using broker = await startBroker();
        await using witness = await Witness.start(broker.port, { protocolVersion: 5 });
        await using rig = new Rig(options(broker.port, { protocolVersion }));
        rig.connection.connect();
        await rig.state("connected");
        const asked = [Uint8Array.of(0, 0xff, 0xfe, 0x0a), new Uint8Array(), undefined];
        for (let i = 0; i < 99; i++) {
          const correlationData = asked[i % 3];
          const one = { qos, ...(correlationData === undefined ? {} : { correlationData }) };
          assert.ok(rig.replies.add(reply(String(i + 1), one)));
        }
        assert.deepEqual(await witness.count("r", 99), numbers(1, 99));
        await rig.until("an empty box", () => rig.replies.length === 0);
        assert.equal(rig.replies.dropped, 0);
        for (const [index, received] of witness.received.entries()) {
          const { correlationData, messageExpiryInterval = 0 } = received.properties ?? {};
          assert.equal(received.qos, qos);
          assert.equal(received.retain, false);
          const isToldMore = protocolVersion === "V5";
          const expected = isToldMore ? asked[index % 3] : undefined;
          assert.deepEqual(correlationData && [...correlationData], expected && [...expected]);
          assert.equal(messageExpiryInterval > 50 && messageExpiryInterval <= 60, isToldMore);
        }
        // Of these the events' books know nothing.
        assert.equal(rig.queue.books.offered, 0);
      },
    );
  }
}

for (const qos of [0, 1] as const) {
  mosquittoTest(`replies go before a backlog of events at QoS ${qos}`, async () => {
    await using broker = await startBroker();
    await using witness = await Witness.start(broker.port);
    await using rig = new Rig(options(broker.port));
    rig.offer("t", numbers(1, 5_000), qos);
    for (const payload of numbers(1, 50)) rig.replies.add(reply(payload, { qos }));
    rig.connection.connect();
    await witness.count("t", 100);
    // At QoS 0 the rest of it may be written by now.
    for (const payload of numbers(51, 100)) rig.replies.add(reply(payload, { qos }));
    await witness.count("r", 100);
    await witness.count("t", 5_000);
    const topics = witness.received.map(({ topic }) => topic).join("");
    // At QoS 1 one place of the window is left for events.
    const ahead = topics.split("r").slice(0, 50).join("");
    assert(ahead.length <= (qos === 0 ? 0 : 10), `${ahead.length} events before 50 replies`);
    assert.deepEqual(witness.payloads("r"), numbers(1, 100));
    assert.deepEqual(witness.payloads("t"), numbers(1, 5_000));
    await rig.acknowledged(5_000);
  });
}

for (
  const [limit, sendMaximum, receiveMaximum] of [
    ["the broker's receive maximum", 20, 1],
    ["send_maximum", 1, 20],
  ] as const
) {
  Deno.test(`replies and events share a window of one, by ${limit}; a reply has the next place`, async () => {
    await using peer = await Peer.listen(5);
    const { rig, client } = await connected(peer, { properties: { receiveMaximum } }, {
      sendMaximum,
    });
    await using _ = rig;
    rig.offer("t", ["event 1", "event 2"]);
    await client.read("publish");
    rig.replies.add(reply("reply 1"));
    rig.offer("t", ["event 3"], 2);
    rig.replies.add(reply("reply 2"));
    const order = ["event 1", "reply 1", "reply 2", "event 2", "event 3"];
    for (let done = 1; done <= 5; done++) {
      await client.settled();
      assert.deepEqual(payloads(client), order.slice(0, done));
      const messageId = sent(client)[done - 1]?.messageId ?? 0;
      assert.equal(messageId, 1);
      if (done < 5) client.send({ cmd: "puback", messageId });
      else {
        client.send({ cmd: "pubrec", messageId });
        await rig.until("PUBREL", () => client.packets.some(({ cmd }) => cmd === "pubrel"));
        client.send({ cmd: "pubcomp", messageId });
      }
      if (done < 5) await rig.until("the next", () => payloads(client).length > done);
    }
    await rig.connection.drained();
    assert.equal(rig.queue.books.acknowledged, 3);
    assert.equal(rig.replies.length, 0);
  });
}

Deno.test("a reply at QoS 0 needs no place in the window, but keeps its place among replies", async () => {
  await using peer = await Peer.listen(5);
  const { rig, client } = await connected(peer, { properties: { receiveMaximum: 1 } });
  await using _ = rig;
  for (const qos of [0, 1, 0, 1, 0] as const) rig.replies.add(reply(String(qos), { qos }));
  await client.settled();
  assert.deepEqual(payloads(client), ["0", "1", "0"]);
  acknowledge(client, sent(client)[1]);
  await rig.until("all", () => payloads(client).length === 5);
  acknowledge(client, sent(client)[3]);
  await rig.connection.drained();
});

for (const [version, number] of [["V311", 4], ["V5", 5]] as const) {
  for (const sessionPresent of [false, true]) {
    const session = sessionPresent ? "the same session" : "a new session";
    Deno.test(`${version}: what was not acknowledged is sent again in ${session}, as new, and nothing else is`, async () => {
      await using peer = await Peer.listen(number);
      const clock = new ManualClock();
      await using rig = new Rig(
        options(peer.port, { protocolVersion: version, cleanSession: !sessionPresent }),
        { clock },
      );
      rig.connection.connect();
      const first = await peer.welcome();
      for (const payload of numbers(1, 3)) {
        rig.replies.add(reply(payload, { correlationData: encoder.encode(`c${payload}`) }));
      }
      rig.offer("t", ["event"], 1);
      rig.replies.add(reply("4", { qos: 0 }));
      await rig.until("all", () => payloads(first).length === 5);
      assert.deepEqual(payloads(first).sort(), ["1", "2", "3", "4", "event"]);
      acknowledge(first, sent(first).find(({ payload }) => String(payload) === "2"));
      await first.settled();
      assert.equal(rig.replies.length, 2);
      first.destroy();
      await rig.reason("waiting");
      rig.replies.add(reply("5"));
      rig.replies.add(reply("6", { qos: 0 }));
      clock.advance(20_000);
      const second = await peer.welcome({ sessionPresent });
      let answered = 0;
      await rig.until("the end of it", () => {
        for (; answered < sent(second).length; answered++) {
          if (sent(second)[answered]?.qos === 1) acknowledge(second, sent(second)[answered]);
        }
        clock.advance(20);
        return rig.replies.length === 0 && rig.queue.books.acknowledged === 1;
      });
      await second.settled();
      assert.deepEqual(payloads(second), ["event", "1", "3", "5", "6"]);
      const isAgain = [sessionPresent, false, false, false, false];
      assert.deepEqual(sent(second).map(({ dup }) => dup), isAgain);
      const [, one, , five] = sent(second).map(({ properties }) => properties);
      assert.equal(one?.correlationData?.toString(), version === "V5" ? "c1" : undefined);
      assert.equal(one?.messageExpiryInterval, version === "V5" ? 40 : undefined);
      assert.equal(five?.messageExpiryInterval, version === "V5" ? 40 : undefined);
      assert.equal(rig.replies.dropped, 0);
    });
  }
}

Deno.test("the identifier of a reply is no other's, and what is in flight is not disturbed by it", async () => {
  await using peer = await Peer.listen(5);
  const { rig, client } = await connected(peer, {}, { sendMaximum: 6 });
  await using _ = rig;
  const open = new Map<number, PacketOf<"publish">>();
  let [read, state] = [0, 7];
  const done: string[] = [];
  for (let i = 1; i <= 100; i++) {
    rig.offer("t", [`event ${i}`], i % 2 === 0 ? 1 : 2);
    rig.replies.add(reply(`reply ${i}`));
  }
  await rig.until("all of it", () => {
    for (; read < client.packets.length; read++) {
      const packet = client.packets[read];
      if (packet?.cmd === "pubrel") {
        client.send({ cmd: "pubcomp", messageId: packet.messageId ?? 0 });
        done.push(String(open.get(packet.messageId ?? 0)?.payload));
        open.delete(packet.messageId ?? 0);
      }
      if (packet?.cmd !== "publish") continue;
      const { messageId = 0 } = packet;
      assert.ok(messageId >= 1 && messageId <= 6 && !open.has(messageId));
      open.set(messageId, packet);
      assert.ok(open.size <= 6);
    }
    // The broker answers in an order of its own.
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    const waiting = [...open.values()].filter(({ length }) => length !== -1);
    const packet = waiting[state % Math.max(1, waiting.length)];
    if (packet !== undefined) {
      const { messageId = 0, qos } = packet;
      client.send({ cmd: qos === 1 ? "puback" : "pubrec", messageId });
      // PUBREL ends it.
      packet.length = -1;
      if (qos === 1) done.push(String(open.get(messageId)?.payload));
      if (qos === 1) open.delete(messageId);
    }
    return done.length === 200;
  });
  await rig.connection.drained();
  assert.equal(rig.queue.books.acknowledged, 100);
  assert.equal(new Set(done).size, 200);
  assert.equal(payloads(client).length, 200);
});

Deno.test("the end of a connection is no acknowledgement, whoever ends it", async () => {
  await using peer = await Peer.listen(5);
  const { rig, client } = await connected(peer);
  await using _ = rig;
  rig.replies.add(reply("1"));
  await client.read("publish");
  // MQTT.js gives up all that is under way at such a packet.
  client.send(publish({ topic: "c", messageId: 1, properties: { topicAlias: 1 } }));
  await client.ended();
  const second = await peer.welcome();
  const again = await second.read("publish");
  assert.equal(again.dup, false);
  acknowledge(second, again);
  await rig.connection.drained();
  assert.equal(rig.replies.length, 0);
});

for (const protocolVersion of ["V311", "V5"] as const) {
  mosquittoTest(
    `${protocolVersion}: replies wait for a broker that is away, and come once it is back`,
    async () => {
      await using broker = await startBroker();
      await using witness = await Witness.lasting(broker.port);
      await using rig = new Rig(options(broker.port, { protocolVersion }));
      rig.connection.connect();
      await rig.state("connected");
      rig.replies.add(reply("1"));
      await witness.count("r", 1);
      await rig.connection.drained();
      await broker.stop();
      await rig.until("the loss seen", () => rig.connection.state.state !== "connected");
      for (const payload of numbers(2, 100)) rig.replies.add(reply(payload));
      await broker.start();
      assert.deepEqual(await witness.count("r", 100), numbers(1, 100));
      await rig.until("an empty box", () => rig.replies.length === 0);
      assert.equal(rig.replies.dropped, 0);
    },
  );
}

for (const qos of [0, 1] as const) {
  for (const correlation of [undefined, 0, 5, 119, 120, 200]) {
    Deno.test(`a packet of QoS ${qos} as long as the broker takes goes, one byte more does not: correlation data of ${correlation ?? "no"} bytes`, async () => {
      await using peer = await Peer.listen(5);
      const { rig, client } = await connected(peer);
      const asked = correlation === undefined
        ? {}
        : { correlationData: new Uint8Array(correlation) };
      const long = reply("x".repeat(100), { topic: "tö", qos, ...asked });
      rig.replies.add(long);
      const { length: remaining = 0 } = await client.read("publish");
      const bytes = 1 + (remaining > 127 ? 2 : 1) + remaining;
      client.destroy();
      await rig[Symbol.asyncDispose]();

      for (const [maximumPacketSize, goes] of [[bytes, true], [bytes - 1, false]] as const) {
        const again = await connected(peer, { properties: { maximumPacketSize } });
        await using _ = again.rig;
        again.rig.replies.add(long);
        again.rig.replies.add(long);
        again.rig.replies.add(reply("short", { qos }));
        await again.rig.until("the short one", () => payloads(again.client).includes("short"));
        assert.equal(payloads(again.client).length, goes ? 3 : 1);
        assert.equal(again.rig.replies.dropped, goes ? 0 : 2);
        // Told once.
        assert.deepEqual(
          again.rig.logged("WARNING"),
          goes ? [] : [
            '[WARNING] Dropped a reply of 100 bytes for "tö": the broker takes packets of at most ' +
            `${maximumPacketSize} bytes`,
          ],
        );
        again.client.destroy();
      }
    });
  }
}

Deno.test("a broker that takes QoS 0 at most gets no higher one", async () => {
  await using peer = await Peer.listen(5);
  const { rig, client } = await connected(peer, { properties: { maximumQoS: 0 } });
  await using _ = rig;
  rig.replies.add(reply("x"));
  assert.equal((await client.read("publish")).qos, 0);
  await rig.connection.drained();
  assert.equal(rig.replies.length, 0);
});

Deno.test("a reply that the broker refuses is told once, and not sent again", async () => {
  await using peer = await Peer.listen(5);
  const { rig, client } = await connected(peer);
  await using _ = rig;
  for (const payload of numbers(1, 5)) rig.replies.add(reply(payload));
  await rig.until("all", () => payloads(client).length === 5);
  for (const [index, reasonCode] of [135, 135, 151, 16, 0].entries()) {
    acknowledge(client, sent(client)[index], reasonCode);
  }
  await rig.connection.drained();
  assert.equal(rig.replies.length, 0);
  assert.equal(rig.replies.dropped, 3);
  assert.deepEqual(rig.logged("WARNING"), [
    '[WARNING] The broker refused a reply for "r": Not authorized',
    '[WARNING] The broker refused a reply for "r": Quota exceeded',
  ]);
  assert.equal(rig.connection.state.state, "connected");
  assert.equal(payloads(client).length, 5);
});

for (
  const [protocolVersion, line] of [
    ["V311", "max_packet_size 1000"],
    // mosquitto answers with a reason code that MQTT.js takes for a malformed packet.
    ["V5", "message_size_limit 1000"],
  ] as const
) {
  mosquittoTest(
    `${protocolVersion}, ${line}: a reply at which the broker ends each connection is given up, and no other`,
    async () => {
      await using broker = await startBroker({ lines: [line] });
      await using witness = await Witness.lasting(broker.port);
      await using rig = new Rig(options(broker.port, { protocolVersion }));
      for (const payload of numbers(1, 10)) rig.replies.add(reply(payload));
      rig.replies.add(reply("x".repeat(2_000)));
      for (const payload of numbers(11, 20)) rig.replies.add(reply(payload));
      rig.offer("t", numbers(1, 50));
      rig.connection.connect();
      await rig.until("an empty box", () => rig.replies.length === 0);
      await rig.acknowledged(50);
      await witness.caughtUp();
      assert.equal(rig.replies.dropped, 1);
      assert.deepEqual([...new Set(witness.payloads("r"))], numbers(1, 20));
      assert.deepEqual(
        rig.logged("Gave up"),
        ['[WARNING] Gave up a reply of 2000 bytes for "r": the broker ended 5 connections at it'],
      );
      assert.ok(rig.connection.reconnects <= 6);
    },
  );
}

Deno.test("a reply is not blamed for the end of a connection that was ours", async () => {
  await using peer = await Peer.listen(5);
  const { rig, client } = await connected(peer);
  await using _ = rig;
  rig.replies.add(reply("1"));
  let last = client;
  for (let i = 0; i < 8; i++) {
    await last.read("publish");
    const ended = rig.connection.disconnect("disconnected");
    rig.connection.connect();
    last.destroy();
    await ended;
    last = await peer.welcome();
  }
  acknowledge(last, await last.read("publish"));
  await rig.connection.drained();
  assert.equal(rig.replies.dropped, 0);
});

Deno.test("drained waits for replies, as for events", async () => {
  await using peer = await Peer.listen(5);
  const { rig, client } = await connected(peer, { properties: { receiveMaximum: 1 } });
  await using _ = rig;
  rig.replies.add(reply("1"));
  rig.replies.add(reply("2"));
  let isDrained = false;
  const drained = rig.connection.drained().then(() => isDrained = true);
  acknowledge(client, await client.read("publish"));
  const second = await client.read("publish");
  await client.settled();
  assert.equal(isDrained, false);
  acknowledge(client, second);
  await drained;
  assert.equal(rig.replies.length, 0);
});

for (
  const [what, add] of [
    ["a reply", (rig: Rig) => void rig.replies.add(reply("x".repeat(100)))],
    ["an event", (rig: Rig) => rig.queue.offer(message("t", "x".repeat(100)))],
  ] as const
) {
  Deno.test(`drained does not wait for ${what} that is dropped last`, async () => {
    await using peer = await Peer.listen(5);
    const { rig, client } = await connected(peer, { properties: { maximumPacketSize: 50 } });
    await using _ = rig;
    add(rig);
    let isDrained = false;
    const drained = rig.connection.drained().then(() => isDrained = true);
    await client.settled();
    assert.ok(isDrained);
    await drained;
    const { too_large = 0 } = rig.queue.books.dropped;
    assert.equal(too_large + rig.replies.dropped, 1);
  });
}

Deno.test("without a broker drained waits for nothing", async () => {
  const rig = new Rig(options(1));
  rig.replies.add(reply("1"));
  await rig.connection.drained();
  rig.connection.connect();
  rig.replies.add(reply("2"));
  await rig.connection.drained();
  assert.equal(rig.replies.length, 2);
  await rig[Symbol.asyncDispose]();
});

Deno.test("no more is written than the socket takes; the rest waits in the box", async () => {
  await using peer = await Peer.listen(5);
  const bytes = 64 * 1024;
  const replies = new ReplyBox(new ManualClock(), { replies: 900, bytes: 900 * 2 * bytes });
  const { rig, client } = await connected(peer, {}, { replies });
  await using _ = rig;
  for (let i = 0; i < 900; i++) replies.add(reply("x".repeat(bytes), { qos: 0 }));
  let taken = 0;
  const take = replies.take.bind(replies);
  replies.take = () => {
    taken++;
    return take();
  };
  // The peer reads nothing before this task is over; the system takes some MB for it.
  while (taken === 0) await new Promise<void>((resolve) => nextTick(resolve));
  assert.ok(taken < 300, `${taken} at once`);
  await rig.until("all", () => payloads(client).length === 900);
  await rig.connection.drained();
});

Deno.test("an orderly end waits for what is on its way; what waits stays for the next connection", async () => {
  await using peer = await Peer.listen(5);
  const replies = new ReplyBox(new ManualClock());
  const will = { topic: "will", payload: "gone", qos: 1, retain: false } as const;
  const rig = new Rig(options(peer.port, { protocolVersion: "V5", will, sendMaximum: 2 }), {
    replies,
  });
  rig.connection.connect();
  const client = await peer.welcome();
  await rig.state("connected");
  for (const payload of numbers(1, 4)) replies.add(reply(payload));
  const first = await client.read("publish");
  const second = await client.read("publish");
  const ended = rig.connection.disconnect("disconnected");
  // What comes meanwhile goes nowhere.
  replies.add(reply("5"));
  acknowledge(client, first);
  await client.settled();
  assert.deepEqual(payloads(client), ["1", "2"]);
  acknowledge(client, second);
  await client.read("puback");
  assert.equal((await client.read("publish")).topic, "will");
  await client.read("disconnect");
  client.socket.end();
  await ended;
  assert.equal(replies.length, 3);
  await rig[Symbol.asyncDispose]();

  const next = await connected(peer, {}, { replies });
  await using _ = next.rig;
  for (const payload of numbers(3, 5)) {
    const packet = await next.client.read("publish");
    assert.equal(String(packet.payload), payload);
    acknowledge(next.client, packet);
  }
  await next.rig.connection.drained();
  assert.equal(replies.length, 0);
  // The listener of a connection that is replaced hears no more.
  replies.add(reply("6"));
  acknowledge(next.client, await next.client.read("publish"));
  await next.rig.connection.drained();
});

Deno.test("a connection that is replaced brings its replies to an end, or gives them back", async () => {
  await using peer = await Peer.listen(5);
  const replies = new ReplyBox(new ManualClock());
  const first = await connected(peer, {}, { replies });
  for (const payload of numbers(1, 3)) replies.add(reply(payload));
  await first.rig.until("all", () => payloads(first.client).length === 3);
  const ended = first.rig.connection.disconnect("disabled");
  await using second = new Rig(options(peer.port, { protocolVersion: "V5" }), { replies });
  acknowledge(first.client, sent(first.client)[1]);
  await second.until("two left", () => replies.length === 2);
  first.client.destroy();
  await ended;
  second.connection.connect();
  const client = await peer.welcome();
  for (const payload of ["1", "3"]) {
    const packet = await client.read("publish");
    assert.equal(String(packet.payload), payload);
    acknowledge(client, packet);
  }
  await second.connection.drained();
  assert.equal(replies.length, 0);
});

Deno.test("a reply that comes too late is dropped when its turn comes", async () => {
  await using peer = await Peer.listen(5);
  const clock = new ManualClock();
  await using rig = new Rig(options(peer.port, { protocolVersion: "V5" }), { clock });
  rig.replies.add(reply("short 1", { goodForMs: 1_000 }));
  rig.replies.add(reply("long", { goodForMs: 2_500 }));
  rig.replies.add(reply("short 2", { goodForMs: 1_000 }));
  rig.replies.add(reply("for ever", { goodForMs: Infinity }));
  clock.advance(999);
  assert.equal(rig.replies.length, 4);
  clock.advance(1);
  rig.connection.connect();
  const client = await peer.welcome();
  await rig.until("two", () => payloads(client).length === 2);
  assert.deepEqual(payloads(client), ["long", "for ever"]);
  // Rounded up, so that what is in time arrives.
  assert.deepEqual(
    sent(client).map(({ properties }) => properties?.messageExpiryInterval),
    [2, undefined],
  );
  assert.equal(rig.replies.dropped, 2);
  assert.deepEqual(rig.logged("WARNING"), [
    '[WARNING] Dropped a reply for "r": it could not be sent within 1 s',
  ]);
  // Neither is it sent again.
  clock.advance(1_500);
  client.destroy();
  await rig.reason("waiting");
  clock.advance(1_000);
  const second = await peer.welcome();
  acknowledge(second, await second.read("publish"));
  await rig.connection.drained();
  assert.deepEqual(payloads(second), ["for ever"]);
  assert.equal(rig.replies.dropped, 3);
});

for (
  const [what, limits, most] of [
    ["1,000 replies", undefined, 1_000],
    ["so many replies", { replies: 3, bytes: 1_000_000 }, 3],
    // Topic, payload and correlation data count.
    ["so many bytes", { replies: 1_000, bytes: 1_209 }, 12],
  ] as readonly (readonly [string, ReplyLimits | undefined, number])[]
) {
  Deno.test(`a box of ${what} drops the oldest when it is full, and says so once`, async () => {
    await using peer = await Peer.listen(5);
    const replies = new ReplyBox(new ManualClock(), limits);
    await using rig = new Rig(options(peer.port, { protocolVersion: "V5" }), { replies });
    const correlationData = new Uint8Array(46);
    const add = (i: number) => replies.add(reply(`${i}`.padStart(53), { correlationData }));
    for (let i = 1; i <= most; i++) assert.equal(add(i), true);
    for (let i = most + 1; i <= most + 7; i++) assert.equal(add(i), false);
    assert.equal(replies.length, most);
    assert.equal(replies.dropped, 7);
    assert.equal(rig.logged("WARNING").length, 1);
    assert.match(rig.logged("WARNING")[0] ?? "", /for "r", the oldest that waits/);
    rig.connection.connect();
    const client = await peer.welcome();
    let answered = 0;
    await rig.until("all", () => {
      for (; answered < sent(client).length; answered++) {
        acknowledge(client, sent(client)[answered]);
      }
      return answered === most && replies.length === 0;
    });
    assert.deepEqual(payloads(client).map((payload) => payload.trim()), numbers(8, most + 7));
  });
}

Deno.test("what is on its way counts in a full box, and is not dropped from it", async () => {
  await using peer = await Peer.listen(5);
  const replies = new ReplyBox(new ManualClock(), { replies: 3, bytes: 1_000 });
  const { rig, client } = await connected(peer, {}, { replies, sendMaximum: 2 });
  await using _ = rig;
  for (const payload of numbers(1, 3)) assert.ok(replies.add(reply(payload)));
  await rig.until("a full window", () => payloads(client).length === 2);
  assert.equal(replies.add(reply("4")), false);
  for (let answered = 0; answered < 3; answered++) {
    await rig.until("the next", () => payloads(client).length > answered);
    acknowledge(client, sent(client)[answered]);
  }
  await rig.connection.drained();
  assert.deepEqual(payloads(client), ["1", "2", "4"]);
  assert.equal(replies.dropped, 1);
});

mosquittoTest("no topic to be answered at makes mosquitto end the connection", async () => {
  await using broker = await startBroker();
  await using witness = await Witness.start(broker.port, { protocolVersion: 5 });
  await using rig = new Rig(options(broker.port, { protocolVersion: "V5" }));
  rig.connection.connect();
  await rig.state("connected");
  const deepest = "a" + "/".repeat(200);
  const topics = ["/", "a//b", "é", "\ufeff", "\ufffd", "\u{10fffd}", "a".repeat(65_535), deepest];
  const refused = ["a\u0001", "\u007f", "\ufdd0", "\uffff", "\u{3fffe}", `${deepest}/`];
  for (const topic of [...refused, ...topics]) {
    for (const qos of [0, 1] as const) {
      assert.equal(rig.replies.add(reply("x", { topic, qos })), topics.includes(topic));
    }
  }
  await rig.connection.drained();
  await rig.until("all", () => witness.received.length === 2 * topics.length);
  assert.equal(rig.connection.reconnects, 0);
  assert.equal(rig.replies.dropped, 2 * refused.length);
});

Deno.test("a reply that can never be sent is not taken, and drops no other", () => {
  const replies = new ReplyBox(new ManualClock());
  const told: string[] = [];
  replies.tells({ changed: () => {}, dropped: (_, text) => told.push(text) });
  replies.add(reply("good"));
  for (
    const changed of [
      { topic: "" },
      { topic: "a/#" },
      { topic: "$SYS/a" },
      { topic: "a\nb" },
      { topic: "a\u0085" },
      { topic: "a\u{1ffff}" },
      { topic: "a" + "/".repeat(201) },
      { topic: "a".repeat(65_536) },
      { correlationData: new Uint8Array(65_536) },
      { payload: new Uint8Array(2 ** 20) },
    ]
  ) assert.equal(replies.add(reply("bad", changed)), false);
  assert.deepEqual(told, [
    "Dropped a reply: its topic is empty",
    "Dropped a reply: its topic holds a wildcard (`#` or `+`), which only a subscription may",
    "Dropped a reply: its topic begins with `$`, which brokers keep for themselves",
    "Dropped a reply: its topic holds control characters",
    "Dropped a reply: its topic holds control characters",
    "Dropped a reply: its topic holds control characters",
    "Dropped a reply: its topic has over 201 levels",
    "Dropped a reply: its topic is over 65535 bytes",
    "Dropped a reply: its correlation data is over 65535 bytes",
    "Dropped a reply: it is over 1048576 bytes",
  ]);
  assert.equal(replies.length, 1);
  assert.equal(replies.dropped, 10);
  assert.deepEqual(replies.take()?.reply.payload, encoder.encode("good"));
});

/** The sending side of a box alone, over a stream that writes when it is told to. */
class Line {
  /** What was sent, in order. */
  readonly sent: HeldReply[] = [];
  readonly #stream = { bytesWritten: 0, writableLength: 0 };
  readonly #replies: SentReplies;

  constructor(replies: ReplyBox) {
    this.#replies = new SentReplies(replies, this.#stream);
  }

  /** Sends the next reply in a write of its own, if one may go, and returns its payload. */
  send(): string | undefined {
    const line = { maximumQos: 2, maximumPacketSize: Infinity } as const;
    const held = this.#replies.take(line, true)?.held;
    if (held === undefined) return undefined;
    this.sent.push(held);
    this.#stream.bytesWritten += 10;
    this.#stream.writableLength += 10;
    this.#replies.flush();
    return new TextDecoder().decode(held.reply.payload);
  }

  /** The socket takes what was written, but for the last writes. */
  write(left: number): void {
    this.#stream.writableLength = left * 10;
    this.#replies.settle();
  }

  /** The broker acknowledges a reply. */
  acknowledge(index: number): void {
    this.#replies.acknowledged(this.sent[index] ?? assert.fail());
  }

  /** The connection ends. */
  end(isBrokersWord: boolean): void {
    this.#replies.close(isBrokersWord);
  }
}

Deno.test("at QoS 0 a reply has arrived when the socket took it, and is sent again if that broke first", () => {
  const replies = new ReplyBox(new ManualClock());
  for (const payload of numbers(1, 4)) replies.add(reply(payload, { qos: 0 }));
  const first = new Line(replies);
  assert.deepEqual([first.send(), first.send(), first.send()], numbers(1, 3));
  first.write(3);
  assert.equal(replies.length, 4);
  first.write(1);
  assert.equal(replies.length, 2);
  first.end(true);
  // The broker cannot have ended a connection at what it never got.
  for (let i = 0; i < 10; i++) {
    const next = new Line(replies);
    assert.deepEqual([next.send(), next.send(), next.send()], ["3", "4", undefined]);
    next.end(true);
  }
  const last = new Line(replies);
  assert.deepEqual([last.send(), last.send()], ["3", "4"]);
  last.write(0);
  assert.equal(replies.length, 0);
  assert.equal(replies.dropped, 0);
});

Deno.test("what goes back into the box keeps its order, whatever its QoS", () => {
  const replies = new ReplyBox(new ManualClock());
  for (const i of [1, 2, 3, 4, 5, 6] as const) {
    replies.add(reply(String(i), { qos: i % 2 === 0 ? 0 : 1 }));
  }
  const first = new Line(replies);
  for (let i = 0; i < 5; i++) first.send();
  first.end(false);
  const second = new Line(replies);
  assert.deepEqual(Array.from({ length: 6 }, () => second.send()), numbers(1, 6));
});

Deno.test("a reply at which a connection ended goes alone the next time", () => {
  const replies = new ReplyBox(new ManualClock());
  for (const payload of numbers(1, 3)) replies.add(reply(payload));
  for (let i = 0; i < 4; i++) {
    const line = new Line(replies);
    const all = [line.send(), line.send(), line.send()];
    assert.deepEqual(all, i === 0 ? ["1", "2", "3"] : ["1", undefined, undefined]);
    line.end(true);
  }
  // A broker that is frozen, or a line that is cut off, has said nothing.
  for (let i = 0; i < 10; i++) {
    const line = new Line(replies);
    assert.equal(line.send(), "1");
    line.end(false);
  }
  const last = new Line(replies);
  assert.equal(last.send(), "1");
  last.end(true);
  assert.equal(replies.dropped, 1);
  assert.equal(replies.length, 2);
  replies.add(reply("4", { qos: 0 }));
  const other = new Line(replies);
  assert.deepEqual([other.send(), other.send()], ["2", undefined]);
  other.acknowledge(0);
  assert.deepEqual([other.send(), other.send()], ["3", undefined]);
  // Neither does what was not there then go along with it.
  other.acknowledge(1);
  assert.deepEqual([other.send(), other.send()], ["4", undefined]);
});

Deno.test("an acknowledgement that comes behind the end of its connection counts for nothing", () => {
  const replies = new ReplyBox(new ManualClock());
  replies.add(reply("1"));
  const first = new Line(replies);
  first.send();
  first.end(false);
  first.acknowledge(0);
  assert.equal(replies.length, 1);
  const second = new Line(replies);
  assert.equal(second.send(), "1");
  second.acknowledge(0);
  second.acknowledge(0);
  assert.equal(replies.length, 0);
});

Deno.test("a full box drops a reply that yields before any other", () => {
  const clock = new ManualClock();
  const box = new ReplyBox(clock, { replies: 2, bytes: 10_000 });
  const told: string[] = [];
  box.tells({ changed: () => {}, dropped: (_, text) => told.push(text) });
  box.add(reply("result"));
  box.add(reply("refusal", { yields: true }));
  assert.equal(box.add(reply("another result")), false);
  const left = [box.take(), box.take()].map((held) =>
    new TextDecoder().decode(held?.reply.payload)
  );
  assert.deepEqual(left, ["result", "another result"]);
  assert.equal(told.length, 1);
});
