/** Each way in which the simulator can be told to misbehave. */

import assert from "node:assert/strict";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { EslClient, latin1Bytes } from "../support/esl_client.ts";
import { ManualClock } from "../support/manual_clock.ts";

const GOODBYE = "Content-Type: text/disconnect-notice\nContent-Length: 67\n\n" +
  "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n";

async function listener(simulator: Simulator): Promise<EslClient> {
  const client = await EslClient.login(simulator);
  await client.ask("event json HEARTBEAT GENERAL");
  return client;
}

Deno.test("stalled, it neither answers nor sends; resumed, nothing is missing", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  using client = await listener(simulator);
  simulator.stall();
  const connection = simulator.connections[0];
  const before = simulator.received.length;
  for (const x of ["1", "2", "3"]) simulator.fire("GENERAL", { X: x });
  await client.send("api echo late\n\n");
  assert.equal(connection?.queued, 3);
  assert.equal(simulator.received.length, before);
  simulator.resume();
  for (const x of ["1", "2", "3"]) assert.equal(JSON.parse(await client.event()).X, x);
  assert.equal((await client.frame()).body, "late");
});

Deno.test("stalled for new connections, open ones go on", async () => {
  await using simulator = await Simulator.start();
  using open = await EslClient.login(simulator);
  simulator.stall("new");
  using stalled = await EslClient.connect(simulator);
  let greeted = false;
  const greeting = stalled.frame().then(({ head }) => {
    greeted = true;
    return head;
  });
  await simulator.waitFor(() => simulator.accepted === 2);
  assert.match(await open.ask("api echo x"), /x$/);
  assert.equal(greeted, false);
  simulator.resume();
  assert.equal(await greeting, "Content-Type: auth/request");
});

Deno.test("a listener's queue is bounded; 501 drops in a row end the connection", async () => {
  await using simulator = await Simulator.start({ queueLimit: 10, heartbeatMs: 0 });
  using client = await listener(simulator);
  simulator.stall();
  const connection = simulator.connections[0];
  for (let i = 0; i < 510; i++) simulator.fire("GENERAL");
  assert.equal(connection?.queued, 10);
  assert.equal(connection?.dropped, 500);
  assert.equal(simulator.connections.length, 1);
  simulator.fire("GENERAL");
  assert.equal(await client.rest(), "");
});

Deno.test("all connections closed without a word; the next is welcome", async () => {
  await using simulator = await Simulator.start();
  using client = await EslClient.login(simulator);
  simulator.closeConnections();
  assert.equal(await client.rest(), "");
  using next = await EslClient.login(simulator);
  assert.match(await next.ask("api echo x"), /x$/);
});

Deno.test("not listening, then listening again on the same port", async () => {
  await using simulator = await Simulator.start();
  const { port } = simulator;
  using open = await EslClient.login(simulator);
  await simulator.stopListening();
  await assert.rejects(EslClient.connect(simulator), Deno.errors.ConnectionRefused);
  assert.match(await open.ask("api echo x"), /x$/);
  simulator.listen();
  assert.equal(simulator.port, port);
  using next = await EslClient.login(simulator);
  assert.match(await next.ask("api echo y"), /y$/);
});

Deno.test("a disconnect notice, with and without the end", async () => {
  await using simulator = await Simulator.start();
  using client = await EslClient.login(simulator);
  simulator.sendDisconnectNotice({ message: "Only saying.\n", close: false });
  assert.equal((await client.frame()).body, "Only saying.\n");
  assert.match(await client.ask("api echo x"), /x$/);
  simulator.sendDisconnectNotice();
  assert.equal(await client.rest(), GOODBYE);
});

Deno.test("restarted, it has another Core-UUID and counts from 1", async () => {
  await using simulator = await Simulator.start({ coreUuid: "first", heartbeatMs: 0 });
  using before = await listener(simulator);
  simulator.fire("GENERAL");
  const old = JSON.parse(await before.event());
  assert.equal(old["Core-UUID"], "first");
  simulator.restart();
  assert.equal(await before.rest(), "");
  using after = await listener(simulator);
  simulator.fire("GENERAL");
  const event = JSON.parse(await after.event());
  assert.equal(event["Event-Sequence"], "1");
  assert.equal(event["Core-UUID"], simulator.coreUuid);
  assert.notEqual(simulator.coreUuid, "first");
  assert.match(await after.ask("api global_getvar core_uuid"), new RegExp(simulator.coreUuid));
});

Deno.test("restarted in the middle of a call, the rest of the call never comes", async () => {
  const clock = new ManualClock();
  await using simulator = await Simulator.start({ clock, heartbeatMs: 0 });
  const call = simulator.fireCall({ durationMs: 1000 });
  simulator.restart();
  clock.advance(1000);
  await call.ended;
  assert.equal(simulator.sequence, 0);
});

Deno.test("any bytes between two frames", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  using client = await listener(simulator);
  simulator.fire("GENERAL");
  simulator.sendBytes(latin1Bytes("no frame \xff at all\n\n"));
  simulator.fire("GENERAL");
  await client.event();
  assert.equal((await client.frame()).head, "no frame \xff at all");
  await client.event();
});

Deno.test("authentication delayed", async () => {
  const clock = new ManualClock();
  await using simulator = await Simulator.start({ clock, heartbeatMs: 0 });
  simulator.authDelayMs = 3000;
  using client = await EslClient.connect(simulator);
  await client.frame();
  await client.send("auth ClueCon\n\n");
  await simulator.waitForCommand(({ command }) => command === "auth ClueCon");
  assert.equal(simulator.connections[0]?.authenticated, false);
  clock.advance(3000);
  assert.match((await client.frame()).head, /\+OK accepted/);
  assert.equal(clock.pending, 0);
});

Deno.test("closed when not authenticated in time", async () => {
  const clock = new ManualClock();
  await using simulator = await Simulator.start({ clock, heartbeatMs: 0 });
  using late = await EslClient.connect(simulator);
  using early = await EslClient.login(simulator);
  assert.equal((await late.frame()).head, "Content-Type: auth/request");
  await simulator.waitFor(() => simulator.connections.length === 2);
  clock.advance(25_000);
  assert.equal(await late.rest(), GOODBYE);
  assert.match(await early.ask("api echo x"), /x$/);
});

Deno.test("written in pieces, the frames are the same", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  simulator.writeBytes = 7;
  using client = await listener(simulator);
  simulator.fire("GENERAL", { X: "é".repeat(1000) });
  const { X } = JSON.parse(new TextDecoder().decode(latin1Bytes(await client.event())));
  assert.equal(X, "é".repeat(1000));
});

Deno.test("the result of a job before the reply to its bgapi", async () => {
  await using simulator = await Simulator.start({ jobResult: "before", heartbeatMs: 0 });
  using events = await EslClient.login(simulator);
  using commands = await EslClient.login(simulator);
  for (const client of [events, commands]) await client.ask("event json BACKGROUND_JOB");
  await commands.send("bgapi echo x\nJob-UUID: mine\n\n");
  assert.match((await commands.frame()).body, /"Job-UUID":"mine"/);
  assert.match((await commands.frame()).head, /Job-UUID: mine/);
  assert.match(await events.event(), /"Job-UUID":"mine"/);
});

Deno.test("it stops although a command never ends", async () => {
  const simulator = await Simulator.start();
  simulator.handleApi("hang", () => new Promise(() => {}));
  using client = await EslClient.login(simulator);
  await client.send("api hang\n\n");
  await simulator.waitForCommand(({ command }) => command === "api hang");
  const never = assert.rejects(simulator.waitForSubscription("HEARTBEAT"), /has stopped/);
  await simulator.stop();
  await never;
  assert.equal(await client.rest(), "");
});
