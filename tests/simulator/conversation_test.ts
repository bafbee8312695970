/** Told the same commands, the simulator gives the same frames as FreeSWITCH did, ids aside. */

import assert from "node:assert/strict";
import { readRecording } from "../../lib/simulator/recording.ts";
import { Simulator, type SimulatorOptions } from "../../lib/simulator/simulator.ts";
import { EslClient, latin1 } from "../support/esl_client.ts";

const FIXTURES = new URL("../fixtures/esl/", import.meta.url);

/** The FreeSWITCH that was recorded. */
const RECORDED: SimulatorOptions = {
  freeswitchHostname: "vm",
  switchname: "fsw-bench",
  coreUuid: "1073ba15-11f5-410a-939b-fd307dbc1311",
  heartbeatMs: 0,
};

function read(name: string): Uint8Array {
  return Deno.readFileSync(new URL(name, FIXTURES));
}

/** What the client sent, command by command. */
function commandsSent(name: string): string[] {
  let rest = latin1(read(name)).replace(/^\n+/, "");
  const commands: string[] = [];
  while (rest !== "") {
    const head = rest.slice(0, rest.indexOf("\n\n") + 2);
    const length = Number(/^content-length: (\d+)$/m.exec(head)?.[1] ?? 0);
    commands.push(rest.slice(0, head.length + length));
    rest = rest.slice(head.length + length).replace(/^\n+/, "");
  }
  return commands;
}

/** Ids numbered as they appear, moments and sequences blanked. */
function normalised(frames: readonly string[]): string[] {
  const seen: string[] = [];
  return frames.map((frame) =>
    frame
      .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (uuid) => {
        if (!seen.includes(uuid)) seen.push(uuid);
        return `uuid-${seen.indexOf(uuid)}`;
      })
      .replace(/\b\d{16}\b/g, "microseconds")
      .replace(/(_epoch(?:":"|: ))\d{10}\b/g, "$1seconds")
      .replace(/\d{4}-\d\d-\d\d( |%20)\d\d(:|%3A)\d\d(:|%3A)\d\d/g, "local")
      .replace(/\w{3},( |%20)\d\d( |%20)\w{3}( |%20)\d{4}( |%20)\d\d(:|%3A)\d\d(:|%3A)\d\d/g, "gmt")
      .replace(/(Event-Sequence(?:":"|: ))\d+/g, "$1number")
  );
}

/** The frames of a recording, heartbeats and other people's events left out. */
function expected(name: string, unwanted: RegExp): string[] {
  return readRecording(read(name))
    .map(({ head, body }) => `${head}\n\n${latin1(body)}`)
    .filter((frame) => !unwanted.test(frame));
}

/** As many digits in the sequence as in the recording, else the lengths would differ. */
function fastForward(simulator: Simulator, sequence: number): void {
  const nothing = new Uint8Array(0);
  while (simulator.sequence < sequence) simulator.fireRaw(nothing);
}

/** Has the conversation again. */
async function converse(
  simulator: Simulator,
  name: string,
  count: number,
): Promise<string[]> {
  using client = await EslClient.connect(simulator);
  const frames = [await client.frame()];
  for (const command of commandsSent(`${name}.sent`)) {
    await client.send(command);
    for (;;) {
      const frame = await client.frame();
      frames.push(frame);
      if (!frame.head.includes("text/event-")) break;
    }
  }
  frames.push(...await client.frames(count - frames.length));
  assert.equal(await client.rest(), "");
  return frames.map(({ head, body }) => `${head}\n\n${body}`);
}

const CHANNEL = /"Channel-Name":"loopback|HEARTBEAT|RE_SCHEDULE/;

/** What real commands did that the simulator does not do of itself. */
const COMMANDS: SimulatorOptions["api"] = {
  originate: (argument) =>
    argument.startsWith("user/")
      ? "-ERR SUBSCRIBER_ABSENT\n"
      : "+OK 3525d939-b1cf-473b-9ec4-7d83429faa38\n",
};

/** These lines hold counters and uptimes. */
function withoutStatus(frames: readonly string[]): string[] {
  return frames.map((frame) => frame.includes("\nUP 0 years") ? "status" : frame);
}

Deno.test("auth-refused.esl: byte for byte", async () => {
  await using simulator = await Simulator.start(RECORDED);
  using client = await EslClient.connect(simulator);
  await client.send(latin1(read("auth-refused.esl.sent")));
  assert.equal(await client.rest(), latin1(read("auth-refused.esl")));
});

Deno.test("calls-json.esl: every command", async () => {
  await using simulator = await Simulator.start({ ...RECORDED, api: COMMANDS });
  // The next test compares a call.
  const want = expected("calls-json.esl", CHANNEL).filter((frame) => !/"Unique-ID"/.test(frame));
  fastForward(simulator, 500);
  const got = await converse(simulator, "calls-json.esl", want.length);
  assert.deepEqual(normalised(withoutStatus(got)), normalised(withoutStatus(want)));
});

Deno.test("calls-json.esl: a call, its bytes and lengths", async () => {
  await using simulator = await Simulator.start(RECORDED);
  const first = /"Unique-ID":"a1b3f489-da19-4fb0-b252-97c8265312e5"/;
  const want = expected("calls-json.esl", CHANNEL).filter((frame) => first.test(frame));
  assert.equal(want.length, 23);
  fastForward(simulator, 423);
  using client = await EslClient.login(simulator);
  await client.ask("event json ALL");
  simulator.fireCall();
  const got = (await client.frames(23)).map(({ head, body }) => `${head}\n\n${body}`);
  assert.deepEqual(normalised(got), normalised(want));
});

Deno.test("calls-plain.esl: a call and a job", async () => {
  await using simulator = await Simulator.start(RECORDED);
  const script = latin1(read("calls-plain.esl"));
  const id = /^Unique-ID: (.+)$/m.exec(script)?.[1] ?? "";
  const all = expected("calls-plain.esl", /HEARTBEAT|RE_SCHEDULE/);
  const call = all.filter((frame) => frame.includes(`\nUnique-ID: ${id}\n`));
  const sequence = Number(/Event-Sequence: (\d+)/.exec(call[0] ?? "")?.[1]);
  fastForward(simulator, sequence - 1);
  using client = await EslClient.login(simulator);
  await client.ask("event plain ALL");
  simulator.fireCall();
  const got = (await client.frames(23)).map(({ head, body }) => `${head}\n\n${body}`);
  // The plain recording is of another call, so values and lengths differ: the shape is the same.
  const names = (frames: readonly string[]) => frames.map((frame) => frame.replace(/: .*$/gm, ""));
  assert.deepEqual(names(got), names(call));

  const others = all.filter((frame) => !/\nUnique-ID: /.test(frame));
  const told = await converse(simulator, "calls-plain.esl", others.length);
  assert.deepEqual(normalised(told), normalised(others));
});

for (const format of ["json", "plain"]) {
  Deno.test(`quirks-${format}.esl: raw bytes, repeated names, arrays, bodies`, async () => {
    await using simulator = await Simulator.start(RECORDED);
    const want = expected(`quirks-${format}.esl`, /HEARTBEAT|RE_SCHEDULE|sofia::(un)?register"/);
    fastForward(simulator, 290_554);
    const got = await converse(simulator, `quirks-${format}.esl`, want.length);
    assert.deepEqual(normalised(got), normalised(want));
  });
}

Deno.test("HEARTBEAT has the headers of a recorded one", async () => {
  await using simulator = await Simulator.start(RECORDED);
  const [want = ""] = readRecording(read("quirks-json.esl"))
    .map(({ body }) => latin1(body)).filter((body) => body.includes("HEARTBEAT"));
  using client = await EslClient.login(simulator);
  await client.ask("event json HEARTBEAT");
  simulator.fireHeartbeat();
  const got = JSON.parse(await client.event());
  assert.deepEqual(Object.keys(got), Object.keys(JSON.parse(want)));
  assert.match(got["Up-Time"], /^0 years, 0 days, 0 hours, 0 minutes, \d+ seconds?, /);
});
