/** Commands and their answers on an open connection. */

import assert from "node:assert/strict";
import { EslError } from "../../lib/esl/errors.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { endpointOf, openConnection, Peer, test } from "./helper.ts";

test("answers come back in the order of the questions", async () => {
  await using simulator = await Simulator.start();
  using opened = await openConnection(endpointOf(simulator));
  const { connection } = opened;
  const answers = await Promise.all([
    connection.api("echo one"),
    connection.command("event json HEARTBEAT").then(({ text }) => text),
    connection.api("echo two"),
    connection.command("bgapi echo x", { "Job-UUID": "job-1" }).then(({ headers }) =>
      headers.get("Job-UUID")
    ),
    connection.command("nonsense").catch((error: EslError) => error.message),
    connection.api("echo three"),
  ]);
  assert.deepEqual(answers, [
    "one",
    "+OK event listener enabled json",
    "two",
    "job-1",
    'FreeSWITCH rejected "nonsense": -ERR command not found',
    "three",
  ]);
});

test("answers in split writes, and events between them, are put together", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  simulator.writeBytes = 3;
  using opened = await openConnection(endpointOf(simulator));
  await opened.connection.command("event json GENERAL");
  const answers = ["a", "b", "c"].map((word) => {
    simulator.fire("GENERAL", { "X-Word": word });
    return opened.connection.api(`echo ${word}`);
  });
  assert.deepEqual(await Promise.all(answers), ["a", "b", "c"]);
  await opened.events.at(2);
  assert.deepEqual(opened.events.all.map((event) => JSON.parse(event)["X-Word"]), ["a", "b", "c"]);
});

test("-ERR and -USAGE reject a command, but are an answer like another to `api`", async () => {
  await using simulator = await Simulator.start({ api: { help: () => "-USAGE: help <word>\n" } });
  using opened = await openConnection(endpointOf(simulator));
  const { connection } = opened;
  await assert.rejects(connection.command("nonsense"), { name: "EslError", kind: "rejected" });
  await assert.rejects(connection.command("api help"), { kind: "rejected", message: /-USAGE/ });
  assert.match(await connection.api("nosuchcommand"), /^-ERR nosuchcommand Command not found!/);
  assert.deepEqual(opened.closed.all, []);
});

test("a rejected command is named, its arguments are not", async () => {
  await using simulator = await Simulator.start();
  using opened = await openConnection(endpointOf(simulator));
  await assert.rejects(
    opened.connection.command("nonsense 4471234567"),
    ({ message }: EslError) => message.includes('"nonsense"') && !message.includes("4471234567"),
  );
});

test("an answer of `api` keeps its bytes: UTF-8, line ends, a byte order mark", async () => {
  const text = "\ufeffZoë\n\nContent-Type: auth/request\n\n";
  await using simulator = await Simulator.start({ api: { odd: () => text } });
  using opened = await openConnection(endpointOf(simulator));
  assert.equal(await opened.connection.api("odd"), text);
  assert.equal(await opened.connection.api("echo next"), "next");
});

for (const [name, character] of [["LF", "\n"], ["CR", "\r"], ["NUL", "\0"]] as const) {
  test(`${name} in a command or in its headers is refused, and nothing is sent`, async () => {
    await using simulator = await Simulator.start();
    using opened = await openConnection(endpointOf(simulator));
    const { connection } = opened;
    const before = simulator.received.length;
    const evil = `echo x${character}console_execute: true`;
    const refused = { kind: "rejected", message: /holds LF, CR or NUL/ };
    await assert.rejects(connection.command(`bgapi ${evil}`), refused);
    await assert.rejects(connection.command("bgapi echo", { "Job-UUID": evil }), refused);
    await assert.rejects(connection.command("bgapi echo", { [evil]: "x" }), refused);
    await assert.rejects(connection.api(evil), refused);
    assert.equal(await connection.api("echo still here"), "still here");
    assert.deepEqual(simulator.received.slice(before).map(({ command }) => command), [
      "api echo still here",
    ]);
  });
}

test("text that FreeSWITCH takes for `reload mod_event_socket` is not sent", async () => {
  await using simulator = await Simulator.start();
  using opened = await openConnection(endpointOf(simulator));
  const { connection } = opened;
  const before = simulator.received.length;
  for (
    const command of [
      "bgapi originate user/1 &playback(/tmp/reload/mod_event_socket.wav)",
      "bgapi echo MOD_EVENT_SOCKET must not UnLoad",
      "bgapi reload -f mod_event_socket",
    ]
  ) {
    await assert.rejects(connection.command(command), {
      kind: "rejected",
      message: /takes for `reload mod_event_socket`/,
    });
  }
  assert.equal(simulator.received.length, before);
  // Asked for as such it runs, and so does what holds only one of the words.
  await connection.command("bgapi reload mod_event_socket");
  await connection.command("bgapi module_exists mod_event_socket");
  await connection.command("bgapi reload mod_sofia");
  assert.equal(simulator.received.length, before + 3);
});

test("a big command arrives whole", async () => {
  await using simulator = await Simulator.start();
  using opened = await openConnection(endpointOf(simulator));
  // More than the socket takes in one write.
  const text = "x".repeat(8_000_000);
  assert.equal(await opened.connection.api(`echo ${text}`), text);
});

test("an answer that does not come in time ends the connection, and all who wait hear", async () => {
  await using simulator = await Simulator.start();
  const clock = new ManualClock();
  using opened = await openConnection(endpointOf(simulator), { clock });
  simulator.stall();
  const first = opened.connection.api("echo one");
  const second = opened.connection.command("event json HEARTBEAT");
  const rejected = Promise.all([
    assert.rejects(first, { kind: "lost", message: /did not answer "api" within 10 s/ }),
    assert.rejects(second, { kind: "lost", message: /did not answer "api" within 10 s/ }),
  ]);
  clock.advance(9_999);
  assert.deepEqual(opened.closed.all, []);
  clock.advance(1);
  await rejected;
  assert.equal(opened.closed.all.length, 1);
  assert.equal(clock.pending, 0);
  simulator.resume();
  await simulator.waitFor(({ connections }) => connections.length === 0);
});

function frame(type: string, body: string): string {
  return `Content-Length: ${body.length}\nContent-Type: ${type}\n\n${body}`;
}

// FreeSWITCH empties its queue of events before it reads the next command.
test("a burst of events may hold back an answer: only silence ends the connection", async () => {
  using peer = new Peer();
  const clock = new ManualClock();
  const [opened] = await Promise.all([openConnection(endpointOf(peer), { clock }), peer.welcome()]);
  using _ = opened;
  const asked = opened.connection.api("slow");
  assert.equal(await peer.command(), "api slow");
  for (const index of [0, 1, 2]) {
    clock.advance(9_000);
    await peer.send(frame("text/event-json", "{}"));
    await opened.events.at(index);
  }
  await peer.send(frame("api/response", "done"));
  assert.equal(await asked, "done");

  const lost = assert.rejects(opened.connection.api("lost"), { kind: "lost" });
  clock.advance(9_000);
  await peer.send(frame("text/event-json", "{}"));
  await opened.events.at(3);
  clock.advance(9_999);
  assert.deepEqual(opened.closed.all, []);
  clock.advance(1);
  await lost;
  assert.equal(opened.closed.all.length, 1);
});

test("every byte is a sign of life, not only the last of a frame", async () => {
  using peer = new Peer();
  const clock = new ManualClock();
  const [opened] = await Promise.all([openConnection(endpointOf(peer), { clock }), peer.welcome()]);
  using _ = opened;
  const asked = opened.connection.api("big");
  const text = frame("api/response", "x".repeat(1000));
  clock.advance(6_000);
  assert.equal(opened.connection.silentMs, 6_000);
  await peer.send(text.slice(0, 500));
  // Nothing is told of half a frame, so there is nothing else to wait for.
  for (let turns = 0; opened.connection.silentMs > 0; turns++) {
    assert.ok(turns < 100_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  clock.advance(6_000);
  await peer.send(text.slice(500));
  assert.equal(await asked, "x".repeat(1000));
  assert.equal(opened.connection.silentMs, 0);
});

test("a clock that has nothing to time has no timers left", async () => {
  await using simulator = await Simulator.start();
  const clock = new ManualClock();
  using opened = await openConnection(endpointOf(simulator), { clock });
  await opened.connection.api("echo x");
  await opened.connection.command("nonsense").catch(() => {});
  assert.equal(clock.pending, 0);
});

test("an answer over the limit fails its question alone", async () => {
  const long = () => "x".repeat(2000);
  await using simulator = await Simulator.start({ heartbeatMs: 0, api: { long } });
  using opened = await openConnection(endpointOf(simulator), { limits: { bodyBytes: 1000 } });
  const { connection } = opened;
  const answers = [connection.api("echo one"), connection.api("long"), connection.api("echo two")];
  const message = "FreeSWITCH's answer of 2000 bytes is too long";
  const [one, failure, two] = await Promise.allSettled(answers);
  assert.deepEqual([one, two].map((each) => each?.status === "fulfilled" && each.value), [
    "one",
    "two",
  ]);
  assert.ok(failure?.status === "rejected");
  assert.deepEqual([failure.reason.kind, failure.reason.message], ["rejected", message]);
  assert.deepEqual(opened.closed.all, []);
});

test("an answer over the limit that nobody asked for ends the connection as any other", async () => {
  using peer = new Peer();
  const [opened] = await Promise.all([
    openConnection(endpointOf(peer), { limits: { bodyBytes: 10 } }),
    peer.welcome(),
  ]);
  using _ = opened;
  await peer.send("Content-Type: api/response\nContent-Length: 11\n\n01234567890");
  assert.match((await opened.closed.at(0)).message, /a question that nobody asked/);
});

test("an event over the limit is told by its start, and the next one comes", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  using opened = await openConnection(endpointOf(simulator), { limits: { bodyBytes: 1000 } });
  await opened.connection.command("event json GENERAL");
  simulator.fire("GENERAL", { "X-Long": "x".repeat(20_000) });
  simulator.fire("GENERAL", { "X-Word": "next" });
  const { length, start } = await opened.tooLong.at(0);
  assert.ok(length > 20_000);
  assert.match(start, /^\{"Event-Name":"GENERAL"/);
  assert.equal(JSON.parse(await opened.events.at(0))["X-Word"], "next");
  assert.deepEqual([opened.tooLong.all.length, opened.closed.all], [1, []]);
});
