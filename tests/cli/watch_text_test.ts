import assert from "node:assert/strict";
import { type Sample, watchLines } from "../../lib/cli/watch_text.ts";
import type { ConnectionStatus, StatusReport } from "../../lib/control/status.ts";
import { connectionStatus, statusReport } from "./status_helper.ts";

const DATE = new Date(2026, 10, 22, 12, 0, 1);

function sample(
  atMs: number,
  connections: readonly ConnectionStatus[],
  change: Partial<StatusReport> = {},
): Sample {
  return { atMs, report: statusReport(connections, change) };
}

Deno.test("what moves is laid out to be watched, with rates since the sample before", () => {
  const spool = { messages: 7, recovered: 0 };
  const { freeswitch } = statusReport([]);
  const before = sample(1000, [
    connectionStatus("a", { offered: 100, acknowledged: 90, dropped: { expired: 1 } }),
    connectionStatus("long", { offered: 5 }),
  ], { freeswitch: { ...freeswitch, events_received: 1000 } });
  const now = sample(3000, [
    connectionStatus("a", {
      ...{ offered: 350, acknowledged: 93, in_flight: 20, queued: 233, spool },
      dropped: { expired: 1, queue_full: 4 },
    }),
    connectionStatus("long", { offered: 5, state: "waiting", reason: "no\nanswer" }),
  ], { freeswitch: { ...freeswitch, events_received: 1250, gaps: 2 } });
  assert.deepEqual(watchLines(now, before, DATE), [
    "degraded: connection p/long is waiting (no\\x0aanswer)",
    "2026-11-22 12:00:01  fsmqtt 1.2.3  /etc/mosquitto.conf.xml",
    "",
    "FreeSWITCH at 127.0.0.1:8021: connected, 1250 events (125/s), 2 gaps",
    "",
    "connection  state      in/s  out/s  in flight  queued  on disk  dropped  broker",
    "p/a         connected   125    1.5         20     233        7   +4 = 5  a:1883",
    "p/long      waiting       0      0          0       0        -        0  " +
    "long:1883 (no\\x0aanswer)",
  ]);
});

Deno.test("topics of commands are watched, and several troubles told, where there are any", () => {
  const { profiles: [profile] } = statusReport([connectionStatus("a", { state: "refused" })]);
  assert.ok(profile !== undefined);
  const topic = {
    ...{ name: "t", enabled: true, pattern: "pbx/command", parameters: {} },
    ...{ commands_run: 5, commands_refused: 6, commands_refused_by: {}, commands_running: 1 },
  };
  const subscribers = [{ name: "s", enabled: true, topics: [topic] }];
  const report = sample(0, [], {
    profiles: [{ ...profile, subscribers }],
    audit_trouble: "no audit",
  });
  assert.deepEqual(watchLines(report, undefined, DATE).slice(7), [
    "",
    "commands    run  refused  under way  from",
    "p/s/t         5        6          1  pbx/command",
    "",
    "troubles",
    "  no audit",
    "  connection p/a is refused",
  ]);
});

/** The rates of connection `a` on its line. */
function ratesOf(now: Sample, before: Sample | undefined): (string | undefined)[] {
  const line = watchLines(now, before, DATE).find((line) => line.startsWith("p/a "));
  return line?.split(/ {2,}/).slice(2, 4) ?? [];
}

const later = sample(5000, [connectionStatus("a", { offered: 20, acknowledged: 10 })]);
for (
  const [why, before, rates] of [
    ["nothing was seen before", undefined, ["-", "-"]],
    [
      "another agent was seen before",
      sample(0, [connectionStatus("a", { offered: 10 })], { uptime_seconds: 61 }),
      ["-", "-"],
    ],
    ["the connection is new", sample(0, []), ["-", "-"]],
    [
      "the connection counts from nothing again",
      sample(0, [connectionStatus("a", { offered: 21, acknowledged: 11 })]),
      ["-", "-"],
    ],
    ["no time has passed", sample(5000, [connectionStatus("a")]), ["-", "-"]],
    ["it is known", sample(4000, [connectionStatus("a")]), ["20.0", "10.0"]],
  ] satisfies [string, Sample | undefined, string[]][]
) {
  Deno.test(`rates where ${why}`, () => assert.deepEqual(ratesOf(later, before), rates));
}
