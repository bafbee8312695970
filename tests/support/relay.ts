/**
 * Stands between two sides of a connection and passes on what they send.
 *
 * @module
 */

/** A byte stream both ways, as far as it is needed here; a `Deno.Conn` is one. */
export type ByteStream = Pick<Deno.Conn, "read" | "write" | "closeWrite" | "close">;

/** Makes a connection to the other side. */
export type Upstream = () => Promise<ByteStream>;

/** Where something goes: from the client to the other side, or back. */
export type Direction = "sent" | "received";

/** Gives a chunk to the side that it is for, or does something else with it. */
export type Through = (
  direction: Direction,
  chunk: Uint8Array,
  write: (chunk: Uint8Array) => Promise<void>,
) => Promise<void>;

/** Leads each client on to a connection of its own. */
export class Relay<Client extends ByteStream> {
  readonly #clients: AsyncIterable<Client>;
  readonly #upstream: Upstream;
  readonly #open = new Set<ByteStream>();
  readonly #running = new Set<Promise<void>>();

  /**
   * Begins to take clients.
   *
   * @param through Called for each client; what it gives is called for each chunk.
   */
  constructor(
    clients: AsyncIterable<Client>,
    upstream: Upstream,
    through: (client: Client) => Through,
  ) {
    this.#clients = clients;
    this.#upstream = upstream;
    this.#run(this.#accept(through));
  }

  /** Breaks all connections off. */
  breakOff(): void {
    for (const stream of this.#open) stream.close();
    this.#open.clear();
  }

  /** Resolves when all has ended; the clients' source has to be closed before. */
  async ended(): Promise<void> {
    this.breakOff();
    await Promise.all(this.#running);
  }

  #run(work: Promise<void>): void {
    // What is broken off ends in errors.
    const running = work.catch(() => {}).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #accept(through: (client: Client) => Through): Promise<void> {
    for await (const client of this.#clients) {
      const chosen = through(client);
      this.#open.add(client);
      this.#run(this.#lead(client, chosen));
    }
  }

  async #lead(client: ByteStream, through: Through): Promise<void> {
    const streams = [client];
    try {
      const other = await this.#upstream();
      streams.push(other);
      this.#open.add(other);
      await Promise.all([
        passOn(client, other, through, "sent"),
        passOn(other, client, through, "received"),
      ]);
    } finally {
      for (const stream of streams) if (this.#open.delete(stream)) stream.close();
    }
  }
}

async function passOn(
  from: ByteStream,
  to: ByteStream,
  through: Through,
  direction: Direction,
): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  const write = async (chunk: Uint8Array) => {
    for (let at = 0; at < chunk.length;) at += await to.write(chunk.subarray(at));
  };
  for (;;) {
    const length = await from.read(buffer);
    if (length === null) break;
    await through(direction, buffer.slice(0, length), write);
  }
  await to.closeWrite();
}
