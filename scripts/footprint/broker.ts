/**
 * A broker as far as a client needs one to be connected and idle, which knows when that was.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import mqttPacket, { type Packet } from "mqtt-packet";

/** Accepts every client and keeps nothing. */
export class BrokerStandIn implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #greeted = Promise.withResolvers<number>();

  private constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
  }

  /** Starts one on a free loopback port. */
  static async start(): Promise<BrokerStandIn> {
    const broker = new BrokerStandIn();
    broker.#server.listen(0, "127.0.0.1");
    await once(broker.#server, "listening");
    return broker;
  }

  /** Its port. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The time (`performance.now()`) at which the next CONNACK is sent. */
  greets(): Promise<number> {
    this.#greeted = Promise.withResolvers();
    return this.#greeted.promise;
  }

  /** Ends it and its connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, "close");
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    const parser = mqttPacket.parser();
    let protocolVersion = 4;
    parser.on("packet", (packet) => {
      if (packet.cmd === "connect") protocolVersion = packet.protocolVersion ?? protocolVersion;
      const answer = answerTo(packet);
      if (answer === undefined) return;
      socket.write(mqttPacket.generate(answer, { protocolVersion }));
      if (answer.cmd === "connack") this.#greeted.resolve(performance.now());
    });
    socket.on("data", (bytes: Buffer) => parser.parse(bytes));
    // A client that is killed resets its connection.
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
  }
}

function answerTo(packet: Packet): Packet | undefined {
  switch (packet.cmd) {
    case "connect":
      return { cmd: "connack", returnCode: 0, reasonCode: 0, sessionPresent: false };
    case "subscribe":
      return {
        cmd: "suback",
        messageId: packet.messageId ?? 0,
        granted: packet.subscriptions.map(({ qos }) => qos),
      };
    case "publish":
      return packet.qos === 0
        ? undefined
        : { cmd: packet.qos === 1 ? "puback" : "pubrec", messageId: packet.messageId ?? 0 };
    case "pubrel":
      return { cmd: "pubcomp", messageId: packet.messageId ?? 0 };
    case "pingreq":
      return { cmd: "pingresp" };
    default:
      return undefined;
  }
}
