/**
 * A broker that does only what a test tells it to.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import mqttPacket, { type IConnackPacket, type Packet } from "mqtt-packet";
import { until } from "./harness.ts";

/** A packet of one kind. */
export type PacketOf<C extends Packet["cmd"]> = Extract<Packet, { cmd: C }>;

/** Listens on a loopback port. */
export class Peer implements AsyncDisposable {
  readonly #server: Server;
  readonly #waiting: PeerConnection[] = [];
  readonly #all: PeerConnection[] = [];

  private constructor(server: Server, protocolVersion: number) {
    this.#server = server;
    server.on("connection", (socket) => {
      const connection = new PeerConnection(socket, protocolVersion);
      this.#waiting.push(connection);
      this.#all.push(connection);
    });
  }

  /** Starts listening. */
  static async listen(protocolVersion: 3 | 4 | 5 = 4): Promise<Peer> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Peer(server, protocolVersion);
  }

  /** Its port. */
  get port(): number {
    const address = this.#server.address();
    assert.ok(address !== null && typeof address === "object");
    return address.port;
  }

  /** How many connections were made. */
  get connections(): number {
    return this.#all.length;
  }

  /** The next connection. */
  async accept(): Promise<PeerConnection> {
    return await until("a connection", () => this.#waiting.shift());
  }

  /** The next connection, after CONNECT and CONNACK. */
  async welcome(connack: Partial<IConnackPacket> = {}): Promise<PeerConnection> {
    const connection = await this.accept();
    await connection.read("connect");
    connection.accept(connack);
    return connection;
  }

  /** Ends all connections and listens no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#all) connection.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** One connection from the client under test. */
export class PeerConnection {
  /** All packets that have come, in order. */
  readonly packets: Packet[] = [];
  /** The socket. */
  readonly socket: Socket;
  readonly #protocolVersion: number;
  #next = 0;
  /** Whether the client has ended it. */
  isEnded = false;
  /** Whether this side stays open when the client has ended its own. */
  lingers = false;

  /** Reads what comes. */
  constructor(socket: Socket, protocolVersion: number) {
    this.socket = socket;
    this.#protocolVersion = protocolVersion;
    const parser = mqttPacket.parser({ protocolVersion });
    parser.on("packet", (packet: Packet) => this.packets.push(packet));
    parser.on("error", () => {});
    socket.on("data", (chunk: Buffer) => void parser.parse(chunk));
    socket.on("error", () => {});
    socket.on("close", () => this.isEnded = true);
    socket.on("end", () => {
      this.isEnded = true;
      if (!this.lingers) socket.end();
    });
  }

  /** The next packet that was not read yet; it must be of this kind. */
  async read<C extends Packet["cmd"]>(cmd: C): Promise<PacketOf<C>> {
    const packet = await until(`a packet ${cmd}`, () => this.packets[this.#next]);
    this.#next++;
    assert.equal(packet.cmd, cmd);
    return packet as PacketOf<C>;
  }

  /** Sends a packet. */
  send(packet: Packet): void {
    this.socket.write(
      mqttPacket.generate(packet, { protocolVersion: this.#protocolVersion }),
    );
  }

  /** Sends CONNACK. */
  accept(connack: Partial<IConnackPacket> = {}): void {
    this.send({ cmd: "connack", sessionPresent: false, returnCode: 0, reasonCode: 0, ...connack });
  }

  /** Waits until everything that the client had to say has come: it answers a QoS 1 message. */
  async settled(messageId = 65_000): Promise<void> {
    const before = this.packets.length;
    this.send(publish({ topic: "settled", messageId }));
    await until(
      "the answer to a message",
      () =>
        this.packets.slice(before).find((packet) =>
          packet.cmd === "puback" && packet.messageId === messageId
        ),
    );
  }

  /** Waits until the client has ended it. */
  async ended(): Promise<void> {
    await until("the end of the connection", () => this.isEnded);
  }

  /** Ends it at once. */
  destroy(): void {
    this.socket.destroy();
  }
}

/** A PUBLISH packet, QoS 1 if nothing else is said. */
export function publish(
  changed: Partial<PacketOf<"publish">> & { topic: string },
): PacketOf<"publish"> {
  return { cmd: "publish", payload: "x", qos: 1, dup: false, retain: false, ...changed };
}
