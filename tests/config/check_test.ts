import assert from "node:assert/strict";
import { join } from "node:path";
import { checkConfig, loadAndCheck } from "../../lib/config/check.ts";
import {
  checked,
  configOf,
  configuration,
  params,
  SETTINGS,
  withFiles,
  withoutIdle,
} from "./helper.ts";

interface Profile {
  readonly name?: string;
  /** Content of `<connections>`. */
  readonly connections?: string;
  /** Topics of a publisher: their parameters by name. */
  readonly publish?: Record<string, Record<string, string>>;
  /** Topics of a subscriber: their parameters by name. */
  readonly subscribe?: Record<string, Record<string, string>>;
}

function profile({ name = "p", connections = connection(), publish, subscribe }: Profile): string {
  const topics = (kind: string, byName: Record<string, Record<string, string>> = {}) => {
    const elements = Object.entries(byName).map(([name, values]) =>
      `<topic name="${name}">${params({ connection_name: "c", ...values })}</topic>`
    );
    return `<${kind}s><${kind} name="k"><topics>${elements.join("")}</topics></${kind}></${kind}s>`;
  };
  return `<profiles><profile name="${name}"><connections>${connections}</connections>` +
    `${topics("publisher", publish)}${topics("subscriber", subscribe)}</profile></profiles>`;
}

function connection(values: Record<string, string> = {}, name = "c", inside = ""): string {
  return `<connection name="${name}">${params({ host: "b", ...values })}${inside}</connection>`;
}

const tls = (values: Record<string, string>) =>
  profile({ connections: connection({}, "c", `<tls>${params(values)}</tls>`) });

const will = (values: Record<string, string>, inside = "") =>
  connection({}, "c", `<will>${params(values)}</will>${inside}`);

/** A publisher's topic that is well but for `values`. */
const event = (values: Record<string, string>) => ({ event: "ALL", ...values });

const hexKey = { psk: "c0ffee", identity: "me" };
const certificate = { enable: "true", support: "certificate", capath: "/etc/ssl/certs" };

/** Content, and `severity code: text` for each finding; texts are matched as far as they are given. */
const cases: Record<string, { content: string; expected: readonly string[] }> = {
  "a plain configuration is well": {
    content: profile({
      publish: { t: event({ pattern: "events" }) },
      subscribe: { t: { pattern: "commands" } },
    }),
    expected: [],
  },
  "a topic names a connection that is not there": {
    content: profile({
      connections: connection({}, "broker1"),
      publish: { t: event({ connection_name: "brokr1", pattern: "x" }) },
    }),
    expected: [
      'error unknown-connection: topic "t" names the connection "brokr1", which profile "p" does ' +
      'not have: did you mean "broker1"?',
    ],
  },
  "the same client id twice on one broker, over two profiles": {
    content: profile({ connections: connection({ client_id: "FreeSWITCH-Hostname" }) }) +
      profile({
        name: "q",
        connections: connection({ client_id: "FreeSWITCH-Hostname", host: "B", port: "1883" }),
      }),
    expected: [
      'error duplicate-client-id: connection "c" has the `client_id` "FreeSWITCH-Hostname"',
    ],
  },
  "the same client id with one of the two disabled": {
    content: profile({
      connections: connection({ client_id: "a" }) +
        connection({ client_id: "a", enable: "false" }, "d"),
    }),
    expected: ["warning duplicate-client-id"],
  },
  "the same client id on two brokers, and a unique one": {
    content: profile({
      connections: connection({ client_id: "a" }) +
        connection({ client_id: "a", port: "1884" }, "d") +
        connection({ client_id: "FreeSWITCH-Hostname-Unique" }, "e") +
        connection({ client_id: "FreeSWITCH-Hostname-Unique" }, "f"),
    }),
    expected: [],
  },
  "an enabled topic on a disabled connection": {
    content: profile({
      connections: connection({ enable: "false" }),
      publish: { t: event({ pattern: "x" }), off: event({ pattern: "x", enable: "false" }) },
    }),
    expected: ['warning unreachable-topic: topic "t" is enabled, but its connection "c" is not'],
  },
  "a publisher's topic without event": {
    content: profile({ publish: { t: { pattern: "x" } } }),
    expected: ["warning no-event"],
  },
  "an event twice in a topic": {
    content: profile({ publish: { t: event({ pattern: "x" }) } })
      .replace(params({ event: "ALL" }), params({ event: "heartbeat" }).repeat(2)),
    expected: ['warning repeated-event: topic "t" names HEARTBEAT more than once'],
  },
  "a published pattern that a subscription takes": {
    content: profile({
      publish: { out: event({ pattern: "fs/out", enable: "false" }) },
      subscribe: { "in": { pattern: "fs/#", enable: "false" } },
    }),
    expected: [
      'error loop: topic "out" publishes to "fs/out", which the subscription of topic "in"',
    ],
  },
  "a loop over two profiles with the same broker": {
    content: profile({ publish: { out: event({ pattern: "a" }) } }) +
      profile({ name: "q", subscribe: { "in": { pattern: "$share/g/+" } } }),
    expected: ["error loop"],
  },
  "a status topic is something published": {
    content: profile({
      connections: connection({ status_topic: "fs/state" }),
      subscribe: { in: { pattern: "fs/#" } },
    }),
    expected: ['error loop: the status of connection "c" publishes to "fs/state"'],
  },
  "a status topic where events are published too": {
    content: profile({
      connections: connection({ status_topic: "fs/${hostname}" }),
      publish: { out: event({ pattern: "fs/x" }) },
    }),
    expected: [
      'warning status-topic: the `status_topic` "fs/${hostname}" of connection "c" is where events',
    ],
  },
  "one status topic for two connections to one broker": {
    content: profile({
      connections: connection({ status_topic: "s" }) + connection({ status_topic: "s" }, "d"),
    }),
    expected: ['warning status-topic: the `status_topic` "s" of connection "d" is that of'],
  },
  "one status topic for two brokers is no trouble": {
    content: profile({
      connections: connection({ status_topic: "s" }) +
        connection({ status_topic: "s", host: "other" }, "d"),
      publish: { out: event({ pattern: "t" }) },
    }),
    expected: [],
  },
  "a status topic beside a will": {
    content: profile({
      connections: connection(
        { status_topic: "s" },
        "c",
        `<will>${params({ enable: "true", topic: "w" })}</will>`,
      ),
    }),
    expected: [
      'warning status-topic: connection "c" has a will of its own, and a broker takes no second ' +
      "one: when fsmqtt dies, its `status_topic` does not say that it is offline. Take the <will> " +
      "out, or leave it if that is meant",
    ],
  },
  "no loop where the brokers differ": {
    content: profile({
      connections: connection() + connection({ port: "1884" }, "d"),
      publish: { out: event({ pattern: "a" }) },
      subscribe: { "in": { pattern: "a", connection_name: "d" } },
    }),
    expected: [],
  },
  "a loop through a template on one side": {
    content: profile({
      publish: { out: event({ pattern: "fs/${hostname}" }) },
      subscribe: { "in": { pattern: "fs/pbx1" } },
    }),
    expected: ["error loop"],
  },
  "a loop through a template at the start": {
    content: profile({
      publish: { out: event({ pattern: "${switchname}/x" }) },
      subscribe: { "in": { pattern: "#" } },
    }),
    expected: ["error loop"],
  },
  "no loop between templates that end differently": {
    content: profile({
      publish: { out: event({ pattern: "fs/${hostname}-out" }) },
      subscribe: { "in": { pattern: "fs/${switchname}-in" }, other: { pattern: "fs/x/y" } },
    }),
    expected: [],
  },
  "a will that a subscription takes": {
    content: profile({
      connections: will({ enable: "true", topic: "fs/state" }),
      subscribe: { "in": { pattern: "fs/+" } },
    }),
    expected: ['error loop: the will of connection "c" publishes to "fs/state"'],
  },
  "a disabled will": {
    content: profile({
      connections: will({ topic: "fs/state" }),
      subscribe: { "in": { pattern: "fs/+" } },
    }),
    expected: [],
  },
  "a will without topic": {
    content: profile({ connections: will({ enable: "true" }) }),
    expected: ["error will-without-topic"],
  },
  "a connection that subscribes twice to the same": {
    content: profile({ subscribe: { a: { pattern: "x" }, b: { pattern: "x" } } }),
    expected: ['error duplicate-subscription: connection "c" subscribes to "x" already'],
  },
  "subscriptions of a connection that overlap": {
    content: profile({ subscribe: { a: { pattern: "a/+" }, b: { pattern: "+/b" } } }),
    expected: ['error overlapping-subscriptions: "+/b" and "a/+" of topic "a"'],
  },
  "subscriptions of a connection of which one covers the other": {
    content: profile({ subscribe: { a: { pattern: "a/#" }, b: { pattern: "a/b" } } }),
    expected: [],
  },
  "a shared subscription beside another that gets the same messages": {
    content: profile({ subscribe: { a: { pattern: "a/#" }, b: { pattern: "$share/g/a/b" } } }),
    expected: ['error overlapping-subscriptions: "$share/g/a/b" and "a/#" of topic "a"'],
  },
  "a command that two connections would run": {
    content: profile({
      connections: connection({ username: "u" }) + connection({ username: "u" }, "d"),
      subscribe: {
        a: { pattern: "x", bgapi_authorized: "true" },
        b: { pattern: "+", bgapi_authorized: "true", connection_name: "d" },
      },
    }),
    expected: [
      "warning commands-authorized",
      "warning command-runs-twice",
      "warning commands-authorized",
    ],
  },
  "two connections that share the commands out": {
    content: profile({
      connections: connection() + connection({}, "d"),
      subscribe: {
        a: { pattern: "$share/g/x", bgapi_authorized: "true" },
        b: { pattern: "$share/g/x", bgapi_authorized: "true", connection_name: "d" },
      },
    }),
    expected: ["warning commands-authorized", "warning commands-authorized"],
  },
  "commands that are allowed over a connection without TLS and user": {
    content: profile({
      subscribe: { a: { pattern: "x", bgapi_authorized: "true", originate_authorized: "true" } },
    }),
    expected: ['warning commands-authorized: whoever may publish to "x" at b:1883 can start calls'],
  },
  "a session that is to last under a random client id": {
    content: profile({ connections: connection({ clean_session: "false" }) }),
    expected: ["warning lost-session"],
  },
  "a password without user name": {
    content: profile({ connections: connection({ password: "x" }) }),
    expected: ["warning unused-password"],
  },
  "a first wait over the longest": {
    content: profile({ connections: connection({ reconnect_delay: "60" }) }),
    expected: ["warning reconnect-delays"],
  },
  "TLS with certificates as it should be": { content: tls(certificate), expected: [] },
  "TLS with a pre-shared key as it should be": {
    content: tls({ enable: "true", support: "psk", ...hexKey }),
    expected: [],
  },
  "TLS without support": {
    content: tls({ enable: "true" }),
    expected: ["error tls-without-support"],
  },
  "TLS settings without enable": {
    content: tls({ support: "certificate" }),
    expected: ["warning tls-not-enabled"],
  },
  "TLS that is disabled": { content: tls({ enable: "false", support: "psk" }), expected: [] },
  "TLS without a CA": {
    content: tls({ enable: "true", support: "certificate" }),
    expected: ["error tls-without-ca"],
  },
  "a certificate without key": {
    content: tls({ ...certificate, certfile: "/c" }),
    expected: ["error tls-half-a-key: `certfile` needs `keyfile`"],
  },
  "a key without certificate": {
    content: tls({ ...certificate, keyfile: "/k" }),
    expected: ["error tls-half-a-key: `keyfile` needs `certfile`"],
  },
  "a pre-shared key that is missing": {
    content: tls({ enable: "true", support: "psk", identity: "me" }),
    expected: ['error tls-psk: connection "c" needs `psk`'],
  },
  "an identity that is missing": {
    content: tls({ enable: "true", support: "psk", psk: "00" }),
    expected: ['error tls-psk: connection "c" needs `identity`'],
  },
  "a pre-shared key that is not hex": {
    content: tls({ enable: "true", support: "psk", identity: "me", psk: "0xc0ffee" }),
    expected: ['error tls-psk: `psk` of connection "c" must not begin with 0x'],
  },
  "advanced options without advanced_options": {
    content: tls({ ...certificate, version: "tlsv1.2", cert_reqs: "SSL_VERIFY_NONE" }),
    expected: ["warning tls-advanced-options", "warning tls-advanced-options"],
  },
  "a broker that is not verified": {
    content: tls({ ...certificate, advanced_options: "true", cert_reqs: "SSL_VERIFY_NONE" }),
    expected: ["warning tls-not-verified"],
  },
  "a pre-shared key and an identity at their longest": {
    content: tls({
      enable: "true",
      support: "psk",
      psk: "00".repeat(512),
      identity: "é".repeat(128),
    }),
    expected: [],
  },
  "a pre-shared key and an identity that are too long": {
    content: tls({
      ...{ enable: "true", support: "psk", psk: "00".repeat(513), identity: "é".repeat(128) + "x" },
    }),
    expected: [
      'error tls-psk: `psk` of connection "c" is longer than 512 bytes',
      'error tls-psk: the `identity` of connection "c" is longer than 256 bytes',
    ],
  },
  "an address as servername": {
    content: tls({ ...certificate, servername: "192.0.2.1" }),
    expected: ["error tls-servername: `servername` must be a name"],
  },
  "an IPv6 address in brackets as servername": {
    content: tls({ ...certificate, servername: "[2001:db8::1]" }),
    expected: ["error tls-servername"],
  },
  "a name as servername, and protocols": {
    content: tls({
      ...certificate,
      servername: "broker.example",
      alpn: `mqtt, ${"x".repeat(255)}`,
    }),
    expected: [],
  },
  "a protocol's name that is too long": {
    content: tls({ ...certificate, alpn: `mqtt,${"é".repeat(128)}` }),
    expected: ["error tls-alpn: `alpn` has a name of more than 255 bytes: é"],
  },
  "no protocol's name at all": {
    content: tls({ ...certificate, alpn: " , " }),
    expected: ["error tls-alpn: `alpn` names no protocol"],
  },
  "a key's password without key": {
    content: tls({ ...certificate, keyfile_password: "x" }),
    expected: ["warning tls-no-effect: `keyfile_password` has no effect without `keyfile`"],
  },
  "an obsolete version": {
    content: tls({ ...certificate, advanced_options: "true", version: "tlsv1.1" }),
    expected: ["warning tls-obsolete: `version` tlsv1.1 is obsolete (RFC 8996)"],
  },
  "an obsolete version that has no effect": {
    content: tls({ ...certificate, version: "tlsv1" }),
    expected: ["warning tls-advanced-options"],
  },
  "ciphers of both TLS 1.2 and 1.3": {
    content: tls({
      ...{ ...certificate, advanced_options: "true", opts_ciphers: "HIGH:TLS_AES_256_GCM_SHA384" },
    }),
    expected: [],
  },
  "ciphers without any of TLS 1.3, which is not asked for": {
    content: tls({
      ...{ ...certificate, advanced_options: "true", opts_ciphers: "HIGH", version: "tlsv1.2" },
    }),
    expected: [],
  },
  "ciphers of another version than the one to use": {
    content: tls({
      ...{ ...certificate, advanced_options: "true", opts_ciphers: "HIGH", version: "tlsv1.3" },
    }),
    expected: ["error tls-ciphers: `opts_ciphers` names no cipher of TLS 1.3"],
  },
  "what only a pre-shared key needs, with certificates": {
    content: tls({ ...certificate, ...hexKey, psk_ciphers: "PSK" }),
    expected: [
      "warning tls-no-effect: `psk` has no effect with `support` certificate",
      "warning tls-no-effect: `identity` has no effect",
      "warning tls-no-effect: `psk_ciphers` has no effect",
    ],
  },
  "what only certificates need, with a pre-shared key": {
    content: tls({
      ...{ enable: "true", support: "psk", ...hexKey, capath: "/ca", opts_ciphers: "HIGH" },
      ...{ cert_reqs: "SSL_VERIFY_NONE", keyfile_password: "x" },
    }),
    expected: [
      "warning tls-no-effect: `capath` has no effect with `support` psk",
      "warning tls-no-effect: `opts_ciphers` has no effect",
      "warning tls-no-effect: `cert_reqs` has no effect",
      "warning tls-no-effect: `keyfile_password` has no effect",
    ],
  },
  "parameters without a value, as in mod_mosquitto's example": {
    content: tls({
      ...{ ...certificate, cafile: "", certfile: "", keyfile: "", opts_ciphers: "", cert_reqs: "" },
      ...{ psk: "", identity: "", psk_ciphers: "", advanced_options: "true", version: "" },
    }),
    expected: [],
  },
};

for (const [what, { content, expected }] of Object.entries(cases)) {
  Deno.test(`the checker: ${what}`, () => {
    const found = checked(content).map(({ severity, code, text }) =>
      `${severity} ${code}: ${text}`
    );
    assert.deepEqual(found.map((line, i) => line.slice(0, expected[i]?.length)), expected);
  });
}

Deno.test("a finding about a pre-shared key does not show it", () => {
  const content = tls({ enable: "true", support: "psk", identity: "me", psk: "hunter2" });
  assert.doesNotMatch(JSON.stringify(checked(content)), /hunter2/);
});

Deno.test("a finding stands where the parameter stands", () => {
  const content = `\n${profile({ subscribe: { t: { connection_name: "nope", pattern: "x" } } })}`;
  const [finding] = checked(content);
  const column = content.slice(1).indexOf("nope") + 1;
  assert.deepEqual([finding?.at.line, finding?.at.column], [2, column]);
});

Deno.test("folders that cannot be written are warnings, each told once", () => {
  const settings = `<settings>${
    params({ "log-enable": "true", "log-dir": "/logs", "state-dir": "/state" })
  }</settings>`;
  const config = configOf(settings + profile({}) + profile({ name: "q" }));
  const findings = withoutIdle(checkConfig(config, { writeFault: () => "Permission denied" }));
  assert.deepEqual(findings.map(({ severity, text }) => [severity, text]), [
    ["warning", "Cannot write logs in /logs as this user: Permission denied"],
    ["warning", "Cannot write state in /state as this user: Permission denied"],
  ]);
});

Deno.test("without a state folder it is said which connections would keep nothing on disk", () => {
  const disk = { spool: "disk" };
  const warning = (connections: string, more: Record<string, string> = {}) => {
    const config = configOf(
      `<settings>${params({ "state-dir": "/state", ...more })}</settings>${
        profile({ connections })
      }`,
    );
    return checkConfig(config, { writeFault: () => "No", freeBytes: () => undefined })
      .filter(({ code }) => code === "unwritable-folder")
      .map(({ severity, text }) => `${severity}: ${text}`);
  };
  const cannot = "warning: Cannot write state in /state as this user: No";
  const nothing =
    "would keep NOTHING on disk, although `spool` is disk: a crash or a reboot would " +
    "lose what waits";
  assert.deepEqual(warning(connection(disk) + connection({}, "d")), [
    `${cannot}. Run so, connection "c" ${nothing}`,
  ]);
  assert.deepEqual(warning(connection(disk) + connection(disk, "d")), [
    `${cannot}. Run so, connections "c", "d" ${nothing}`,
  ]);
  assert.deepEqual(warning(connection({ ...disk, enable: "false" })), [cannot]);
  assert.deepEqual(warning(connection(disk), { "enable-profiles": "false" }), [cannot]);
});

Deno.test("the folder of a log that is not written does not matter", () => {
  const config = configOf(`<settings>${params({ "log-dir": "/logs" })}</settings>`);
  const faults = (folder: string) => folder === "/logs" ? "no" : undefined;
  assert.deepEqual(withoutIdle(checkConfig(config, { writeFault: faults })), []);
});

Deno.test("asking whether a folder can be written leaves nothing behind", () => {
  withFiles({ file: "" }, (folder) => {
    const check = (path: string) => {
      const settings = `<settings>${params({ "state-dir": join(folder, path) })}</settings>`;
      return withoutIdle(checkConfig(configOf(settings)));
    };
    assert.deepEqual(check("new/deep"), []);
    assert.deepEqual(check("file/x").map(({ code }) => code), ["unwritable-folder"]);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["file"]);
  });
});

Deno.test("findings of more than the checker come in between, and count as its own", () => {
  withFiles({ "f.xml": configuration(SETTINGS + tls({ support: "psk" })) }, (folder) => {
    const file = join(folder, "f.xml");
    const at = { file, line: 1, column: 1 };
    for (const severity of ["error", "warning", "note"] as const) {
      const more = () => [{ at, severity, code: "tls-file", text: "more" }];
      const { config, findings } = loadAndCheck(file, { more, writeFault: () => undefined });
      assert.equal(config === undefined, severity === "error");
      const codes = withoutIdle(findings).map(({ code }) => code);
      assert.deepEqual(codes, ["tls-file", "tls-not-enabled"]);
    }
  });
});

Deno.test("what has a checker's error is not handed out", () => {
  const files = {
    "bad.xml": configuration(SETTINGS + tls({ enable: "true" })),
    "good.xml": configuration(SETTINGS + tls({ support: "psk" })),
    "broken.xml": "<",
  };
  withFiles(files, (folder) => {
    const result = (name: string) => {
      const { config, findings } = loadAndCheck(join(folder, name), {
        writeFault: () => undefined,
      });
      return [config !== undefined, withoutIdle(findings).map(({ code }) => code)];
    };
    assert.deepEqual(result("bad.xml"), [false, ["tls-without-support"]]);
    assert.deepEqual(result("good.xml"), [true, ["tls-not-enabled"]]);
    assert.deepEqual(result("broken.xml"), [false, ["malformed-xml"]]);
  });
});

const TOPIC = { event: "HEARTBEAT", pattern: "x" };
const idle = "nothing is published and no command taken";
const tasks: Record<string, { content: string; expected: string[] }> = {
  "no profile": { content: "", expected: [`no profile has a connection: ${idle}`] },
  "no profile inside": {
    content: "<profiles></profiles>",
    expected: [`no profile has a connection: ${idle}`],
  },
  "a connection alone": {
    content: profile({}),
    expected: [`no connection has an enabled topic: ${idle}`],
  },
  "a topic that is disabled": {
    content: profile({ publish: { t: { ...TOPIC, enable: "false" } } }),
    expected: [`no connection has an enabled topic: ${idle}`],
  },
  "a topic": { content: profile({ publish: { t: TOPIC } }), expected: [] },
  "a topic of commands": { content: profile({ subscribe: { t: { pattern: "x" } } }), expected: [] },
  "a status alone": {
    content: profile({ connections: connection({ status_topic: "s" }) }),
    expected: [],
  },
};
for (const [what, { content, expected }] of Object.entries(tasks)) {
  Deno.test(`whether there is anything to do: ${what}`, () => {
    const found = checkConfig(configOf(content), { writeFault: () => undefined })
      .filter(({ code }) => code === "nothing-to-do")
      .map(({ severity, text }) => `${severity}: ${text}`);
    assert.deepEqual(found, expected.map((text) => `warning: ${text}`));
  });
}
