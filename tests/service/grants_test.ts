import assert from "node:assert/strict";
import { withPaths } from "../../lib/config/paths.ts";
import {
  grantsOf,
  liftsConfinement,
  missingGrants,
  permissionsOf,
  srvNames,
  type SrvTargets,
} from "../../lib/service/grants.ts";
import { configurationXml, params } from "../agent/running_agent.ts";
import { configOfFile } from "../config/helper.ts";

const ESL = "127.0.0.1:8021";

/** The configuration of these connections, its paths in `/x`. */
function configured(connections: Readonly<Record<string, string>>, settings = "", profile = "") {
  const xml = configurationXml(8021, { settings, profile, connections });
  const config = configOfFile(xml.replaceAll("{folder}", "/x"));
  return withPaths(config, () => undefined, { writeFault: () => undefined, exists: () => false });
}

const permissions = (connections: Readonly<Record<string, string>>, srv?: SrvTargets) =>
  permissionsOf(grantsOf(configured(connections), srv));

Deno.test("nothing but FreeSWITCH and the state folder is granted without a connection", () => {
  assert.deepEqual(permissions({}), {
    net: [ESL],
    read: ["/x/state"],
    write: ["/x/state"],
    sys: ["statfs"],
    ffi: false,
    env: false,
    run: false,
    import: false,
  });
});

Deno.test("each broker is granted with its port, an address of IPv6 in brackets, one of two once", () => {
  const { net } = permissions({
    one: params({ host: "broker.example" }),
    same: params({ host: "broker.example", enable: false }),
    six: params({ host: "2001:db8::1", port: 1884 }),
    tls: params({ host: "t.example" }) + `<tls>${params({ enable: true })}</tls>`,
  });
  assert.deepEqual(net, [ESL, "broker.example:1883", "[2001:db8::1]:1884", "t.example:8883"]);
});

Deno.test("the files of TLS may be read where TLS is on, and are not granted where it is off", () => {
  const files = { cafile: "/t/ca", capath: "/t/cas", certfile: "/t/cert", keyfile: "/t/key" };
  const tls = (enable: boolean) =>
    params({ host: "h" }) +
    `<tls>${params({ enable, support: "certificate", ...files })}</tls>`;
  assert.deepEqual(permissions({ c: tls(true) }).read, ["/x/state", ...Object.values(files)]);
  assert.deepEqual(permissions({ c: tls(false) }).read, ["/x/state"]);
});

Deno.test("foreign code is granted for OpenSSL alone, and that lifts the confinement", () => {
  const psk = params({ enable: true, support: "psk", identity: "i", psk: "00" });
  const plain = params({ enable: true, support: "certificate", capath: "/t" });
  const grants = (tls: string) =>
    grantsOf(configured({ c: params({ host: "h" }) + `<tls>${tls}</tls>` }));
  assert.equal(liftsConfinement(grants(psk)), true);
  assert.equal(permissionsOf(grants(psk)).ffi, true);
  assert.equal(liftsConfinement(grants(plain)), false);
});

Deno.test("of SRV records their targets are granted, as far as they are known", () => {
  const connections = {
    c: params({ host: "pbx.example", srv: true }),
    d: params({ host: "tls.example", srv: true }) + `<tls>${params({ enable: true })}</tls>`,
  };
  const names = srvNames(configured(connections));
  assert.deepEqual([...names], ["_mqtt._tcp.pbx.example", "_secure-mqtt._tcp.tls.example"]);
  assert.deepEqual(permissions(connections).net, [ESL]);
  const srv = new Map([["_mqtt._tcp.pbx.example", [{ host: "b1.example", port: 1884 }]]]);
  assert.deepEqual(permissions(connections, srv).net, [ESL, "b1.example:1884"]);
});

Deno.test("log files and the audit log are granted as files, not with their folders", () => {
  const config = configured(
    {},
    params({ "log-enable": true, "log-dir": "/l", "audit-log": "/a/audit.jsonl" }),
    params({ "log-file": "own.log" }),
  );
  const { read, write } = permissionsOf(grantsOf(config));
  const audit = ["/a/audit.jsonl", "/a/audit.jsonl.1", "/a/audit-refused.jsonl"];
  assert.deepEqual(read, ["/x/state", ...audit, "/a/audit-refused.jsonl.1"]);
  assert.deepEqual(write, [
    "/x/state",
    ...audit,
    "/a/audit-refused.jsonl.1",
    "/l/mosquitto.log",
    "/l/own.log",
  ]);
});

Deno.test("what is missing is what others are asked for", () => {
  const [before, after] = ["one", "two"].map((host) =>
    grantsOf(configured({ c: params({ host }) }))
  );
  assert(before !== undefined && after !== undefined);
  const missing = missingGrants(before, after).map(({ kind, what }) => `${kind} ${what}`);
  assert.deepEqual(missing, ["net two:1883"]);
  assert.deepEqual(missingGrants(after, after), []);
});
