/**
 * What fsmqtt can do as the service of a real systemd, in all that conf/fsmqtt.service takes away
 * from it.
 */

import assert from "node:assert/strict";
import { eventually, isReady } from "../support/agent_process.ts";
import { Authority } from "../support/authority.ts";
import { freePort, startBroker } from "../support/broker.ts";
import { machineTests } from "../support/systemd.ts";
import { Watcher } from "../support/watcher.ts";
import { numberOf, param, Switch } from "./setup.ts";
import { fire, numbers, range, spooled } from "./supervised.ts";

const { machineTest } = machineTests();

/** Whether events go all the way: `from` up to `to`, which is left out. */
async function bridges(
  freeswitch: Switch,
  watcher: Watcher,
  from: number,
  to: number,
): Promise<void> {
  await fire(freeswitch, from, to);
  await watcher.until("events", "the last event", (payload) => numberOf(payload) === to - 1);
  assert.deepEqual(numbers(watcher), range(to));
}

machineTest("it is ready once it is up, and bridges events", async (machine) => {
  await using freeswitch = await Switch.start();
  await using broker = await startBroker();
  await using watcher = await Watcher.start(broker.port);
  await machine.start(spooled({ esl: freeswitch.target, broker: broker.port }));
  await machine.until("all is connected", isReady);

  await bridges(freeswitch, watcher, 0, 20);
  assert.equal(await machine.property("ActiveState"), "active");
  assert.equal(await machine.property("User"), "fsmqtt");
  await eventually("systemd shows the status", async () => {
    return (await machine.property("StatusText")).startsWith("ok: ") || undefined;
  });
  assert.match(await machine.run("ls", "/var/lib/fsmqtt"), /\.spool\n/);
  assert.match(await machine.run("fsmqtt", "status"), /^ok: /);
});

machineTest("as long as it is well, its watchdog leaves it alone", async (machine) => {
  await using freeswitch = await Switch.start();
  await using broker = await startBroker();
  await machine.override("WatchdogSec=2");
  await machine.start(spooled({ esl: freeswitch.target, broker: broker.port }));
  await machine.until("it has run for two times that", ({ uptime_seconds }) => uptime_seconds >= 4);
  assert.equal(await machine.property("NRestarts"), "0");
  assert.equal(await machine.property("WatchdogUSec"), "2s");
});

/** What the unit lets it do in a folder. */
const PLACES = {
  "/var/lib/fsmqtt": "written, not run",
  "/var/log/fsmqtt": "written, not run",
  "/var/cache/fsmqtt": "written, not run",
  "/var/log/freeswitch": "written, not run",
  "/run/fsmqtt": "written, not run",
  "/tmp": "written, not run",
  "/var/tmp": "written, not run",
  "/dev/shm": "not written",
  "/etc/fsmqtt": "not written",
  "/etc/freeswitch": "not written",
  "/home": "not written",
  "/root": "not written",
  "/usr/lib/fsmqtt-test": "not written",
  "/var/lib": "not written",
  "/var/spool": "not written",
} as const;

machineTest("it may write in few folders, and run nothing there", async (machine) => {
  const places = Object.keys(PLACES);
  await machine.run("mkdir", "--parents", ...places);
  // No rights of files are in the way: it is the unit that refuses.
  await machine.run("chmod", "777", ...places);
  const look = `#!/bin/sh
for place; do
  if ! cp /bin/true "$place/look"; then echo "$place: not written"
  elif "$place/look"; then echo "$place: written, run"
  else echo "$place: written, not run"; fi 2>/dev/null
done
`;
  await machine.write("/usr/bin/fsmqtt-look", look, 0o755);
  const start = `ExecStart=/usr/bin/fsmqtt-look ${places.join(" ")}`;
  await machine.override("Type=oneshot", "Restart=no", "ExecStart=", start);
  await machine.run("systemctl", "start", "fsmqtt");
  const said = (await machine.log()).matchAll(/^(\/\S+): ((?:not )?written.*)$/gm);
  const seen = Object.fromEntries(Array.from(said, ([, place, what]) => [place, what]));
  assert.deepEqual(seen, PLACES);
});

machineTest(
  "it gives its control socket to a group, and writes FreeSWITCH's log folder",
  async (machine) => {
    await using freeswitch = await Switch.start();
    await using broker = await startBroker();
    await machine.run("groupadd", "--force", "freeswitch");
    await machine.run("usermod", "--append", "--groups", "freeswitch", "fsmqtt");
    await machine.run("mkdir", "--parents", "/var/log/freeswitch");
    await machine.run("chown", "root:freeswitch", "/var/log/freeswitch");
    await machine.run("chmod", "770", "/var/log/freeswitch");
    const settings = [param("control-group", "freeswitch"), param("log-enable", true)];
    await machine.start(spooled({ esl: freeswitch.target, broker: broker.port, settings }));
    await machine.until("all is connected", isReady);

    assert.equal(
      (await machine.run("stat", "--format=%G %a", "/run/fsmqtt/control.sock")).trim(),
      "freeswitch 660",
    );
    const status = ["curl", "--silent", "--unix-socket", "/run/fsmqtt/control.sock"];
    const asGroup = ["setpriv", "--reuid=nobody", "--clear-groups", "--regid"];
    const url = "http://fsmqtt/console";
    const asked = await machine.run(...asGroup, "freeswitch", ...status, "--data", "status", url);
    assert.match(asked, /connected/);
    assert.notEqual(
      (await machine.try(...asGroup, "nogroup", ...status, "--data", "status", url)).code,
      0,
    );
    assert.match(
      await machine.read("/var/log/freeswitch/mosquitto.log"),
      /connected to FreeSWITCH/,
    );
  },
);

machineTest("its log files are rotated, and no line is lost", async (machine) => {
  await using freeswitch = await Switch.start();
  await using broker = await startBroker();
  const settings = [param("log-enable", true), param("log-dir", "/var/log/fsmqtt")];
  await machine.write(
    "/etc/logrotate.d/fsmqtt",
    await Deno.readTextFile(new URL("../../conf/fsmqtt.logrotate", import.meta.url)),
  );
  await machine.start(spooled({ esl: freeswitch.target, broker: broker.port, settings }));
  await machine.until("all is connected", isReady);
  await machine.run("logrotate", "--force", "/etc/logrotate.d/fsmqtt");
  await broker.stop();
  await machine.until(
    "the broker is missed",
    ({ profiles: [profile] }) => profile?.connections[0]?.state === "waiting",
  );
  const before = await machine.read("/var/log/fsmqtt/mosquitto.log.1");
  const after = await machine.read("/var/log/fsmqtt/mosquitto.log");
  assert.match(before, /connected to FreeSWITCH/);
  assert.match(after, /disconnected/);
  assert.doesNotMatch(before, /disconnected/);
  assert.equal(await machine.property("NRestarts"), "0");
});

machineTest("reloaded by systemctl, it goes to another broker", async (machine) => {
  await using freeswitch = await Switch.start();
  await using first = await startBroker();
  await using second = await startBroker();
  await using watcher = await Watcher.start(second.port);
  await machine.start(spooled({ esl: freeswitch.target, broker: first.port }));
  await machine.until("all is connected", isReady);
  const pid = await machine.property("MainPID");
  await machine.configure(spooled({ esl: freeswitch.target, broker: second.port }));
  await machine.run("systemctl", "reload", "fsmqtt");
  await machine.until(
    "it is at the other",
    (status) =>
      isReady(status) &&
      status.profiles[0]?.connections[0]?.broker.endsWith(`:${second.port}`) === true,
  );
  await bridges(freeswitch, watcher, 0, 5);
  assert.equal(await machine.property("MainPID"), pid);
  assert.equal(await machine.property("ActiveState"), "active");
});

machineTest("it asks for the time that an orderly end takes", async (machine) => {
  await using freeswitch = await Switch.start();
  await using broker = await startBroker();
  const settings = [param("shutdown-timeout", 3)];
  const connection = [param("spool", "memory")];
  await machine.override("TimeoutStopSec=1");
  await machine.start(
    spooled({ esl: freeswitch.target, broker: broker.port, settings, connection }),
  );
  await machine.until("all is connected", isReady);
  broker.freeze(true);
  await fire(freeswitch, 0, 5);
  await machine.run("systemctl", "stop", "fsmqtt");
  broker.freeze(false);
  assert.equal(await machine.property("Result"), "success");
  assert.match(await machine.log(), /stopped/);
});

/** Where a broker of its own kind listens beside the plain one of {@linkcode startBroker}. */
async function startOther(...lines: readonly string[]) {
  const port = freePort();
  const broker = await startBroker({
    perListener: true,
    lines: [`listener ${port} 127.0.0.1`, ...lines],
  });
  return { broker, port };
}

function tls(parameters: Readonly<Record<string, string>>): string {
  const params = Object.entries({ enable: "true", ...parameters });
  return `<tls>${params.map(([name, value]) => param(name, value)).join("")}</tls>`;
}

machineTest("it connects by OpenSSL with a pre-shared key", async (machine) => {
  await using freeswitch = await Switch.start();
  await using authority = await Authority.start();
  const keys = authority.path("keys");
  await Deno.writeTextFile(keys, "pbx:0123456789abcdef\n");
  const { broker, port } = await startOther(
    "allow_anonymous true",
    "psk_hint tests",
    `psk_file ${keys}`,
  );
  await using _broker = broker;
  await using watcher = await Watcher.start(broker.port);
  const connection = [tls({ support: "psk", psk: "0123456789abcdef", identity: "pbx" })];
  await machine.start(spooled({ esl: freeswitch.target, broker: port, connection }));
  await machine.until("all is connected", isReady);
  await bridges(freeswitch, watcher, 0, 5);
});

machineTest("it logs in over TLS with a password from LoadCredential", async (machine) => {
  await using freeswitch = await Switch.start();
  await using authority = await Authority.start();
  const { certfile, keyfile } = await authority.issue("broker", { names: ["IP:127.0.0.1"] });
  const passwords = authority.path("passwords");
  await Deno.writeTextFile(passwords, "pbx:of-root-only\n");
  const { success } = await new Deno.Command("mosquitto_passwd", { args: ["-U", passwords] })
    .output();
  assert(success);
  const { broker, port } = await startOther(
    "allow_anonymous false",
    `password_file ${passwords}`,
    `certfile ${certfile}`,
    `keyfile ${keyfile}`,
  );
  await using _broker = broker;
  await using watcher = await Watcher.start(broker.port);
  const secret = "/etc/fsmqtt/secrets/broker-password";
  await machine.write(secret, "of-root-only\n", 0o600);
  await machine.write("/etc/fsmqtt/ca.pem", await Deno.readTextFile(authority.root.certfile));
  await machine.override(`LoadCredential=broker-password:${secret}`);
  const connection = [
    param("username", "pbx"),
    param("password_file", "broker-password"),
    tls({ support: "certificate", cafile: "/etc/fsmqtt/ca.pem" }),
  ];
  await machine.start(spooled({ esl: freeswitch.target, broker: port, connection }));
  await machine.until("all is connected", isReady);
  await bridges(freeswitch, watcher, 0, 5);
  await machine.run("systemctl", "reload", "fsmqtt");
  await machine.until("all is connected", isReady);
  assert.doesNotMatch(await machine.log(), /of-root-only/);
});
