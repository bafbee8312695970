import assert from "node:assert/strict";
import { statusLine } from "../../lib/cli/status_line.ts";
import { connectionStatus, statusReport } from "./status_helper.ts";

Deno.test("an agent that is well tells the figures of all its connections", () => {
  const report = statusReport([
    connectionStatus("a", { acknowledged: 10, queued: 2, dropped: { queue_full: 3, expired: 1 } }),
    connectionStatus("b", { acknowledged: 5, in_flight: 1 }),
    connectionStatus("c", { enabled: false, state: "disabled", queued: 4 }),
  ]);
  assert.equal(
    statusLine({ ...report, uptime_seconds: 93_784 }),
    "ok: FreeSWITCH connected, 2 of 3 connections connected, " +
      "15 acknowledged, 1 in flight, 6 queued, 4 dropped, up 1 d 2 h",
  );
});

Deno.test("connections of a disabled profile are not counted as connected", () => {
  const { profiles: [profile], ...rest } = statusReport([connectionStatus("a", {})]);
  assert.ok(profile !== undefined);
  const line = statusLine({ ...rest, profiles: [{ ...profile, enabled: false }] });
  assert.match(line, /^ok: .*, 0 of 1 connection connected, /);
});

const waiting = (name: string, reason: string) =>
  connectionStatus(name, { state: "waiting", reason });

Deno.test("a degraded agent tells what is wrong, and why", () => {
  assert.equal(
    statusLine(statusReport([waiting("a", "connection refused"), waiting("b", "no answer")])),
    "degraded: connection p/a is waiting (connection refused); " +
      "connection p/b is waiting (no answer)",
  );
});

Deno.test("the line does not grow without end; at least one trouble is told", () => {
  const long = "x".repeat(300);
  const more = Array.from({ length: 9 }, (_, i) => waiting(`c${i}`, "connection refused"));
  assert.equal(
    statusLine(statusReport([waiting("a", long), ...more])),
    `degraded: connection p/a is waiting (${long}); +9 more`,
  );
  const line = statusLine(statusReport(more));
  assert.match(
    line,
    /^degraded: (connection p\/c\d is waiting \(connection refused\); ){4}\+5 more$/,
  );
});

Deno.test("what others say cannot break the line", () => {
  const line = statusLine(statusReport([waiting("a", "one\ntwo\x1b[2J")]));
  assert.equal(line, "degraded: connection p/a is waiting (one\\x0atwo\\x1b[2J)");
});
