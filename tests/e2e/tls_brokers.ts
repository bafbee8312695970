/**
 * Brokers for the tests of TLS: one mosquitto with a listener for each thing that a certificate or
 * a broker's settings can be, OpenSSL's server where mosquitto cannot be had so, and what speaks no
 * TLS at all.
 *
 * @module
 */

import { eventually } from "../support/agent_process.ts";
import { startBroker, type TestBroker } from "../support/broker.ts";
import { OpenSslServer } from "../support/openssl_server.ts";
import type { ByteStream } from "../support/relay.ts";
import { Recorder } from "../support/wire.ts";
import type { Authority } from "../support/authority.ts";
import { IDENTITY, makeCertificates, PSK } from "./tls_certificates.ts";

/** The lines of mosquitto.conf for a certificate. */
const shows = (name: string, chain = name) => [`certfile ${chain}.pem`, `keyfile ${name}.key`];

/** mosquitto's listeners: lines of mosquitto.conf, with paths in the folder of certificates. */
const LISTENERS = {
  "localhost": shows("localhost"),
  "127.0.0.1": shows("address"),
  "broker.example": shows("elsewhere"),
  "localhost by CN only": shows("common-name"),
  "an RSA key": shows("rsa"),
  "an intermediate": shows("leaf", "chain"),
  "another authority": shows("foreign"),
  "a certificate signed by itself": shows("self-signed"),
  "a certificate signed by itself, not an authority's": shows("self-signed-leaf"),
  "an expired certificate": shows("expired"),
  "a certificate of the future": shows("future"),
  "a certificate of version 1": shows("version-1"),
  "a certificate of a forger": shows("forged"),
  "a forger's certificate of version 1": shows("forged-v1"),
  "a forger's intermediate of version 1": shows("forged-leaf", "forged-chain"),
  "a certificate that a client has signed": shows("clients-leaf", "clients-chain"),
  "a certificate of version 1 that a client has signed": shows("clients-v1", "clients-v1-chain"),
  "wants a client certificate": [
    ...[...shows("localhost"), "cafile root.pem"],
    ...["require_certificate true", "use_identity_as_username true"],
  ],
  "TLS 1.3 only": [...shows("localhost"), "tls_version tlsv1.3"],
  "AES-128 only": [
    ...[...shows("localhost"), "ciphers ECDHE-ECDSA-AES128-GCM-SHA256"],
    "ciphers_tls1.3 TLS_AES_128_GCM_SHA256",
  ],
  "a pre-shared key": ["psk_hint tests", "psk_file psk"],
  "a pre-shared key without encryption": [
    ...["psk_hint tests", "psk_file psk", "ciphers PSK-NULL-SHA256:@SECLEVEL=0"],
  ],
} as const;

const WITH_PSK = ["-psk", PSK, "-psk_identity", IDENTITY] as const;

/** OpenSSL's servers: options of `openssl s_server`, beside those for a certificate. */
const SERVERS = {
  "TLS 1.0 only": ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
  "TLS 1.1 only": ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
  "TLS 1.2 only": ["-tls1_2"],
  "a pre-shared key or a certificate": WITH_PSK,
  "a pre-shared key or a certificate, TLS 1.2 only": [...WITH_PSK, "-tls1_2"],
  "a pre-shared key or a certificate, TLS 1.3 only": [...WITH_PSK, "-tls1_3"],
  "no encryption": ["-tls1_2", "-cipher", "eNULL:@SECLEVEL=0"],
  "no authentication": ["-tls1_2", "-nocert", "-cipher", "aNULL:@SECLEVEL=0"],
} as const;

/** What answers this to the first bytes, and then ends the connection. */
const ANSWERS = {
  "answers in HTTP": "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
  "ends without a word": "",
} as const;

/** Where an agent may be led. */
export type Door =
  | "plain MQTT"
  | keyof typeof LISTENERS
  | keyof typeof SERVERS
  | keyof typeof ANSWERS;

/** All brokers, and the folder of certificates. */
export class TlsBrokers implements AsyncDisposable {
  /** Who issued the certificates, and their folder. */
  readonly certificates: Authority;
  readonly #broker: TestBroker;

  private constructor(certificates: Authority, broker: TestBroker) {
    this.certificates = certificates;
    this.#broker = broker;
  }

  /** Makes the certificates and starts mosquitto. */
  static async start(): Promise<TlsBrokers> {
    const certificates = await makeCertificates();
    const listeners = Object.values(LISTENERS).flatMap((lines, index) => [
      // A free port for each could be somebody else's by now.
      `listener 0 ${certificates.path(socketName(index))}`,
      "allow_anonymous true",
      ...lines.map((line) => line.replace(/^\w+file /, `$&${certificates.folder}/`)),
    ]);
    const log = [`log_dest file ${certificates.path("mosquitto.log")}`, "log_type all"];
    const broker = await startBroker({ perListener: true, lines: [...listeners, ...log] });
    // They come one after the other.
    const last = certificates.path(socketName(Object.keys(LISTENERS).length - 1));
    await eventually("mosquitto listens", async () => await canConnect(last) || undefined);
    return new TlsBrokers(certificates, broker);
  }

  /** The port at which anybody may connect without TLS. */
  get plainPort(): number {
    return this.#broker.port;
  }

  /** The path of a file in the folder of certificates. */
  path(name: string): string {
    return this.certificates.path(name);
  }

  /** The users that mosquitto says to have been connected, the last one at the end. */
  async users(): Promise<string[]> {
    const log = await Deno.readTextFile(this.path("mosquitto.log"));
    return [...log.matchAll(/New client connected from .* u'(.*)'\)/g)].map(([, user = ""]) =>
      user
    );
  }

  /** Opens a door, and records what goes through it. */
  async record(door: Door): Promise<Recorder> {
    if (isIn(ANSWERS, door)) return new Recorder(() => Promise.resolve(answering(ANSWERS[door])));
    if (isIn(SERVERS, door)) {
      const shown = ["-cert", this.path("localhost.pem"), "-key", this.path("localhost.key")];
      const server = await OpenSslServer.start([...shown, ...SERVERS[door]], this.plainPort);
      return new Recorder(() => server.connect(), server);
    }
    if (door === "plain MQTT") {
      return new Recorder(() => Deno.connect({ hostname: "127.0.0.1", port: this.plainPort }));
    }
    const path = this.path(socketName(Object.keys(LISTENERS).indexOf(door)));
    return new Recorder(() => Deno.connect({ transport: "unix", path }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#broker[Symbol.asyncDispose]();
    await this.certificates[Symbol.asyncDispose]();
  }
}

function socketName(index: number): string {
  return `listener-${index}.sock`;
}

async function canConnect(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch {
    return false;
  }
}

function isIn<T extends object>(table: T, door: string): door is keyof T & string {
  return door in table;
}

function answering(text: string): ByteStream {
  const asked = Promise.withResolvers<void>();
  let answer = new TextEncoder().encode(text);
  return {
    async read(buffer) {
      await asked.promise;
      const { length } = answer;
      if (length === 0) return null;
      buffer.set(answer);
      answer = answer.subarray(length);
      return length;
    },
    write(chunk) {
      asked.resolve();
      return Promise.resolve(chunk.length);
    },
    closeWrite() {
      asked.resolve();
      return Promise.resolve();
    },
    close() {
      asked.resolve();
    },
  };
}
