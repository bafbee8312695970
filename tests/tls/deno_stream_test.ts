import assert from "node:assert/strict";
import { connectTls } from "../../lib/tls/stream.ts";
import type { TlsSettings } from "../../lib/tls/settings.ts";
import { until } from "../mqtt/harness.ts";
import { Authority } from "../support/authority.ts";
import { tlsSettings } from "./settings_helper.ts";

const NONE = { advancedOptions: true, certReqs: "SSL_VERIFY_NONE" } as const;

/** What comes of a broker that shows its certificate and others behind it, as bytes in hex digits. */
async function meet(behind: readonly string[], changed: Partial<TlsSettings>): Promise<string> {
  await using authority = await Authority.start();
  const { certfile, keyfile } = await authority.issue("broker", { names: ["IP:127.0.0.1"] });
  const more = behind.map((hex) =>
    `-----BEGIN CERTIFICATE-----\n${
      Uint8Array.fromHex(hex).toBase64()
    }\n-----END CERTIFICATE-----\n`
  );
  using listener = Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    cert: await Deno.readTextFile(certfile) + more.join(""),
    key: await Deno.readTextFile(keyfile),
  });
  const { port } = listener.addr as Deno.NetAddr;
  const serving = listener.accept().then(async (connection) => {
    await connection.handshake().catch(() => {});
    connection.close();
  });
  const settings = tlsSettings({ cafile: authority.root.certfile, ...changed });
  const { stream } = connectTls({ host: "127.0.0.1", port, noDelay: true }, settings);
  let outcome = "";
  stream.once("secureConnect", () => outcome ||= "connected");
  stream.once("error", ({ message }) => outcome ||= message);
  await until("an outcome", () => outcome !== "");
  stream.destroy();
  await until("the close", () => stream.closed);
  await serving;
  return outcome;
}

Deno.test("a broker is met with nothing behind its certificate", async () => {
  assert.equal(await meet([], {}), "connected");
  assert.equal(await meet([], NONE), "connected");
});

for (const hex of ["3000", "00", "67617262616765"]) {
  Deno.test(`what cannot be read behind a certificate, ${hex}, does not end the process`, async () => {
    assert.match(await meet([hex], {}), /^it cannot be read$|^connected$/);
    assert.equal(await meet([hex], NONE), "connected");
  });
}
