/** Connecting and logging in, and every way in which that fails. */

import assert from "node:assert/strict";
import { systemClock } from "../../lib/clock.ts";
import { EslConnection, type EslEndpoint } from "../../lib/esl/connection.ts";
import { EslError, type EslErrorKind } from "../../lib/esl/errors.ts";
import { Secret } from "../../lib/secret.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { freePort } from "../support/broker.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { endpointOf, openConnection, Peer, test } from "./helper.ts";

const SILENT = {
  event: () => {},
  tooLong: () => {},
  closed: () => assert.fail("told, though it never opened"),
};

/** Opens, and expects it to fail without a word to the handlers. */
async function failure(
  endpoint: EslEndpoint,
  options: { clock?: ManualClock; signal?: AbortSignal } = {},
): Promise<EslError> {
  const opening = EslConnection.open(endpoint, SILENT, { clock: systemClock, ...options });
  const error = await opening.then(() => assert.fail("it opened"), (error) => error);
  assert.ok(error instanceof EslError);
  return error;
}

async function assertFails(endpoint: EslEndpoint, kind: EslErrorKind, text: RegExp) {
  const error = await failure(endpoint);
  assert.equal(error.kind, kind);
  assert.match(error.message, text);
}

test("the right password opens", async () => {
  await using simulator = await Simulator.start({ password: "s3cret" });
  using opened = await openConnection(endpointOf({ port: simulator.port, password: "s3cret" }));
  assert.equal(await opened.connection.api("echo hello"), "hello");
  assert.deepEqual(simulator.received.map(({ command }) => command), [
    "auth s3cret",
    "api echo hello",
  ]);
});

test("a user logs in with `userauth`, colons and at signs in the password included", async () => {
  const password = "p:a@ss word";
  const users = [{ user: "mqtt", domain: "example.org", password }];
  await using simulator = await Simulator.start({ users });
  const endpoint = endpointOf({ port: simulator.port, user: "mqtt@example.org", password });
  using opened = await openConnection(endpoint);
  assert.equal(await opened.connection.api("echo hello"), "hello");
  assert.equal(simulator.connections[0]?.user?.user, "mqtt");
});

test("a wrong password is refused, and said plainly", async () => {
  await using simulator = await Simulator.start();
  const endpoint = endpointOf({ port: simulator.port, password: "hunter2" });
  const error = await failure(endpoint);
  assert.equal(error.kind, "refused");
  assert.equal(error.message, "FreeSWITCH refused the event socket password");
  await simulator.waitFor(({ connections }) => connections.length === 0);
});

test("a wrong user is refused by name, without the password", async () => {
  await using simulator = await Simulator.start();
  const endpoint = endpointOf({ port: simulator.port, user: "mqtt@there", password: "hunter2" });
  const error = await failure(endpoint);
  assert.equal(error.kind, "refused");
  assert.match(error.message, /user mqtt@there/);
  assert.doesNotMatch(error.message, /hunter2/);
});

test("an ACL refusal names the access list", async () => {
  await using simulator = await Simulator.start();
  simulator.refusing = true;
  await assertFails(endpointOf(simulator), "refused", /apply-inbound-acl/);
  assert.deepEqual(simulator.received, []);
});

for (const [name, password] of [["LF", "a\nb"], ["CR", "a\rb"], ["NUL", "a\0b"]] as const) {
  test(`a password with ${name} in it is refused before it is sent`, async () => {
    await using simulator = await Simulator.start();
    await assertFails(
      endpointOf({ port: simulator.port, password }),
      "refused",
      /password that holds LF, CR or NUL/,
    );
    assert.deepEqual(simulator.received, []);
  });
}

test("a port where nobody listens is unreachable, by its address", async () => {
  const port = freePort();
  await assertFails(endpointOf({ port }), "unreachable", new RegExp(`127\\.0\\.0\\.1:${port}`));
});

test("a host that does not exist is unreachable", async () => {
  await assertFails(
    { host: "no-such-host.invalid", port: 8021, password: new Secret("x") },
    "unreachable",
    /Cannot connect to no-such-host\.invalid:8021/,
  );
});

test("a port that accepts and says nothing is given up after ten seconds", async () => {
  using mute = new Peer();
  const clock = new ManualClock();
  const failing = failure(endpointOf(mute), { clock });
  // The first timer is for connecting, the next for the greeting.
  await clock.timers(2);
  clock.advance(9_999);
  clock.advance(1);
  const error = await failing;
  assert.equal(error.kind, "unreachable");
  assert.match(error.message, /accepts connections, but nothing/);
  await mute.accept();
  assert.equal(await mute.command(), undefined);
  assert.equal(clock.pending, 0);
});

test("a mail server's greeting is no event socket either", async () => {
  using mail = new Peer();
  const clock = new ManualClock();
  const failing = failure(endpointOf(mail), { clock });
  await clock.timers(2);
  await mail.accept();
  await mail.send("220 mail.example.org ESMTP\r\n");
  clock.advance(10_000);
  assert.equal((await failing).kind, "unreachable");
});

test("a web server is told apart at once", async () => {
  using web = new Peer();
  const answered = web.accept().then(() => web.send("HTTP/1.1 400 Bad Request\n\n"));
  await assertFails(endpointOf(web), "protocol", /not an event socket/);
  await answered;
  assert.equal(await web.command(), undefined);
});

for (const type of ["command/reply", "api/response", "text/event-json", "log/data"]) {
  test(`${type} instead of a greeting is no event socket, and gets no password`, async () => {
    using odd = new Peer();
    const answered = odd.accept().then(() =>
      odd.send(`Content-Type: ${type}\nReply-Text: +OK\n\n`)
    );
    await assertFails(endpointOf(odd), "protocol", /not as an event socket does/);
    await answered;
    assert.equal(await odd.command(), undefined);
  });
}

test("a connection closed before the greeting is lost", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.accept().then((socket) => socket.close());
  await assertFails(endpointOf({ port: listener.addr.port }), "lost", /closed the connection/);
  listener.close();
});

test("a login that is not answered is given up after ten seconds", async () => {
  using peer = new Peer();
  const clock = new ManualClock();
  const failing = failure(endpointOf(peer), { clock });
  await peer.accept();
  await peer.send("Content-Type: auth/request\n\n");
  assert.equal(await peer.command(), "auth ClueCon");
  clock.advance(10_000);
  const error = await failing;
  assert.equal(error.kind, "lost");
  assert.equal(error.message, 'FreeSWITCH did not answer "auth" within 10 s');
});

test("given up while it is connecting, it fails for the given reason", async () => {
  await using simulator = await Simulator.start();
  const reason = new EslError("lost", "no more");
  const attempt = new AbortController();
  const failing = failure(endpointOf(simulator), { signal: attempt.signal });
  attempt.abort(reason);
  assert.equal(await failing, reason);
  assert.equal(await failure(endpointOf(simulator), { signal: attempt.signal }), reason);
});

test("given up in the very moment that the socket opens, it lets go of it", async () => {
  using peer = new Peer();
  const reason = new EslError("lost", "no more");
  const attempt = new AbortController();
  class TreacherousClock extends ManualClock {
    override after(delayMs: number, callback: () => void): () => void {
      // The first timer is for connecting, the next for the greeting.
      if (this.timersSet === 1) attempt.abort(reason);
      return super.after(delayMs, callback);
    }
  }
  const clock = new TreacherousClock();
  const failing = failure(endpointOf(peer), { clock, signal: attempt.signal });
  await peer.accept();
  assert.equal(await failing, reason);
  assert.equal(clock.pending, 0);
  assert.equal(await peer.command(), undefined);
});

for (const stage of ["greeting", "login"]) {
  test(`given up while it waits for the ${stage}, it lets go of the socket`, async () => {
    using peer = new Peer();
    const clock = new ManualClock();
    const reason = new EslError("lost", "no more");
    const attempt = new AbortController();
    const failing = failure(endpointOf(peer), { clock, signal: attempt.signal });
    await peer.accept();
    await clock.timers(2);
    if (stage === "login") {
      await peer.send("Content-Type: auth/request\n\n");
      assert.equal(await peer.command(), "auth ClueCon");
    }
    attempt.abort(reason);
    assert.equal(await failing, reason);
    assert.equal(clock.pending, 0);
    assert.equal(await peer.command(), undefined);
  });
}
