import assert from "node:assert/strict";
import { checked, params } from "./helper.ts";

/** Parameters by name; those that may be given several times have a list. */
type Values = Readonly<Record<string, string | readonly string[]>>;

interface Case {
  /** Of the topic that takes commands from `pbx/cmd`; more or other parameters than that. */
  readonly topic: Values;
  /** Of its connection to `b`. */
  readonly connection?: Values;
  readonly tls?: Values;
  /** More topics that take commands. */
  readonly others?: readonly Values[];
  /** Topics that publish events. */
  readonly publish?: readonly Values[];
  /** `severity code: text` for each finding; texts are matched as far as they are given. */
  readonly expected: readonly string[];
}

/** A connection of which nothing has to be said. */
const SAFE = {
  tls: { enable: "true", support: "certificate", capath: "/etc/ssl/certs" },
  connection: { username: "u" },
};
const BGAPI = { bgapi_authorized: "true" };
const CALLS = { originate_authorized: "true" };
const LIMIT = { rate_limit: "60" };
const BOTH = { ...BGAPI, ...CALLS, ...LIMIT };
const KEY = "k".repeat(32);
/** What an originate is restricted to that can be started. */
const PARK = { originate_allow_endpoint: "user/1000", originate_allow_app: "park" };
/** All of a sentence about {@linkcode SAFE}, and what follows "can" in it. */
const CAN = 'warning commands-authorized: whoever may publish to "pbx/cmd" at b:8883 can ';
const ANYWHERE = `${CAN}start calls to any endpoint, at your cost`;

function content({ topic, connection = {}, tls = {}, others = [], publish = [] }: Case): string {
  const all = (values: Values) =>
    Object.entries(values).map(([name, value]) =>
      [value].flat().map((each) => params({ [name]: each })).join("")
    ).join("");
  const topics = (each: readonly Values[], kind: string) =>
    `<${kind}s><${kind} name="k"><topics>${
      each.map((values, i) =>
        `<topic name="${i === 0 ? "t" : `t${i}`}">${
          all({ connection_name: "c", ...values })
        }</topic>`
      ).join("")
    }</topics></${kind}></${kind}s>`;
  return `<profiles><profile name="p"><connections><connection name="c">${
    all({ host: "b", ...connection })
  }<tls>${all(tls)}</tls></connection></connections>${topics(publish, "publisher")}${
    topics([{ pattern: "pbx/cmd", ...topic }, ...others], "subscriber")
  }</profile></profiles>`;
}

function linesOf(given: Case): string[] {
  return checked(content(given)).map(({ severity, code, text }) => `${severity} ${code}: ${text}`);
}

const sentences: Record<string, Omit<Case, "expected"> & { expected: string }> = {
  "any API command": {
    topic: BGAPI,
    expected: `${CAN}see and end all calls and run every API command but the dangerous ones ` +
      "(`system` and its kind) and those that place calls",
  },
  "any call": { topic: { ...CALLS, ...LIMIT }, expected: ANYWHERE },
  "calls that are not limited": {
    topic: CALLS,
    expected: `${ANYWHERE}; nothing limits how many calls: give \`max_calls_per_day\` or ` +
      "`rate_limit`",
  },
  "calls that are limited by the day": {
    topic: { ...CALLS, max_calls_per_day: "5" },
    expected: ANYWHERE,
  },
  "calls that end": {
    topic: { ...CALLS, ...LIMIT, max_call_seconds: "60" },
    expected: `${ANYWHERE}, each of 60 s at most`,
  },
  "any call and any API command": {
    topic: BOTH,
    expected: `${ANYWHERE}, and see, move and end all calls and run every API command but the ` +
      "dangerous ones (`system` and its kind)",
  },
  "calls that end, and any API command: others place no calls": {
    topic: { ...BOTH, max_call_seconds: "60" },
    expected: `${ANYWHERE}, each of 60 s at most, and see and end all calls and run every API ` +
      "command but the dangerous ones (`system` and its kind) and those that place calls",
  },
  "named calls and any API command: others place no calls": {
    topic: { ...BOTH, ...PARK },
    expected: `${CAN}start calls to \`user/1000\` alone, to run \`park\`, and see and end all ` +
      "calls and run every API command but the dangerous ones (`system` and its kind) and those " +
      "that place calls",
  },
  "named API commands": {
    topic: { ...BGAPI, bgapi_allow: ["status", "show *", "uuid_kill /[0-9a-f-]+/"] },
    expected: `${CAN}run no API command but \`status\`, \`show *\` and \`uuid_kill /[0-9a-f-]+/\``,
  },
  "many named API commands": {
    topic: { ...BGAPI, bgapi_allow: ["a", "b", "c", "d", "e", "f"] },
    expected: `${CAN}run no API command but \`a\`, \`b\`, \`c\`, \`d\` and 2 more`,
  },
  "named API commands that are dangerous": {
    topic: {
      ...BGAPI,
      bgapi_allow: ["status", "system *", "lua x.lua", "reload mod_sofia", "fsctl *", "eval *"],
    },
    expected: `${CAN}run no API command but \`status\`, \`system *\`, \`lua x.lua\`, ` +
      "`reload mod_sofia` and 2 more (`system *`, `lua x.lua` and `reload mod_sofia` can run " +
      "code, or read and write files; `fsctl *` can end or change FreeSWITCH itself; `eval *` can " +
      "run other commands)",
  },
  "a command that is dangerous with some arguments": {
    topic: { ...BGAPI, bgapi_allow: ["sofia *", "uuid_getvar /[0-9a-f-]{36} x/"] },
    expected: `${CAN}run no API command but \`sofia *\` and \`uuid_getvar /[0-9a-f-]{36} x/\` ` +
      "(`sofia *` can end or change FreeSWITCH itself; `uuid_getvar /[0-9a-f-]{36} x/` can reveal " +
      "secrets)",
  },
  "a command that is dangerous with other arguments": {
    topic: { ...BGAPI, bgapi_allow: ["sofia status", "sofia /status .*/"] },
    expected: `${CAN}run no API command but \`sofia status\` and \`sofia /status .*/\``,
  },
  "named commands that move calls, to where a dialplan sends them or to any application": {
    topic: {
      ...BOTH,
      ...PARK,
      bgapi_allow: ["uuid_transfer *", "uuid_transfer /[0-9a-f-]{36} \\d+/", "originate *"],
    },
    expected: `${CAN}start calls to \`user/1000\` alone, to run \`park\`, and run no API command ` +
      "but `uuid_transfer *` and `uuid_transfer /[0-9a-f-]{36} \\d+/` (`uuid_transfer *` can run " +
      "any application)",
  },
  "a move without a call of its own": {
    topic: { ...BGAPI, ...CALLS, ...PARK, bgapi_allow: "uuid_bridge *" },
    expected: `${CAN}start calls to \`user/1000\` alone, to run \`park\`, and run no API command ` +
      "but `uuid_bridge *`; nothing limits how many calls…",
  },
  "moves where no call can be started": {
    topic: { ...BGAPI, ...CALLS, originate_allow_app: "park", bgapi_allow: "uuid_bridge *" },
    expected: `${CAN}run no API command but \`uuid_bridge *\`; nothing limits how many calls…`,
  },
  "named endpoints, applications, and extensions of contexts": {
    topic: {
      ...CALLS,
      ...LIMIT,
      originate_allow_endpoint: ["user/1000", "/user.10../"],
      originate_allow_app: ["park", "playback /x.wav/"],
      originate_allow_context: "default",
      originate_allow_destination: ["9386", "9996"],
    },
    expected: `${CAN}start calls to \`user/1000\` or \`/user.10../\` alone, to run \`park\` or ` +
      "`playback /x.wav/`, or to go to `9386` or `9996` in `default`",
  },
  "everything there is": {
    topic: { ...CALLS, ...LIMIT, originate_unrestricted: "true" },
    expected: `${CAN}start any call and run any application, command and program ` +
      "(`originate_unrestricted`)",
  },
  "any topic": {
    topic: { ...BGAPI, pattern: "#", bgapi_allow: "status" },
    expected: 'warning commands-authorized: whoever may publish to "#" (any topic) at b:8883 can …',
  },
  "below any name": {
    topic: { ...BGAPI, pattern: "$share/g/+/cmd", bgapi_allow: "status" },
    expected: 'warning commands-authorized: whoever may publish to "$share/g/+/cmd" (below any ' +
      "name) at b:8883 can …",
  },
};

/** Whether a text is the expected one; `…` stands for what may follow. */
function assertText(text: string | undefined, expected: string): void {
  const start = expected.endsWith("…") ? expected.slice(0, -1) : undefined;
  assert.equal(start === undefined ? text : text?.slice(0, start.length), start ?? expected);
}

for (const [what, { expected, ...rest }] of Object.entries(sentences)) {
  Deno.test(`what a stranger could do: ${what}`, () => {
    const found = linesOf({ ...SAFE, ...rest, expected: [] })
      .filter((line) => line.includes("commands-authorized"));
    assert.equal(found.length, 1);
    assertText(found[0], expected);
  });
}

const way = "(anybody on the way can do the same)";
const gaps: Record<string, [Pick<Case, "connection" | "tls">, string]> = {
  "neither TLS nor a login": [
    {},
    `; connection "c" has no TLS ${way} and has no login (the broker may let anybody in)`,
  ],
  "no TLS": [{ connection: { username: "u" } }, `; connection "c" has no TLS ${way}`],
  "no login": [
    { tls: SAFE.tls },
    '; connection "c" has no login (the broker may let anybody in)',
  ],
  "a certificate in place of a login": [
    { tls: { ...SAFE.tls, certfile: "/c", keyfile: "/k" } },
    "",
  ],
  "a certificate that is not used": [
    { tls: { certfile: "/c", keyfile: "/k", enable: "false" } },
    `; connection "c" has no TLS ${way} and has no login (the broker may let anybody in)`,
  ],
  "a pre-shared key in place of a login": [
    { tls: { enable: "true", support: "psk", identity: "i", psk: "00" } },
    "",
  ],
  "TLS without verification": [
    {
      ...{ connection: { username: "u" } },
      tls: { ...SAFE.tls, advanced_options: "true", cert_reqs: "SSL_VERIFY_NONE" },
    },
    `; connection "c" does not verify its broker ${way}`,
  ],
};

for (const [what, [given, expected]] of Object.entries(gaps)) {
  Deno.test(`the risk of a connection: ${what}`, () => {
    const line = linesOf({ topic: { ...BGAPI, bgapi_allow: "status" }, ...given, expected: [] })
      .find((line) => line.includes("commands-authorized"));
    assert.equal(line?.slice(line.indexOf("`status`")), "`status`" + expected);
  });
}

Deno.test("with a key only who has it can do anything, and the connection matters less", () => {
  const topic = { ...CALLS, ...LIMIT, hmac_key: KEY };
  const only = (port: number) =>
    'warning commands-authorized: only who has the `hmac_key` of topic "t" and may publish to ' +
    `"pbx/cmd" at b:${port} can start calls to any endpoint, at your cost`;
  assert.deepEqual(linesOf({ topic, ...SAFE, expected: [] }), [only(8883)]);
  assert.deepEqual(linesOf({ topic, expected: [] }), [
    `${only(1883)}; connection "c" has no TLS (anybody on the way can read and hold back commands)`,
  ]);
});

const cases: Record<string, Case> = {
  "nothing is authorized": { topic: {}, expected: [] },
  "rules without what they need": {
    topic: { bgapi_allow: "status", originate_allow_app: "park", originate_unrestricted: "true" },
    expected: [
      'warning commands-no-effect: `bgapi_allow` of topic "t" has no effect without ' +
      "`bgapi_authorized`",
      'warning commands-no-effect: `originate_allow_app` of topic "t" has no effect without ' +
      "`originate_authorized`",
      'warning commands-no-effect: `originate_unrestricted` of topic "t" has no effect…',
    ],
  },
  "rules of the kind that is not authorized": {
    topic: { ...BGAPI, bgapi_allow: "status", max_call_seconds: "5", max_calls_per_day: "5" },
    expected: [
      `${CAN}…`,
      "warning commands-no-effect: `max_call_seconds` …",
      "warning commands-no-effect: `max_calls_per_day` …",
    ],
  },
  "limits where nothing is authorized": {
    topic: { rate_limit: "5", rate_burst: "5", require_issued_at: "true", max_concurrent: "3" },
    expected: [
      'warning commands-no-effect: `rate_limit` of topic "t" has no effect without ' +
      "`bgapi_authorized` or `originate_authorized`",
      "warning commands-no-effect: `rate_burst` …",
      "warning commands-no-effect: `require_issued_at` …",
      "warning commands-no-effect: `max_concurrent` …",
    ],
  },
  "parameters that ask for nothing": {
    topic: { originate_unrestricted: "false", rate_limit: "0" },
    expected: [],
  },
  "a burst without a rate": {
    topic: { ...BGAPI, rate_burst: "5", bgapi_allow: "status" },
    expected: [
      `${CAN}…`,
      'warning commands-no-effect: `rate_burst` of topic "t" has no effect without `rate_limit`',
    ],
  },
  "commands that place calls, where that is not authorized": {
    topic: { ...BGAPI, bgapi_allow: ["status", "originate *", "uuid_transfer *", "conference *"] },
    expected: [
      `${CAN}run no API command but \`status\` and \`conference *\`…`,
      'warning commands-refused: `bgapi_allow` of topic "t" names `originate *` and ' +
      "`uuid_transfer *`, which place calls and are refused without `originate_authorized`",
    ],
  },
  "nothing but commands that are refused": {
    topic: { ...BGAPI, bgapi_allow: "originate *" },
    expected: [
      'warning commands-refused: `bgapi_allow` of topic "t" names `originate *`, which places ' +
      "calls and is refused without `originate_authorized`",
    ],
  },
  "commands that place calls, where calls have to end": {
    topic: { ...BOTH, max_call_seconds: "5", bgapi_allow: ["originate *", "uuid_bridge *"] },
    expected: [
      `${CAN}start calls to any endpoint, at your cost, each of 5 s at most`,
      'warning commands-refused: `bgapi_allow` of topic "t" names `uuid_bridge *`, which places ' +
      "calls and is refused with `max_call_seconds`, which only an originate can be held to",
    ],
  },
  "an originate without an endpoint": {
    topic: { ...CALLS, originate_allow_app: "park" },
    expected: [
      'warning commands-refused: topic "t" allows no call at all: with an `originate_allow_…` ' +
      "only what is named may be used, and it lacks `originate_allow_endpoint`",
    ],
  },
  "an originate that goes nowhere": {
    topic: { ...CALLS, originate_allow_endpoint: "user/1000" },
    expected: [
      'warning commands-refused: topic "t" allows no call at all: with an `originate_allow_…` ' +
      "only what is named may be used, and it lacks `originate_allow_app` (or a context and a " +
      "destination)",
    ],
  },
  "an originate that lacks everything": {
    topic: { ...CALLS, originate_allow_variable: "x" },
    expected: [
      'warning commands-refused: topic "t" allows no call at all: with an `originate_allow_…` ' +
      "only what is named may be used, and it lacks `originate_allow_endpoint` and " +
      "`originate_allow_app` (or a context and a destination)",
    ],
  },
  "a destination without a context": {
    topic: { ...CALLS, originate_allow_endpoint: "user/1", originate_allow_destination: "1" },
    expected: [
      'warning commands-refused: topic "t" allows no call at all: with an `originate_allow_…` ' +
      "only what is named may be used, and it lacks `originate_allow_context`",
    ],
  },
  "a context without a destination": {
    topic: { ...CALLS, originate_allow_endpoint: "user/1", originate_allow_context: "x" },
    expected: [
      'warning commands-refused: topic "t" allows no call at all: with an `originate_allow_…` ' +
      "only what is named may be used, and it lacks `originate_allow_destination`",
    ],
  },
  "half a route beside an application": {
    topic: { ...CALLS, ...LIMIT, ...PARK, originate_allow_destination: "1" },
    expected: [
      `${CAN}start calls to \`user/1000\` alone, to run \`park\``,
      'warning commands-no-effect: `originate_allow_destination` of topic "t" has no effect ' +
      "without `originate_allow_context`; FreeSWITCH's own is `default`",
    ],
  },
  "everything beside something": {
    topic: { ...CALLS, ...LIMIT, ...PARK, originate_unrestricted: "true", max_call_seconds: "5" },
    expected: [
      `${CAN}start any call…`,
      'error commands-contradict: topic "t" has `originate_unrestricted`, which allows every ' +
      "originate, beside `originate_allow_endpoint` and `originate_allow_app`, which limit what " +
      "one may hold: take one of them out",
      'error commands-contradict: `max_call_seconds` of topic "t" cannot be held with ' +
      "`originate_unrestricted`, which passes an originate on as it is: take one of them out",
    ],
  },
  "rules that run more than they seem to": {
    topic: {
      ...CALLS,
      ...LIMIT,
      originate_allow_endpoint: ["user/1000", "/.*/"],
      originate_allow_app: ["park", "lua *", "lua ivr.lua", "set /x=.*/"],
      originate_allow_variable: ["x", "api_hangup_hook", "/execute_.*/"],
    },
    expected: [
      `${CAN}…`,
      'warning commands-run-code: `originate_allow_endpoint` of topic "t" allows `/.*/`, ' +
      "`loopback/system:id/default/inline` for one, which runs applications: name less, unless " +
      "that is meant",
      'warning commands-run-code: `originate_allow_app` of topic "t" allows `lua *`, `lua x` for ' +
      "one, which runs code: name less, unless that is meant",
      'warning commands-run-code: `originate_allow_variable` of topic "t" allows ' +
      "`api_hangup_hook`, which makes the call run any application or command: name less, unless " +
      "that is meant",
      'warning commands-run-code: `originate_allow_variable` of topic "t" allows ' +
      "`/execute_.*/`, `execute_on_answer` for one, …",
    ],
  },
  "variables that run something, where max_call_seconds refuses them": {
    topic: {
      ...{ ...CALLS, ...LIMIT, ...PARK, max_call_seconds: "5" },
      originate_allow_variable: ["/execute_.*/", "/exec.*/"],
    },
    expected: [
      `${CAN}…`,
      'warning commands-run-code: `originate_allow_variable` of topic "t" allows `/exec.*/`, ' +
      "`exec_after_bridge_app` for one, …",
    ],
  },
  "the same in an originate that is not restricted at all": {
    topic: { ...CALLS, ...LIMIT, originate_unrestricted: "true" },
    expected: [`${CAN}…`],
  },
  "a key that is too short": {
    topic: { ...CALLS, ...LIMIT, hmac_key: "é".repeat(7) + "x" },
    expected: [
      "warning commands-authorized: only who…",
      'error hmac-key: `hmac_key` of topic "t" is shorter than 16 bytes and could be guessed: ' +
      "`openssl rand -hex 32` makes a good one",
    ],
  },
  "a key that could be longer": {
    topic: { ...CALLS, ...LIMIT, hmac_key: "é".repeat(8) },
    expected: [
      "warning commands-authorized: only who…",
      'note hmac-key: `hmac_key` of topic "t" is shorter than the 32 bytes that HMAC-SHA256 makes ' +
      "full use of: `openssl rand -hex 32` makes a good one",
    ],
  },
  "calls that a session keeps": {
    topic: { ...CALLS, ...LIMIT, qos: "1" },
    connection: { ...SAFE.connection, clean_session: "false", client_id: "x" },
    expected: [
      ANYWHERE,
      'warning stored-commands: topic "t" starts calls long after they were asked for: the broker ' +
      'keeps what comes to "pbx/cmd" while fsmqtt is away (`qos` 1, `clean_session` false). Set ' +
      "`require_issued_at`, or `qos` 0, or have senders give an expiry (MQTT 5)",
    ],
  },
  "calls that say when they were asked for": {
    topic: { ...CALLS, ...LIMIT, qos: "1", require_issued_at: "true" },
    connection: { ...SAFE.connection, clean_session: "false", client_id: "x" },
    expected: [ANYWHERE],
  },
  "calls that are signed": {
    topic: { ...CALLS, ...LIMIT, qos: "1", hmac_key: KEY },
    connection: { ...SAFE.connection, clean_session: "false", client_id: "x" },
    expected: ["warning commands-authorized: only who…"],
  },
  "calls of QoS 0": {
    topic: { ...CALLS, ...LIMIT },
    connection: { ...SAFE.connection, clean_session: "false", client_id: "x" },
    expected: [ANYWHERE],
  },
  "calls of a session that does not last": {
    topic: { ...CALLS, ...LIMIT, qos: "1" },
    connection: { ...SAFE.connection, client_id: "x" },
    expected: [ANYWHERE],
  },
  "API commands that a session keeps": {
    topic: { ...BGAPI, bgapi_allow: "status", qos: "1" },
    connection: { ...SAFE.connection, clean_session: "false", client_id: "x" },
    expected: [`${CAN}…`],
  },
  "answers where only MQTT 5 asks for them": {
    topic: { response_prefix: "pbx/reply" },
    expected: [
      'warning response-topic: `response_prefix` of topic "t" has no effect: only in MQTT 5 does ' +
      'a message say where it is answered. Set `protocol_version` V5 of connection "c", or give a ' +
      "`response_pattern`",
    ],
  },
  "answers as they should be": {
    topic: { response_prefix: "pbx/reply", response_pattern: "pbx/reply" },
    connection: { ...SAFE.connection, protocol_version: "V5" },
    expected: [],
  },
  "answers where commands are taken from": {
    topic: { response_pattern: "${hostname}/cmd" },
    expected: [
      'error loop: `response_pattern` of topic "t" publishes to "${hostname}/cmd", which the ' +
      'subscription of topic "t" (…',
    ],
  },
  "a prefix above where another topic takes commands from": {
    topic: { response_prefix: "pbx" },
    others: [{ pattern: "pbx/reply/+/x" }],
    connection: { ...SAFE.connection, protocol_version: "V5" },
    expected: ['error loop: `response_prefix` of topic "t" publishes to "pbx/#", which…'],
  },
  "a prefix that is taken for commands itself": {
    topic: { response_prefix: "reply" },
    others: [{ pattern: "reply" }],
    connection: { ...SAFE.connection, protocol_version: "V5" },
    expected: ['error loop: `response_prefix` of topic "t" publishes to "reply/#", which…'],
  },
  "a prefix that ends in a slash": {
    topic: { response_prefix: "reply/" },
    others: [{ pattern: "reply/x" }],
    connection: { ...SAFE.connection, protocol_version: "V5" },
    expected: ['error loop: `response_prefix` of topic "t" publishes to "reply/#", which…'],
  },
  "a prefix beside where commands are taken from": {
    topic: { response_prefix: "pbx/reply" },
    others: [{ pattern: "pbx/replyto/x" }],
    connection: { ...SAFE.connection, protocol_version: "V5" },
    expected: [],
  },
  "answers where events are published": {
    topic: { response_prefix: "ev", response_pattern: "x" },
    publish: [{ pattern: "ev/calls", event: "ALL" }, { pattern: "y", event: "ALL" }],
    connection: { ...SAFE.connection, protocol_version: "V5" },
    expected: [
      'warning response-topic: `response_prefix` of topic "t" lets answers to commands come where ' +
      'topic "t" publishes (…',
    ],
  },
  "answers where fsmqtt says how it is": {
    topic: { response_pattern: "state" },
    connection: { ...SAFE.connection, status_topic: "state" },
    expected: [
      'warning response-topic: `response_pattern` of topic "t" lets answers to commands come ' +
      'where the status of connection "c" publishes (…',
    ],
  },
};

for (const [what, given] of Object.entries(cases)) {
  Deno.test(`the checker of commands: ${what}`, () => {
    const found = linesOf({ ...SAFE, ...given });
    assert.equal(found.length, given.expected.length, found.join("\n"));
    for (const [i, expected] of given.expected.entries()) assertText(found[i], expected);
  });
}

Deno.test("a finding about a key does not show it, and names its file", () => {
  const text = JSON.stringify(linesOf({ topic: { ...CALLS, hmac_key: "hunter2" }, expected: [] }));
  assert.match(text, /hmac-key/);
  assert.doesNotMatch(text, /hunter2/);
});
