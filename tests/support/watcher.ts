/**
 * An MQTT client that keeps what it receives.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import mqtt, { type MqttClient } from "mqtt";
import { eventually } from "./agent_process.ts";

/** A received message. */
export interface Received {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
  /** Whether the broker has sent it to this client before; of its publisher it says nothing. */
  readonly dup: boolean;
  /** What its publisher's request was known by (MQTT 5). */
  readonly correlationData?: Uint8Array;
}

/** How a message is published. The properties are MQTT 5's. */
export interface PublishOptions {
  readonly qos?: 0 | 1 | 2;
  readonly retain?: boolean;
  /** Where an answer is asked for. */
  readonly responseTopic?: string;
  /** What the publisher knows its request by. */
  readonly correlationData?: Uint8Array;
  /** Seconds for which it is good. */
  readonly expirySeconds?: number;
}

/** A client subscribed to everything that matches a filter. It reconnects by itself. */
export class Watcher implements AsyncDisposable {
  readonly #client: MqttClient;
  readonly received: Received[] = [];

  private constructor(client: MqttClient, take?: (message: Received) => void) {
    this.#client = client;
    client.on("message", (topic, payload, { retain, dup, properties }) => {
      const { correlationData } = properties ?? {};
      const message = {
        topic,
        payload,
        retain,
        dup,
        ...(correlationData === undefined ? {} : { correlationData }),
      };
      if (take === undefined) this.received.push(message);
      else take(message);
    });
  }

  /**
   * Connects and subscribes at QoS 2; with a client id, as a session that the broker keeps.
   *
   * @param options With `take`, messages are given to it in place of being kept; with `isMqtt5` it
   * knows properties.
   */
  static async start(
    port: number,
    options: {
      filter?: string;
      clientId?: string;
      take?: (message: Received) => void;
      isMqtt5?: boolean;
    } = {},
  ): Promise<Watcher> {
    const { filter = "#", clientId, take, isMqtt5 = false } = options;
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
      reconnectPeriod: 50,
      protocolVersion: isMqtt5 ? 5 : 4,
      ...(clientId === undefined ? {} : { clientId, clean: false }),
    });
    // Errors end in a reconnect, which is all that is wanted.
    client.on("error", () => {});
    const watcher = new Watcher(client, take);
    await client.subscribeAsync(filter, { qos: 2 });
    return watcher;
  }

  /** Publishes a message. */
  async publish(
    topic: string,
    payload: string | Uint8Array,
    options: PublishOptions = {},
  ): Promise<void> {
    const { qos = 1, retain = false, responseTopic, correlationData, expirySeconds } = options;
    const body = typeof payload === "string" ? payload : Buffer.from(payload);
    await this.#client.publishAsync(topic, body, {
      qos,
      retain,
      properties: {
        ...(responseTopic === undefined ? {} : { responseTopic }),
        ...(correlationData === undefined ? {} : { correlationData: Buffer.from(correlationData) }),
        ...(expirySeconds === undefined ? {} : { messageExpiryInterval: expirySeconds }),
      },
    });
  }

  /** The messages received on a topic. */
  on(topic: string): Received[] {
    return this.received.filter((message) => message.topic === topic);
  }

  /** Waits until so many messages have come on a topic. */
  async count(topic: string, count: number): Promise<Received[]> {
    return await eventually(`${count} messages on ${topic}`, () => {
      const messages = this.on(topic);
      return messages.length >= count ? messages : undefined;
    });
  }

  /** Waits until a message that is wanted has come on a topic; gives all that have come there. */
  async until(
    topic: string,
    what: string,
    wanted: (payload: Uint8Array) => boolean,
  ): Promise<Received[]> {
    return await eventually(`${what} on ${topic}`, () => {
      const messages = this.on(topic);
      return messages.some(({ payload }) => wanted(payload)) ? messages : undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.endAsync(true);
  }
}
