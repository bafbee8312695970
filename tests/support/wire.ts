/**
 * Listens in between an agent and its broker, and judges whether what went by was TLS.
 *
 * @module
 */

import assert from "node:assert/strict";
import { latin1 } from "./esl_client.ts";
import { type Direction, Relay, type Upstream } from "./relay.ts";

/** What a client and a broker agreed on, by OpenSSL's names. */
export interface Agreement {
  /** The version of TLS. */
  readonly version: string;
  /** The cipher. */
  readonly cipher: string;
}

/** What went over one connection. */
export class WireTap {
  readonly #chunks = { sent: [] as Uint8Array[], received: [] as Uint8Array[] };

  /** Every byte of the client. */
  get sent(): Uint8Array {
    return joined(this.#chunks.sent);
  }

  /** Every byte of the broker. */
  get received(): Uint8Array {
    return joined(this.#chunks.received);
  }

  /** Takes what went in one direction. */
  take(direction: Direction, chunk: Uint8Array): void {
    this.#chunks[direction].push(chunk);
  }
}

/** Takes connections on a loopback port, passes on every byte and keeps it. */
export class Recorder implements AsyncDisposable {
  /** What went over each connection, in the order in which they were made. */
  readonly connections: WireTap[] = [];
  readonly #listener: Deno.TcpListener;
  readonly #relay: Relay<Deno.TcpConn>;
  readonly #belongings: AsyncDisposable | undefined;

  /**
   * Starts listening; each connection is led on to one of `upstream`.
   *
   * @param belongings What ends with it.
   */
  constructor(upstream: Upstream, belongings?: AsyncDisposable) {
    this.#belongings = belongings;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#relay = new Relay(this.#listener, upstream, () => {
      const tap = new WireTap();
      this.connections.push(tap);
      return (direction, chunk, write) => {
        tap.take(direction, chunk);
        return write(chunk);
      };
    });
  }

  /** The port to connect to. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** Breaks all connections off. */
  breakOff(): void {
    this.#relay.breakOff();
  }

  /** Listens no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#relay.ended();
    await this.#belongings?.[Symbol.asyncDispose]();
  }
}

const HANDSHAKE = 22;
/** RFC 8446, section 5.1, and RFC 5246, section 6.2.1. */
const RECORD_TYPES: Readonly<Record<number, string>> = {
  20: "change_cipher_spec",
  21: "alert",
  [HANDSHAKE]: "handshake",
  23: "application_data",
};
/** What encryption may add to the longest plaintext: 2048 in TLS 1.2 and older, less in 1.3. */
const LONGEST_RECORD = 2 ** 14 + 2048;

/**
 * Sees that what a client sent is a sequence of TLS records which begins with a handshake. The last
 * one may be cut off.
 */
export function assertIsTls(sent: Uint8Array): void {
  for (let at = 0; at < sent.length;) {
    const [type = 0, major = 3, minor = 1, high = 0, low = 0] = sent.subarray(at, at + 5);
    const where = `at ${at}: ${latin1(sent.subarray(at, at + 16))}`;
    assert(type in RECORD_TYPES, `no TLS record ${where}`);
    assert(at > 0 || type === HANDSHAKE, `begins with ${RECORD_TYPES[type]} ${where}`);
    assert(major === 3 && minor >= 1 && minor <= 3, `no version of TLS ${where}`);
    const length = high * 256 + low;
    assert(length <= LONGEST_RECORD, `longer than a TLS record can be ${where}`);
    at += 5 + length;
  }
}

/**
 * Sees that a client sent nothing but TLS, and that none of its secrets went by in the clear in
 * either direction.
 */
export function assertNothingInClear(
  connections: readonly WireTap[],
  secrets: readonly string[],
): void {
  for (const { sent, received } of connections) {
    assertIsTls(sent);
    for (const bytes of [sent, received]) {
      const text = latin1(bytes);
      for (const secret of secrets) assert(!text.includes(secret), `"${secret}" went in clear`);
    }
  }
}

const VERSIONS: Readonly<Record<string, string>> = {
  "0301": "TLSv1",
  "0302": "TLSv1.1",
  "0303": "TLSv1.2",
  "0304": "TLSv1.3",
};

/** Ciphers that these tests may meet (IANA, TLS Cipher Suites). */
const CIPHERS: Readonly<Record<string, string>> = {
  "00a8": "PSK-AES128-GCM-SHA256",
  "00a9": "PSK-AES256-GCM-SHA384",
  "00aa": "DHE-PSK-AES128-GCM-SHA256",
  "00ab": "DHE-PSK-AES256-GCM-SHA384",
  "1301": "TLS_AES_128_GCM_SHA256",
  "1302": "TLS_AES_256_GCM_SHA384",
  "1303": "TLS_CHACHA20_POLY1305_SHA256",
  "c009": "ECDHE-ECDSA-AES128-SHA",
  "c00a": "ECDHE-ECDSA-AES256-SHA",
  "c02b": "ECDHE-ECDSA-AES128-GCM-SHA256",
  "c02c": "ECDHE-ECDSA-AES256-GCM-SHA384",
  "c02f": "ECDHE-RSA-AES128-GCM-SHA256",
  "c030": "ECDHE-RSA-AES256-GCM-SHA384",
  "c037": "ECDHE-PSK-AES128-CBC-SHA256",
  "c038": "ECDHE-PSK-AES256-CBC-SHA384",
  "cca9": "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ccab": "PSK-CHACHA20-POLY1305",
  "ccac": "ECDHE-PSK-CHACHA20-POLY1305",
  "ccad": "DHE-PSK-CHACHA20-POLY1305",
};

const SERVER_HELLO = 2;
const SUPPORTED_VERSIONS = 43;
/** What makes a ServerHello a HelloRetryRequest: RFC 8446, section 4.1.3. */
const RETRY = "cf21ad74e59a6111be1d8c021e65b891";

/** What was agreed on by the broker's ServerHello, which is never encrypted. */
export function agreementIn({ received }: WireTap): Agreement | undefined {
  for (let at = 0; at + 5 < received.length;) {
    const record = new Reader(received.subarray(at));
    const type = record.number(1);
    record.take(2);
    const length = record.number(2);
    at += 5 + length;
    if (type !== HANDSHAKE || record.number(1) !== SERVER_HELLO) continue;
    const hello = new Reader(record.take(record.number(3)));
    let version = hello.hex(2);
    const random = hello.hex(32);
    hello.take(hello.number(1));
    const cipher = hello.hex(2);
    if (random.startsWith(RETRY)) continue;
    hello.take(1 + 2);
    // TLS 1.3 calls itself 1.2 but for an extension (section 4.2.1).
    while (!hello.isAtEnd) {
      const extension = hello.number(2);
      const content = hello.take(hello.number(2));
      if (extension === SUPPORTED_VERSIONS) version = content.toHex();
    }
    return { version: VERSIONS[version] ?? version, cipher: CIPHERS[cipher] ?? cipher };
  }
  return undefined;
}

/** Reads big-endian numbers one after the other. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  take(count: number): Uint8Array {
    return this.#bytes.slice(this.#at, this.#at += count);
  }

  hex(count: number): string {
    return this.take(count).toHex();
  }

  number(count: number): number {
    return Number.parseInt(this.hex(count), 16);
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
