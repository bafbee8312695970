/** TLS as the connection has it; tests/e2e/tls_test.ts has the table of all its settings. */

import assert from "node:assert/strict";
import { Secret } from "../../lib/secret.ts";
import type { TlsSettings } from "../../lib/tls/settings.ts";
import { Authority, type Certificate } from "../support/authority.ts";
import { freePort, mosquittoTest, startBroker } from "../support/broker.ts";
import { tlsSettings } from "../tls/settings_helper.ts";
import { message, numbers, options, Rig, Witness } from "./harness.ts";
import { Peer } from "./peer.ts";

/** What Deno's own TLS does, and what OpenSSL does. */
const WAYS: Readonly<Record<string, Partial<TlsSettings>>> = {
  Deno: {},
  OpenSSL: { advancedOptions: true, optsCiphers: "ECDHE-ECDSA-AES256-GCM-SHA384" },
};

/** Lines of mosquitto.conf for a listener with a certificate. */
function listener(port: number, { certfile, keyfile }: Certificate): string[] {
  return [`listener ${port} 127.0.0.1`, `certfile ${certfile}`, `keyfile ${keyfile}`];
}

for (const [by, way] of Object.entries(WAYS)) {
  mosquittoTest(`messages go both ways, and QoS 0 counts as over TCP (${by})`, async () => {
    await using authority = await Authority.start();
    const port = freePort();
    const certificate = await authority.issue("broker", { names: ["DNS:localhost"] });
    await using broker = await startBroker({ lines: listener(port, certificate) });
    await using witness = await Witness.start(broker.port);
    const tls = tlsSettings({ cafile: authority.root.certfile, ...way });
    await using rig = new Rig(options(port, { host: "localhost", tls }));
    rig.connection.subscribe([{ filter: "c", qos: 1 }]);
    rig.connection.connect();
    await rig.state("connected");
    for (const qos of [0, 1] as const) {
      rig.offer(`${qos}`, numbers(1, 100), qos);
      rig.queue.offer(message("long", new Uint8Array(300_000), { qos }));
      assert.deepEqual(await witness.count(`${qos}`, 100), numbers(1, 100));
    }
    await witness.count("long", 2);
    await rig.acknowledged(202);
    await witness.client.publishAsync("c", "command");
    await rig.until("the command", () => rig.received.length === 1);
  });

  mosquittoTest(`with srv it is the target's own name that is verified (${by})`, async () => {
    await using authority = await Authority.start();
    const name = "example.test";
    const [target, domain] = [freePort(), freePort()];
    await using _ = await startBroker({
      lines: [
        ...listener(target, await authority.issue("target", { names: ["DNS:localhost"] })),
        ...listener(domain, await authority.issue("domain", { names: [`DNS:${name}`] })),
      ],
    });
    const asked: string[] = [];
    const at = (port: number, changed: Partial<TlsSettings> = {}) => {
      const tls = tlsSettings({ cafile: authority.root.certfile, ...way, ...changed });
      const rig = new Rig(options(1, { host: name, srv: true, tls }), {
        resolveSrv: (service) => {
          asked.push(service);
          return Promise.resolve([{ target: "localhost.", port, priority: 0, weight: 0 }]);
        },
      });
      rig.connection.connect();
      return rig;
    };
    await using right = at(target);
    await right.state("connected");
    await using wrong = at(domain);
    assert.match(await wrong.reason("refused"), /for example\.test, not for localhost/);
    await using chosen = at(domain, { servername: name });
    await chosen.state("connected");
    assert.deepEqual(asked, Array.from({ length: 3 }, () => `_secure-mqtt._tcp.${name}`));
  });
}

Deno.test(
  "TLS settings that cannot be honoured are refused, and not a byte is sent",
  async () => {
    await using authority = await Authority.start();
    const cafile = authority.root.certfile;
    await Deno.mkdir(authority.path("empty"));
    const cases: [Partial<TlsSettings>, RegExp][] = [
      [{ support: undefined, cafile }, /`support` does not say how/],
      [{ support: "psk", psk: new Secret("not hex"), identity: "me" }, /`psk` .* hex/],
      [{}, /cafile nor capath/],
      [{ capath: authority.path("empty") }, /cafile nor capath/],
      [{ capath: authority.path("missing") }, /^TLS: cannot read capath/],
      [{ cafile: authority.path("missing.pem") }, /^TLS: cannot read cafile/],
      [{ cafile, certfile: cafile }, /given together/],
      [{ cafile, keyfile: authority.root.keyfile }, /given together/],
      [{ cafile, advancedOptions: true, optsCiphers: "NO-SUCH" }, /no cipher of `opts_ciphers`/],
      [{ cafile, advancedOptions: true, optsCiphers: "NULL-SHA256:aNULL" }, /no cipher of/],
      [
        { cafile, advancedOptions: true, version: "tlsv1.3", optsCiphers: "AES128-SHA" },
        /no cipher of TLS 1.3/,
      ],
    ];
    await using peer = await Peer.listen();
    for (const [changed, reason] of cases) {
      await using rig = new Rig(options(peer.port, { tls: tlsSettings(changed), will: WILL }));
      rig.connection.connect();
      rig.offer("t", ["secret"]);
      assert.match(await rig.reason("refused"), reason);
      assert.doesNotMatch(rig.log.join("\n"), /not hex/);
    }
    assert.equal(peer.connections, 0);
  },
);

const WILL = { topic: "w", payload: "gone", qos: 0, retain: false } as const;
