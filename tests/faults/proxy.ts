/**
 * A TCP proxy that does to a link what networks do: delays, throttles, freezes, resets, half-opens
 * and cuts at any byte.
 *
 * @module
 */

import { type Direction, Relay, type Through } from "../support/relay.ts";
import { connectTcp, TcpListener, type TcpStream } from "./tcp.ts";

/** How a link ends: with FIN behind what was passed on, or with RST. */
export type Ending = "close" | "reset";

/** Where a link is to be cut. */
interface Cut {
  readonly direction: Direction;
  bytesLeft: number;
  readonly ending: Ending;
  readonly done: () => void;
}

/** One client and its way to the other side. */
interface Link {
  readonly client: TcpStream;
  other: TcpStream | undefined;
  /** Whether nothing is passed on any more, though the client's socket stays open. */
  dead: boolean;
  /** Settles when it is over. */
  readonly over: Promise<void>;
}

/** A link from a loopback port of its own to another. */
export class FaultProxy implements AsyncDisposable {
  readonly #listener: TcpListener;
  readonly #relay: Relay<TcpStream>;
  readonly #links = new Set<Link>();
  readonly #thawed: Partial<Record<Direction, PromiseWithResolvers<void>>> = {};
  #cut: Cut | undefined;
  /** How long each chunk of at most 64 KiB is held back. */
  delayMs = 0;
  /** The most that passes in each direction; as much as comes where not set. */
  bytesPerSecond: number | undefined;
  /** Whether new clients are reset at once, as if nobody listened. */
  refusing = false;
  /** Sees what is passed on, before it is. */
  watch: ((client: object, direction: Direction, chunk: Uint8Array) => void) | undefined;
  /** How many clients have come. */
  accepted = 0;

  private constructor(listener: TcpListener, target: number) {
    this.#listener = listener;
    let last: Link | undefined;
    this.#relay = new Relay(listener, async () => {
      // The relay asks for the other side right after it has told of the client.
      const link = last;
      if (link === undefined || this.refusing) throw new Error("refused");
      const other = await connectTcp(target);
      link.other = other;
      // Something may have happened to the link meanwhile.
      if (link.dead) other.abandon();
      else if (!this.#links.has(link)) other.reset();
      return other;
    }, (client) => {
      this.accepted++;
      const link: Link = { client, other: undefined, dead: false, over: client.closed };
      if (this.refusing) client.reset();
      else this.#links.add(link);
      client.closed.then(() => this.#links.delete(link));
      last = link;
      return this.#through(link);
    });
  }

  /** Starts a proxy to a loopback port. */
  static async start(target: number): Promise<FaultProxy> {
    return new FaultProxy(await TcpListener.listen(), target);
  }

  /** The port to connect to. */
  get port(): number {
    return this.#listener.port;
  }

  /** Passes nothing on in a direction, or in both, until {@linkcode thaw}; then all of it. */
  freeze(...directions: readonly Direction[]): void {
    for (const direction of directions.length === 0 ? DIRECTIONS : directions) {
      this.#thawed[direction] ??= Promise.withResolvers();
    }
  }

  /** Ends {@linkcode freeze}. */
  thaw(): void {
    for (const direction of DIRECTIONS) {
      this.#thawed[direction]?.resolve();
      delete this.#thawed[direction];
    }
  }

  /** Ends every link with RST on both sides. */
  reset(): void {
    for (const link of this.#links) this.#end(link, "reset");
  }

  /** Lets the other side go without telling the client, whose socket stays open and dead. */
  halfOpen(): void {
    for (const link of this.#links) {
      link.dead = true;
      link.other?.abandon();
    }
  }

  /**
   * Cuts all links behind so many more bytes of one direction, those of links to come included.
   * Resolves when it is done.
   */
  cutAfter(direction: Direction, bytes: number, ending: Ending): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#cut = { direction, bytesLeft: bytes, ending, done: resolve };
    return promise;
  }

  /** Ends all links, and listens no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.thaw();
    for (const link of this.#links) this.#end(link, "reset");
    await this.#relay.ended();
  }

  #through(link: Link): Through {
    return async (direction, chunk, write) => {
      await this.#passable(direction, chunk.length);
      if (link.dead) return await link.over;
      const cut = this.#cut;
      const passed = cut?.direction === direction ? chunk.subarray(0, cut.bytesLeft) : chunk;
      this.watch?.(link, direction, passed);
      if (cut?.direction === direction) cut.bytesLeft -= passed.length;
      await write(passed);
      if (cut === undefined || cut.bytesLeft > 0 || this.#cut !== cut) return;
      this.#cut = undefined;
      for (const each of this.#links) this.#end(each, cut.ending);
      cut.done();
    };
  }

  async #passable(direction: Direction, bytes: number): Promise<void> {
    const rate = this.bytesPerSecond;
    const holdMs = this.delayMs + (rate === undefined ? 0 : bytes / rate * 1000);
    if (holdMs > 0) await new Promise((resolve) => setTimeout(resolve, holdMs));
    await this.#thawed[direction]?.promise;
  }

  #end(link: Link, ending: Ending): void {
    this.#links.delete(link);
    for (const stream of [link.client, link.other]) {
      if (ending === "reset") stream?.reset();
      else stream?.close();
    }
  }
}

const DIRECTIONS: readonly Direction[] = ["sent", "received"];
