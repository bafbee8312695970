/**
 * One way from the agent to a subscriber: a connection, its link to the broker, and its ledger.
 *
 * @module
 */

import { param } from "../e2e/setup.ts";
import type { TestBroker } from "../support/broker.ts";
import { Ledger } from "./ledger.ts";
import { FaultProxy } from "./proxy.ts";
import { CALL_EVENTS } from "./source.ts";

/** A quality of service. */
export type Qos = 0 | 1 | 2;

/** What a lane is to be. */
export interface LaneOptions {
  /** Its name: that of its connection and publisher topic too. */
  readonly name: string;
  /** Quality of Service of its messages. */
  readonly qos: Qos;
  /** Which broker it goes to, by its place. @default {0} */
  readonly broker?: number;
  /** Parameters of its connection beside the usual ones. @default {[]} */
  readonly connection?: readonly string[];
  /** Whether a {@linkcode FaultProxy} stands before the broker. @default {false} */
  readonly proxied?: boolean;
}

/** The usual parameters: nothing but an end in order lets the broker or the agent forget. */
const USUAL: Readonly<Record<string, string | number | boolean>> = {
  clean_session: false,
  reconnect_delay_max: 1,
  // What a breaker does has its own tests.
  breaker_failures: 0,
  breaker_high_seconds: 0,
};

/** A lane, ready to be configured. */
export class Lane {
  readonly #options: LaneOptions;
  /** What was fired, and what the subscriber received. */
  readonly ledger: Ledger = new Ledger();
  /** The broker that it goes to. */
  readonly broker: TestBroker;
  /** What stands before the broker. */
  readonly #proxy: FaultProxy | undefined;

  private constructor(options: LaneOptions, broker: TestBroker, proxy: FaultProxy | undefined) {
    this.#options = options;
    this.broker = broker;
    this.#proxy = proxy;
  }

  /** Makes a lane to one of the brokers. */
  static async make(options: LaneOptions, brokers: readonly TestBroker[]): Promise<Lane> {
    const broker = brokers[options.broker ?? 0];
    if (broker === undefined) throw new RangeError(`no broker ${options.broker}`);
    const proxy = options.proxied === true ? await FaultProxy.start(broker.port) : undefined;
    return new Lane(options, broker, proxy);
  }

  /** Its name. */
  get name(): string {
    return this.#options.name;
  }

  /** Its Quality of Service. */
  get qos(): Qos {
    return this.#options.qos;
  }

  /** The topic that it publishes to. */
  get topic(): string {
    return `pbx/${this.name}`;
  }

  /** What stands before the broker. */
  get proxy(): FaultProxy {
    if (this.#proxy === undefined) throw new Error(`the lane ${this.name} has no proxy`);
    return this.#proxy;
  }

  /** Its `<connection>`. */
  get connectionXml(): string {
    const usual = Object.entries({
      host: "127.0.0.1",
      port: this.#proxy?.port ?? this.broker.port,
      client_id: `agent-${this.name}`,
      ...USUAL,
    }).filter(([name]) => !this.#options.connection?.some((own) => own.includes(`"${name}"`)));
    const params = usual.map(([name, value]) => param(name, value));
    const all = [...params, ...this.#options.connection ?? []].join("\n");
    return `<connection name="${this.name}">${all}</connection>`;
  }

  /** Its publisher's `<topic>`. */
  get topicXml(): string {
    return `<topic name="${this.name}">${
      [
        param("connection_name", this.name),
        ...CALL_EVENTS.map((name) => param("event", name)),
        param("pattern", this.topic),
        param("qos", this.qos),
      ].join("\n")
    }</topic>`;
  }

  /** Ends what stands before the broker. */
  async close(): Promise<void> {
    await this.#proxy?.[Symbol.asyncDispose]();
  }
}
