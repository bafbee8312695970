/**
 * What each command is answered. With `FSMQTT_TEST_ESL=host:port:password` a real FreeSWITCH has
 * to give the same answers.
 */

import assert from "node:assert/strict";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { EslClient, realFreeswitch, type Target } from "../support/esl_client.ts";

const GOODBYE = "Content-Type: text/disconnect-notice\nContent-Length: 67\n\n" +
  "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n";

/** Runs `body` against the simulator and, where there is one, the real FreeSWITCH. */
function agree(name: string, body: (target: Target) => Promise<void>): void {
  Deno.test(`${name} (simulator)`, async () => {
    await using simulator = await Simulator.start({ heartbeatMs: 0 });
    await body(simulator);
  });
  const real = realFreeswitch();
  if (real !== undefined) Deno.test(`${name} (FreeSWITCH)`, () => body(real));
}

const reply = (text: string) => `Content-Type: command/reply\nReply-Text: ${text}`;
const response = (text: string) =>
  `Content-Type: api/response\nContent-Length: ${text.length}\n\n${text}`;

const REPLIES: readonly (readonly [command: string, reply: string])[] = [
  ["nonsense", reply("-ERR command not found")],
  ["auth again", reply("-ERR command not found")],
  ["event", reply("-ERR no keywords supplied")],
  ["event json", reply("-ERR no keywords supplied")],
  ["event json NOSUCH_EVENT", reply("-ERR no keywords supplied")],
  ["event json NOSUCH_EVENT HEARTBEAT", reply("+OK event listener enabled json")],
  ["event CUSTOM fsmqtt::none", reply("+OK event listener enabled json")],
  ["event json SWITCH_EVENT_HEARTBEAT", reply("+OK event listener enabled json")],
  ["EVENT Plain heartbeat", reply("+OK event listener enabled plain")],
  ["eventual xml HEARTBEAT", reply("+OK event listener enabled xml")],
  ["nixevent", reply("-ERR no keywords supplied")],
  ["nixevent HEARTBEAT", reply("+OK events nixed")],
  ["noevents", reply("+OK no longer listening for events")],
  ["noevents", reply("-ERR not listening for events")],
  ["filter x", reply("-ERR invalid syntax")],
  ["filter Event-Name HEARTBEAT", reply("+OK filter added. [Event-Name]=[HEARTBEAT]")],
  ["filter add X 1 2", reply("+OK filter added. [X]=[1 2]")],
  ["filter delete X", reply("+OK filter deleted. [X][]")],
  ["filter delete Event-Name HEARTBEAT", reply("+OK filter deleted. [Event-Name][HEARTBEAT]")],
  ["filter delete all", reply("+OK filter deleted. [all][]")],
  ["linger", reply("-ERR not controlling a session")],
  ["nolinger", reply("-ERR not controlling a session")],
  ["divert_events on", reply("-ERR not controlling a session.")],
  ["sendmsg nobody", reply("-ERR invalid session id [nobody]")],
  ["api", reply("-ERR command not found")],
  ["bgapi", reply("-ERR command not found")],
  ["api ", response("-ERR  Command not found!\n")],
  ["api  version", response("-ERR  Command not found!\n")],
  ["api nosuch x", response("-ERR nosuch Command not found!\n")],
  ["API VERSION", response("FreeSWITCH Version 1.11.2-release~64bit ( 64bit)\n")],
  ["api version short", response("1.11.2-release\n")],
  ["api echo  a  b ", response("a  b")],
  ["api echo", response("-ERR no reply\n")],
  ["api echo a\nfoo: bar\r", response("a\nfoo: bar")],
  ["api echo caf\xe9", response("caf\xe9")],
  ["api echo a\0b", response("a")],
  ["api module_exists mod_sofia", response("true")],
  ["api module_exists mod_mosquitto", response("false")],
  ["api module_exists", response("-ERR no reply\n")],
  ["api global_getvar nosuch", response("-ERR no reply\n")],
  [
    "api originate x",
    response(
      "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>]" +
        " [<cid_name>] [<cid_num>] [<timeout_sec>]\n",
    ),
  ],
  ["api originate error/USER_BUSY &park", response("-ERR USER_BUSY\n")],
];

agree("each command has its reply", async (target) => {
  using client = await EslClient.login(target);
  for (const [command, want] of REPLIES) assert.equal(await client.ask(command), want, command);
});

agree("a wrong password is refused, and the connection closed", async (target) => {
  using client = await EslClient.connect(target);
  await client.send("auth Wrong\n\n");
  const want = `Content-Type: auth/request\n\n${reply("-ERR invalid")}\n\n${GOODBYE}`;
  assert.equal(await client.rest(), want);
});

agree("userauth needs a user that is there", async (target) => {
  for (const login of ["nobody", "nobody@nowhere", "nobody@nowhere:x", ":x@nowhere"]) {
    using client = await EslClient.connect(target);
    await client.send(`userauth ${login}\n\n`);
    const want = `Content-Type: auth/request\n\n${reply("-ERR invalid")}\n\n${GOODBYE}`;
    assert.equal(await client.rest(), want, login);
  }
});

agree("nothing else runs before authentication", async (target) => {
  using client = await EslClient.connect(target);
  await client.frame();
  assert.equal(await client.ask("api version"), reply("-ERR command not found"));
  assert.equal(await client.ask(`auth ${target.password}`), reply("+OK accepted"));
});

for (const command of ["exit", "...", "EXITUS"]) {
  agree(`${command} says goodbye`, async (target) => {
    using client = await EslClient.login(target);
    await client.send(`${command}\n\n`);
    assert.equal(await client.rest(), `${reply("+OK bye")}\n\n${GOODBYE}`);
  });
}

agree("a client that stops sending is told goodbye", async (target) => {
  using client = await EslClient.login(target);
  await client.send("api echo last\n\n");
  await client.closeWrite();
  assert.equal(await client.rest(), response("last") + GOODBYE);
});

agree("commands sent at once, split anywhere, are answered in order", async (target) => {
  using client = await EslClient.login(target);
  for (
    const byte of "\n\napi echo 1\r\n\r\napi echo 2\n\nsendevent X\ncontent-length: 3\n\n\n\n!"
  ) {
    await client.send(byte);
  }
  await client.send("api echo 3\n\n");
  assert.deepEqual((await client.frames(2)).map(({ body }) => body), ["1", "2"]);
  assert.match((await client.frame()).head, /\+OK [0-9a-f-]{36}$/);
  assert.equal((await client.frame()).body, "3");
});

/** A subclass that nobody else uses. */
const mine = () => `fsmqtt::${crypto.randomUUID()}`;

async function sendEvent(client: EslClient, subclass: string, headers = ""): Promise<void> {
  await client.send(`sendevent CUSTOM\nEvent-Subclass: ${subclass}\n${headers}\n`);
}

/** The `X` headers of the events before that of the marker, a subclass the client listens to. */
async function eventsUpTo(client: EslClient, marker: string): Promise<string[]> {
  await sendEvent(client, marker, "X: end\n");
  const got: string[] = [];
  for (;;) {
    const body = await client.event((text) => /"X":/.test(text));
    const value = JSON.parse(body).X as string;
    if (value === "end") return got;
    got.push(value);
  }
}

agree("subscriptions add up; what follows CUSTOM is a subclass", async (target) => {
  using client = await EslClient.login(target);
  const [marker, one, two, three] = [mine(), mine(), mine(), mine()];
  await client.ask(`event json CUSTOM ${marker} ${one} GENERAL`);
  await client.ask(`event CUSTOM ${two}`);
  await sendEvent(client, one, "X: one\n");
  await sendEvent(client, two, "X: two\n");
  await sendEvent(client, three, "X: three\n");
  await client.send("sendevent CUSTOM\nX: bare\n\nsendevent GENERAL\nX: general\n\n");
  assert.deepEqual(await eventsUpTo(client, marker), ["one", "two", "bare"]);
  await client.ask("event plain GENERAL");
  await client.ask(`nixevent CUSTOM ${one}`);
  await client.ask("event json GENERAL");
  await sendEvent(client, one, "X: one\n");
  await client.send("sendevent GENERAL\nX: general\n\n");
  assert.deepEqual(await eventsUpTo(client, marker), ["general"]);
});

agree("ALL has every subclass, until an event is nixed", async (target) => {
  using client = await EslClient.login(target);
  const [marker, one] = [mine(), mine()];
  await client.ask("event json ALL");
  await sendEvent(client, one, "X: one\n");
  assert.deepEqual(await eventsUpTo(client, marker), ["one"]);
  await client.ask("nixevent GENERAL");
  await client.ask(`event CUSTOM ${marker}`);
  await sendEvent(client, one, "X: one\n");
  await client.send("sendevent GENERAL\nX: general\n\nsendevent TRAP\nX: trap\n\n");
  assert.deepEqual(await eventsUpTo(client, marker), ["trap"]);
});

agree("the last format wins", async (target) => {
  using client = await EslClient.login(target);
  await client.ask("event json GENERAL");
  await client.ask("event plain TRAP");
  const id = crypto.randomUUID();
  await client.send(`sendevent GENERAL\nX: 100%41 a:b %4a\nMine: ${id}\n\n`);
  const body = await client.event((text) => text.includes(id));
  assert.match(body, /^Command: sendevent%20GENERAL\nX: 100%41%20a%3Ab%20%254a\n/);
  assert.match(body, /\nEvent-Sequence: \d+\n\n$/);
});

agree("a filter keeps back what it does not name", async (target) => {
  using client = await EslClient.login(target);
  const [one, two] = [crypto.randomUUID(), crypto.randomUUID()];
  await client.ask("event json GENERAL");
  await client.ask(`filter Mine ${one}`);
  await client.ask(`filter Mine -${two}`);
  await client.send(`sendevent GENERAL\nX: none\n\nsendevent GENERAL\nMine: ${two}\n\n`);
  await client.send(`sendevent GENERAL\nMine: ${one}\n\n`);
  assert.equal(JSON.parse(await client.event()).Mine, one);
});

agree("a job: reply first, then API and BACKGROUND_JOB", async (target) => {
  using client = await EslClient.login(target);
  await client.ask("event json API BACKGROUND_JOB");
  const id = crypto.randomUUID();
  const answer = await client.ask(`bgapi echo  a  b \nJob-UUID: ${id}`);
  assert.equal(answer, `${reply(`+OK Job-UUID: ${id}`)}\nJob-UUID: ${id}`);
  assert.match(
    await client.event((body) => /"API-Command":"echo"/.test(body)),
    /"Event-Sequence":"\d+","API-Command":"echo","API-Command-Argument":"a {2}b"}$/,
  );
  assert.ok(
    (await client.event((body) => body.includes(id))).endsWith(
      `,"Job-UUID":"${id}","Job-Command":"echo","Job-Command-Arg":" a  b ",` +
        `"Content-Length":"4","_body":"a  b"}`,
    ),
  );
});

agree("a job without output has an empty body", async (target) => {
  using client = await EslClient.login(target);
  await client.ask("event json BACKGROUND_JOB");
  const id = /Job-UUID: (.{36})$/.exec(await client.ask("bgapi echo"))?.[1] ?? "?";
  const body = await client.event((text) => text.includes(id));
  assert.ok(body.endsWith(`"Job-Command":"echo","Content-Length":"0","_body":""}`), body);
});

agree("a half-sent command holds back events", async (target) => {
  using client = await EslClient.login(target);
  using other = await EslClient.login(target);
  await client.ask("event json GENERAL");
  await client.send("api ec");
  const id = crypto.randomUUID();
  await other.ask(`sendevent GENERAL\nMine: ${id}`);
  await client.send("ho done\n\n");
  assert.equal((await client.frame()).body, "done");
  assert.match(await client.event(), new RegExp(id));
});

Deno.test("an ACL refusal: rejection, goodbye, close", async () => {
  await using simulator = await Simulator.start();
  simulator.refusing = true;
  using client = await EslClient.connect(simulator);
  const rejection = "Content-Type: text/rude-rejection\nContent-Length: 24\n\n" +
    "Access Denied, go away.\n";
  assert.equal(await client.rest(), rejection + GOODBYE);
});

Deno.test("a user may ask and run only what he is allowed", async () => {
  await using simulator = await Simulator.start({
    users: [
      { user: "a", domain: "d", password: "p", allowedEvents: "HEARTBEAT CUSTOM x::y" },
      { user: "b", domain: "d", password: "p", allowedApi: "echo,bgapi" },
    ],
  });
  using a = await EslClient.connect(simulator);
  await a.frame();
  assert.equal(
    await a.ask("userauth a@d:p"),
    reply("+OK accepted") +
      "\nAllowed-Events: HEARTBEAT CUSTOM x::y\nAllowed-API: all\nAllowed-LOG: true",
  );
  assert.equal(await a.ask("event json HEARTBEAT"), reply("+OK event listener enabled json"));
  assert.equal(await a.ask("event json GENERAL"), reply("-ERR permission denied"));
  assert.equal(await a.ask("event json ALL"), reply("-ERR permission denied"));
  assert.equal(await a.ask("event json CUSTOM x::z"), reply("-ERR permission denied"));
  assert.equal(await a.ask("event json CUSTOM x::y"), reply("+OK event listener enabled json"));
  using b = await EslClient.connect(simulator);
  await b.frame();
  await b.ask("userauth b:p@d");
  assert.equal(await b.ask("api version"), reply("-ERR permission denied"));
  assert.equal(await b.ask("bgapi version"), reply("-ERR permission denied"));
  assert.equal(await b.ask("api bgapi version"), reply("-ERR permission denied"));
  assert.equal(await b.ask("api echo x"), response("x"));
  assert.deepEqual(simulator.connections.map((one) => one.user?.user), ["a", "b"]);
});
