import assert from "node:assert/strict";
import { brokerOptions } from "../../lib/agent/broker_options.ts";
import type { ConnectionConfig } from "../../lib/config/config.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { configurationXml, params } from "./running_agent.ts";

const names = { hostname: "host.example", switchname: "pbx 1" };
const ids = { uniquePart: () => "UNIQUE" };

async function connection(content: string): Promise<ConnectionConfig> {
  const file = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    await Deno.writeTextFile(file, configurationXml(8021, { connections: { c: content } }));
    const { config, findings } = loadConfig(file);
    const [found] = config?.profiles[0]?.connections ?? [];
    assert(found !== undefined, JSON.stringify(findings));
    return found;
  } finally {
    await Deno.remove(file);
  }
}

for (
  const [configured, expected] of [
    ["FreeSWITCH-Hostname", "host.example"],
    ["FreeSWITCH-Switchname", "pbx 1"],
    ["FreeSWITCH-Hostname-Unique", "host.example-UNIQUE"],
    ["FreeSWITCH-Switchname-Unique", "pbx 1-UNIQUE"],
    ["freeswitch-hostname-unique", "host.example-UNIQUE"],
    ["${hostname}:${switchname}", "host.example:pbx 1"],
    ["FreeSWITCH-Hostname-2", "FreeSWITCH-Hostname-2"],
    ["my-id", "my-id"],
  ] as const
) {
  Deno.test(`the client_id ${configured} means ${expected}`, async () => {
    const config = await connection(params({ client_id: configured }));
    assert.equal(brokerOptions(config, names, ids)?.clientId, expected);
    const needsNames = expected.includes("host.example") || expected.includes("pbx");
    assert.equal(brokerOptions(config, undefined, ids) === undefined, needsNames);
  });
}

Deno.test("without a client_id a random one is made that every broker takes", async () => {
  const config = await connection("");
  const made = [0, 1].map(() => brokerOptions(config, undefined, ids)?.clientId ?? "");
  for (const id of made) assert.match(id, /^fsmqtt-[a-zA-Z0-9]{16}$/);
  assert.notEqual(made[0], made[1]);
});

Deno.test("FreeSWITCH's names are put into the will, and cannot change its levels", async () => {
  const will = { topic: "pbx/${hostname}/will", payload: "${hostname} is gone", qos: 1 };
  const config = await connection(`<will>${params({ enable: true, ...will })}</will>`);
  assert.equal(brokerOptions(config, undefined, ids), undefined);
  assert.deepEqual(brokerOptions(config, { ...names, hostname: "a/+#" }, ids)?.will, {
    topic: "pbx/a___/will",
    payload: "a/+# is gone",
    qos: 1,
    retain: false,
  });
});

Deno.test("a will that is disabled waits for nothing", async () => {
  const config = await connection(`<will>${params({ topic: "pbx/${hostname}" })}</will>`);
  const options = brokerOptions(config, undefined, ids);
  assert(options !== undefined && options.will === undefined);
});

Deno.test("TLS is handed on where it is enabled, and its port counts", async () => {
  const plain = await connection(params({ port: 1884 }) + `<tls>${params({ port: 8884 })}</tls>`);
  assert.deepEqual([brokerOptions(plain, names, ids)].map((o) => [o?.port, o?.tls]), [
    [1884, undefined],
  ]);
  const tls = await connection(`<tls>${params({ enable: true, support: "certificate" })}</tls>`);
  const options = brokerOptions(tls, names, ids);
  assert.equal(options?.port, 8883);
  assert.equal(options?.tls, tls.tls);
});
