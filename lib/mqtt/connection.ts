/**
 * A lasting connection to one broker: connects again for as long as it takes, keeps the
 * subscriptions, and publishes what is queued as fast as the broker takes it.
 *
 * @module
 */

import mqtt from "mqtt";
import { Backoff } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import type { Logger } from "../log/logger.ts";
import type { EventQueue, Message } from "../queue/event_queue.ts";
import { DeliveryMemory } from "./deliveries.ts";
import { type BrokerFailure, describeFailure } from "./errors.ts";
import { InFlightStore } from "./in_flight.ts";
import type { BrokerOptions } from "./options.ts";
import { type Incoming, MqttSession, type Welcome } from "./session.ts";
import { type BrokerAddress, resolveBrokers } from "./srv.ts";

/**
 * - `disabled`: switched off.
 * - `connecting`: an attempt is under way.
 * - `connected`: CONNACK and SUBACKs are in.
 * - `waiting`: between attempts.
 * - `refused`: by the broker or by TLS; tried again slowly.
 * - `disconnected`: told to be.
 */
export type BrokerState =
  | { readonly state: "disabled" | "connecting" | "connected" | "disconnected" }
  | { readonly state: "waiting" | "refused"; readonly reason: string };

/** A topic filter to subscribe to. */
export interface Subscription {
  /** The filter. */
  readonly filter: string;
  /** The QoS to ask for. */
  readonly qos: 0 | 1 | 2;
}

/** A message from the broker, with what MQTT knows of it. */
export interface ReceivedMessage {
  /** Topic name. */
  readonly topic: string;
  /** Payload. */
  readonly payload: Uint8Array;
  /** The broker had stored it, or it was published to be stored. */
  readonly retained: boolean;
  /** It has been delivered before, or nobody can say that it has not. */
  readonly repeated: boolean;
}

/** What a connection needs. */
export interface BrokerConnectionDeps {
  /** What it publishes, and its books. */
  readonly queue: EventQueue;
  /** Its log. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
  /** Takes the messages of its subscriptions, after they are acknowledged. */
  readonly received: (message: ReceivedMessage) => void;
  /** A number from 0 up to 1; `Math.random` outside tests. */
  readonly random?: () => number;
}

/** The broker may take this long to answer SUBSCRIBE. */
const SUBACK_TIMEOUT_MS = 10_000;
/** How often it is looked whether the socket has taken what was written. */
const SETTLE_INTERVAL_MS = 20;

/** One broker, for as long as it is configured. */
export class BrokerConnection {
  readonly #options: BrokerOptions;
  readonly #deps: BrokerConnectionDeps;
  readonly #backoff: Backoff;
  readonly #deliveries = new DeliveryMemory();
  readonly #stores = {
    outgoing: new InFlightStore((message, end) => this.#delivered(message, end)),
    incoming: new mqtt.Store({ clean: false }),
  };
  #subscriptions: readonly Subscription[] = [];
  readonly #refusedFilters = new Map<string, string>();
  #state: BrokerState = { state: "disabled" };
  #wanted = false;
  readonly #drainWaiters: (() => void)[] = [];
  #session: MqttSession | undefined;
  #welcome: Welcome | undefined;
  /** Grows whenever what is under way is given up. */
  #attempt = 0;
  #cancelTimer = () => {};
  #connects = 0;
  #pumpScheduled = false;
  #settleScheduled = false;
  #targets: BrokerAddress[] = [];
  #knownTrouble: string | undefined;
  #overflowSince: number | undefined;

  /** Makes a connection that does nothing until {@linkcode connect}. */
  constructor(options: BrokerOptions, deps: BrokerConnectionDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#backoff = new Backoff({
      firstMs: options.reconnectDelay * 1000,
      maxMs: Math.max(options.reconnectDelay, options.reconnectDelayMax) * 1000,
      exponential: options.reconnectExponentialBackoff,
      ...(deps.random === undefined ? {} : { random: deps.random }),
    });
  }

  /** Where it stands. */
  get state(): BrokerState {
    return this.#state;
  }

  /** How often it was made again. */
  get reconnects(): number {
    return Math.max(0, this.#connects - 1);
  }

  /** Why the broker refused a subscription, if it did. */
  subscriptionRefusal(filter: string): string | undefined {
    return this.#refusedFilters.get(filter);
  }

  /** Starts connecting, and goes on for ever. */
  connect(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#backoff.reset();
    // A connection that is just being ended is made again when it has ended.
    if (this.#session === undefined) this.#try();
    else this.#state = { state: "connecting" };
  }

  /**
   * Ends the connection in order and stays away. What is queued stays queued.
   *
   * @param state What to show from then on.
   */
  async disconnect(state: "disabled" | "disconnected"): Promise<void> {
    this.#wanted = false;
    this.#cancelTimer();
    this.#attempt++;
    this.#state = { state };
    await this.#session?.end();
  }

  /** Gives up the connection and takes back into the queue what was in flight. */
  async close(): Promise<void> {
    await this.disconnect("disabled");
    this.#deps.queue.putBack(this.#stores.outgoing.clear());
  }

  /** Resolves when nothing is left to deliver, or when delivery stops because the broker is gone. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#drainWaiters.push(resolve);
      this.#noteDrained();
    });
  }

  /** Says what to subscribe to, from now on and at every connection. */
  subscribe(subscriptions: readonly Subscription[]): void {
    const former = this.#subscriptions;
    this.#subscriptions = subscriptions;
    const session = this.#session;
    if (session === undefined || this.#welcome === undefined) return;
    for (const { filter } of former) {
      if (!subscriptions.some((wanted) => wanted.filter === filter)) {
        this.#refusedFilters.delete(filter);
        session.unsubscribe(filter);
      }
    }
    const added = subscriptions.filter(({ filter, qos }) =>
      !former.some((known) => known.filter === filter && known.qos === qos)
    );
    for (const subscription of added) this.#subscribe(session, subscription);
  }

  /** Queues a message and publishes it as soon as the broker takes it. */
  offer(message: Message): void {
    const { queue, log } = this.#deps;
    const before = queue.droppedTotal;
    queue.offer(message);
    if (queue.droppedTotal > before && this.#overflowSince === undefined) {
      this.#overflowSince = before;
      log.warning(`The queue is full with ${queue.length} events: the oldest are dropped`);
    }
    this.#wake();
  }

  #wake(): void {
    if (this.#pumpScheduled || this.#welcome === undefined) return;
    this.#pumpScheduled = true;
    // Events that came in one chunk are written in one go.
    queueMicrotask(() => {
      this.#pumpScheduled = false;
      this.#pump();
    });
  }

  async #try(): Promise<void> {
    const attempt = ++this.#attempt;
    this.#state = { state: "connecting" };
    try {
      const address = await this.#nextAddress();
      if (attempt !== this.#attempt) return;
      this.#session = new MqttSession(address, this.#options, this.#stores, {
        accepted: (sessionPresent) => this.#deliveries.connected(sessionPresent),
        connected: (welcome) => this.#connected(welcome),
        message: (incoming) => this.#received(incoming),
        drained: () => this.#pump(),
        closed: (failure) => this.#closed(failure),
      });
    } catch (error) {
      if (attempt === this.#attempt) this.#wait(describeFailure(error as Error));
    }
  }

  async #nextAddress(): Promise<BrokerAddress> {
    const { host, port, srv, tls } = this.#options;
    if (!srv) return { host, port };
    if (this.#targets.length === 0) {
      const { random } = this.#deps;
      this.#targets = await resolveBrokers(host, {
        tls: tls !== undefined,
        ...(random === undefined ? {} : { random }),
      });
    }
    return this.#targets.shift() ?? { host, port };
  }

  async #connected(welcome: Welcome): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    this.#welcome = welcome;
    this.#refusedFilters.clear();
    this.#pump();
    const cancelTimer = this.#deps.clock.after(SUBACK_TIMEOUT_MS, () => session.destroy());
    await Promise.all(this.#subscriptions.map((wanted) => this.#subscribe(session, wanted)));
    cancelTimer();
    if (session !== this.#session || !this.#wanted) return;
    this.#connects++;
    this.#targets = [];
    this.#knownTrouble = undefined;
    this.#backoff.reset();
    this.#state = { state: "connected" };
    this.#deps.log.notice(this.#connects === 1 ? "connected" : "connected again");
  }

  async #subscribe(session: MqttSession, { filter, qos }: Subscription): Promise<void> {
    const refusal = await session.subscribe(filter, qos);
    if (refusal === undefined || session !== this.#session) return;
    this.#refusedFilters.set(filter, refusal);
    this.#deps.log.error(`Cannot subscribe to "${filter}": the broker refuses it (${refusal})`);
  }

  #received(incoming: Incoming): void {
    const { topic, payload, retained, qos } = incoming;
    const repeated = qos === 1 && this.#deliveries.isRepeated(incoming);
    // After this task: the acknowledgement is written before anything runs.
    setImmediate(() => this.#deps.received({ topic, payload, retained, repeated }));
  }

  /** Publishes until the window or the socket is full, or nothing is left. */
  #pump(): void {
    const session = this.#session;
    const welcome = this.#welcome;
    if (session === undefined || welcome === undefined) return;
    const { queue } = this.#deps;
    const window = Math.min(this.#options.sendMaximum, welcome.receiveMaximum);
    this.#settle();
    while (!session.congested) {
      const next = queue.peek();
      if (next === undefined) break;
      const qos = Math.min(next.qos, welcome.maximumQos) as 0 | 1 | 2;
      if (qos > 0 && this.#stores.outgoing.size >= window) break;
      const message = queue.take();
      if (message === undefined) break;
      if (packetSizeBound(message) > welcome.maximumPacketSize) {
        queue.drop("too_large");
        this.#deps.log.warning(
          `Dropped a message of ${message.payload.length} bytes for "${message.topic}": the ` +
            `broker takes packets of at most ${welcome.maximumPacketSize} bytes`,
        );
        continue;
      }
      session.publish(message, qos);
    }
    session.flush();
    this.#settleSoon();
    if (queue.length === 0) this.#noteCaughtUp();
  }

  #noteCaughtUp(): void {
    if (this.#overflowSince === undefined) return;
    const dropped = this.#deps.queue.droppedTotal - this.#overflowSince;
    this.#overflowSince = undefined;
    this.#deps.log.notice(`The queue is empty again; ${dropped} events were dropped`);
  }

  #settle(): void {
    for (const message of this.#session?.settle() ?? []) this.#deps.queue.acknowledge(message);
    this.#noteDrained();
  }

  #noteDrained(): void {
    if (this.#drainWaiters.length === 0) return;
    const { queue } = this.#deps;
    const isDrained = queue.length === 0 && queue.inFlight === 0;
    if (isDrained || this.#welcome === undefined) {
      for (const resolve of this.#drainWaiters.splice(0)) resolve();
    }
  }

  #settleSoon(): void {
    if (this.#settleScheduled || this.#session?.hasUnsettled !== true) return;
    this.#settleScheduled = true;
    const settle = () => {
      this.#settleScheduled = false;
      this.#settle();
      if (this.#session?.hasUnsettled === true) {
        this.#settleScheduled = true;
        this.#deps.clock.after(SETTLE_INTERVAL_MS, settle);
      }
    };
    // The bytes of this batch are written at the end of this task.
    setImmediate(settle);
  }

  #delivered(message: Message, end: "acknowledged" | "refused"): void {
    const { queue, log } = this.#deps;
    if (end === "acknowledged") {
      queue.acknowledge(message);
    } else {
      queue.drop("refused");
      log.warning(`The broker refused a message for "${message.topic}"`);
    }
    this.#noteDrained();
    this.#wake();
  }

  #closed(failure: BrokerFailure): void {
    const session = this.#session;
    const wasEnded = session?.isEnding === true;
    this.#settle();
    this.#session = undefined;
    this.#welcome = undefined;
    this.#deps.queue.putBack(session?.unsettled() ?? []);
    this.#noteDrained();
    if (!this.#wanted) return;
    // Whoever ended it meanwhile wants it again.
    if (wasEnded) this.#try();
    else this.#wait(failure);
  }

  #wait({ reason, refused }: BrokerFailure): void {
    const wasConnected = this.#state.state === "connected";
    const delayMs = refused ? this.#backoff.slowest() : this.#delay();
    this.#state = { state: refused ? "refused" : "waiting", reason };
    const text = `${wasConnected ? "disconnected" : "cannot connect"}: ${reason}`;
    // The same trouble is told once, not at each attempt.
    const level = reason === this.#knownTrouble ? "debug" : refused ? "error" : "warning";
    this.#deps.log.log(level, `${text}; next attempt in ${(delayMs / 1000).toFixed(1)} s`);
    this.#knownTrouble = reason;
    this.#cancelTimer = this.#deps.clock.after(delayMs, () => this.#try());
  }

  /** The next delay; once `retries` are used up, the slowest. */
  #delay(): number {
    const { retries, reconnectDelayMax } = this.#options;
    if (retries === 0 || this.#backoff.failures < retries) return this.#backoff.next();
    if (this.#backoff.failures === retries) {
      this.#deps.log.error(
        `${retries} retries are used up; going on with one every ${reconnectDelayMax} s`,
      );
    }
    return this.#backoff.slowest();
  }
}

/** At most what a PUBLISH packet of this message takes (MQTT 5.0, section 3.3), in bytes. */
function packetSizeBound({ topic, payload }: Message): number {
  return 5 + 2 + 3 * topic.length + 2 + 1 + payload.length;
}
