/**
 * TCP on loopback whose connections can be reset (RST), which `Deno.Conn` cannot.
 *
 * @module
 */

import { connect, createServer, type Server, type Socket } from "node:net";
import type { ByteStream } from "../support/relay.ts";

/** A connection that can be ended with RST. */
export class TcpStream implements ByteStream {
  readonly #socket: Socket;
  readonly #closed = Promise.withResolvers<void>();
  #rest: Uint8Array = new Uint8Array(0);
  #abandoned: PromiseWithResolvers<void> | undefined;
  #error: Error | undefined;
  #ended = false;
  #wake = () => {};
  #giveUp = () => {};

  /** Takes over a socket. */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("error", (error: Error) => this.#error = error);
    socket.on("end", () => this.#ended = true);
    for (const event of ["readable", "end", "error"]) socket.on(event, () => this.#wake());
    socket.on("close", () => this.#over());
  }

  /** Settles when the connection is over. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Reads what is there; `null` at the end. */
  async read(into: Uint8Array): Promise<number | null> {
    if (this.#rest.length === 0) {
      const next = await this.#next();
      if (next === undefined) return null;
      this.#rest = next;
    }
    const taken = this.#rest.subarray(0, into.length);
    into.set(taken);
    this.#rest = this.#rest.subarray(taken.length);
    return taken.length;
  }

  /** Resolves when the kernel has taken the bytes. */
  write(chunk: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#giveUp = () => reject(this.#error ?? new Error("the connection is over"));
      if (this.#socket.destroyed) return this.#giveUp();
      this.#socket.write(chunk, (error) => error ? reject(error) : resolve(chunk.length));
    });
  }

  /** Sends FIN behind what was written. */
  closeWrite(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed) return resolve();
      this.#giveUp = resolve;
      this.#socket.end(resolve);
    });
  }

  /** Ends it; what was written is delivered. */
  close(): void {
    this.#socket.destroy();
    this.#abandoned?.resolve();
    this.#over();
  }

  /** Ends it, but whoever reads here is not told until it is closed. */
  abandon(): void {
    this.#abandoned ??= Promise.withResolvers();
    this.#socket.destroy();
  }

  /** Ends it with RST; what the kernel still has is thrown away. */
  reset(): void {
    this.#socket.resetAndDestroy();
    this.#abandoned?.resolve();
    this.#over();
  }

  /** Deno forgets some callbacks, and the event `close`, when a socket is destroyed. */
  #over(): void {
    this.#closed.resolve();
    this.#wake();
    this.#giveUp();
  }

  /** An iterator of the socket would do, but for its closing both ways when one has ended. */
  async #next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = this.#socket.read();
      if (chunk !== null) return chunk;
      if (this.#ended || this.#socket.destroyed) {
        await this.#abandoned?.promise;
        if (this.#error !== undefined) throw this.#error;
        return undefined;
      }
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}

/** Takes connections on a free loopback port. */
export class TcpListener implements AsyncIterable<TcpStream> {
  readonly #server: Server;
  readonly #accepted: TcpStream[] = [];
  #wake = () => {};
  #closed = false;
  /** The port. */
  readonly port: number;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on("connection", (socket) => {
      this.#accepted.push(new TcpStream(socket));
      this.#wake();
    });
  }

  /** Starts listening. */
  static listen(): Promise<TcpListener> {
    const server = createServer({ allowHalfOpen: true });
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        if (address === null || typeof address === "string") throw new Error("no TCP address");
        resolve(new TcpListener(server, address.port));
      });
    });
  }

  /** The connections, as they come. */
  async *[Symbol.asyncIterator](): AsyncIterator<TcpStream> {
    for (;;) {
      const next = this.#accepted.shift();
      if (next !== undefined) yield next;
      else if (this.#closed) return;
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /** Listens no more. */
  close(): void {
    this.#closed = true;
    this.#server.close();
    this.#wake();
  }
}

/** Connects to a loopback port. */
export function connectTcp(port: number): Promise<TcpStream> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true }, () => {
      socket.off("error", reject);
      resolve(new TcpStream(socket));
    });
    socket.once("error", reject);
  });
}
