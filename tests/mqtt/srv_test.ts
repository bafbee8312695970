import assert from "node:assert/strict";
import { resolveBrokers } from "../../lib/mqtt/srv.ts";
import { freePort, startBroker } from "../support/broker.ts";
import { options, Rig } from "./harness.ts";
import { Peer } from "./peer.ts";

const record = (target: string, priority: number, weight: number, port = 1883) => ({
  target,
  priority,
  weight,
  port,
});

async function hosts(records: Deno.SrvRecord[], random: () => number): Promise<string[]> {
  const resolve = () => Promise.resolve(records);
  const brokers = await resolveBrokers("example.org", { tls: false, random, resolve });
  return brokers.map(({ host }) => host);
}

Deno.test("brokers come by priority first", async () => {
  const records = [record("c.", 30, 0), record("a.", 10, 0), record("b.", 20, 100)];
  assert.deepEqual(await hosts(records, () => 0.99), ["a", "b", "c"]);
});

Deno.test("among equals the weights decide the chances", async () => {
  const records = [record("light", 1, 10), record("heavy", 1, 90)];
  const first = async (random: number) => (await hosts(records, () => random))[0];
  assert.equal(await first(0), "light");
  assert.equal(await first(0.09), "light");
  assert.equal(await first(0.11), "heavy");
  assert.equal(await first(0.999), "heavy");
});

Deno.test("every broker comes once, those without weight too", async () => {
  const records = [record("a", 1, 0), record("b", 1, 5), record("c", 1, 0), record("d", 0, 0)];
  for (const random of [0, 0.3, 0.999_999]) {
    const found = await hosts(records, () => random);
    assert.equal(found[0], "d");
    assert.deepEqual(found.toSorted(), ["a", "b", "c", "d"]);
  }
});

Deno.test("the name asked for tells TLS from clear, and the port is the record's", async () => {
  const asked: string[] = [];
  const resolve = (name: string) => {
    asked.push(name);
    return Promise.resolve([record("broker.example.org.", 0, 0, 4711)]);
  };
  const [broker] = await resolveBrokers("example.org", { tls: false, resolve });
  await resolveBrokers("example.org", { tls: true, resolve });
  assert.deepEqual(asked, ["_mqtt._tcp.example.org", "_secure-mqtt._tcp.example.org"]);
  assert.deepEqual(broker, { host: "broker.example.org", port: 4711 });
});

Deno.test('a target of "." offers no broker', async () => {
  for (const records of [[], [record(".", 0, 0)], [record("", 0, 0)]]) {
    const reason = { message: "the SRV records of _mqtt._tcp.example.org offer no broker" };
    await assert.rejects(hosts(records, Math.random), reason);
  }
});

Deno.test("the brokers are tried in their order, and DNS is asked again after the last", async () => {
  await using broker = await startBroker();
  let asked = 0;
  const resolveSrv = () => {
    asked++;
    if (asked === 1) return Promise.reject(new Error("SERVFAIL"));
    return Promise.resolve([
      record("127.0.0.1.", 2, 0, asked === 2 ? freePort() : broker.port),
      record("127.0.0.1.", 1, 0, freePort()),
    ]);
  };
  await using rig = new Rig(options(1, { host: "example.org", srv: true }), {
    resolveSrv,
    level: "debug",
  });
  rig.connection.connect();
  rig.offer("t", ["kept"]);
  await rig.acknowledged(1);
  assert.equal(asked, 3);
  const failures = rig.logged("cannot connect").map((line) =>
    line.replace(/.*connect to [^:]*(:\d+)?: |;.*/g, "")
  );
  assert.deepEqual(failures, [
    "no SRV record of _mqtt._tcp.example.org was found: SERVFAIL",
    ...Array.from({ length: 3 }, () => "nothing listens on that port"),
  ]);
});

Deno.test("a connection that is ended while DNS is asked is not made", async () => {
  await using peer = await Peer.listen();
  const dns = Promise.withResolvers<Deno.SrvRecord[]>();
  await using rig = new Rig(options(1, { host: "example.org", srv: true, clientId: "late" }), {
    resolveSrv: () => dns.promise,
  });
  rig.connection.connect();
  await rig.connection.disconnect("disconnected");
  dns.resolve([record("127.0.0.1", 0, 0, peer.port)]);
  await new Promise((resolve) => setImmediate(resolve));
  await using other = new Rig(options(peer.port, { clientId: "other" }));
  other.connection.connect();
  assert.equal((await (await peer.accept()).read("connect")).clientId, "other");
  assert.equal(peer.connections, 1);
  assert.deepEqual(rig.log, []);
});
