import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import { tlsCause } from "../../lib/tls/causes.ts";
import { readTlsFiles } from "../../lib/tls/files.ts";
import { OpenSslEngine } from "../../lib/tls/openssl/engine.ts";
import { loadOpenSsl } from "../../lib/tls/openssl/library.ts";
import { OpenSslStream } from "../../lib/tls/openssl/stream.ts";
import type { TlsSettings } from "../../lib/tls/settings.ts";
import { connectTls } from "../../lib/tls/stream.ts";
import { Authority } from "../support/authority.ts";
import { until } from "../mqtt/harness.ts";
import { refusal } from "./refusal.ts";
import { tlsSettings } from "./settings_helper.ts";

/** A TLS listener that a test accepts from by hand, and streams to it by OpenSSL. */
class Listener implements AsyncDisposable {
  readonly #listener: Deno.TlsListener;

  private constructor(readonly authority: Authority, listener: Deno.TlsListener) {
    this.#listener = listener;
  }

  /** Shows a certificate for the name, with some of its bytes changed if need be. */
  static async start(
    name = "IP:127.0.0.1",
    change: (pem: string) => string = (pem) => pem,
  ): Promise<Listener> {
    const authority = await Authority.start();
    const { certfile, keyfile } = await authority.issue("broker", { names: [name] });
    const listener = Deno.listenTls({
      hostname: "127.0.0.1",
      port: 0,
      cert: change(await Deno.readTextFile(certfile)),
      key: await Deno.readTextFile(keyfile),
    });
    return new Listener(authority, listener);
  }

  /** A stream that has begun to connect. */
  connect(host?: string): OpenSslStream {
    return connect(this.port, this.authority, host);
  }

  /** Where it listens. */
  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** The other end of the next stream, after the handshake. */
  async accept(): Promise<Deno.TlsConn> {
    const connection = await this.#listener.accept();
    await connection.handshake();
    return connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.authority[Symbol.asyncDispose]();
  }
}

/** Connects to this machine, where the broker with that host's certificate should be. */
function connect(port: number, authority: Authority, host = "127.0.0.1"): OpenSslStream {
  const settings = settingsWith(authority);
  if (host !== "127.0.0.1") {
    const engine = new OpenSslEngine(host, settings, readTlsFiles(settings));
    return new OpenSslStream(connectTcp(port, "127.0.0.1"), engine);
  }
  const { stream } = connectTls({ host, port, noDelay: true }, settings);
  assert(stream instanceof OpenSslStream);
  return stream;
}

function settingsWith({ root }: Authority, changed: Partial<TlsSettings> = {}): TlsSettings {
  return tlsSettings({
    cafile: root.certfile,
    advancedOptions: true,
    optsCiphers: "TLS_AES_256_GCM_SHA384",
    ...changed,
  });
}

/**
 * The certificate with the common name of its issuer, `root`, said to be of a kind of text that has
 * no 0xff in it, or that nobody can make sense of.
 */
function withBadIssuer(pem: string, kind: "T61String" | "UTF8String"): string {
  const hex = new X509Certificate(pem).raw.toHex();
  const tag = kind === "T61String" ? "14" : "0c";
  const changed = Uint8Array.fromHex(hex.replace("0c04726f6f74", `${tag}04ff6f6f74`));
  assert.notEqual(changed.toHex(), hex);
  const lines = changed.toBase64().replaceAll(/.{64}/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

/** Collects what a stream gives. */
function collect(stream: OpenSslStream): { bytes: () => Uint8Array } {
  const chunks: Uint8Array[] = [];
  stream.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  return { bytes: () => Buffer.concat(chunks) };
}

/** Bytes that tell their own place. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, (_, index) => index);
  return new Uint8Array(words.buffer).subarray(0, length);
}

async function readAll(connection: Deno.TlsConn, length: number): Promise<Uint8Array> {
  const all = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const count = await connection.read(all.subarray(at));
    assert(count !== null, `ended after ${at} of ${length} bytes`);
    at += count;
  }
  return all;
}

async function writeAll(connection: Deno.TlsConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

async function closed(stream: OpenSslStream): Promise<void> {
  stream.destroy();
  if (!stream.closed) await once(stream, "close");
}

Deno.test("bytes of any number go both ways unharmed, those before the handshake too", async () => {
  await using listener = await Listener.start();
  const stream = listener.connect();
  const received = collect(stream);
  const all = pattern(1_000_000);
  let at = 0;
  // From single bytes to many records at once; the first are written before TCP is connected.
  for (const size of [1, 2, 100, 4_500, 16_384, 16_385, 65_536, 65_537, 300_000]) {
    stream.write(all.subarray(at, at + size));
    at += size;
  }
  const peer = await listener.accept();
  assert.deepEqual(await readAll(peer, at), all.subarray(0, at));
  await writeAll(peer, all.subarray(0, 200_000));
  await until("the answer", () => received.bytes().length >= 200_000);
  assert.deepEqual(new Uint8Array(received.bytes()), all.subarray(0, 200_000));
  assert.deepEqual([stream.getProtocol(), stream.getCipher().name], [
    "TLSv1.3",
    "TLS_AES_256_GCM_SHA384",
  ]);
  assert.equal(stream.bytesWritten, at);
  await closed(stream);
  peer.close();
});

Deno.test("who does not read holds the stream up, which knows what the socket took", async () => {
  await using listener = await Listener.start();
  const stream = listener.connect();
  const peer = await listener.accept();
  const chunk = pattern(64 * 1024);
  let written = 0;
  // More than the kernel holds for a socket.
  for (; written < 400; written++) {
    stream.write(chunk);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const taken = () => stream.bytesWritten - stream.writableLength;
  assert.equal(stream.writableNeedDrain, true);
  assert.equal(stream.bytesWritten, written * chunk.length);
  assert.ok(taken() < written * chunk.length / 2, `the socket took ${taken()}`);
  const drained = once(stream, "drain");
  for (let i = 0; i < written; i++) assert.deepEqual(await readAll(peer, chunk.length), chunk);
  await drained;
  assert.equal(taken(), written * chunk.length);
  await closed(stream);
  peer.close();
});

Deno.test("a reader that pauses holds the other side up, and gets all later", async () => {
  await using listener = await Listener.start();
  const stream = listener.connect();
  const peer = await listener.accept();
  const all = pattern(16 * 2 ** 20);
  let sent = 0;
  const sending = (async () => {
    while (sent < all.length) sent += await peer.write(all.subarray(sent, sent + 65_536));
    peer.close();
  })();
  // It stands still once all buffers between the two are full.
  for (let still = 0, before = 0; still < 10; before = sent) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    still = sent > 0 && sent === before ? still + 1 : 0;
  }
  assert.ok(sent < all.length);
  assert.ok(stream.readableLength <= stream.readableHighWaterMark + 64 * 1024);
  const received = collect(stream);
  stream.resume();
  await Promise.all([sending, once(stream, "end")]);
  assert.equal(Buffer.compare(received.bytes(), all), 0);
  await closed(stream);
});

Deno.test("the end of either side is the end, after what came before it", async () => {
  await using listener = await Listener.start();
  const first = listener.connect();
  const received = collect(first);
  const peer = await listener.accept();
  await writeAll(peer, pattern(100_000));
  peer.close();
  await once(first, "close");
  assert.equal(received.bytes().length, 100_000);

  const second = listener.connect();
  second.resume();
  const other = await listener.accept();
  second.end(pattern(100_000));
  await readAll(other, 100_000);
  assert.equal(await other.read(new Uint8Array(1)), null);
  other.close();
  await until("the close", () => second.closed);
});

Deno.test("garbage, an end or a reset in place of the handshake is an error", async () => {
  await using authority = await Authority.start();
  const answers: [string | undefined, RegExp, RegExp][] = [
    ["HTTP/1.1 400 Bad Request\r\n\r\n", /^ERR_SSL_WRONG_VERSION_NUMBER$/, /wrong version/],
    ["\x16\x03\x03\x00\x04\x02\xff\xff\xff", /^ERR_SSL_/, /./],
    ["\x15\x03\x03\x00\x02\x02\x28", /HANDSHAKE_FAILURE$/, /alert handshake failure/],
    ["", /^ECONNRESET$/, /before secure TLS/],
    [undefined, /^ECONNRESET$/, /before secure TLS/],
  ];
  for (const [answer, code, text] of answers) {
    let heard = "";
    const { port, end } = await server((socket) => {
      socket.once("data", (hello) => {
        heard = hello.toString("latin1");
        if (answer === undefined) socket.resetAndDestroy();
        else socket.end(Buffer.from(answer, "latin1"));
      });
    });
    const stream = connect(port, authority);
    stream.write("told to nobody");
    const [error] = await once(stream, "error");
    assert.match(error.code, code);
    assert.match(error.message, text);
    // A TLS handshake record.
    assert.equal(heard.charCodeAt(0), 0x16);
    assert.doesNotMatch(heard, /nobody/);
    assert.equal(stream.bytesWritten - stream.writableLength, 0);
    await until("the close", () => stream.closed);
    end();
  }
});

/** Listens on a port of its own. */
async function server(take: (socket: Socket) => void): Promise<{ port: number; end(): void }> {
  const server = createServer(take);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert(address !== null && typeof address === "object");
  return { port: address.port, end: () => server.close() };
}

/** Stands between a stream and a listener, and gives the stream's socket away. */
async function cutter(to: number): Promise<{ port: number; client: Promise<Socket>; end(): void }> {
  const client = Promise.withResolvers<Socket>();
  const { port, end } = await server((socket) => {
    const upstream = connectTcp(to, "127.0.0.1");
    socket.pipe(upstream).pipe(socket);
    socket.on("close", () => upstream.destroy());
    upstream.on("error", () => {});
    client.resolve(socket);
  });
  return { port, client: client.promise, end };
}

Deno.test("a cut without a goodbye: an end of TCP is an end, a reset is an error", async () => {
  await using listener = await Listener.start();
  for (const kind of ["end", "reset"] as const) {
    const { port, client, end } = await cutter(listener.port);
    const stream = connect(port, listener.authority);
    const secured = once(stream, "secureConnect");
    const peer = await listener.accept();
    await secured;
    // It comes while nobody reads, and is not lost by what follows.
    await writeAll(peer, pattern(10_000));
    await until("the bytes", () => stream.readableLength === 10_000);
    const socket = await client;
    if (kind === "end") {
      const over = once(socket, "close");
      socket.end();
      await over;
      const received = collect(stream);
      await once(stream, "close");
      assert.equal(received.bytes().length, 10_000);
    } else {
      socket.resetAndDestroy();
      const [error] = await once(stream, "error");
      assert.equal(error.code, "ECONNRESET");
      assert.doesNotMatch(error.message, /before secure/);
    }
    await closed(stream);
    peer.close();
    end();
  }
});

/**
 * Stands between a stream and a listener, and goes on sending when that has said goodbye:
 * what looks like records, until nobody takes them.
 */
function babbler(to: number): { port: number; isOver(): boolean; end(): void } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const record = new Uint8Array(5 + 16_384).fill(0xaa);
  record.set([0x17, 0x03, 0x03, 0x40, 0x00]);
  let isOver = false;
  (async () => {
    const [client, upstream] = await Promise.all([
      listener.accept(),
      Deno.connect({ hostname: "127.0.0.1", port: to }),
    ]);
    client.readable.pipeTo(upstream.writable, { preventCancel: true }).catch(() => {});
    const writer = client.writable.getWriter();
    for await (const chunk of upstream.readable) await writer.write(chunk);
    for (;;) await writer.write(record);
  })().catch(() => {}).finally(() => isOver = true);
  const { port } = listener.addr;
  return { port, isOver: () => isOver, end: () => listener.close() };
}

for (const isBusy of [false, true]) {
  const what = isBusy ? "even with something left to say" : "with nothing left to say";
  Deno.test(`who goes on sending after the goodbye is not listened to, ${what}`, async () => {
    await using listener = await Listener.start();
    const { port, isOver, end } = babbler(listener.port);
    const stream = connect(port, listener.authority);
    const received = collect(stream);
    const over = once(stream, "end");
    const peer = await listener.accept();
    if (isBusy) {
      // More than the kernel holds: it is never taken.
      for (let i = 0; i < 400; i++) stream.write(pattern(64 * 1024));
    }
    await writeAll(peer, pattern(10_000));
    await peer.closeWrite();
    await over;
    await until("the close", () => stream.closed);
    await until("the end of the babble", isOver);
    assert.deepEqual(new Uint8Array(received.bytes()), pattern(10_000));
    peer.close();
    end();
  });
}

Deno.test("a certificate whose issuer nobody can read is an error like others", async () => {
  for (const kind of ["T61String", "UTF8String"] as const) {
    await using listener = await Listener.start(undefined, (pem) => withBadIssuer(pem, kind));
    const stream = listener.connect();
    stream.write("told to nobody");
    const failed = once(stream, "error");
    await assert.rejects(listener.accept());
    const [error] = await failed;
    const attempt = { host: "127.0.0.1", settings: settingsWith(listener.authority) };
    assert.match(tlsCause(error, attempt) ?? "", kind === "T61String" ? /unknown CA/ : /./);
    assert.equal(stream.bytesWritten - stream.writableLength, 0);
    await until("the close", () => stream.closed);
  }
});

Deno.test("the zone of an address is not looked for in the certificate, the address is", async () => {
  for (const [name, isRight] of [["IP:::1", true], ["IP:127.0.0.1", false]] as const) {
    await using listener = await Listener.start(name);
    const stream = listener.connect("::1%1");
    const peer = listener.accept().catch(() => undefined);
    const error = await once(stream, "secureConnect").then(() => undefined, (error) => error);
    assert.equal(error?.code, isRight ? undefined : "ERR_TLS_CERT_ALTNAME_INVALID");
    await closed(stream);
    (await peer)?.close();
  }
});

Deno.test("without a name that a certificate can be for, nothing is begun", async () => {
  await using authority = await Authority.start();
  const settings = settingsWith(authority);
  for (const host of ["", ".", "x".repeat(300)]) {
    const [parameter, message] = refusal(() =>
      new OpenSslEngine(host, settings, readTlsFiles(settings))
    );
    assert.equal(parameter, "servername");
    assert.match(message, /no certificate can be for/);
  }
});

Deno.test("a certificate in certfile that OpenSSL cannot read is refused, the first or not", async () => {
  await using authority = await Authority.start();
  const { certfile, keyfile } = await authority.issue("client");
  const { certfile: between } = await authority.issue("between", { isAuthority: true });
  const own = await Deno.readTextFile(certfile);
  const bad = (pem: string) => withBadIssuer(pem, "UTF8String");
  const path = authority.path("chain.pem");
  for (const chain of [own + bad(await Deno.readTextFile(between)), bad(own)]) {
    await Deno.writeTextFile(path, chain);
    const settings = settingsWith(authority, { certfile: path, keyfile });
    const files = readTlsFiles(settings);
    const [parameter, message] = refusal(() => new OpenSslEngine("localhost", settings, files));
    assert.equal(parameter, "certfile");
    assert.match(message, /OpenSSL does not take/);
  }
});

Deno.test("a stream may be destroyed at any moment", async () => {
  await using listener = await Listener.start();
  for (const event of ["connect", "secureConnect", "data"]) {
    const stream = listener.connect();
    stream.write("x".repeat(100_000));
    stream.once(event, () => stream.destroy());
    if (event !== "data") stream.resume();
    const peer = listener.accept().then(async (connection) => {
      await writeAll(connection, pattern(100_000)).catch(() => {});
      connection.close();
    }, () => {});
    await until(`the close at ${event}`, () => stream.closed);
    stream.destroy();
    assert.equal(stream.getProtocol() ?? "", "");
    await peer;
  }
});

Deno.test("without OpenSSL, or the permission for it, it is said what is missing", async () => {
  assert.throws(
    () => loadOpenSsl(["/nonexistent/lib", "/nonexistent/lib64"]),
    /libssl\.so\.3 and libcrypto\.so\.3 are in none of \/nonexistent\/lib, .*install the package/,
  );
  const url = import.meta.resolve("../../lib/tls/openssl/library.ts");
  const script = `import { openSsl } from ${JSON.stringify(url)};
    try { openSsl("a test", "support"); } catch (error) { console.log(error.message); }`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-lock",
      "--no-prompt",
      `data:application/typescript,${encodeURIComponent(script)}`,
    ],
  }).output();
  assert.match(
    new TextDecoder().decode(stdout),
    /^OpenSSL 3 is needed for a test, and this process may not load it: .*--allow-ffi/,
  );
});
