/** What the service manager is told, and when. */

import assert from "node:assert/strict";
import { ServiceManager } from "../../lib/service/systemd.ts";

const SOCKET = "/run/systemd/notify";

function manage(env: Readonly<Record<string, string>>, taken = () => true) {
  const sent: string[] = [];
  const manager = new ServiceManager({
    env,
    pid: 4711,
    monotonicUsec: () => 12_345_678n,
    send(address, text) {
      sent.push(`${address}: ${text}`);
      return taken();
    },
  });
  return { manager, sent };
}

const told: readonly {
  readonly what: string;
  readonly tell: (manager: ServiceManager) => void;
  readonly text: string;
}[] = [
  { what: "that it is up", tell: (manager) => manager.ready(), text: "READY=1" },
  {
    what: "that a reload begins, and when",
    tell: (manager) => manager.reloading(),
    text: "RELOADING=1\nMONOTONIC_USEC=12345678",
  },
  { what: "that its loop goes round", tell: (manager) => manager.alive(), text: "WATCHDOG=1" },
  {
    what: "that it ends, and how long that may take, in microseconds",
    tell: (manager) => manager.stopping(12_000.5),
    text: "STOPPING=1\nEXTEND_TIMEOUT_USEC=12000500",
  },
  {
    what: "its status, in one line",
    tell: (manager) => manager.status(" degraded: a\nREADY=1\r\n\tb "),
    text: "STATUS=degraded: a READY=1 b",
  },
  {
    what: "no more of its status than systemd reads, cut between characters",
    tell: (manager) => manager.status("\u{1F4DE}".repeat(2_000)),
    text: `STATUS=${"\u{1F4DE}".repeat(900)}`,
  },
];

for (const { what, tell, text } of told) {
  Deno.test(`it is told ${what}`, () => {
    const { manager, sent } = manage({ NOTIFY_SOCKET: SOCKET });
    assert.equal(manager.isThere, true);
    tell(manager);
    assert.deepEqual(sent, [`${SOCKET}: ${text}`]);
  });

  Deno.test(`where nobody asks to be told ${what}, nothing is sent`, () => {
    for (const env of [{}, { NOTIFY_SOCKET: "" }]) {
      const { manager, sent } = manage(env);
      assert.equal(manager.isThere, false);
      tell(manager);
      assert.deepEqual(sent, []);
    }
  });
}

Deno.test("a status is told again only when it is another, or was not taken", () => {
  let isTaken = false;
  const { manager, sent } = manage({ NOTIFY_SOCKET: SOCKET }, () => isTaken);
  manager.status("ok");
  isTaken = true;
  for (const text of ["ok", "ok", "degraded", "degraded", "ok"]) manager.status(text);
  assert.deepEqual(
    sent.map((each) => each.split("=")[1]),
    ["ok", "ok", "degraded", "ok"],
  );
});

const watchdogs: readonly {
  readonly env: Readonly<Record<string, string>>;
  readonly intervalMs: number | undefined;
}[] = [
  { env: { WATCHDOG_USEC: "20000000" }, intervalMs: 6_666 },
  { env: { WATCHDOG_USEC: "20000000", WATCHDOG_PID: "4711" }, intervalMs: 6_666 },
  { env: { WATCHDOG_USEC: "1" }, intervalMs: 1 },
  { env: { WATCHDOG_USEC: "20000000", WATCHDOG_PID: "1" }, intervalMs: undefined },
  { env: { WATCHDOG_PID: "4711" }, intervalMs: undefined },
  { env: { WATCHDOG_USEC: "0" }, intervalMs: undefined },
  { env: { WATCHDOG_USEC: "soon" }, intervalMs: undefined },
  { env: { WATCHDOG_USEC: "20000000", NOTIFY_SOCKET: "" }, intervalMs: undefined },
];

for (const { env, intervalMs } of watchdogs) {
  const text = Object.entries(env).map((each) => each.join("=")).join(" ");
  const due = intervalMs === undefined ? "never due" : `due every ${intervalMs} ms`;
  Deno.test(`with ${text} a sign of life is ${due}`, () => {
    const { manager } = manage({ NOTIFY_SOCKET: SOCKET, ...env });
    assert.equal(manager.watchdogIntervalMs, intervalMs);
  });
}
