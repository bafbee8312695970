/** Calls, heartbeats and floods. */

import assert from "node:assert/strict";
import { CallScript, eventsOfCall } from "../../lib/simulator/call.ts";
import { recordedEvents } from "../../lib/simulator/recording.ts";
import recordedCall from "../../lib/simulator/recorded_call.json" with { type: "json" };
import { Simulator } from "../../lib/simulator/simulator.ts";
import { EslClient, latin1, latin1Bytes } from "../support/esl_client.ts";
import { ManualClock } from "../support/manual_clock.ts";

const RECORDING = Deno.readFileSync(new URL("../fixtures/esl/calls-json.esl", import.meta.url));

async function listener(simulator: Simulator, names = "ALL"): Promise<EslClient> {
  const client = await EslClient.login(simulator);
  await client.ask(`event json ${names}`);
  return client;
}

Deno.test("the call that comes with the simulator is the first of the recording", () => {
  assert.deepEqual(recordedCall, eventsOfCall(recordedEvents(RECORDING)).map(latin1));
});

Deno.test("each call has ids of its own, the same in all of its events", async () => {
  await using simulator = await Simulator.start({
    coreUuid: "cccccccc-cccc-4ccc-8ccc-cccccccccccc",
    freeswitchHostname: "a-longer-name.example",
    heartbeatMs: 0,
  });
  using client = await listener(simulator);
  const calls = [simulator.fireCall(), simulator.fireCall()];
  const recorded = /1073ba15|a1b3f489|d2a77b02|8b645b13|ba32f0c7|17953485|11:56:3/;
  let sequence = 0;
  for (const { uuid } of calls) {
    for (let i = 0; i < 23; i++) {
      const body = await client.event();
      assert.doesNotMatch(body, recorded);
      const event = JSON.parse(body);
      assert.equal(event["Event-Sequence"], `${++sequence}`);
      assert.equal(event["Core-UUID"], simulator.coreUuid);
      assert.equal(event["FreeSWITCH-Hostname"], "a-longer-name.example");
      assert.equal(event["Unique-ID"], uuid);
      assert.equal(event["Channel-Call-UUID"], uuid);
      assert.equal(event["variable_call_uuid"] ?? uuid, uuid);
    }
  }
  assert.notEqual(calls[0]?.uuid, calls[1]?.uuid);
});

Deno.test("a call that lasts: its moments are those of the clock", async () => {
  const clock = new ManualClock();
  await using simulator = await Simulator.start({ clock, heartbeatMs: 0 });
  using client = await listener(simulator, "CHANNEL_CREATE CHANNEL_HANGUP_COMPLETE");
  const call = simulator.fireCall({ durationMs: 5000 });
  const created = JSON.parse(await client.event());
  assert.equal(simulator.sequence, 13);
  clock.advance(5000);
  const ended = JSON.parse(await client.event());
  await call.ended;
  const start = `${Date.UTC(2026, 10, 22, 12) * 1000}`;
  const end = `${Date.UTC(2026, 10, 22, 12, 0, 5) * 1000}`;
  assert.equal(created["Event-Name"], "CHANNEL_CREATE");
  assert.equal(created["Event-Date-Timestamp"], start);
  assert.equal(ended["Event-Date-Timestamp"], end);
  assert.equal(ended["Event-Date-GMT"], "Sun, 22 Nov 2026 12:00:05 GMT");
  assert.equal(ended["Caller-Channel-Created-Time"], start);
  assert.equal(ended["Caller-Channel-Hangup-Time"], end);
  assert.equal(ended["variable_start_uepoch"], start);
  assert.equal(ended["variable_end_epoch"], end.slice(0, -6));
  assert.equal(ended["variable_end_stamp"], ended["Event-Date-Local"]);
});

Deno.test("any recorded call can be made again", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  using client = await listener(simulator, "CHANNEL_ANSWER");
  const bodies = eventsOfCall(
    recordedEvents(RECORDING),
    "15323371-04b6-473c-94ed-589d8254d0b4",
  );
  const script = new CallScript(bodies);
  assert.equal(script.length, 23);
  const uuid = "dddddddd-dddd-4ddd-8ddd-dddddddddddd";
  assert.equal(simulator.fireCall({ script, uuid }).uuid, uuid);
  assert.equal(JSON.parse(await client.event())["Unique-ID"], uuid);
});

Deno.test("originate makes a call and names it", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  using client = await listener(simulator, "CHANNEL_ANSWER BACKGROUND_JOB");
  await client.send("bgapi originate user/1000 &park\n\n");
  const uuid = JSON.parse(await client.event())["Unique-ID"];
  assert.equal(JSON.parse(await client.event())._body, `+OK ${uuid}\n`);
  const mine = "eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee";
  const answer = await client.ask(`api originate {a=b,origination_uuid=${mine}}user/1000 &park`);
  assert.match(answer, new RegExp(`\\+OK ${mine}\n$`));
});

Deno.test("raw bytes arrive as they are", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  using json = await listener(simulator, "CUSTOM x::y");
  using plain = await EslClient.login(simulator);
  await plain.ask("event plain CUSTOM x::y");
  const body = '{"Event-Subclass":"x::y","Event-Name":"CUSTOM","X":"caf\xe9","Y":["a","b"],' +
    '"Content-Length":"2","_body":"\\n!"}';
  simulator.fireRaw(latin1Bytes(body));
  assert.equal(await json.event(), body);
  assert.equal(
    await plain.event(),
    "Event-Subclass: x%3A%3Ay\nEvent-Name: CUSTOM\nX: caf%E9\nY: ARRAY%3A%3Aa%7C%3Ab\n" +
      "Content-Length: 2\n\n\n!",
  );
});

Deno.test("each listener gets what it asked for, in its format", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  using states = await listener(simulator, "CHANNEL_STATE");
  using mixed = await listener(simulator, "CODEC CHANNEL_DESTROY");
  using plain = await EslClient.login(simulator);
  await plain.ask("event plain ALL");
  simulator.fireCall();
  const names = async (client: EslClient, count: number) =>
    (await client.frames(count)).map(({ body }) => JSON.parse(body)["Event-Name"]);
  assert.deepEqual(await names(states, 7), Array(7).fill("CHANNEL_STATE"));
  assert.deepEqual(await names(mixed, 3), ["CODEC", "CODEC", "CHANNEL_DESTROY"]);
  const sequences = (await plain.frames(23))
    .map(({ body }) => Number(/^Event-Sequence: (\d+)$/m.exec(body)?.[1]));
  assert.deepEqual(sequences, Array.from({ length: 23 }, (_, i) => i + 1));
});

Deno.test("heartbeats come by the clock", async () => {
  const clock = new ManualClock();
  await using simulator = await Simulator.start({ clock });
  using client = await listener(simulator, "HEARTBEAT");
  clock.advance(19_999);
  assert.equal(simulator.sequence, 0);
  clock.advance(1);
  assert.equal(JSON.parse(await client.event())["Uptime-msec"], "20000");
  clock.advance(40_000);
  assert.equal(simulator.sequence, 3);
});

Deno.test("calls at a rate: as many as the time asks for, until stopped", async () => {
  const clock = new ManualClock();
  await using simulator = await Simulator.start({ clock, heartbeatMs: 0 });
  const calls = simulator.callsAtRate(2);
  assert.equal(calls.made, 1);
  clock.advance(10_000);
  assert.equal(calls.made, 21);
  calls.stop();
  clock.advance(10_000);
  assert.equal(calls.made, 21);
  const fast = simulator.callsAtRate(1000);
  clock.advance(1000);
  assert.equal(fast.made, 1001);
  fast.stop();
  assert.equal(simulator.sequence, (21 + 1001) * 23);
});

Deno.test("a flood waits for its listeners, and drops nothing", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0, queueLimit: 4000 });
  using client = await listener(simulator, "CHANNEL_STATE CHANNEL_ANSWER");
  const flooded = simulator.flood(1000);
  let previous = 0;
  for (let i = 0; i < 8000; i++) {
    const sequence = Number(/"Event-Sequence":"(\d+)"/.exec(await client.event())?.[1]);
    assert.ok(sequence > previous);
    previous = sequence;
  }
  assert.deepEqual(await flooded, { events: 23_000 });
  assert.equal(simulator.connections[0]?.dropped, 0);
});
