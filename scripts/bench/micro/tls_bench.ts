/**
 * Deno's own TLS and the system's OpenSSL side by side: bytes into a socket, and events into
 * mosquitto. Needs the `openssl` command; without mosquitto only the first.
 *
 * @module
 */

import { once } from "node:events";
import { connectTls, type TlsStream } from "../../../lib/tls/stream.ts";
import type { TlsSettings } from "../../../lib/tls/settings.ts";
import { message, options, Rig } from "../../../tests/mqtt/harness.ts";
import { Authority } from "../../../tests/support/authority.ts";
import { freePort, hasMosquitto, startBroker } from "../../../tests/support/broker.ts";
import { tlsSettings } from "../../../tests/tls/settings_helper.ts";

/** The mean size of FreeSWITCH's events. */
const EVENT = new Uint8Array(4_500);
const EVENTS = 1_000;
const CIPHER = "TLS_AES_256_GCM_SHA384";

const authority = await Authority.start();
const { certfile, keyfile } = await authority.issue("broker", { names: ["IP:127.0.0.1"] });
const trusted = { cafile: authority.root.certfile };
const kinds: readonly (readonly [string, TlsSettings])[] = [
  ["Deno", tlsSettings(trusted)],
  ["OpenSSL", tlsSettings({ ...trusted, advancedOptions: true, optsCiphers: CIPHER })],
];
const processes: Deno.ChildProcess[] = [];
const brokerPort = freePort();
const broker = hasMosquitto
  ? await startBroker({
    lines: [
      `listener ${brokerPort} 127.0.0.1`,
      `certfile ${certfile}`,
      `keyfile ${keyfile}`,
      `ciphers_tls1.3 ${CIPHER}`,
    ],
  })
  : undefined;

addEventListener("unload", () => {
  for (const process of processes) process.kill("SIGKILL");
  broker?.[Symbol.asyncDispose]();
  Deno.removeSync(authority.folder, { recursive: true });
});

/** A stream to a server of its own that throws everything away. */
async function sink(settings: TlsSettings): Promise<TlsStream> {
  const port = freePort();
  processes.push(
    new Deno.Command("openssl", {
      args: [
        ...["s_server", "-accept", `127.0.0.1:${port}`, "-quiet", "-ciphersuites", CIPHER],
        ...["-cert", certfile, "-key", keyfile],
      ],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn(),
  );
  for (;;) {
    const { stream } = connectTls({ host: "127.0.0.1", port, noDelay: true }, settings);
    try {
      await once(stream, "secureConnect");
      return stream;
    } catch {
      // It does not listen yet.
    }
  }
}

for (const [name, settings] of kinds) {
  const stream = await sink(settings);
  Deno.bench({
    name: `${name}, ${EVENTS} writes of ${EVENT.length} bytes`,
    group: "tls stream",
    baseline: name === "Deno",
    async fn() {
      for (let i = 0; i < EVENTS; i++) {
        if (!stream.write(EVENT)) await once(stream, "drain");
      }
    },
  });
}

for (const [name, settings] of broker === undefined ? [] : kinds) {
  const rig = new Rig(options(brokerPort, { tls: settings }));
  rig.connection.connect();
  await rig.state("connected");
  Deno.bench({
    name: `${name}, ${EVENTS} events of ${EVENT.length} bytes, QoS 1`,
    group: "tls events",
    baseline: name === "Deno",
    async fn() {
      for (let i = 0; i < EVENTS; i++) rig.queue.offer(message("bench", EVENT));
      await rig.connection.drained();
    },
  });
}
