/**
 * An MQTT broker in this process, for the demo and for machines without one.
 *
 * @module
 */

import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { Aedes } from "aedes";

/** A broker on a port of the loopback address. It takes anybody, and keeps nothing. */
export class EmbeddedBroker implements AsyncDisposable {
  readonly #aedes: Aedes;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(aedes: Aedes) {
    this.#aedes = aedes;
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.setNoDelay(true);
      aedes.handle(socket);
    });
  }

  /** Starts a broker; port 0 takes any that is free. */
  static async start(port = 0): Promise<EmbeddedBroker> {
    const broker = new EmbeddedBroker(await Aedes.createBroker());
    await new Promise<void>((resolve, reject) => {
      broker.#server.once("error", reject);
      broker.#server.listen(port, "127.0.0.1", resolve);
    });
    return broker;
  }

  /** Its port. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends all connections and stops. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    await new Promise<void>((resolve) => this.#aedes.close(resolve));
  }
}
