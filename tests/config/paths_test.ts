import assert from "node:assert/strict";
import { brokerName, brokerPort } from "../../lib/config/broker.ts";
import {
  type Env,
  findControlSocket,
  type Probe,
  resolveControlSocket,
  resolveLogDir,
  resolveStateDir,
} from "../../lib/config/paths.ts";
import { fillTemplate } from "../../lib/config/template.ts";

const none: Env = () => undefined;

Deno.test("paths that are given are taken", () => {
  assert.equal(resolveStateDir({ stateDir: "/a" }, none), "/a");
  assert.equal(resolveControlSocket({ controlSocket: "/b.sock" }, none), "/b.sock");
  assert.equal(resolveLogDir({ logDir: "/c" }), "/c");
});

const rights: Probe = { writeFault: () => undefined, exists: () => false };
const noRights: Probe = { writeFault: () => "Permission denied", exists: () => false };
const user: Env = (name) =>
  ({ HOME: "/home/me", XDG_RUNTIME_DIR: "/run/user/1" } as Record<string, string>)[name];

const stateDir = (...rest: [Env, Probe]) => resolveStateDir({ stateDir: undefined }, ...rest);
const controlSocket = (...rest: [Env, Probe]) =>
  resolveControlSocket({ controlSocket: undefined }, ...rest);

Deno.test("with the rights for them the system's folders are taken", () => {
  assert.equal(stateDir(user, rights), "/var/lib/fsmqtt");
  assert.equal(controlSocket(user, rights), "/run/fsmqtt/control.sock");
});

Deno.test("without the rights the user's own folders are taken", () => {
  const elsewhere: Env = (name) => name === "XDG_STATE_HOME" ? "/state" : user(name);
  assert.equal(stateDir(user, noRights), "/home/me/.local/state/fsmqtt");
  assert.equal(stateDir(elsewhere, noRights), "/state/fsmqtt");
  assert.equal(controlSocket(user, noRights), "/run/user/1/fsmqtt/control.sock");
});

Deno.test("without the rights, and without folders of the user, the system's are named", () => {
  assert.equal(stateDir(none, noRights), "/var/lib/fsmqtt");
  assert.equal(controlSocket(none, noRights), "/run/fsmqtt/control.sock");
});

const system = "/run/fsmqtt/control.sock";
const own = "/run/user/1/fsmqtt/control.sock";
const searches = {
  "a user with an agent of their own": { there: [system, own], mayWrite: false, found: own },
  "a user without an agent of their own": { there: [system], mayWrite: false, found: system },
  "a user where no agent runs": { there: [], mayWrite: false, found: own },
  "root": { there: [system, own], mayWrite: true, found: system },
};
for (const [who, { there, mayWrite, found }] of Object.entries(searches)) {
  Deno.test(`a client finds the agent: ${who}`, () => {
    const exists = (path: string) => (there as string[]).includes(path);
    const { writeFault } = mayWrite ? rights : noRights;
    assert.equal(findControlSocket(user, { writeFault, exists }), found);
  });
}

Deno.test("the port is TLS's own, the connection's, or the usual one", () => {
  const address = (tls: boolean, tlsPort?: number, port?: number) => ({
    ...{ host: "B.example", srv: false, port, tls: { enable: tls, port: tlsPort } },
  });
  assert.equal(brokerPort(address(false)), 1883);
  assert.equal(brokerPort(address(false, 1, 2)), 2);
  assert.equal(brokerPort(address(true)), 8883);
  assert.equal(brokerPort(address(true, undefined, 2)), 2);
  assert.equal(brokerPort(address(true, 1, 2)), 1);
  assert.equal(brokerName(address(true)), "b.example:8883");
  assert.equal(brokerName({ ...address(true), host: "::1" }), "[::1]:8883");
});

Deno.test("templates are filled, other text is left alone", () => {
  const filled = fillTemplate("${hostname}/${switchname}/${other}/$x", (name) => `<${name}>`);
  assert.equal(filled, "<hostname>/<switchname>/${other}/$x");
});
