/**
 * One connection to a broker, from CONNECT to its end. It is made once and never again: the
 * lasting part is `connection.ts`.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import mqtt, { type IClientOptions, type IConnackPacket, type IStore, type Packet } from "mqtt";
import type { Message } from "../queue/event_queue.ts";
import { type BrokerFailure, describeFailure } from "./errors.ts";
import { asBuffer, type InFlightStore } from "./in_flight.ts";
import type { BrokerOptions, Will } from "./options.ts";
import { SocketLedger } from "./socket_ledger.ts";
import type { BrokerAddress } from "./srv.ts";
import { openStream } from "./stream.ts";

/** A message that the broker delivered. */
export interface Incoming {
  /** Topic name. */
  readonly topic: string;
  /** Payload. */
  readonly payload: Uint8Array;
  /** Quality of Service of the delivery. */
  readonly qos: 0 | 1 | 2;
  /** RETAIN flag: the broker had stored it. With MQTT 5, also that it was published to be stored. */
  readonly retained: boolean;
  /** DUP flag. */
  readonly dup: boolean;
  /** Packet identifier; 0 at QoS 0. */
  readonly messageId: number;
}

/** What MQTT remembers between the connections of one session. */
export interface SessionStores {
  /** Messages on their way to the broker. */
  readonly outgoing: InFlightStore;
  /** QoS 2 messages from the broker that it has not released yet: a store of MQTT.js's own. */
  readonly incoming: object;
}

/** What the broker takes, as it said in CONNACK. */
export interface Welcome {
  /** QoS 1 and 2 messages that it takes at once. */
  readonly receiveMaximum: number;
  /** The highest QoS that it takes. */
  readonly maximumQos: 0 | 1 | 2;
  /** The longest packet that it takes, in bytes. */
  readonly maximumPacketSize: number;
}

/** What a session tells its owner. */
export interface SessionHandlers {
  /** CONNACK came; messages may follow at once. */
  accepted(sessionPresent: boolean): void;
  /** What was in flight before is delivered; new messages may be published. */
  connected(welcome: Welcome): void;
  /** A message came. It is acknowledged when this returns. */
  message(incoming: Incoming): void;
  /** The socket takes more. */
  drained(): void;
  /** It is over; told once, and nothing follows. */
  closed(failure: BrokerFailure): void;
}

/** TCP, TLS and CONNACK together may take this long. */
const CONNECT_TIMEOUT_MS = 10_000;
/** An orderly end waits this long for the broker. */
const END_TIMEOUT_MS = 2_000;

const PROTOCOLS = {
  V31: { protocolId: "MQIsdp", protocolVersion: 3 },
  V311: { protocolId: "MQTT", protocolVersion: 4 },
  V5: { protocolId: "MQTT", protocolVersion: 5 },
} as const satisfies Record<string, Pick<IClientOptions, "protocolId" | "protocolVersion">>;

/** A connection to a broker. */
export class MqttSession {
  readonly #options: BrokerOptions;
  readonly #store: InFlightStore;
  readonly #handlers: SessionHandlers;
  readonly #stream: Socket;
  readonly #client: mqtt.MqttClient;
  readonly #ledger: SocketLedger;
  #failure: BrokerFailure | undefined;
  #ending: (() => void) | undefined;
  #closed = false;

  /**
   * Starts connecting.
   *
   * @throws {RefusedSettingError} if TLS cannot be had as it is asked for.
   */
  constructor(
    address: BrokerAddress,
    options: BrokerOptions,
    { outgoing, incoming }: SessionStores,
    handlers: SessionHandlers,
  ) {
    this.#options = options;
    this.#store = outgoing;
    this.#handlers = handlers;
    this.#stream = openStream(address, options);
    this.#ledger = new SocketLedger(this.#stream);
    // MQTT.js keeps quiet about errors that have no code.
    this.#stream.on("error", (error) => this.#failed(error));
    this.#stream.on("drain", () => {
      if (!this.#closed) this.#handlers.drained();
    });
    this.#client = new mqtt.MqttClient(() => this.#stream, {
      ...clientOptions(options),
      outgoingStore: outgoing as unknown as IStore,
      incomingStore: incoming as IStore,
    });
    this.#client.on("error", (error) => {
      this.#failed(error);
      // MQTT.js leaves the stream open after some errors, such as an unreadable packet.
      this.#stream.destroy();
    });
    this.#client.on("disconnect", ({ reasonCode = 0 }) => {
      this.#failed(new Error(`the broker ended the connection with reason code ${reasonCode}`));
    });
    this.#client.on("packetreceive", (packet) => this.#inspect(packet));
    this.#client.on("connect", (connack) => {
      if (!this.#closed) this.#handlers.connected(welcomeOf(connack));
    });
    this.#client.on("message", (topic, payload, { qos, retain, dup, messageId = 0 }) => {
      if (this.#closed) return;
      this.#handlers.message({ topic, payload, qos, retained: retain, dup, messageId });
    });
    this.#client.on("close", () => this.#close());
  }

  /** Whether {@linkcode end} was called. */
  get isEnding(): boolean {
    return this.#ending !== undefined;
  }

  /** Whether the socket takes no more at present; `drained` follows. */
  get congested(): boolean {
    return this.#stream.writableNeedDrain;
  }

  /** Whether QoS 0 messages wait for the socket to take them. */
  get hasUnsettled(): boolean {
    return !this.#ledger.isEmpty;
  }

  /** Publishes a message at a QoS that the broker takes. */
  publish(message: Message, qos: 0 | 1 | 2): void {
    const { topic, payload, retain } = message;
    const send = () => this.#client.publish(topic, asBuffer(payload), { qos, retain });
    if (qos === 0) {
      send();
      this.#ledger.add(message);
    } else {
      this.#store.track(message, send);
    }
  }

  /** Ends a batch of `publish`. */
  flush(): void {
    this.#ledger.seal();
  }

  /** The QoS 0 messages that the socket has taken since the last call. */
  settle(): Message[] {
    return this.#ledger.settle();
  }

  /** After the end: the QoS 0 messages that the socket never took. */
  unsettled(): Message[] {
    return this.#ledger.rest();
  }

  /** Subscribes, and returns why the broker refused it, if it did. */
  subscribe(filter: string, qos: 0 | 1 | 2): Promise<string | undefined> {
    return new Promise((resolve) => {
      // Stored messages are not wanted (MQTT 5: retain handling 2), and those published to be
      // stored are to be told from others (retain as published).
      this.#client.subscribe(filter, { qos, rh: 2, rap: true }, (error) => {
        resolve(error === null || error === undefined ? undefined : error.message);
      });
    });
  }

  /** Ends a subscription. */
  unsubscribe(filter: string): Promise<void> {
    return new Promise((resolve) => this.#client.unsubscribe(filter, () => resolve()));
  }

  /**
   * Ends the connection in order. The will is published first: a broker keeps it to itself after
   * DISCONNECT, but mod_mosquitto promises it for every end.
   */
  async end(): Promise<void> {
    if (this.#closed) return;
    const ended = new Promise<void>((resolve) => {
      this.#ending = resolve;
    });
    const timer = setTimeout(() => this.destroy(), END_TIMEOUT_MS);
    if (this.#client.connected && this.#store.size === 0) {
      const { will } = this.#options;
      if (will !== undefined) await this.#publishWill(will);
      this.#client.end(false);
    } else {
      this.destroy();
    }
    await ended;
    clearTimeout(timer);
  }

  /** Ends the connection at once. The broker publishes the will. */
  destroy(): void {
    this.#stream.destroy();
  }

  async #publishWill({ topic, payload, qos, retain }: Will): Promise<void> {
    const published = new Promise<void>((resolve) => {
      this.#client.publish(topic, payload, { qos, retain }, () => resolve());
    });
    const closed = new Promise<void>((resolve) => this.#stream.once("close", () => resolve()));
    await Promise.race([published, closed]);
  }

  #inspect(packet: Packet): void {
    switch (packet.cmd) {
      case "connack":
        this.#store.sessionPresent = packet.sessionPresent;
        this.#handlers.accepted(packet.sessionPresent);
        return;
      case "puback":
      case "pubrec":
      case "pubcomp":
        if ((packet.reasonCode ?? 0) >= 0x80) this.#store.markRefused(packet.messageId ?? 0);
    }
  }

  #failed(error: Error): void {
    this.#failure ??= describeFailure(error);
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#failure ??= { reason: "the broker closed the connection", refused: false };
    this.#handlers.closed(this.#failure);
    this.#ending?.();
  }
}

function clientOptions(options: BrokerOptions): IClientOptions {
  const { username, password, will } = options;
  return {
    ...PROTOCOLS[options.protocolVersion],
    clientId: options.clientId,
    clean: options.cleanSession,
    keepalive: options.keepalive,
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    timerVariant: "native",
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: password.reveal() }),
    ...(will === undefined ? {} : { will: { ...will, payload: willPayload(will) } }),
    ...(options.protocolVersion === "V5" ? { properties: sessionProperties(options) } : {}),
  };
}

function willPayload({ payload }: Will): Buffer {
  return Buffer.from(payload);
}

/** MQTT 5 ends a session with its connection unless it is told how long to keep it. */
function sessionProperties({ cleanSession, receiveMaximum }: BrokerOptions) {
  return { receiveMaximum, sessionExpiryInterval: cleanSession ? 0 : 0xffff_ffff };
}

function welcomeOf(connack: IConnackPacket): Welcome {
  const { receiveMaximum, maximumQoS, maximumPacketSize } = connack.properties ?? {};
  return {
    receiveMaximum: receiveMaximum ?? 65_535,
    maximumQos: maximumQoS === 0 || maximumQoS === 1 ? maximumQoS : 2,
    maximumPacketSize: maximumPacketSize ?? Number.MAX_SAFE_INTEGER,
  };
}
