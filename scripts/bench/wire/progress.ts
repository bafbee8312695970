/**
 * A connection on which a receiver tells a feeder how much has arrived, and learns how the clocks of
 * the two differ. Each message is one float64: a number of events, or {@linkcode ASK_TIME}, which is
 * answered with the time.
 *
 * @module
 */

import { nowMicros } from "./time.ts";

const MESSAGE_BYTES = 8;
const ASK_TIME = -1;
const EXCHANGES = 200;
/** A clock that is known less exactly than this is of no use. */
const MOST_UNCERTAIN_MICROS = 100;

/** The feeder's end. */
export class ProgressListener {
  readonly #listener: Deno.TcpListener;
  #arrived = 0;
  #changed = Promise.withResolvers<void>();

  private constructor(listener: Deno.TcpListener) {
    this.#listener = listener;
    this.#accept();
  }

  /** Listens on a free loopback port. */
  static listen(): ProgressListener {
    return new ProgressListener(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  }

  /** Its port. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** How many events have arrived in all, as last heard. */
  get arrived(): number {
    return this.#arrived;
  }

  /** Resolves when more has arrived than {@linkcode arrived} says now. */
  changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Ends it. */
  close(): void {
    this.#listener.close();
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      connection.setNoDelay(true);
      this.#read(connection).catch(() => {});
    }
  }

  async #read(connection: Deno.TcpConn): Promise<void> {
    const bytes = new Uint8Array(MESSAGE_BYTES);
    const view = new DataView(bytes.buffer);
    while (await fill(connection, bytes)) {
      const value = view.getFloat64(0);
      if (value === ASK_TIME) {
        view.setFloat64(0, nowMicros());
        await connection.write(bytes);
      } else if (value > this.#arrived) {
        this.#arrived = value;
        this.#changed.resolve();
        this.#changed = Promise.withResolvers();
      }
    }
  }
}

/** The receiver's end. */
export class ProgressTeller {
  readonly #connection: Deno.TcpConn;
  readonly #bytes = new Uint8Array(MESSAGE_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  #told = 0;
  #writing = false;
  /** What has to be added to this process's time to get the feeder's, in microseconds. */
  readonly offsetMicros: number;

  private constructor(connection: Deno.TcpConn, offsetMicros: number) {
    this.#connection = connection;
    this.offsetMicros = offsetMicros;
  }

  /**
   * Connects, and compares the clocks.
   *
   * @throws {Error} if they cannot be compared exactly enough.
   */
  static async connect(port: number): Promise<ProgressTeller> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay(true);
    return new ProgressTeller(connection, await compareClocks(connection));
  }

  /** Tells that so many events have arrived in all, unless the last time was just before. */
  tell(arrived: number, step: number): void {
    if (this.#writing || arrived < this.#told + step) return;
    this.#told = arrived;
    this.#writing = true;
    this.#view.setFloat64(0, arrived);
    this.#connection.write(this.#bytes).then(() => this.#writing = false, () => {});
  }

  /** Ends it. */
  close(): void {
    this.#connection.close();
  }
}

/** The quickest of some exchanges tells most. */
async function compareClocks(connection: Deno.TcpConn): Promise<number> {
  const bytes = new Uint8Array(MESSAGE_BYTES);
  const view = new DataView(bytes.buffer);
  let least = Infinity;
  let offset = 0;
  for (let i = 0; i < EXCHANGES; i++) {
    view.setFloat64(0, ASK_TIME);
    const askedAt = nowMicros();
    await connection.write(bytes);
    if (!await fill(connection, bytes)) throw new Error("the feeder is gone");
    const took = nowMicros() - askedAt;
    if (took >= least) continue;
    least = took;
    offset = view.getFloat64(0) - (askedAt + took / 2);
  }
  if (least / 2 > MOST_UNCERTAIN_MICROS) {
    throw new Error(`Cannot compare the clocks of two processes: an exchange takes ${least} µs`);
  }
  return offset;
}

async function fill(connection: Deno.TcpConn, bytes: Uint8Array): Promise<boolean> {
  for (let filled = 0; filled < bytes.length;) {
    const count = await connection.read(bytes.subarray(filled));
    if (count === null) return false;
    filled += count;
  }
  return true;
}
