import assert from "node:assert/strict";
import { commands } from "../../lib/cli/commands.ts";
import { commandGroups } from "../../lib/cli/commands.ts";
import { dispatch } from "../../lib/cli/dispatch.ts";
import { sign, verifySigned } from "../../lib/commands/signature.ts";
import { Secret } from "../../lib/secret.ts";
import { configurationXml, params } from "../agent/running_agent.ts";
import { withFile } from "./process_helper.ts";

const KEY = "0123456789abcdef0123456789abcdef";
const listening = { connection_name: "c", qos: 1, bgapi_authorized: true };
const configuration = configurationXml(8021, {
  connections: {
    c: params({ protocol_version: "V5" }),
    other: params({ enable: false }),
    lasting: params({ clean_session: false, client_id: "me" }),
  },
  subscribed: {
    wide: params({ ...listening, pattern: "pbx/#", bgapi_allow: "version" }),
    narrow: params({
      ...listening,
      pattern: "pbx/${hostname}/command",
      bgapi_allow: "status",
      originate_authorized: true,
      response_pattern: "answers/all",
      response_prefix: "answers",
    }),
    signed: params({ ...listening, pattern: "signed", bgapi_allow: "status", hmac_key: KEY }),
    fleet: params({
      ...listening,
      pattern: "fleet/${switchname}/command",
      response_prefix: "fleet/${switchname}/reply",
    }),
    kept: params({ ...listening, connection_name: "lasting", pattern: "kept" }),
    off: params({ ...listening, connection_name: "other", pattern: "off", bgapi_allow: "status" }),
  },
});

async function testCommand(...args: string[]) {
  return await withFile(configuration, async (file) => {
    const out: string[] = [];
    const err: string[] = [];
    const code = await dispatch(commandGroups, ["test-command", "--config", file, ...args], {
      out: (text) => out.push(text),
      err: (text) => err.push(text),
    });
    return { code, out: out.join("\n").replaceAll(file, "FILE"), err: err.join("\n") };
  });
}

Deno.test("test-command is a command of its own", () => {
  assert(commands.some(({ name }) => name === "test-command"));
});

Deno.test("test-command shows what would run, where it is answered, and what it lacks", async () => {
  const { code, out } = await testCommand("--topic", "pbx/fs1/command", "bgapi", "status");
  assert.equal(code, 0);
  assert.match(out, /^topic "narrow" \(FILE:\d+\)\n {2}would run: bgapi status\n/);
  assert.match(out, /\n {2}answered on: answers\/all\n/);
  assert.match(out, /\n {2}note: it has no id: sent twice, it runs twice$/);
});

Deno.test("test-command says what a lasting session means, and that nobody is answered", async () => {
  const { out } = await testCommand("--topic", "kept", '{"id":"1","command":"bgapi","args":"x"}');
  assert.match(out, /note: it has no issued_at: kept by the broker/);
  assert.match(out, /note: it is not answered/);
});

Deno.test("test-command says why not, and ends with 77", async () => {
  const { code, out } = await testCommand("--topic", "pbx/fs1/command", "bgapi lua x");
  assert.equal(code, 77);
  assert.match(out, /refused \(not_allowed\): no bgapi_allow of this topic names `lua`/);
});

Deno.test("the narrowest topic decides, also over FreeSWITCH's names", async () => {
  const wide = await testCommand("--topic", "pbx/fs1/other", "bgapi", "version");
  assert.match(wide.out, /^topic "wide" .*\n {2}would run: bgapi version/);
  const narrow = await testCommand("--topic", "pbx/fs1/command", "bgapi", "version");
  assert.equal(narrow.code, 77);
});

Deno.test("a topic that nobody listens to is said so", async () => {
  const { code, out } = await testCommand("--topic", "nobody", "bgapi status");
  assert.equal(code, 77);
  assert.match(out, /^refused: no topic listens to "nobody"; there is "pbx\/#", .*"off"$/);
});

Deno.test("a response topic is judged too", async () => {
  const topic = ["--topic", "pbx/fs1/command"];
  const fine = await testCommand(...topic, "--response-topic", "answers/me", "bgapi status");
  assert.match(fine.out, /answered on: answers\/me/);
  const abuse = await testCommand(...topic, "--response-topic", "pbx/x/command", "bgapi status");
  assert.equal(abuse.code, 77);
  assert.match(abuse.out, /response topic is not one under response_prefix/);
});

Deno.test("what is switched off runs nothing", async () => {
  const { code, out } = await testCommand("--topic", "off", "bgapi status");
  assert.equal(code, 77);
  assert.match(out, /refused \(disabled\): "other" is not enabled/);
});

Deno.test("FreeSWITCH's names in the topic stand in where it answers too", async () => {
  const { out } = await testCommand(
    ...["--topic", "fleet/fs7/command", "--response-topic", "fleet/fs7/reply/me", "bgapi status"],
  );
  assert.match(out, /would run: bgapi status\n {2}answered on: fleet\/fs7\/reply\/me/);
  const other = await testCommand(
    ...["--topic", "fleet/fs7/command", "--response-topic", "fleet/fs8/reply/me", "bgapi status"],
  );
  assert.equal(other.code, 77);
});

Deno.test("--sign makes a message that the topic takes, and never shows the key", async () => {
  const command = JSON.stringify({
    id: "1",
    issued_at: Date.now() / 1000,
    command: "bgapi",
    args: "status",
  });
  const { code, out } = await testCommand("--topic", "signed", "--sign", command);
  assert.equal(code, 0, out);
  const [, publish = ""] = /publish: (.*)/.exec(out) ?? [];
  assert.deepEqual(verifySigned(publish, "signed", new Secret(KEY)), { text: command });
  assert(!out.includes(KEY));
  const unsigned = await testCommand("--topic", "signed", command);
  assert.match(unsigned.out, /refused \(unsigned\)/);
});

Deno.test("--json gives the same to programs", async () => {
  const { out } = await testCommand("--topic", "pbx/fs1/command", "--json", "bgapi status");
  const [verdict] = JSON.parse(out);
  assert.deepEqual([verdict.name, verdict.runs], ["narrow", "bgapi status"]);
});

for (
  const [what, args, message] of [
    ["no topic", ["bgapi status"], /--topic is missing/],
    ["a wildcard", ["--topic", "pbx/#", "x"], /--topic/],
    ["no payload", ["--topic", "pbx"], /PAYLOAD is missing/],
    ["signing without a key", ["--topic", "pbx/x", "--sign", "x"], /has no hmac_key/],
  ] as const
) {
  Deno.test(`test-command with ${what} is a wrong usage`, async () => {
    const { code, err } = await testCommand(...args);
    assert.equal(code, 64);
    assert.match(err, message);
  });
}

const withheld = configurationXml(8021, {
  connections: { c: params({}) },
  subscribed: {
    signed: params({
      ...listening,
      pattern: "signed",
      bgapi_allow: "status",
      hmac_key_file: "no-such-credential",
    }),
  },
});

Deno.test("where the key is a credential, no signature is made and none is called wrong", async () => {
  await withFile(withheld, async (file) => {
    const run = async (...args: string[]) => {
      const out: string[] = [];
      const err: string[] = [];
      const line = ["test-command", "--config", file, "--topic", "signed", ...args];
      const code = await dispatch(commandGroups, line, {
        out: (text) => out.push(text),
        err: (text) => err.push(text),
      });
      return { code, out: out.join("\n"), err: err.join("\n") };
    };
    const why = "its hmac_key is a credential, which only the service is given";
    const making = await run("--sign", "bgapi status");
    assert.equal(making.code, 64);
    assert.match(making.err, new RegExp(`cannot sign for topic "signed": ${why}\n`));
    const text = '{"command":"status","issued_at":"2026-11-22T10:00:00Z","id":"1"}';
    const signature = sign(text, "signed", new Secret(KEY));
    const judging = await run(JSON.stringify({ signed: text, signature }));
    assert.equal(judging.code, 77);
    assert.match(judging.out, new RegExp(`\n {2}note: it may be signed well: ${why}$`));
  });
});
