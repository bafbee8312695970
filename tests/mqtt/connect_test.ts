import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { openStream } from "../../lib/mqtt/stream.ts";
import { Secret } from "../../lib/secret.ts";
import { freePort, startBroker } from "../support/broker.ts";
import { ALL_QOS, message, options, Rig, text, Witness } from "./harness.ts";
import { Peer } from "./peer.ts";

Deno.test("CONNECT says what the configuration says", async () => {
  for (const [version, number] of [["V31", 3], ["V311", 4], ["V5", 5]] as const) {
    await using peer = await Peer.listen(number);
    await using rig = new Rig(options(peer.port, {
      protocolVersion: version,
      clientId: "the-switch",
      cleanSession: false,
      keepalive: 17,
      username: "user",
      password: new Secret("p"),
      receiveMaximum: 7,
      will: { topic: "w", payload: "é", qos: 1, retain: true },
    }));
    rig.connection.connect();
    const connect = await (await peer.accept()).read("connect");
    assert.equal(connect.protocolVersion, number);
    assert.equal(connect.protocolId, version === "V31" ? "MQIsdp" : "MQTT");
    assert.equal(connect.clientId, "the-switch");
    assert.equal(connect.clean, false);
    assert.equal(connect.keepalive, 17);
    assert.equal(connect.username, "user");
    assert.equal(String(connect.password), "p");
    assert.equal(connect.will?.topic, "w");
    assert.equal(String(connect.will?.payload), "é");
    assert.equal(connect.will?.qos, 1);
    assert.equal(connect.will?.retain, true);
    assert.equal(connect.properties?.receiveMaximum, version === "V5" ? 7 : undefined);
    // A session of MQTT 5 ends with its connection unless it is told otherwise.
    const expiry = version === "V5" ? 0xffff_ffff : undefined;
    assert.equal(connect.properties?.sessionExpiryInterval, expiry);
  }
});

Deno.test("keepalive 0 asks for no sign of life", async () => {
  await using broker = await startBroker();
  await using rig = new Rig(options(broker.port, { keepalive: 0 }));
  rig.connection.connect();
  await rig.state("connected");
  rig.offer("t", ["1"]);
  await rig.acknowledged(1);
});

Deno.test("keepalive asks a silent broker for a sign of life", async () => {
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port, { keepalive: 1 }));
  rig.connection.connect();
  const client = await peer.welcome();
  await client.read("pingreq");
  client.send({ cmd: "pingresp" });
  await client.read("pingreq");
  // No answer: it takes the broker for dead.
  await client.ended();
  assert.match(await rig.reason("waiting"), /^the broker gave no sign of life within keepalive$/);
});

Deno.test("bind_address is the address that the connection comes from", async () => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const { stream } = openStream({ host: "127.0.0.1", port: address.port }, {
    bindAddress: "127.0.0.2",
  });
  const [socket] = await once(server, "connection");
  assert.equal(socket.remoteAddress, "127.0.0.2");
  stream.destroy();
  socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("a bind_address that is not of this machine is named as the reason", async () => {
  const rigOptions = options(freePort(), { bindAddress: "192.0.2.7" });
  await using rig = new Rig(rigOptions);
  rig.connection.connect();
  assert.match(await rig.reason("waiting"), /bind_address/);
});

Deno.test("Nagle's algorithm is off", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const { stream } = openStream({ host: "127.0.0.1", port }, {});
  const [accepted] = await Promise.all([listener.accept(), once(stream, "connect")]);
  const local = (accepted.remoteAddr as Deno.NetAddr).port;
  assert.equal(noDelayOf(local), 1);
  stream.destroy();
  accepted.close();
  await once(stream, "close");
});

/** TCP_NODELAY of this process's socket with that local port. */
function noDelayOf(localPort: number): number | undefined {
  const libc = Deno.dlopen("libc.so.6", {
    getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
    getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  });
  const IPPROTO_TCP = 6;
  const TCP_NODELAY = 1;
  try {
    for (const { name } of Deno.readDirSync("/proc/self/fd")) {
      const address = new Uint8Array(16);
      if (libc.symbols.getsockname(Number(name), address, Uint32Array.of(16)) !== 0) continue;
      if (new DataView(address.buffer).getUint16(2) !== localPort) continue;
      const value = new Int32Array(1);
      libc.symbols.getsockopt(Number(name), IPPROTO_TCP, TCP_NODELAY, value, Uint32Array.of(4));
      return value[0];
    }
    return undefined;
  } finally {
    libc.close();
  }
}

Deno.test("a port on which nothing listens is said to be one, also by name", async () => {
  for (const host of ["127.0.0.1", "localhost"]) {
    await using rig = new Rig(options(freePort(), { host }));
    rig.connection.connect();
    assert.equal(await rig.reason("waiting"), "nothing listens on that port");
  }
});

Deno.test("a host name that is not known is said to be one", async () => {
  await using rig = new Rig(options(1, { host: "no-such-host.invalid" }));
  rig.connection.connect();
  assert.match(await rig.reason("waiting"), /^the host name cannot be resolved/);
});

Deno.test("a peer that sends garbage is left, and tried again", async () => {
  const garbage = [
    "HTTP/1.1 400 Bad Request\r\n\r\n",
    Uint8Array.of(0x20, 0xff, 0xff, 0xff, 0xff, 0x7f),
    Uint8Array.of(0x20, 0x02, 0x00, 0x7f),
    Uint8Array.of(0xf0, 0x00),
    Uint8Array.of(0x90, 0x00),
    // Two CONNACKs.
    Uint8Array.of(0x20, 0x02, 0, 0, 0x20, 0x02, 0, 0),
    crypto.getRandomValues(new Uint8Array(2_000)).fill(0xff, 0, 1),
  ];
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port));
  rig.connection.connect();
  rig.offer("t", ["kept"]);
  for (const bytes of garbage) {
    const client = await peer.accept();
    await client.read("connect");
    client.socket.write(bytes);
    await client.ended();
    await rig.until("an attempt given up", () => rig.connection.state.state !== "connecting");
  }
  const client = await peer.welcome();
  const packet = await client.read("publish");
  assert.equal(String(packet.payload), "kept");
  client.send({ cmd: "puback", messageId: packet.messageId ?? 0 });
  await rig.acknowledged(1);
});

Deno.test("an unreadable packet later on ends the connection, and nothing is lost", async () => {
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port));
  rig.connection.connect();
  const client = await peer.welcome();
  await rig.state("connected");
  rig.offer("t", ["a"]);
  await client.read("publish");
  client.socket.write(Uint8Array.of(0x60, 0x02, 0x00, 0x01));
  await client.ended();
  const second = await peer.welcome();
  const packet = await second.read("publish");
  second.send({ cmd: "puback", messageId: packet.messageId ?? 0 });
  await rig.acknowledged(1);
});

Deno.test("a broker of MQTT 5 that ends the connection is asked why", async () => {
  await using peer = await Peer.listen(5);
  await using rig = new Rig(options(peer.port, { protocolVersion: "V5" }));
  rig.connection.connect();
  const client = await peer.welcome();
  await rig.state("connected");
  client.send({ cmd: "disconnect", reasonCode: 142 });
  // It leaves the socket open; the client must not.
  await client.ended();
  await rig.until(
    "the log",
    () =>
      rig.logged("disconnected: the broker ended the connection: Session taken over").length === 1,
  );
});

Deno.test("the same client id twice: the broker ends the older, which comes back", async () => {
  await using broker = await startBroker();
  const slow = { reconnectDelay: 60, reconnectDelayMax: 60 };
  await using first = new Rig(options(broker.port, { clientId: "twin", ...slow }));
  first.connection.connect();
  await first.state("connected");
  await using second = new Rig(options(broker.port, { clientId: "twin", ...slow }));
  second.connection.connect();
  await second.state("connected");
  assert.match(await first.reason("waiting"), /broker (closed|reset) the connection/);
});

Deno.test("two connections have nothing to do with each other", async () => {
  await using broker = await startBroker();
  await using witness = await Witness.start(broker.port);
  await using dead = new Rig(options(freePort()));
  await using alive = new Rig(options(broker.port));
  dead.connection.connect();
  alive.connection.connect();
  for (const qos of ALL_QOS) {
    dead.queue.offer(message("dead", "x", { qos }));
    alive.queue.offer(message("alive", "x", { qos }));
  }
  await alive.acknowledged(3);
  await witness.count("alive", 3);
  assert.equal(dead.queue.length, 3);
  assert.equal(text(witness.received[0]?.payload ?? new Uint8Array()), "x");
});
