/**
 * One connection to a broker, from CONNECT to its end. It is made once and never again: the
 * lasting part is `connection.ts`.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import mqtt, { type IClientOptions, type IConnackPacket, type IStore, type Packet } from "mqtt";
import { systemClock } from "../clock.ts";
import { Batches } from "./batches.ts";
import { type BrokerFailure, describeFailure } from "./errors.ts";
import { asBuffer } from "./in_flight.ts";
import { keepaliveTimer } from "./keepalive_timer.ts";
import type { BrokerOptions, Will } from "./options.ts";
import type { Message, Unwritten } from "./outbox.ts";
import { PacketIds } from "./packet_ids.ts";
import {
  limitPackets,
  type LongMessage,
  longMessage,
  MAX_RECEIVED_BYTES,
  type PacketLimit,
} from "./packet_limit.ts";
import { type RequestProperties, requestProperties } from "./properties.ts";
import { ReplyBox, type Sending, SentReplies } from "./replies.ts";
import type { SessionMemory } from "./session_memory.ts";
import type { BrokerAddress } from "./srv.ts";
import { type BrokerStream, openStream } from "./stream.ts";

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
  /** What MQTT 5 says of it as a request; nothing if that is malformed. */
  readonly request: RequestProperties | undefined;
}

/** What the broker takes, as it said in CONNACK. */
export interface Welcome {
  /** QoS 1 and 2 messages that it takes at once. */
  readonly receiveMaximum: number;
  /** The highest QoS that it takes. */
  readonly maximumQos: 0 | 1 | 2;
  /** The longest packet that it takes, in bytes. */
  readonly maximumPacketSize: number;
  /** Whether it stores messages. */
  readonly retainAvailable: boolean;
}

/** What TLS was agreed on. */
export interface TlsSession {
  /** The version, such as `TLSv1.3`. */
  readonly version: string;
  /** The cipher by OpenSSL's name. */
  readonly cipher: string;
}

/** What a session tells its owner. */
export interface SessionHandlers {
  /** CONNACK came; messages may follow at once. Says whether the broker still has the session. */
  accepted(isResumed: boolean): void;
  /** What was in flight before is delivered; new messages may be published. */
  connected(welcome: Welcome): void;
  /** A message came. It is acknowledged when this returns. */
  message(incoming: Incoming): void;
  /** A message came that is too long to be taken. It is acknowledged as any other. */
  tooLong(message: LongMessage): void;
  /** The socket takes more. */
  drained(): void;
  /** The socket has taken some of what was published at QoS 0. */
  settled(): void;
  /** It is over; told once, and nothing follows. */
  closed(failure: BrokerFailure): void;
}

/** TCP, TLS and CONNACK together may take this long. */
const CONNECT_TIMEOUT_MS = 10_000;
/** An orderly end waits this long for the broker. */
const END_TIMEOUT_MS = 2_000;
/** The same two bytes in all versions of MQTT. */
const DISCONNECT = Uint8Array.of(0xe0, 0);
/** PUBREL's first byte (MQTT 5.0, section 3.6.1). */
const PUBREL = 0x62;
/** MQTT.js copies a payload to store it. What is stored already stands behind this. */
const STORED = Buffer.alloc(0);
/** With so many bytes waiting for the socket, nothing more is written. */
const CONGESTED_BYTES = 256 * 1024;
/** Packet identifiers that may be in use beside those of the window: subscriptions and the will. */
const SPARE_IDS = 200;

const PROTOCOLS = {
  V31: { protocolId: "MQIsdp", protocolVersion: 3 },
  V311: { protocolId: "MQTT", protocolVersion: 4 },
  V5: { protocolId: "MQTT", protocolVersion: 5 },
} as const satisfies Record<string, Pick<IClientOptions, "protocolId" | "protocolVersion">>;

/** Why a broker refuses a message that it may take later (MQTT 5.0, section 3.4.2.1). */
export const QUOTA_EXCEEDED: string = reasonText(0x97);

/** A connection to a broker. */
export class MqttSession {
  readonly #options: BrokerOptions;
  readonly #memory: SessionMemory;
  readonly #handlers: SessionHandlers;
  readonly #address: BrokerAddress;
  readonly #stream: BrokerStream["stream"];
  readonly #tls: BrokerStream["tls"];
  /** Between the stream and MQTT.js's parser. */
  readonly #limit: PacketLimit;
  readonly #client: mqtt.MqttClient;
  readonly #batches: Batches;
  readonly #replies: SentReplies;
  #isReached = false;
  #isAccepted = false;
  #retainAvailable = true;
  #released: Promise<void> | undefined;
  #failure: BrokerFailure | undefined;
  /** Settles when {@linkcode #failure} is as good as it gets. */
  #explained: Promise<void> | undefined;
  #ended: Promise<void> | undefined;
  #closed = false;

  /**
   * Starts connecting.
   *
   * @throws {TlsRefusal} if TLS cannot be had as it is asked for.
   */
  constructor(
    address: BrokerAddress,
    options: BrokerOptions,
    memory: SessionMemory,
    handlers: SessionHandlers,
    replies: ReplyBox = new ReplyBox(systemClock),
  ) {
    this.#options = options;
    this.#memory = memory;
    this.#handlers = handlers;
    this.#address = address;
    const { stream, tls } = openStream(address, options);
    this.#stream = stream;
    this.#tls = tls;
    const isV5 = options.protocolVersion === "V5";
    // Deno's TLS would go on reading from a broker that has said goodbye.
    tls?.stream.once("end", () => stream.destroy());
    this.#limit = limitPackets(stream, isV5);
    this.#limit.on("error", ({ message }) => this.destroy(message));
    this.#batches = new Batches(stream, isV5, () => this.#handlers.settled());
    this.#replies = new SentReplies(replies, this.#stream);
    this.#stream.once("connect", () => this.#isReached = true);
    // MQTT.js keeps quiet about errors that have no code.
    this.#stream.on("error", (error) => this.#failed(error));
    this.#stream.on("drain", () => {
      if (!this.#closed) this.#handlers.drained();
    });
    this.#client = new mqtt.MqttClient(() => this.#stream, {
      ...clientOptions(options),
      outgoingStore: memory.outgoing as unknown as IStore,
      incomingStore: memory.incoming as unknown as IStore,
      messageIdProvider: new PacketIds(),
    });
    this.#client.on("error", (error) => {
      this.#failed(error);
      // MQTT.js leaves the stream open after some errors, such as an unreadable packet.
      this.#stream.destroy();
    });
    this.#client.on("disconnect", ({ reasonCode = 0 }) => {
      this.destroy(`the broker ended the connection: ${reasonText(reasonCode)}`);
    });
    this.#client.on("packetsend", (packet) => this.#fill(packet));
    this.#client.on("packetreceive", (packet) => this.#inspect(packet));
    this.#client.on("connect", async (connack) => {
      await this.#released;
      if (this.#closed) return;
      const welcome = welcomeOf(connack);
      this.#retainAvailable = welcome.retainAvailable;
      this.#handlers.connected(welcome);
    });
    this.#client.on("message", (topic, payload, packet) => {
      if (topic === "") {
        this.#handlers.tooLong(longMessage(payload));
        return;
      }
      const { qos, retain: retained, dup, messageId = 0 } = packet;
      const request = requestProperties({ ...packet.properties });
      this.#handlers.message({ topic, payload, qos, retained, dup, messageId, request });
    });
    this.#client.on("close", () => this.#close());
  }

  /** Whether CONNACK has come. */
  get isAccepted(): boolean {
    return this.#isAccepted;
  }

  /** What TLS was agreed on, once it was. */
  get tlsSession(): TlsSession | undefined {
    const stream = this.#tls?.stream;
    const version = stream?.getProtocol() ?? undefined;
    return stream === undefined || version === undefined
      ? undefined
      : { version, cipher: stream.getCipher().name };
  }

  /** Tells whether the files that TLS was begun with have changed since. */
  get tlsFilesDigest(): string | undefined {
    return this.#tls?.filesDigest;
  }

  /** Whether {@linkcode end} was called. */
  get isEnding(): boolean {
    return this.#ended !== undefined;
  }

  /** Whether the socket takes no more at present; `drained` or `closed` follows. */
  get congested(): boolean {
    return !this.#stream.writable || this.#stream.writableLength >= CONGESTED_BYTES;
  }

  /** Whether replies of QoS 0 wait for the socket to take them. */
  get hasUnsettled(): boolean {
    return this.#replies.hasUnsettled;
  }

  /** QoS 1 and 2 messages on their way to the broker. */
  get inFlight(): number {
    return this.#memory.outgoing.size + this.#replies.unacknowledged;
  }

  /** Publishes a message at a QoS that the broker takes. Returns whether it did: MQTT.js does not always. */
  publish(message: Message, qos: 0 | 1 | 2): boolean {
    const retain = message.retain && this.#retainAvailable;
    if (qos === 0) {
      this.#batches.add(message, retain);
      return true;
    }
    return this.#memory.outgoing.track(message, () => {
      this.#client.publish(message.topic, STORED, { qos, retain });
    });
  }

  /** Publishes replies until `window` or the socket is full, or none waits. */
  sendReplies(welcome: Welcome, window: number): void {
    while (!this.congested) {
      const next = this.#replies.take(welcome, this.inFlight < window);
      if (next === undefined) return;
      this.#sendReply(next);
    }
  }

  #sendReply({ held, qos, properties }: Sending): void {
    const { topic, payload } = held.reply;
    // In MQTT.js's store they are untracked, as the will is.
    this.#client.publish(topic, asBuffer(payload), { qos, properties }, (error, answer) => {
      // The broker has not answered: the connection is at its end.
      if (qos === 0 || (error && answer === undefined)) return;
      this.#replies.acknowledged(held, refusalOf(answer));
    });
  }

  /** Publishes what is to be known of this connection, at QoS 0 and retained. */
  announce(topic: string, text: string): void {
    const options = { qos: 0, retain: this.#retainAvailable } as const;
    this.#client.publish(topic, Buffer.from(text), options);
  }

  /** Writes what was published, at once instead of at the end of the present task. */
  flush(): void {
    this.#batches.flush();
    this.#replies.flush();
  }

  /** Tells each QoS 0 message that the socket has taken since the last call; replies are settled too. */
  settle(taken: (message: Message) => void): void {
    if (this.#replies.hasUnsettled) {
      // Where one ends is known when it is written.
      this.#batches.flush();
      this.#replies.settle();
    }
    this.#batches.settle(taken);
  }

  /** After the end: the QoS 0 messages that the socket never took. */
  unsettled(): Unwritten[] {
    return this.#batches.rest();
  }

  /**
   * After the end: gives the replies back that may be lost.
   *
   * @param isBrokersWord Whether the broker ended the connection, which may be its answer to them.
   */
  closeReplies(isBrokersWord: boolean): void {
    this.#replies.close(isBrokersWord);
  }

  /** Subscribes, and returns why the broker refused it, if it did. */
  subscribe(filter: string, qos: 0 | 1 | 2): Promise<string | undefined> {
    return new Promise((resolve) => {
      // Stored messages are not wanted (MQTT 5: retain handling 2), and those published to be
      // stored are to be told from others (retain as published).
      this.#client.subscribe(filter, { qos, rh: 2, rap: true }, (error) => {
        resolve(error?.message.replace("Subscribe error: ", ""));
      });
    });
  }

  /** Ends a subscription. */
  unsubscribe(filter: string): Promise<void> {
    return new Promise((resolve) => this.#client.unsubscribe(filter, () => resolve()));
  }

  /**
   * Ends the connection in order: what is in flight is delivered, then the will is published,
   * which a broker keeps to itself after DISCONNECT, but mod_mosquitto promises for every end.
   * A broker that does not answer in time is left without DISCONNECT; it publishes the will itself.
   */
  end(): Promise<void> {
    return this.#ended ??= this.#end();
  }

  /**
   * Ends the connection at once. The broker publishes the will.
   *
   * @param reason Why, if there is no better reason yet.
   */
  destroy(reason?: string): void {
    if (reason !== undefined) this.#failed(new Error(reason));
    this.#stream.destroy();
  }

  async #end(): Promise<void> {
    if (this.#closed) return;
    const closed = new Promise<void>((resolve) => this.#client.once("close", () => resolve()));
    const timer = setTimeout(() => this.destroy(), END_TIMEOUT_MS);
    if (this.#client.connected) {
      // A full window has no room for the will.
      const emptied = Promise.all([this.#memory.outgoing.emptied(), this.#replies.emptied()]);
      await Promise.race([emptied, closed]);
      if (!this.#closed) await Promise.race([this.#publishWill(), closed]);
      this.#disconnect();
    } else {
      this.destroy();
    }
    await closed;
    clearTimeout(timer);
  }

  /** Resolves when DISCONNECT may follow: at QoS 2 the broker waits for PUBREL. */
  async #publishWill(): Promise<void> {
    const { will, offline } = this.#options;
    if (offline !== undefined) this.announce(offline.topic, offline.payload);
    if (will === undefined) return;
    const { topic, qos } = will;
    const retain = will.retain && this.#retainAvailable;
    const acknowledged = new Promise<void>((resolve) => {
      this.#client.publish(topic, willPayload(will), { qos, retain }, () => resolve());
    });
    if (qos === 2) await acknowledged;
  }

  /** MQTT.js would wait for the broker's answers first, and the will be published twice if none come. */
  #disconnect(): void {
    this.flush();
    // What comes now is not acknowledged any more.
    this.#limit.unpipe();
    this.#stream.unpipe();
    this.#stream.resume();
    this.#stream.end(DISCONNECT);
  }

  #fill(packet: Packet): void {
    if (packet.cmd !== "publish" || packet.payload !== STORED) return;
    const payload = this.#memory.outgoing.payloadOf(packet.messageId ?? 0);
    if (payload !== undefined) packet.payload = payload;
    else this.destroy("a message was lost on its way to MQTT.js");
  }

  #inspect(packet: Packet): void {
    const { outgoing } = this.#memory;
    switch (packet.cmd) {
      case "connack":
        this.#accepted(packet);
        return;
      case "puback":
      case "pubrec": {
        const refusal = refusalOf(packet);
        if (refusal !== undefined) outgoing.markRefused(packet.messageId ?? 0, refusal);
      }
    }
  }

  #accepted(connack: IConnackPacket): void {
    const { returnCode, reasonCode, sessionPresent } = connack;
    if ((returnCode ?? 0) !== 0 || (reasonCode ?? 0) !== 0) return;
    this.#isAccepted = true;
    const { protocolVersion, cleanSession } = this.#options;
    // A broker of MQTT 3.1 does not say.
    const isResumed = protocolVersion === "V31" ? !cleanSession : sessionPresent;
    this.#memory.outgoing.begin(isResumed, welcomeOf(connack));
    if (!isResumed) this.#memory.incoming.clear();
    if (isResumed && !this.#memory.isSessionKnown) this.#released = this.#releaseUnknown();
    else this.#memory.isSessionKnown = true;
    this.#handlers.accepted(isResumed);
  }

  /**
   * Releases the QoS 2 messages that another process began to send in this session, and whose PUBREL
   * it never sent. The broker would hold them for ever, take new ones of the same identifier for
   * repeated, and end the connection when it holds too many.
   *
   * Resolves when the broker has answered: until then an identifier cannot be used again, since a
   * PUBCOMP would be taken for that of the new message.
   */
  async #releaseUnknown(): Promise<void> {
    const { outgoing } = this.#memory;
    const count = Math.min(this.#options.sendMaximum + SPARE_IDS, 0xffff);
    // What is known to be under way is delivered as it should be.
    const unknown = Array.from({ length: count }, (_, i) => i + 1).filter((id) =>
      !outgoing.has(id)
    );
    const last = unknown.at(-1);
    if (last === undefined) {
      this.#memory.isSessionKnown = true;
      return;
    }
    const answered = new Promise<void>((resolve) => {
      this.#client.on("packetreceive", (packet) => {
        // After this task, when MQTT.js is done with it.
        if (packet.cmd !== "pubcomp" || packet.messageId !== last) return;
        this.#memory.isSessionKnown = true;
        setImmediate(resolve);
      });
      this.#client.once("close", () => resolve());
    });
    for (const id of unknown) {
      this.#stream.write(Uint8Array.of(PUBREL, 2, id >> 8, id & 0xff));
    }
    const timer = setTimeout(
      () => this.destroy("the broker does not answer PUBREL"),
      CONNECT_TIMEOUT_MS,
    );
    await answered;
    clearTimeout(timer);
  }

  #failed(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = this.#describe(error);
    this.#explained = this.#tls?.explain(error)?.then((explained) => {
      this.#failure = this.#describe(explained);
    });
  }

  #describe(error: Error): BrokerFailure {
    const { tls } = this.#options;
    return describeFailure(error, { host: this.#address.host, tls, isReached: this.#isReached });
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#explained !== undefined) await this.#explained;
    this.#failure ??= { reason: "the broker closed the connection", refused: false };
    this.#handlers.closed(this.#failure);
  }
}

function clientOptions(options: BrokerOptions): IClientOptions {
  const { username, password, will = options.offline } = options;
  return {
    ...PROTOCOLS[options.protocolVersion],
    clientId: options.clientId,
    clean: options.cleanSession,
    keepalive: options.keepalive,
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    timerVariant: keepaliveTimer(),
    // A buffer for each number up to 65,535 would be 7 MB of heap, and some 10 ms at the start.
    writeCache: false,
    // Its own would show passwords if the environment has DEBUG.
    log: () => {},
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
  return {
    receiveMaximum,
    sessionExpiryInterval: cleanSession ? 0 : 0xffff_ffff,
    // The broker drops what is longer (section 3.1.2.11.4).
    maximumPacketSize: MAX_RECEIVED_BYTES,
  };
}

function welcomeOf({ properties = {} }: IConnackPacket): Welcome {
  const { receiveMaximum, maximumQoS, maximumPacketSize, retainAvailable } = properties;
  return {
    receiveMaximum: receiveMaximum ?? 65_535,
    maximumQos: maximumQoS === 0 || maximumQoS === 1 ? maximumQoS : 2,
    maximumPacketSize: maximumPacketSize ?? Number.MAX_SAFE_INTEGER,
    retainAvailable: retainAvailable ?? true,
  };
}

/** Why the broker does not take what it answers to, if so. */
function refusalOf(answer: Packet | undefined): string | undefined {
  const code = answer !== undefined && "reasonCode" in answer ? answer.reasonCode ?? 0 : 0;
  return code < 0x80 ? undefined : reasonText(code);
}

function reasonText(code = 0): string {
  return mqtt.ReasonCodes[code as keyof typeof mqtt.ReasonCodes] || `reason code ${code}`;
}
