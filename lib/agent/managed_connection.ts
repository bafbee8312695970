/**
 * A configured broker connection of the running agent: its queue, its commands, and the connection
 * itself once it can be made.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { CommandInbox, type CommandRunner, type CommandTopic } from "../commands/inbox.ts";
import type { ConnectionConfig } from "../config/config.ts";
import { equalValues } from "../config/equal.ts";
import type { SwitchNames } from "../events/template.ts";
import type { Logger } from "../log/logger.ts";
import { BrokerConnection, type BrokerState, type TlsRenewal } from "../mqtt/connection.ts";
import type { BrokerOptions } from "../mqtt/options.ts";
import type { Message } from "../mqtt/outbox.ts";
import { EventQueue, type QueueLimits } from "../queue/event_queue.ts";
import { brokerOptions } from "./broker_options.ts";

/** What a managed connection needs. */
export interface ManagedConnectionDeps {
  /** Its log. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
  /** Runs the commands that are permitted. */
  readonly run: CommandRunner;
  /** The random part of its client id, of this length, the same at every start. */
  readonly uniquePart: (length: number) => string;
}

/** One connection of one profile. */
export class ManagedConnection {
  readonly #deps: ManagedConnectionDeps;
  /** What it still has to publish, and its books. */
  readonly queue: EventQueue;
  readonly #inbox: CommandInbox;
  #config: ConnectionConfig;
  #options: BrokerOptions | undefined;
  #broker: BrokerConnection | undefined;
  /** Settles when the connection that was replaced last has ended. */
  #replaced: Promise<void> = Promise.resolve();
  /** What {@linkcode sync} wanted last. */
  #goal: "connected" | "disabled" | "disconnected" = "disabled";
  /** Whether it is switched on. */
  enabled: boolean;
  /** Whether it was told to stay away from its broker, though it is switched on. */
  toldToDisconnect = false;

  /** Makes one that does nothing until {@linkcode sync}. */
  constructor(config: ConnectionConfig, limits: QueueLimits, deps: ManagedConnectionDeps) {
    this.#config = config;
    this.#deps = deps;
    this.enabled = config.enable;
    this.queue = new EventQueue(limits);
    this.#inbox = new CommandInbox(deps.run, deps.log);
  }

  /** Its configuration. */
  get config(): ConnectionConfig {
    return this.#config;
  }

  /** Its client id, once it is known. */
  get clientId(): string | undefined {
    return this.#options?.clientId;
  }

  /** How often the connection was made again. */
  get reconnects(): number {
    return this.#broker?.reconnects ?? 0;
  }

  /** Where it stands. */
  get state(): BrokerState {
    const state = this.#broker?.state;
    if (this.#goal !== "connected") return state ?? { state: this.#goal };
    if (state === undefined) {
      return { state: "waiting", reason: "FreeSWITCH has not told its names yet" };
    }
    // It waits for the connection that it replaces to end.
    return state.state === "disabled" ? { state: "connecting" } : state;
  }

  /** Why the broker refused a subscription, if it did. */
  subscriptionRefusal(filter: string): string | undefined {
    return this.#broker?.subscriptionRefusal(filter);
  }

  /**
   * Takes a changed configuration. If it means another connection, the present one is ended; what
   * it had not delivered goes back into the queue.
   */
  configure(config: ConnectionConfig, limits: QueueLimits): void {
    const same = equalValues("connection", { ...this.#config, enable: true }, {
      ...config,
      enable: true,
    }) && equalValues("tls", this.#config.tls, config.tls) &&
      equalValues("will", this.#config.will, config.will);
    this.#config = config;
    this.enabled = config.enable;
    this.toldToDisconnect = false;
    this.queue.resize(limits);
    if (!same) this.#replace();
  }

  /** Connects again if certificates or keys on disk are others than those in use. */
  renewTls(): TlsRenewal {
    return this.#broker?.renewTls() ?? "same";
  }

  /**
   * Brings the connection into the state that is wanted.
   *
   * @param active Whether its profile is enabled.
   * @param names FreeSWITCH's names, once they are known.
   * @param uniqueLength Length of the random part of a client id.
   * @param topics What commands are taken from.
   */
  sync(
    active: boolean,
    names: SwitchNames | undefined,
    uniqueLength: number,
    topics: readonly CommandTopic[],
  ): void {
    const wanted = active && this.enabled;
    this.#goal = !wanted ? "disabled" : this.toldToDisconnect ? "disconnected" : "connected";
    this.#inbox.listen(wanted ? topics : []);
    const options = brokerOptions(this.#config, names, {
      uniquePart: () => this.#deps.uniquePart(uniqueLength),
    });
    const chosen = this.#config.clientId !== undefined;
    if (this.#options !== undefined && isOther(this.#options, options, chosen)) this.#replace();
    this.#options ??= options;
    if (wanted && this.#broker === undefined && this.#options !== undefined) {
      this.#broker = this.#make(this.#options);
    }
    const broker = this.#broker;
    if (broker === undefined) return;
    broker.subscribe(this.#inbox.subscriptions);
    if (this.#goal !== "connected") {
      broker.disconnect(this.#goal);
      return;
    }
    // One client id is not used by two connections at once: the broker would end the first.
    this.#replaced.then(() => {
      if (this.#broker === broker && this.#goal === "connected") broker.connect();
    });
  }

  /** Queues a message, and publishes it as soon as the broker takes it. */
  offer(message: Message): void {
    const { log } = this.#deps;
    if (log.details) log.info(`${message.payload.length} bytes for "${message.topic}"`);
    if (this.#broker === undefined) this.queue.offer(message);
    else this.#broker.offer(message);
  }

  /**
   * Takes no more commands, and resolves when nothing is left to deliver, or nothing can be
   * delivered at present.
   */
  async drained(): Promise<void> {
    this.#inbox.listen([]);
    await this.#broker?.drained();
  }

  /** Ends the connection in order, and for good: nothing more runs, and what is queued is lost. */
  async close(): Promise<void> {
    this.#goal = "disabled";
    this.#inbox.listen([]);
    await this.#broker?.close();
    await this.#replaced;
    const { length } = this.queue;
    if (length > 0) this.#deps.log.error(`Ended with ${length} events still queued: they are lost`);
  }

  #replace(): void {
    const former = this.#broker;
    this.#broker = undefined;
    this.#options = undefined;
    if (former === undefined) return;
    const before = this.#replaced;
    this.#replaced = Promise.all([before, former.close()]).then(() => {});
  }

  #make(options: BrokerOptions): BrokerConnection {
    return new BrokerConnection(options, {
      queue: this.queue,
      log: this.#deps.log,
      clock: this.#deps.clock,
      received: (message) => {
        this.#inbox.take(message);
      },
    });
  }
}

/** Whether FreeSWITCH's names, put in, mean another connection. */
function isOther(
  present: BrokerOptions,
  next: BrokerOptions | undefined,
  clientIdIsChosen: boolean,
): boolean {
  if (next === undefined) return false;
  return (clientIdIsChosen && present.clientId !== next.clientId) ||
    present.will?.topic !== next.will?.topic || present.will?.payload !== next.will?.payload;
}
