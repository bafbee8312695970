import assert from "node:assert/strict";
import { join } from "node:path";
import type { TlsConfig } from "../../lib/config/config.ts";
import { Secret } from "../../lib/secret.ts";
import { freePort, mosquittoTest, startBroker, type TestBroker } from "../support/broker.ts";
import { message, numbers, options, Rig, text, until, Witness } from "./harness.ts";
import { Peer } from "./peer.ts";

/** A `<tls>` that asks for a certificate. */
function tls(changed: Partial<TlsConfig>): TlsConfig {
  const position = { file: "test", line: 1, column: 1 };
  return {
    enable: true,
    support: "certificate",
    port: undefined,
    cafile: undefined,
    capath: undefined,
    certfile: undefined,
    keyfile: undefined,
    advancedOptions: false,
    certReqs: "SSL_VERIFY_PEER",
    version: undefined,
    optsCiphers: undefined,
    psk: undefined,
    identity: undefined,
    pskCiphers: undefined,
    source: { at: position, given: new Map() },
    ...changed,
  };
}

/** A folder with certificates of its own, removed at the end. */
class Certificates implements AsyncDisposable {
  private constructor(readonly folder: string) {}

  static async make(): Promise<Certificates> {
    const made = new Certificates(await Deno.makeTempDir({ prefix: "fsmqtt-tls-" }));
    await made.#make("broker", "DNS:localhost");
    await made.#make("other", "DNS:localhost");
    return made;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async #make(name: string, alternative: string): Promise<void> {
    const { success, stderr } = await new Deno.Command("openssl", {
      args: [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
        ...["-keyout", this.path(`${name}.key`), "-out", this.path(`${name}.pem`), "-days", "2"],
        ...["-subj", "/CN=localhost", "-addext", `subjectAltName=${alternative}`],
      ],
    }).output();
    assert.ok(success, text(stderr));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** A broker with a second listener, which speaks TLS. */
async function tlsBroker(
  certificates: Certificates,
): Promise<{ broker: TestBroker; port: number }> {
  const port = freePort();
  const broker = await startBroker({
    lines: [
      `listener ${port} 127.0.0.1`,
      `certfile ${certificates.path("broker.pem")}`,
      `keyfile ${certificates.path("broker.key")}`,
    ],
  });
  return { broker, port };
}

mosquittoTest("over TLS messages go both ways, and QoS 0 counts as over TCP", async () => {
  await using certificates = await Certificates.make();
  const { broker, port } = await tlsBroker(certificates);
  await using _ = broker;
  await using witness = await Witness.start(broker.port);
  await Deno.mkdir(certificates.path("ca"));
  await Deno.copyFile(certificates.path("broker.pem"), certificates.path("ca/0a1b2c3d.0"));
  for (const trust of [{ cafile: "broker.pem" }, { capath: "ca" }]) {
    const [[parameter = "", name = ""] = []] = Object.entries(trust);
    await using rig = new Rig(
      options(port, { host: "localhost", tls: tls({ [parameter]: certificates.path(name) }) }),
    );
    rig.connection.subscribe([{ filter: "c", qos: 1 }]);
    rig.connection.connect();
    await rig.state("connected");
    for (const qos of [0, 1] as const) {
      rig.offer(`${parameter}/${qos}`, numbers(1, 100), qos);
      rig.connection.offer(message(`${parameter}/long`, new Uint8Array(300_000), { qos }));
      assert.deepEqual(await witness.count(`${parameter}/${qos}`, 100), numbers(1, 100));
    }
    await witness.count(`${parameter}/long`, 2);
    await rig.acknowledged(202);
    await witness.client.publishAsync("c", "command");
    await rig.until("the command", () => rig.received.length === 1);
  }
});

mosquittoTest("a certificate that is not trusted, or has another name, is refused", async () => {
  await using certificates = await Certificates.make();
  const { broker, port } = await tlsBroker(certificates);
  await using _ = broker;
  for (const [host, cafile] of [["localhost", "other.pem"], ["127.0.0.1", "broker.pem"]] as const) {
    await using rig = new Rig(
      options(port, { host, tls: tls({ cafile: certificates.path(cafile) }) }),
    );
    rig.connection.connect();
    rig.offer("t", ["secret"]);
    assert.match(await rig.reason("refused"), /^TLS: /);
    assert.equal(rig.queue.length, 1);
  }
});

mosquittoTest(
  "TLS settings that cannot be honoured are refused, and not a byte is sent",
  async () => {
    await using certificates = await Certificates.make();
    const cafile = certificates.path("broker.pem");
    await Deno.mkdir(certificates.path("empty"));
    const cases: [Partial<TlsConfig>, RegExp][] = [
      [{ support: undefined, cafile }, /`support` does not say how/],
      [{ support: "psk", psk: new Secret("abcd"), identity: "me" }, /pre-shared key/],
      [{}, /cafile nor capath/],
      [{ capath: certificates.path("empty") }, /cafile nor capath/],
      [{ capath: certificates.path("missing") }, /^cannot read capath/],
      [{ cafile: certificates.path("missing.pem") }, /^cannot read cafile/],
      [{ cafile, certfile: cafile }, /given together/],
      [{ cafile, keyfile: certificates.path("broker.key") }, /given together/],
      [{ cafile, advancedOptions: true, optsCiphers: "AES128-SHA" }, /opts_ciphers/],
      [{ cafile, advancedOptions: true, version: "tlsv1" }, /tlsv1 /],
      [{ cafile, advancedOptions: true, version: "tlsv1.1" }, /tlsv1.1 /],
    ];
    await using peer = await Peer.listen();
    for (const [changed, reason] of cases) {
      await using rig = new Rig(options(peer.port, { tls: tls(changed), will: WILL }));
      rig.connection.connect();
      rig.offer("t", ["secret"]);
      assert.match(await rig.reason("refused"), reason);
      assert.doesNotMatch(rig.log.join("\n"), /abcd/);
    }
    assert.equal(peer.connections, 0);
  },
);

mosquittoTest("TLS asked for on a plain port: nothing that is MQTT goes in clear", async () => {
  await using certificates = await Certificates.make();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  await using rig = new Rig(
    options(port, {
      host: "localhost",
      clientId: "told-to-nobody",
      will: WILL,
      tls: tls({ cafile: certificates.path("broker.pem") }),
    }),
  );
  rig.connection.connect();
  rig.offer("t", ["secret"]);
  let seen = "";
  for (const reply of ["", "HTTP/1.1 400 Bad Request\r\n\r\n"]) {
    const connection = await listener.accept();
    const buffer = new Uint8Array(16_384);
    const count = await connection.read(buffer) ?? 0;
    // A TLS handshake record.
    assert.equal(buffer[0], 0x16);
    seen += new TextDecoder("latin1").decode(buffer.subarray(0, count));
    await connection.write(new TextEncoder().encode(reply));
    connection.close();
    await until("the failure", () => rig.connection.state.state !== "connecting");
    if (reply === "") await rig.connection.disconnect("disconnected");
    if (reply === "") rig.connection.connect();
  }
  assert.doesNotMatch(seen, /MQTT|MQIsdp|told-to-nobody|secret|gone/);
  assert.equal(rig.queue.length, 1);
});

mosquittoTest("a pinned TLS version is what the connection has, or it is refused", async () => {
  await using certificates = await Certificates.make();
  const cafile = certificates.path("broker.pem");
  const port = freePort();
  await using _broker = await startBroker({
    lines: [
      `listener ${port} 127.0.0.1`,
      `certfile ${cafile}`,
      `keyfile ${certificates.path("broker.key")}`,
      "tls_version tlsv1.3",
    ],
  });
  const at = (version: "tlsv1.2" | "tlsv1.3") =>
    new Rig(
      options(port, { host: "localhost", tls: tls({ cafile, advancedOptions: true, version }) }),
    );
  await using allowed = at("tlsv1.3");
  allowed.connection.connect();
  await allowed.state("connected");
  await using refused = at("tlsv1.2");
  refused.connection.connect();
  await refused.reason("refused");
});

mosquittoTest("SSL_VERIFY_NONE counts only with advanced_options", async () => {
  await using certificates = await Certificates.make();
  const { broker, port } = await tlsBroker(certificates);
  await using _ = broker;
  const untrusted = {
    cafile: certificates.path("other.pem"),
    certReqs: "SSL_VERIFY_NONE",
  } as const;
  await using refused = new Rig(options(port, { host: "localhost", tls: tls(untrusted) }));
  refused.connection.connect();
  await refused.reason("refused");
  await using accepted = new Rig(
    options(port, { host: "localhost", tls: tls({ ...untrusted, advancedOptions: true }) }),
  );
  accepted.connection.connect();
  await accepted.state("connected");
});

const WILL = { topic: "w", payload: "gone", qos: 0, retain: false } as const;
