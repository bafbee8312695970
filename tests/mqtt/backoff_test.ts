import assert from "node:assert/strict";
import { ManualClock } from "../support/manual_clock.ts";
import { freePort, startBroker } from "../support/broker.ts";
import { options, Rig, until } from "./harness.ts";
import { Peer } from "./peer.ts";

/** Makes an attempt fail and returns the seconds until the next one, as the log tells them. */
async function nextDelay(rig: Rig, clock: ManualClock): Promise<number> {
  const before = rig.log.length;
  const delays = () =>
    rig.log.slice(before).flatMap((line) => /next attempt in ([\d.]+) s/.exec(line)?.[1] ?? []);
  if (rig.connection.state.state === "disabled") rig.connection.connect();
  else clock.advance(600_000);
  const [delay] = await rig.until("a failure", () => delays().length > 0 && delays());
  return Number(delay);
}

/** The first delays of a connection to a port on which nothing listens. */
async function delays(changed: Parameters<typeof options>[1], random: number): Promise<number[]> {
  const clock = new ManualClock();
  await using rig = new Rig(options(freePort(), changed), {
    clock,
    random: () => random,
    level: "debug",
  });
  const found: number[] = [];
  for (let i = 0; i < 8; i++) found.push(await nextDelay(rig, clock));
  assert.equal(clock.pending, 1);
  return found;
}

const SLOW = { reconnectDelay: 1, reconnectDelayMax: 30 };

Deno.test("the delays double up to the longest", async () => {
  assert.deepEqual(await delays(SLOW, 0), [1, 2, 4, 8, 16, 30, 30, 30]);
});

Deno.test("without exponential back-off they grow by the first", async () => {
  const changed = { reconnectDelay: 2, reconnectDelayMax: 9, reconnectExponentialBackoff: false };
  assert.deepEqual(await delays(changed, 0), [2, 4, 6, 8, 9, 9, 9, 9]);
});

Deno.test("up to a fifth is taken off at random, and nothing is ever added", async () => {
  assert.deepEqual(await delays(SLOW, 0.5), [0.9, 1.8, 3.6, 7.2, 14.4, 27, 27, 27]);
});

Deno.test("the next attempt begins when the delay is over, not before", async () => {
  const clock = new ManualClock();
  await using rig = new Rig(options(freePort(), SLOW), { clock, random: () => 0 });
  rig.connection.connect();
  await rig.reason("waiting");
  clock.advance(999);
  assert.equal(rig.connection.state.state, "waiting");
  clock.advance(1);
  assert.equal(rig.connection.state.state, "connecting");
});

Deno.test("retries used up: it is logged and shown, and goes on at the slowest pace", async () => {
  const clock = new ManualClock();
  const changed = { ...SLOW, retries: 3 };
  await using broker = await startBroker();
  await broker.stop();
  await using rig = new Rig(options(broker.port, changed), {
    clock,
    random: () => 0,
    level: "debug",
  });
  const found: number[] = [];
  for (let i = 0; i < 3; i++) found.push(await nextDelay(rig, clock));
  assert.deepEqual(rig.logged("used up"), []);
  for (let i = 0; i < 3; i++) found.push(await nextDelay(rig, clock));
  assert.deepEqual(found, [1, 2, 4, 30, 30, 30]);
  const text = "[ERROR] 3 retries are used up; going on with one every 30 s";
  assert.deepEqual(rig.logged("used up"), [text]);
  assert.match(
    await rig.reason("waiting"),
    /^nothing listens on that port \(3 retries are used up\)$/,
  );
  await broker.start();
  clock.advance(30_000);
  await rig.state("connected");
  // All is forgotten once it is there.
  await broker.stop();
  assert.match(await rig.reason("waiting"), /^the broker (closed|reset) the connection$/);
  assert.equal(rig.logged("next attempt in 1.0 s").length, 2);
});

Deno.test("refusals use up retries too", async () => {
  const clock = new ManualClock();
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port, { ...SLOW, retries: 2 }), { clock });
  rig.connection.connect();
  for (let i = 1; i <= 4; i++) {
    const client = await peer.welcome({ returnCode: 5 });
    await client.ended();
    await until("the refusal", () => rig.connection.state.state === "refused");
    assert.equal(rig.logged("2 retries are used up").length, i > 2 ? 1 : 0);
    clock.advance(30_000);
  }
});

Deno.test("a refusal is tried again at the slowest pace", async () => {
  const clock = new ManualClock();
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port, SLOW), { clock, random: () => 0 });
  rig.connection.connect();
  await peer.welcome({ returnCode: 4 });
  await rig.reason("refused");
  clock.advance(29_999);
  assert.equal(rig.connection.state.state, "refused");
  clock.advance(1);
  assert.equal(rig.connection.state.state, "connecting");
  await peer.welcome();
  await rig.state("connected");
});

Deno.test("the same trouble is logged once, another one again", async () => {
  const clock = new ManualClock();
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port, SLOW), { clock });
  rig.connection.connect();
  for (const returnCode of [3, 3, 3, 5, 5, 3]) {
    const client = await peer.welcome({ returnCode });
    await client.ended();
    await until("the failure", () => rig.connection.state.state !== "connecting");
    clock.advance(30_000);
  }
  const told = rig.logged("cannot connect").map((line) => line.replace(/ to \S+(?=: )|;.*/g, ""));
  assert.deepEqual(told, [
    "[WARNING] cannot connect: Connection refused: Server unavailable",
    "[ERROR] cannot connect: the broker does not authorise this client: check `username` and " +
    "`password`",
    "[WARNING] cannot connect: Connection refused: Server unavailable",
  ]);
  await peer.welcome();
  await rig.state("connected");
  assert.equal(rig.logged("[NOTICE] connected").length, 1);
});

Deno.test("a broker that does not answer SUBSCRIBE is left after 10 s, and said to do so", async () => {
  const clock = new ManualClock();
  await using peer = await Peer.listen();
  await using rig = new Rig(options(peer.port, SLOW), { clock });
  rig.connection.subscribe([{ filter: "c", qos: 1 }]);
  rig.connection.connect();
  const client = await peer.welcome();
  await client.read("subscribe");
  assert.equal(rig.connection.state.state, "connecting");
  clock.advance(10_000);
  await client.ended();
  assert.equal(await rig.reason("waiting"), "the broker does not answer SUBSCRIBE");
});

Deno.test("an end between attempts leaves no timer behind", async () => {
  const clock = new ManualClock();
  await using rig = new Rig(options(freePort(), SLOW), { clock });
  rig.connection.connect();
  await rig.reason("waiting");
  await rig.connection.disconnect("disconnected");
  assert.equal(clock.pending, 0);
});
