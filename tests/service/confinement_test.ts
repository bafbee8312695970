import assert from "node:assert/strict";
import { join } from "node:path";
import { spoolPermissions } from "../../lib/service/grants.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { configurationXml, params } from "../agent/running_agent.ts";
import { configOf } from "../config/helper.ts";
import { startBroker } from "../support/broker.ts";
import { RunningService } from "./running_service.ts";

/** Deno's word for what is not granted; what cannot be imported is a `TypeError`. */
const DENIED = /^(NotCapable|TypeError)$/;
const MODULE = new URL("../../lib/version.ts", import.meta.url).href;

/** What an attacker in the agent might try; `{folder}` is the agent's, `{other}` a port that listens. */
const FORBIDDEN: readonly (readonly [probe: string, argument?: string])[] = [
  ["connect", "127.0.0.1 {other}"],
  ["connect", "localhost {broker}"],
  ["connect", "192.0.2.1 1883"],
  ["node:net", "127.0.0.1 {other}"],
  ["node:net", "192.0.2.1 1883"],
  ["listen"],
  ["fetch", "http://127.0.0.1:{other}/"],
  ["unix", "{folder}/state/x"],
  ["unix", "/run/systemd/notify"],
  ["resolve", "example.com"],
  ["read", "/etc/passwd"],
  ["node:fs", "/etc/passwd"],
  ["read", "{folder}/mosquitto.conf.xml"],
  ["read", "{folder}/state/../mosquitto.conf.xml"],
  ["read", "/proc/self/environ"],
  ["read", "/proc/self/maps"],
  ["list", "/"],
  ["write", "{folder}/elsewhere"],
  ["write", "{folder}/log/other.log"],
  ["write", "/tmp/fsmqtt-elsewhere"],
  ["remove", "{folder}/mosquitto.conf.xml"],
  ["link", "{folder}/state/passwd"],
  ["run", "true"],
  ["kill", "1"],
  ["env", "HOME"],
  ["environment"],
  ["system"],
  ["foreign code"],
  ["a thread that may more", MODULE],
  ["import", "file://{folder}/mosquitto.conf.xml.js"],
  ["import", "http://127.0.0.1:{other}/module.js"],
];

Deno.test("an attacker inside the running agent reaches nothing that it was not granted", async (t) => {
  await using simulator = await Simulator.start();
  await using broker = await startBroker();
  await using other = await startBroker();
  await using service = await RunningService.start(configurationXml(simulator.port, {
    settings: params({ "log-enable": true, "log-dir": "{folder}/log" }),
    connections: { c: params({ host: "127.0.0.1", port: broker.port, spool: "disk" }) },
    published: { t: params({ connection_name: "c", event: "HEARTBEAT", pattern: "e", qos: 1 }) },
  }));
  await service.ready();
  const filled = (text: string) =>
    text.replace("{other}", `${other.port}`).replace("{broker}", `${broker.port}`)
      .replace("{folder}", service.folder);
  await Deno.writeTextFile(`${service.folder}/mosquitto.conf.xml.js`, "export {};");
  for (const [probe, argument = ""] of FORBIDDEN) {
    await t.step(`${probe} ${argument}`, async () => {
      assert.match(await service.attempt(probe, filled(argument)), DENIED);
    });
  }
  for (const name of ["net", "read", "write", "run", "env", "ffi", "sys", "import"]) {
    await t.step(`asking for ${name}`, async () => {
      assert.match(await service.attempt("request", name), /^it is (denied|prompt)$/);
    });
  }
  await t.step("what it needs it may do", async () => {
    assert.equal(await service.attempt("connect", `127.0.0.1 ${broker.port}`), "it is done");
    assert.equal(
      await service.attempt("read", join(service.folder, "state/state.json")),
      "it is done",
    );
    assert.equal(await service.attempt("write", join(service.folder, "state/x")), "it is done");
    assert.equal(
      await service.attempt("write", join(service.folder, "log/mosquitto.log")),
      "it is done",
    );
  });
  // It is the running agent: it goes on.
  simulator.fireHeartbeat();
  await service.until("c", ({ acknowledged }) => acknowledged === 1);
});

Deno.test("the spools are kept by a thread that has no network and one folder", () => {
  const config = configOf("");
  const settings = { ...config.settings, stateDir: "/state" };
  assert.deepEqual(spoolPermissions({ ...config, settings }), {
    net: [],
    read: ["/state"],
    write: ["/state"],
    sys: ["statfs"],
    ffi: false,
    env: false,
    run: false,
    import: false,
  });
});
