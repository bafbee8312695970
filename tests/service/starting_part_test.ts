import assert from "node:assert/strict";
import { join } from "node:path";
import { configurationXml, params } from "../agent/running_agent.ts";

const SERVICE = new URL("../../lib/service/service.ts", import.meta.url).href;
const CHECK = new URL("../../lib/config/check.ts", import.meta.url).href;
const PATHS = new URL("../../lib/config/paths.ts", import.meta.url).href;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** What the main thread may do after it has started an agent with this TLS. */
async function permissionsAfterStart(tls: string): Promise<Record<string, string>> {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "mosquitto.conf.xml");
    const xml = configurationXml(1, {
      connections: { c: params({ host: "127.0.0.1", port: 1, enable: false }) + tls },
    });
    await Deno.writeTextFile(file, xml.replaceAll("{folder}", folder));
    const script = join(folder, "script.ts");
    await Deno.writeTextFile(
      script,
      `import { startConfined } from "${SERVICE}";
       import { loadAndCheck } from "${CHECK}";
       import { withPaths } from "${PATHS}";
       const { config } = loadAndCheck("${file}");
       const agent = await startConfined({
         config: withPaths(config),
         warnings: [],
         load: () => ({ errors: [] }),
       });
       const states = ["env", "run", "ffi", "net", "read"].map((name) =>
         [name, Deno.permissions.querySync({ name }).state]);
       await agent.stop();
       console.log(JSON.stringify(Object.fromEntries(states)));
       Deno.exit();`,
    );
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-prompt", "--no-check", "--config", CONFIG, script],
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assert.notEqual(stdout.length, 0, text(stderr));
    return JSON.parse(text(stdout));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the starting part gives up what it needs no more, and keeps what it may have to grant", async () => {
  const { env, run, ffi, net, read } = await permissionsAfterStart("");
  assert.deepEqual([env, run, ffi].includes("granted"), false);
  assert.deepEqual([net, read], ["granted", "granted"]);
});

Deno.test("foreign code is kept where a connection is for OpenSSL", async () => {
  const psk = params({ enable: true, support: "psk", identity: "i", psk: "00" });
  const { ffi, run } = await permissionsAfterStart(`<tls>${psk}</tls>`);
  assert.equal(ffi, "granted");
  assert.notEqual(run, "granted");
});
