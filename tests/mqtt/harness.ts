/**
 * A broker connection under test with its queue, its log and what it received.
 *
 * @module
 */

import assert from "node:assert/strict";
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from "mqtt";
import { type Clock, systemClock } from "../../lib/clock.ts";
import type { LogLevel } from "../../lib/log/levels.ts";
import { Logger } from "../../lib/log/logger.ts";
import {
  BrokerConnection,
  type BrokerConnectionDeps,
  type BrokerState,
  type ReceivedMessage,
} from "../../lib/mqtt/connection.ts";
import type { BrokerOptions } from "../../lib/mqtt/options.ts";
import type { Message } from "../../lib/mqtt/outbox.ts";
import { ReplyBox } from "../../lib/mqtt/replies.ts";
import { EventQueue, type QueueLimits } from "../../lib/queue/event_queue.ts";

/** All versions of MQTT. */
export const VERSIONS = ["V31", "V311", "V5"] as const;
/** All Qualities of Service. */
export const ALL_QOS = [0, 1, 2] as const;

/** Long enough for a machine under load, short enough to be told of what hangs. */
const PATIENCE_MS = 15_000;

/** Waits until `look` finds what is wanted. */
export async function until<T>(what: string, look: () => T | undefined | false): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** The options of a connection to a broker on this machine. */
export function options(port: number, changed: Partial<BrokerOptions> = {}): BrokerOptions {
  return {
    host: "127.0.0.1",
    port,
    srv: false,
    protocolVersion: "V311",
    keepalive: 60,
    clientId: `t-${crypto.randomUUID().slice(0, 18)}`,
    cleanSession: true,
    sendMaximum: 20,
    receiveMaximum: 20,
    retries: 0,
    reconnectDelay: 0.02,
    reconnectDelayMax: 0.05,
    reconnectExponentialBackoff: true,
    ...changed,
  };
}

/** A message to publish. */
export function message(
  topic: string,
  payload: string | Uint8Array<ArrayBuffer>,
  { qos = 1, retain = false }: { qos?: 0 | 1 | 2; retain?: boolean } = {},
): Message {
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  return { topic, payload: bytes, qos, retain, counter: { name: "pub/topic", messages: 0 } };
}

/** The numbers from `first` to `last`, as the payloads of tests. */
export function numbers(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => String(first + index));
}

/** Text of a payload. */
export function text(payload: Uint8Array): string {
  return new TextDecoder().decode(payload);
}

/** What of a rig a test may choose. */
export type RigOptions =
  & {
    readonly limits?: QueueLimits;
    readonly queue?: EventQueue;
    readonly clock?: Clock;
    readonly replies?: ReplyBox;
    readonly level?: LogLevel;
    readonly onReceived?: (message: ReceivedMessage) => void;
  }
  & Pick<BrokerConnectionDeps, "random" | "resolveSrv">;

/** A broker connection with all that belongs to it. */
export class Rig implements AsyncDisposable {
  /** Its queue and books. */
  readonly queue: EventQueue;
  /** Its replies. */
  readonly replies: ReplyBox;
  /** Its log, line by line, without the time. */
  readonly log: string[] = [];
  /** What it received. */
  readonly received: ReceivedMessage[] = [];
  /** The connection. */
  readonly connection: BrokerConnection;

  /** Makes a connection that is not begun. */
  constructor(brokerOptions: BrokerOptions, chosen: RigOptions = {}) {
    const { limits = { messages: 5_000, bytes: 64 * 2 ** 20 }, clock = systemClock } = chosen;
    const sink = { write: (line: string) => void this.log.push(line.slice(line.indexOf("["))) };
    const settings = { level: chosen.level ?? "info", details: false, sinks: [sink] };
    const log = new Logger(settings, clock);
    this.queue = chosen.queue ?? new EventQueue({ limits }, { clock, log });
    this.replies = chosen.replies ?? new ReplyBox(clock);
    this.connection = new BrokerConnection(brokerOptions, {
      ...chosen,
      queue: this.queue,
      replies: this.replies,
      log,
      clock,
      received: (received) => {
        this.received.push(received);
        chosen.onReceived?.(received);
      },
    });
  }

  /** Offers messages with these payloads. */
  offer(topic: string, payloads: readonly string[], qos: 0 | 1 | 2 = 1): void {
    for (const payload of payloads) this.queue.offer(message(topic, payload, { qos }));
    this.assertBalance();
  }

  /** Waits for a state. */
  async state<S extends BrokerState["state"]>(
    state: S,
  ): Promise<Extract<BrokerState, { state: S }> | BrokerState> {
    return await this.until(`the state ${state}`, () => {
      const current = this.connection.state;
      return current.state === state && current;
    });
  }

  /** Waits for a state that has a reason, and returns the reason. */
  async reason(state: "waiting" | "refused"): Promise<string> {
    return await this.until(`the state ${state}`, () => {
      const current = this.connection.state;
      return current.state === state && "reason" in current && current.reason;
    });
  }

  /** Waits until so many messages are acknowledged. */
  async acknowledged(count: number): Promise<void> {
    await this.until(`${count} acknowledged`, () => this.queue.books.acknowledged >= count);
  }

  /** Waits, and sees that the books balance all the time. */
  async until<T>(what: string, look: () => T | undefined | false): Promise<T> {
    return await until(
      `${what}; ${JSON.stringify(this.queue.books)} ${this.log.join("\n")}`,
      () => {
        this.assertBalance();
        return look();
      },
    );
  }

  /** Sees that the books balance at this moment. */
  assertBalance(): void {
    const { offered, acknowledged, inFlight, queued, dropped } = this.queue.books;
    const gone = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    assert.equal(offered, acknowledged + inFlight + queued + gone);
    assert.ok(inFlight >= 0);
  }

  /** The lines of the log that contain a text. */
  logged(part: string): string[] {
    return this.log.filter((line) => line.includes(part));
  }

  /** Closes the connection, after which nothing may be in flight. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close();
    assert.equal(this.queue.books.inFlight, 0);
    this.assertBalance();
  }
}

/** A message that a witness has received. */
export interface Witnessed {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: number;
  readonly retain: boolean;
  /** What MQTT 5 says of it. */
  readonly properties: IPublishPacket["properties"];
}

/** A client of another make that subscribes to everything and keeps it. */
export class Witness implements AsyncDisposable {
  /** What it received, in order. */
  readonly received: Witnessed[] = [];
  /** The client itself. */
  readonly client: MqttClient;

  private constructor(client: MqttClient) {
    this.client = client;
    client.on("message", (topic, payload, { qos, retain, properties }) => {
      this.received.push({ topic, payload, qos, retain, properties });
    });
    // It connects again, which is all that is to be done about an error.
    client.on("error", () => {});
  }

  /** Subscribes at QoS 2. */
  static async start(port: number, chosen: IClientOptions = {}): Promise<Witness> {
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
      reconnectPeriod: 20,
      ...chosen,
    });
    const witness = new Witness(client);
    await client.subscribeAsync("#", { qos: 2 });
    return witness;
  }

  /** A witness whose session the broker keeps, so that it misses nothing. */
  static async lasting(port: number): Promise<Witness> {
    return await Witness.start(port, { clientId: "witness", clean: false });
  }

  /** The payloads received on a topic, as text. */
  payloads(topic: string): string[] {
    return this.received.filter((one) => one.topic === topic).map(({ payload }) => text(payload));
  }

  /** Waits until so many messages have come on a topic. */
  async count(topic: string, count: number): Promise<string[]> {
    return await until(`${count} on ${topic}, have ${this.payloads(topic).length}`, () => {
      const payloads = this.payloads(topic);
      return payloads.length >= count && payloads;
    });
  }

  /** Waits until a payload has come on a topic. */
  async payload(topic: string, payload: string): Promise<string[]> {
    return await until(`"${payload}" on ${topic}`, () => {
      const payloads = this.payloads(topic);
      return payloads.includes(payload) && payloads;
    });
  }

  /**
   * Waits until everything that the broker was sent before has been received: what this publishes
   * comes behind it.
   */
  async caughtUp(): Promise<void> {
    const mark = crypto.randomUUID();
    await this.client.publishAsync("witness/mark", mark, { qos: 2 });
    await this.payload("witness/mark", mark);
  }

  /** Ends the client. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.endAsync(true);
  }
}
