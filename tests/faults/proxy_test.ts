import assert from "node:assert/strict";
import { eventually } from "../support/agent_process.ts";
import { FaultProxy } from "./proxy.ts";

/** What a client and a server behind a proxy say to each other. */
class Pair implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #ends: Deno.Conn[] = [];
  proxy!: FaultProxy;
  client!: Deno.Conn;
  server!: Deno.Conn;

  static async start(): Promise<Pair> {
    const pair = new Pair();
    pair.proxy = await FaultProxy.start(pair.#listener.addr.port);
    pair.client = await pair.connect();
    pair.server = await pair.#listener.accept();
    pair.#ends.push(pair.server);
    return pair;
  }

  async connect(): Promise<Deno.Conn> {
    const client = await Deno.connect({ hostname: "127.0.0.1", port: this.proxy.port });
    this.#ends.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const end of this.#ends) end.close();
    await this.proxy[Symbol.asyncDispose]();
  }
}

const bytes = (count: number) => Uint8Array.from({ length: count }, (_, i) => i);

/** Reads so many bytes, or to the end. */
async function read(from: Deno.Conn, count: number): Promise<Uint8Array> {
  const whole = new Uint8Array(count);
  let at = 0;
  while (at < count) {
    const length = await from.read(whole.subarray(at));
    if (length === null) break;
    at += length;
  }
  return whole.subarray(0, at);
}

/** What a read comes to; `nothing` as long as it has not ended. */
function pending(from: Deno.Conn): { outcome: string } {
  const result = { outcome: "nothing" };
  from.read(new Uint8Array(100)).then(
    (length) => result.outcome = length === null ? "end" : `${length} bytes`,
    (error) => result.outcome = (error as Error).name,
  );
  return result;
}

async function comes(result: { outcome: string }, outcome: string): Promise<void> {
  await eventually(
    `${outcome}, not ${result.outcome}`,
    () => result.outcome === outcome || undefined,
  );
}

Deno.test("a link passes on every byte both ways, and its end", async () => {
  await using pair = await Pair.start();
  await pair.client.write(bytes(250));
  assert.deepEqual(await read(pair.server, 250), bytes(250));
  await pair.server.write(bytes(100));
  assert.deepEqual(await read(pair.client, 100), bytes(100));
  await pair.client.closeWrite();
  await comes(pending(pair.server), "end");
  await pair.server.write(bytes(3));
  assert.deepEqual(await read(pair.client, 3), bytes(3));
});

Deno.test("a frozen direction passes nothing on, the other does, and thawed all comes", async () => {
  await using pair = await Pair.start();
  pair.proxy.freeze("sent");
  await pair.client.write(bytes(10));
  const waiting = pending(pair.server);
  // It goes round the frozen way: had that passed anything on, it would have come before.
  await pair.server.write(bytes(20));
  assert.deepEqual(await read(pair.client, 20), bytes(20));
  assert.equal(waiting.outcome, "nothing");
  pair.proxy.thaw();
  await comes(waiting, "10 bytes");
});

Deno.test("a reset reaches both sides", async () => {
  await using pair = await Pair.start();
  const [client, server] = [pending(pair.client), pending(pair.server)];
  pair.proxy.reset();
  await comes(client, "ConnectionReset");
  await comes(server, "ConnectionReset");
});

Deno.test("half-open: the server is gone, and the client is not told", async () => {
  await using pair = await Pair.start();
  const [client, server] = [pending(pair.client), pending(pair.server)];
  pair.proxy.halfOpen();
  await comes(server, "end");
  await pair.client.write(bytes(10));
  // A link that is made later tells that the proxy has had its turn.
  using other = await Deno.connect({ hostname: "127.0.0.1", port: pair.proxy.port });
  await eventually("the other is there", () => pair.proxy.accepted === 2 || undefined);
  assert.ok(other);
  assert.equal(client.outcome, "nothing");
});

for (const direction of ["sent", "received"] as const) {
  for (const ending of ["close", "reset"] as const) {
    Deno.test(`a link is cut at a byte of what is ${direction}, with ${ending}`, async () => {
      await using pair = await Pair.start();
      const [from, to] = direction === "sent"
        ? [pair.client, pair.server]
        : [pair.server, pair.client];
      const cut = pair.proxy.cutAfter(direction, 7, ending);
      await from.write(bytes(5));
      assert.deepEqual(await read(to, 5), bytes(5));
      await from.write(bytes(5));
      await cut;
      if (ending === "close") assert.deepEqual(await read(to, 100), bytes(2));
      else await assert.rejects(read(to, 100), Deno.errors.ConnectionReset);
    });
  }
}

Deno.test("a throttled link takes its time", async () => {
  await using pair = await Pair.start();
  pair.proxy.bytesPerSecond = 10_000;
  const startedAt = performance.now();
  await pair.client.write(bytes(2_000));
  await read(pair.server, 2_000);
  assert.ok(performance.now() - startedAt >= 199);
});

Deno.test("a delayed link delivers later", async () => {
  await using pair = await Pair.start();
  pair.proxy.delayMs = 100;
  const startedAt = performance.now();
  await pair.client.write(bytes(10));
  await read(pair.server, 10);
  assert.ok(performance.now() - startedAt >= 99);
});

Deno.test("a refusing proxy resets who comes", async () => {
  await using pair = await Pair.start();
  pair.proxy.refusing = true;
  const reading = async () => await read(await pair.connect(), 1);
  await assert.rejects(reading, Deno.errors.ConnectionReset);
});
