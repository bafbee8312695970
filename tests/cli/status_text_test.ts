import assert from "node:assert/strict";
import { statusText } from "../../lib/cli/status_text.ts";
import { connectionStatus } from "./status_helper.ts";
import type { ConnectionStatus, ShownParameters, StatusReport } from "../../lib/control/status.ts";

/** A status with a bit of everything. */
const report: StatusReport = {
  version: "1.2.3",
  uptime_seconds: 93_784,
  config_file: "/etc/mosquitto.conf.xml",
  settings: { "log-enable": true, "log-dir": null, "esl-password": "********" },
  freeswitch: {
    state: "connected",
    address: "127.0.0.1:8021",
    core_uuid: "c0",
    hostname: "h",
    switchname: "s",
    events_received: 1,
    reconnects: 0,
    protocol_errors: 2,
    events_too_long: 0,
    mod_mosquitto_loaded: false,
    gaps: 0,
    last_gap: null,
  },
  profiles: [{
    name: "p",
    enabled: true,
    parameters: { enable: true },
    connections: [
      {
        name: "a",
        enabled: true,
        state: "connected",
        broker: "b:1883",
        client_id: "id",
        reconnects: 1,
        breaker: { state: "closed", since: "2026-11-22T11:00:00.000Z", reason: "connected" },
        offered: 10,
        acknowledged: 4,
        in_flight: 1,
        queued: 2,
        queued_bytes: 300,
        dropped: { queue_full: 2, too_large: 1 },
        parameters: { host: "b", bind_address: null, username: "" },
        tls: { enable: false },
        will: { enable: true, topic: "t" },
      },
      connectionStatus("z", {
        state: "waiting",
        reason: "no\x1b[2J answer",
        client_id: null,
        breaker: { state: "open", since: "2026-11-22T12:00:00.000Z", reason: "5 failures" },
      }),
    ],
    publishers: [{
      name: "pub",
      enabled: false,
      topics: [
        {
          name: "beat",
          enabled: true,
          pattern: "x/beat",
          messages: 3,
          parameters: { event: "HEARTBEAT", qos: 1 },
        },
        {
          name: "longer",
          enabled: false,
          pattern: "x",
          messages: 4,
          parameters: { event: "ALL", qos: 0 },
        },
      ],
    }],
    subscribers: [{
      name: "sub",
      enabled: true,
      topics: [
        {
          name: "cmd",
          enabled: true,
          pattern: "cmd/#",
          commands_run: 5,
          commands_refused: 6,
          commands_refused_by: { stale: 2, not_allowed: 4 },
          commands_running: 1,
          parameters: {
            originate_authorized: true,
            bgapi_authorized: true,
            bgapi_allow: "status, show *",
            originate_allow_endpoint: "",
          },
        },
        {
          name: "no",
          enabled: true,
          pattern: "no",
          subscription_refused: "Not authorized",
          commands_run: 0,
          commands_refused: 0,
          commands_refused_by: {},
          commands_running: 0,
          parameters: { originate_authorized: false, bgapi_authorized: false },
        },
      ],
    }],
  }],
};

const DEGRADED = "degraded: connection p/z is waiting (no\\x1b[2J answer); " +
  'the breaker of p/z is open (5 failures); the broker refuses the subscription to "no"';

Deno.test("the status is laid out to be read", () => {
  assert.equal(
    statusText(report),
    `${DEGRADED}
fsmqtt 1.2.3, up 1 d 2 h, /etc/mosquitto.conf.xml

3 troubles
  connection p/z is waiting (no\\x1b[2J answer)
  the breaker of p/z is open (5 failures)
  the broker refuses the subscription to "no"

FreeSWITCH at 127.0.0.1:8021: connected
  switchname s, hostname h, core c0
  1 event received, 0 reconnects, 2 protocol errors

Profile p
  connection a to b:1883: connected
    client id id, 1 reconnect
    10 offered = 4 acknowledged + 1 in flight + 2 queued (300 bytes) + 3 dropped (2 queue_full, 1 too_large)
  connection z to z:1883: waiting (no\\x1b[2J answer)
    client id not known yet, 0 reconnects
    breaker open since 2026-11-22T12:00:00.000Z (5 failures)
    0 offered = 0 acknowledged + 0 in flight + 0 queued + 0 dropped
  publisher pub (disabled): 7 published
    topic beat               HEARTBEAT → x/beat  3 published
    topic longer (disabled)  ALL → x             4 published
  subscriber sub
    topic cmd  cmd/# (bgapi status, show * and originate may run)  5 run, 6 refused (2 stale, 4 not_allowed), 1 under way
    topic no   no (nothing may run)                                0 run, 0 refused; SUBSCRIPTION REFUSED: Not authorized

Configuration
  settings
    log-enable    true
    esl-password  ********
    not set: log-dir
  profile p
    enable  true
    connection a
      host  b
      not set: bind_address, username
      tls
        enable  false
      will
        enable  true
        topic   t
    connection z
      tls
      will
    publisher pub
      topic beat
        event  HEARTBEAT
        qos    1
      topic longer
        event  ALL
        qos    0
    subscriber sub
      topic cmd
        originate_authorized  true
        bgapi_authorized      true
        bgapi_allow           status, show *
        not set: originate_allow_endpoint
      topic no
        originate_authorized  false
        bgapi_authorized      false

${DEGRADED}`,
  );
});

Deno.test("an agent without trouble is well", () => {
  const text = statusText({ ...report, profiles: [] });
  assert.match(text, /^ok: /);
  assert.doesNotMatch(text, /degraded|trouble/);
});

Deno.test("a single trouble is told by the first line alone, and by the last", () => {
  const lines = statusText({ ...report, audit_trouble: "no audit", profiles: [] }).split("\n");
  assert.deepEqual([lines[0], lines.at(-1)], ["degraded: no audit", "degraded: no audit"]);
  assert.equal(lines.filter((line) => /no audit|trouble/.test(line)).length, 2);
});

/** The lines of connection "a", with this changed. */
function linesOf(change: Partial<ConnectionStatus>, parameters: ShownParameters = {}): string[] {
  const [profile] = report.profiles;
  const [connection] = profile?.connections ?? [];
  assert.ok(profile !== undefined && connection !== undefined);
  const changed = { ...connection, ...change, parameters };
  const text = statusText({ ...report, profiles: [{ ...profile, connections: [changed] }] });
  const lines = text.split("\n");
  const start = lines.indexOf("  connection a to b:1883: connected") + 2;
  return lines.slice(start, lines.findIndex((line) => / offered = /.test(line)) + 1);
}

Deno.test("a spool tells what it holds, of how much, and where", () => {
  const spool = { messages: 5485, bytes: 22_400_000, recovered: 2786, file: "/s/p+a.spool" };
  const disk = { spool: "disk", spool_max_bytes: 2 ** 30 };
  assert.deepEqual(linesOf({ spool }, disk).slice(0, -1), [
    "    5485 events on disk (21 MiB of at most 1 GiB), 2786 found at the start",
    "      in /s/p+a.spool",
  ]);
  assert.equal(
    linesOf({ spool }, { ...disk, spool: "memory" })[0],
    "    5485 events on disk (21 MiB), 2786 found at the start",
  );
  const broken = { messages: 1, recovered: 0, trouble: "Cannot write the spool" };
  assert.deepEqual(linesOf({ spool: broken }, disk).slice(0, -1), [
    "    1 event on disk (Cannot write the spool)",
  ]);
});

Deno.test("what waits for its rate is told", () => {
  assert.match(linesOf({ held: 2 })[0] ?? "", / \+ 2 queued \(300 bytes, 2 held by max_rate\) \+ /);
});

for (
  const [seconds, text] of [
    [0, "0 s"],
    [59, "59 s"],
    [60, "1 min 0 s"],
    [3_600, "1 h 0 min"],
    [86_399, "23 h 59 min"],
    [86_400, "1 d 0 h"],
  ] as const
) {
  Deno.test(`${seconds} seconds read ${text}`, () => {
    const [, first] = statusText({ ...report, uptime_seconds: seconds }).split("\n");
    assert.equal(first, `fsmqtt 1.2.3, up ${text}, /etc/mosquitto.conf.xml`);
  });
}

Deno.test("FreeSWITCH's troubles are told", () => {
  const { freeswitch } = report;
  const lines = statusText({
    ...report,
    profiles: [],
    freeswitch: {
      ...freeswitch,
      state: "refused",
      reason: "wrong password",
      core_uuid: null,
      mod_mosquitto_loaded: true,
    },
  }).split("\n");
  assert.deepEqual(lines.slice(3, 9), [
    "2 troubles",
    "  FreeSWITCH is refused (wrong password)",
    "  FreeSWITCH has mod_mosquitto loaded too",
    "",
    "FreeSWITCH at 127.0.0.1:8021: refused (wrong password)",
    "  1 event received, 0 reconnects, 2 protocol errors",
  ]);
});

Deno.test("the last gap is told: how long, why, and how much at most", () => {
  const gap = {
    from: "2026-11-22T12:00:00.000Z",
    until: "2026-11-22T12:01:05.000Z",
    seconds: 65,
    reason: "FreeSWITCH closed the connection",
    restarted: false,
    events_at_most: 1234,
    call_legs_at_most: 1,
  };
  const lines = (last_gap: StatusReport["freeswitch"]["last_gap"]) =>
    statusText({ ...report, freeswitch: { ...report.freeswitch, gaps: 2, last_gap } })
      .split("\n").filter((line) => / gaps|at most|former/.test(line));
  assert.deepEqual(lines(gap), [
    "  2 gaps, the last from 2026-11-22T12:00:00.000Z until 2026-11-22T12:01:05.000Z (1 min 5 s): " +
    "FreeSWITCH closed the connection",
    "    missed: at most 1234 events of all kinds were fired, and at most 1 call leg began",
  ]);
  const unclean = { ...gap, from: null, seconds: null, restarted: true, events_at_most: null };
  assert.deepEqual(lines(unclean), [
    "  2 gaps, the last from an unknown moment until 2026-11-22T12:01:05.000Z: " +
    "FreeSWITCH closed the connection",
    "    FreeSWITCH was restarted; what the former one did before its end is unknown",
    "    since its start how many events were fired is unknown, and at most 1 call leg began",
  ]);
});
