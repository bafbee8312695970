/** Commands as background jobs over a link. */

import assert from "node:assert/strict";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { endpointOf, startLink, test } from "./helper.ts";

const UUID = "11111111-2222-4333-8444-555555555555";

for (const jobResult of ["before", "after"] as const) {
  test(`a job whose result comes ${jobResult} the reply ends with its text`, async () => {
    await using simulator = await Simulator.start({ jobResult, heartbeatMs: 0 });
    using started = startLink(endpointOf(simulator));
    await started.connected();
    const job = await started.link.bgapi("echo Zoë says hi", UUID);
    assert.equal(job.uuid, UUID);
    assert.deepEqual(await job.outcome, { kind: "finished", text: "Zoë says hi" });
    const sent = simulator.received.find(({ command }) => command.startsWith("bgapi"));
    assert.equal(sent?.command, "bgapi echo Zoë says hi");
    assert.deepEqual(sent?.headers, [["Job-UUID", UUID]]);
    assert.equal(sent?.connection, 1);
  });
}

test("many jobs at once each end with their own text", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  using started = startLink(endpointOf(simulator));
  await started.connected();
  const texts = await Promise.all(Array.from({ length: 50 }, async (_, index) => {
    const job = await started.link.bgapi(`echo ${index}`, `job-${index}`);
    return (await job.outcome) as { text?: string };
  }));
  assert.deepEqual(texts.map(({ text }) => text), texts.map((_, index) => `${index}`));
});

test("a FreeSWITCH that does not answer is not sent commands without end", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  using started = startLink(endpointOf(simulator));
  await started.connected();
  simulator.stall();
  const sent = Array.from({ length: 1000 }, (_, i) => started.link.bgapi("echo x", `job-${i}`));
  await assert.rejects(started.link.bgapi("echo x", UUID), {
    kind: "unreachable",
    message: "FreeSWITCH has yet to answer 1000 commands",
  });
  simulator.resume();
  await Promise.all(sent);
  const job = await started.link.bgapi("echo x", UUID);
  assert.equal((await job.outcome).kind, "finished");
});

test("a Job-UUID that is still running is refused; afterwards it may be used again", async () => {
  const hung = Promise.withResolvers<string>();
  await using simulator = await Simulator.start({
    heartbeatMs: 0,
    api: { hang: () => hung.promise },
  });
  using started = startLink(endpointOf(simulator));
  await started.connected();
  const job = await started.link.bgapi("hang", UUID);
  await assert.rejects(started.link.bgapi("echo x", UUID), {
    kind: "rejected",
    message: new RegExp(`id ${UUID} is still running`),
  });
  hung.resolve("late");
  assert.deepEqual(await job.outcome, { kind: "finished", text: "late" });
  const again = await started.link.bgapi("echo again", UUID);
  assert.deepEqual(await again.outcome, { kind: "finished", text: "again" });
});

test("a job that runs when the connection breaks ends as unknown, with the reason", async () => {
  await using simulator = await Simulator.start({
    heartbeatMs: 0,
    api: { hang: () => new Promise(() => {}) },
  });
  const clock = new ManualClock();
  using started = startLink(endpointOf(simulator), { clock });
  await started.connected();
  const job = await started.link.bgapi("hang", UUID);
  simulator.closeConnections();
  assert.deepEqual(await job.outcome, {
    kind: "unknown",
    reason: "FreeSWITCH closed the connection",
  });
  clock.advance(250);
  await started.connected(2);
  const next = await started.link.bgapi("echo next", UUID);
  assert.deepEqual(await next.outcome, { kind: "finished", text: "next" });
});

test("a command whose reply is lost with the connection fails as lost, not as refused", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  const clock = new ManualClock();
  using started = startLink(endpointOf(simulator), { clock });
  await started.connected();
  simulator.stall();
  const lost = assert.rejects(started.link.bgapi("echo x", UUID), { kind: "lost" });
  clock.advance(10_000);
  await lost;
  simulator.resume();
});

test("stopped, open jobs end as unknown", async () => {
  await using simulator = await Simulator.start({
    heartbeatMs: 0,
    api: { hang: () => new Promise(() => {}) },
  });
  using started = startLink(endpointOf(simulator));
  await started.connected();
  const job = await started.link.bgapi("hang", UUID);
  started.link.stop();
  assert.deepEqual(await job.outcome, { kind: "unknown", reason: "fsmqtt is stopping" });
  await assert.rejects(started.link.bgapi("echo x", UUID), { kind: "unreachable" });
});

test("without a connection a command fails at once and is not kept for later", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  await simulator.stopListening();
  const clock = new ManualClock();
  using started = startLink(endpointOf(simulator), { clock });
  await started.states.at(0);
  await assert.rejects(started.link.bgapi("echo x", UUID), {
    kind: "unreachable",
    message: "FreeSWITCH is not connected",
  });
  simulator.listen();
  clock.advance(250);
  await started.connected();
  const job = await started.link.bgapi("echo y", UUID);
  assert.deepEqual(await job.outcome, { kind: "finished", text: "y" });
  assert.equal(simulator.received.some(({ command }) => command === "bgapi echo x"), false);
});

test("a command that FreeSWITCH or fsmqtt refuses leaves no job behind", async () => {
  const users = [{ user: "mqtt", domain: "d", password: "p", allowedApi: "echo" }];
  await using simulator = await Simulator.start({ heartbeatMs: 0, users });
  using started = startLink(endpointOf({ port: simulator.port, user: "mqtt@d", password: "p" }));
  await started.connected();
  const { link } = started;
  await assert.rejects(link.bgapi("status", UUID), { kind: "rejected", message: /permission/ });
  await assert.rejects(link.bgapi("echo a\nb", UUID), { kind: "rejected", message: /LF/ });
  const job = await link.bgapi("echo x", UUID);
  assert.deepEqual(await job.outcome, { kind: "finished", text: "x" });
});

test("a result that is too long ends its own job as unknown, and the link stays", async () => {
  const hung = Promise.withResolvers<string>();
  await using simulator = await Simulator.start({
    heartbeatMs: 0,
    api: { long: () => "x".repeat(16 * 1024 * 1024), hang: () => hung.promise },
  });
  using started = startLink(endpointOf(simulator), {
    subscription: ["event json BACKGROUND_JOB GENERAL"],
  });
  await started.connected();
  const other = await started.link.bgapi("hang", "other");
  const job = await started.link.bgapi("long", UUID);
  const outcome = await job.outcome;
  assert.equal(outcome.kind, "unknown");
  assert.match(
    outcome.kind === "unknown" ? outcome.reason : "",
    /^its result of 1677\d{4} bytes is too long$/,
  );
  const { length, name } = await started.tooLong.at(0);
  assert.ok(length > 16 * 1024 * 1024);
  assert.equal(name, "BACKGROUND_JOB");
  hung.resolve("+OK");
  assert.deepEqual(await other.outcome, { kind: "finished", text: "+OK" });
  const { events, link, losses, tooLong } = started;
  await events.find((event) => event["Job-UUID"] === "other");
  assert.deepEqual(losses.all, []);
  assert.deepEqual([tooLong.all.length, link.eventsTooLong, link.eventsReceived], [1, 1, 1]);
  assert.deepEqual([link.reconnects, link.protocolErrors], [0, 0]);
});
