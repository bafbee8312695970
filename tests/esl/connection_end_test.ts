/** How an open connection ends: it is told once, with the reason. */

import assert from "node:assert/strict";
import { EslError, type EslErrorKind } from "../../lib/esl/errors.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { endpointOf, openConnection, Peer, test } from "./helper.ts";

const encoder = new TextEncoder();

for (
  const [name, end, kind, text] of [
    [
      "a disconnect notice",
      (simulator) => simulator.sendDisconnectNotice({ close: false }),
      "lost",
      /said goodbye/,
    ],
    ["a close without a word", (simulator) => simulator.closeConnections(), "lost", /closed/],
    [
      "what is no frame",
      (simulator) => simulator.sendBytes(encoder.encode("what is this?\n\n")),
      "protocol",
      /not an event socket/,
    ],
    [
      "a body over the limit",
      (simulator) =>
        simulator.sendBytes(encoder.encode("Content-Type: x\nContent-Length: 2000\n\n")),
      "protocol",
      /limit is 1000 bytes/,
    ],
    [
      "an answer that nobody asked for",
      (simulator) => simulator.sendBytes(encoder.encode("Content-Type: command/reply\n\n")),
      "protocol",
      /nobody asked/,
    ],
    [
      "a late ACL refusal",
      (simulator) => simulator.sendBytes(encoder.encode("Content-Type: text/rude-rejection\n\n")),
      "refused",
      /apply-inbound-acl/,
    ],
  ] as [string, (simulator: Simulator) => void, EslErrorKind, RegExp][]
) {
  test(`${name} ends the connection: ${kind}`, async () => {
    await using simulator = await Simulator.start({ heartbeatMs: 0 });
    const limits = { bodyBytes: 1000 };
    using opened = await openConnection(endpointOf(simulator), { limits });
    end(simulator);
    const reason = await opened.closed.at(0);
    assert.ok(reason instanceof EslError);
    assert.equal(reason.kind, kind);
    assert.match(reason.message, text);
    // The peer sees the end, and nothing is told a second time.
    await simulator.waitFor(({ connections }) => connections.length === 0);
    opened.connection.close();
    assert.equal(opened.closed.all.length, 1);
    await assert.rejects(opened.connection.api("echo x"), { kind: "lost", message: text });
  });
}

test("whatever ends it, a command under way is lost: nobody knows whether it runs", async () => {
  for (const last of ["garbage\n\n", "Content-Type: text/rude-rejection\n\n"]) {
    using peer = new Peer();
    const [opened] = await Promise.all([openConnection(endpointOf(peer)), peer.welcome()]);
    const asked = assert.rejects(opened.connection.command("bgapi version"), { kind: "lost" });
    await peer.command();
    await peer.send(last);
    await asked;
    assert.notEqual((await opened.closed.at(0)).kind, "lost");
    assert.equal(await peer.command(), undefined);
  }
});

test("closed by its owner, it tells the owner too, and then nothing more", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  using opened = await openConnection(endpointOf(simulator));
  await opened.connection.command("event json GENERAL");
  const waiting = assert.rejects(opened.connection.api("echo x"), { kind: "lost" });
  opened.connection.close();
  await waiting;
  simulator.fire("GENERAL");
  await simulator.waitFor(({ connections }) => connections.length === 0);
  assert.deepEqual(opened.closed.all.map(({ kind }) => kind), ["lost"]);
  assert.deepEqual(opened.events.all, []);
});

test("given up by its signal, it ends for that reason", async () => {
  await using simulator = await Simulator.start();
  const owner = new AbortController();
  using opened = await openConnection(endpointOf(simulator), { signal: owner.signal });
  const reason = new EslError("lost", "the other connection broke");
  owner.abort(reason);
  assert.deepEqual(opened.closed.all, [reason]);
  await simulator.waitFor(({ connections }) => connections.length === 0);
});

test("frames behind the end in the same chunk are not told", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  using opened = await openConnection(endpointOf(simulator));
  const event = "Content-Type: text/event-json\nContent-Length: 2\n\n{}";
  const goodbye = "Content-Type: text/disconnect-notice\n\n";
  simulator.sendBytes(encoder.encode(event + goodbye + event + "garbage\n\n"));
  assert.equal((await opened.closed.at(0)).kind, "lost");
  assert.deepEqual(opened.events.all, ["{}"]);
  assert.equal(opened.closed.all.length, 1);
});

test("frames of kinds that fsmqtt does not know are passed over", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  using opened = await openConnection(endpointOf(simulator));
  simulator.sendBytes(encoder.encode("Content-Type: log/data\nContent-Length: 3\n\nabc"));
  assert.equal(await opened.connection.api("echo x"), "x");
  assert.deepEqual(opened.events.all, []);
});
