/**
 * A lasting connection to one broker: connects again for as long as it takes, keeps the
 * subscriptions, and publishes what is queued as fast as the broker takes it.
 *
 * @module
 */

import { nextTick } from "node:process";
import { Backoff } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import type { Logger } from "../log/logger.ts";
import { sizeText } from "../size_text.ts";
import { readTlsFiles } from "../tls/files.ts";
import { type BrokerFailure, describeFailure } from "./errors.ts";
import type { BrokerOptions } from "./options.ts";
import type { Message, Outbox } from "./outbox.ts";
import { MAX_RECEIVED_BYTES } from "./packet_limit.ts";
import { packetSize, type RequestProperties } from "./properties.ts";
import { ReplyBox } from "./replies.ts";
import {
  type Incoming,
  MqttSession,
  QUOTA_EXCEEDED,
  type TlsSession,
  type Welcome,
} from "./session.ts";
import { SessionMemory } from "./session_memory.ts";
import { type BrokerAddress, resolveBrokers, type SrvResolver } from "./srv.ts";

/**
 * - `disabled`: switched off.
 * - `connecting`: an attempt is under way.
 * - `connected`: CONNACK and SUBACKs are in.
 * - `waiting`: between attempts.
 * - `refused`: by the broker or by TLS; tried again slowly.
 * - `disconnected`: told to be.
 */
export type BrokerState =
  | { readonly state: "disabled" | "connecting" | "disconnected" }
  | { readonly state: "connected"; readonly tls?: TlsSession | undefined }
  | { readonly state: "waiting" | "refused"; readonly reason: string };

/**
 * What becomes of a connection:
 *
 * - `connected`: CONNACK and SUBACKs are in.
 * - `failed`: an attempt failed, or the connection was lost.
 * - `ended`: it was ended on purpose, and so were the attempts.
 */
export type BrokerNote =
  | { readonly kind: "connected" | "ended" }
  | { readonly kind: "failed"; readonly reason: string };

/** What came of looking for renewed certificates and keys; a fault is why they cannot be used. */
export type TlsRenewal = "same" | "renewed" | { readonly fault: string };

/** A topic filter to subscribe to. */
export interface Subscription {
  /** The filter. */
  readonly filter: string;
  /** The QoS to ask for. */
  readonly qos: 0 | 1 | 2;
}

/**
 * A message from the broker, with what MQTT knows of it. What it says as a request is what its
 * sender chose: a response topic may well be one that nobody can publish to.
 */
export interface ReceivedMessage extends RequestProperties {
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
  readonly queue: Outbox;
  /** Its log. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
  /** Takes the messages of its subscriptions, after they are acknowledged. */
  readonly received: (message: ReceivedMessage) => void;
  /** What is to be known of it, retained, at each connect and whenever it changes. */
  readonly announcement?: () => string | undefined;
  /** What it publishes ahead of the queue; it may outlive this connection. */
  readonly replies?: ReplyBox;
  /** Hears what becomes of the connection. */
  readonly noted?: (note: BrokerNote) => void;
  /** What an earlier connection of the same session has left. */
  readonly memory?: SessionMemory;
  /** A number from 0 up to 1; `Math.random` outside tests. */
  readonly random?: () => number;
  /** Looks up SRV records; DNS outside tests. */
  readonly resolveSrv?: SrvResolver;
}

/** The broker may take this long to answer SUBSCRIBE. */
const SUBACK_TIMEOUT_MS = 10_000;
/** So many connections may end in a row while the same message is sent again. */
const MAX_VAIN_RESENDS = 10;
/** So much is published in one turn of the event loop: a socket may take without end. */
const TURN_BYTES = 512 * 1024;
/** How often it is looked whether the socket has taken what was written. */
const SETTLE_INTERVAL_MS = 20;

/** One broker, for as long as it is configured. */
export class BrokerConnection {
  readonly #options: BrokerOptions;
  readonly #deps: BrokerConnectionDeps;
  readonly #backoff: Backoff;
  readonly #memory: SessionMemory;
  readonly #replies: ReplyBox;
  #subscriptions: readonly Subscription[] = [];
  /** Filters that the broker may still have from before. */
  readonly #obsoleteFilters = new Set<string>();
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
  /** How often there was something to publish. */
  #wakes = 0;
  #settleScheduled = false;
  #targets: BrokerAddress[] = [];
  #knownTrouble: string | undefined;
  /** Of the files that the last attempt was made with; none if it could not be. */
  #tlsFilesDigest: string | undefined;
  /** Troubles with messages that were logged since the connection was made. */
  readonly #told = new Set<string>();
  /** The message at which the last connection ended, and how many in a row did. */
  #resent: Message | undefined;
  #vainResends = 0;
  /** There is something to announce. */
  #isUntold = false;

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
    this.#memory = deps.memory ?? new SessionMemory(options, deps.queue, deps.clock);
    this.#replies = deps.replies ?? new ReplyBox(deps.clock);
    this.#memory.outgoing.tells((message, refusal) => this.#delivered(message, refusal));
    deps.queue.wakes(() => this.#wake(), (message) => this.#publishAtOnce(message));
    this.#replies.tells({
      changed: () => this.#wake(),
      dropped: (trouble, text) => this.#warnOnce(trouble, text),
    });
  }

  /** Whether nothing has come of the first attempt yet. */
  #isBeginning = true;

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
   * Ends the connection in order and stays away. What is queued stays queued, and so do replies.
   *
   * @param state What to show from then on.
   */
  async disconnect(state: "disabled" | "disconnected"): Promise<void> {
    this.#wanted = false;
    this.#cancelTimer();
    this.#attempt++;
    this.#state = { state };
    this.#deps.noted?.({ kind: "ended" });
    // Nothing is published behind the will.
    this.#welcome = undefined;
    this.#noteDrained();
    await this.#session?.end();
  }

  /**
   * Connects again if certificates or keys on disk are others than those of the last attempt.
   * Those that cannot be used leave everything as it is.
   */
  renewTls(): TlsRenewal {
    const { tls } = this.#options;
    if (tls === undefined || !this.#wanted) return "same";
    try {
      const { digest, client } = readTlsFiles(tls);
      if (digest === this.#tlsFilesDigest) return "same";
      if (client?.outOfTime !== undefined) return { fault: client.outOfTime };
    } catch (error) {
      return { fault: (error as Error).message };
    }
    this.disconnect("disconnected");
    this.connect();
    return "renewed";
  }

  /**
   * Ends the connection at the end of its queue, which takes back what was in flight; the next process
   * may go on with it.
   */
  async close(): Promise<void> {
    await this.disconnect("disabled");
    this.#deps.queue.putBack(this.#memory.outgoing.clear(), { keepsDelivery: true });
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
    const wanted = new Set(subscriptions.map(({ filter }) => filter));
    for (const { filter } of former) {
      if (wanted.has(filter)) continue;
      this.#obsoleteFilters.add(filter);
      this.#refusedFilters.delete(filter);
    }
    for (const filter of wanted) this.#obsoleteFilters.delete(filter);
    const session = this.#session;
    if (session === undefined || this.#welcome === undefined) return;
    this.#unsubscribe(session);
    const added = subscriptions.filter(({ filter, qos }) =>
      !former.some((known) => known.filter === filter && known.qos === qos)
    );
    for (const subscription of added) this.#subscribe(session, subscription);
  }

  /** There is something new to announce: the latest is, as soon as the broker takes it. */
  announce(): void {
    this.#isUntold = true;
    this.#announce();
  }

  /** Announcements are in no queue and no books: they are told again at each connect. */
  #announce(): void {
    const session = this.#session;
    const { offline } = this.#options;
    if (!this.#isUntold || offline === undefined || session === undefined) return;
    if (this.#welcome === undefined || session.isEnding || session.congested) return;
    this.#isUntold = false;
    const text = this.#deps.announcement?.();
    if (text !== undefined) session.announce(offline.topic, text);
  }

  /** Tells of the first trouble of a kind; the counters tell how many there were. */
  #warnOnce(kind: string, text: string): void {
    this.#deps.log.log(this.#told.has(kind) ? "debug" : "warning", text);
    this.#told.add(kind);
  }

  /**
   * Events that came in one chunk are written in one go, and so are those that take the places of others
   * which were acknowledged in one: MQTT.js takes a tick for each packet that has come.
   */
  #wake(): void {
    this.#wakes++;
    if (this.#pumpScheduled || this.#welcome === undefined) return;
    this.#pumpScheduled = true;
    // In the first tick of two the next packet may still be behind this.
    const pumpWhenQuiet = (wakes: number, isSecond: boolean) => {
      const isQuiet = this.#wakes === wakes;
      if (!isQuiet || !isSecond) {
        nextTick(pumpWhenQuiet, this.#wakes, isQuiet);
        return;
      }
      this.#pumpScheduled = false;
      this.#pump();
    };
    nextTick(pumpWhenQuiet, this.#wakes, false);
  }

  #pumpLater(): void {
    this.#pumpScheduled = true;
    setImmediate(() => {
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
      this.#tlsFilesDigest = undefined;
      this.#session = new MqttSession(address, this.#options, this.#memory, {
        accepted: (isResumed) => this.#memory.deliveries.connected(isResumed),
        connected: (welcome) => this.#connected(welcome),
        message: (incoming) => this.#received(incoming),
        tooLong: ({ length, topic }) => {
          const text = `Ignored a message of ${length} bytes on topic "${topic}": the limit is ` +
            sizeText(MAX_RECEIVED_BYTES);
          this.#warnOnce("message size", text);
        },
        drained: () => this.#pump(),
        settled: () => this.#settle(),
        closed: (failure) => this.#closed(failure),
      }, this.#replies);
      this.#tlsFilesDigest = this.#session.tlsFilesDigest;
    } catch (error) {
      if (attempt !== this.#attempt) return;
      const { host, tls } = this.#options;
      this.#wait(describeFailure(error as Error, { host, tls, isReached: false }));
    }
  }

  /** The broker as it is configured, for the log. */
  get #where(): string {
    const { host, port, srv } = this.#options;
    return srv ? `a broker of ${host}` : `${host}:${port}`;
  }

  async #nextAddress(): Promise<BrokerAddress> {
    const { host, port, srv, tls } = this.#options;
    if (!srv) return { host, port };
    if (this.#targets.length === 0) {
      const { random, resolveSrv } = this.#deps;
      this.#targets = await resolveBrokers(host, {
        tls: tls !== undefined,
        ...(random === undefined ? {} : { random }),
        ...(resolveSrv === undefined ? {} : { resolve: resolveSrv }),
      });
    }
    return this.#targets.shift() ?? { host, port };
  }

  async #connected(welcome: Welcome): Promise<void> {
    const session = this.#session;
    if (session === undefined || session.isEnding) return;
    this.#welcome = welcome;
    this.#deps.queue.resumed();
    this.announce();
    this.#refusedFilters.clear();
    this.#told.clear();
    const cancelTimer = this.#deps.clock.after(SUBACK_TIMEOUT_MS, () => {
      session.destroy("the broker does not answer SUBSCRIBE");
    });
    this.#unsubscribe(session);
    const answers = this.#subscriptions.map((wanted) => this.#subscribe(session, wanted));
    // A backlog on a slow line is not to hold up SUBSCRIBE.
    this.#pump();
    await Promise.all(answers);
    cancelTimer();
    if (session !== this.#session || session.isEnding) return;
    this.#connects++;
    this.#targets = [];
    this.#knownTrouble = undefined;
    this.#backoff.reset();
    const tls = session.tlsSession;
    this.#state = { state: "connected", tls };
    this.#deps.noted?.({ kind: "connected" });
    const over = tls === undefined ? "" : ` over ${tls.version} (${tls.cipher})`;
    this.#deps.log.notice(`${this.#connects === 1 ? "connected" : "connected again"}${over}`);
  }

  async #subscribe(session: MqttSession, { filter, qos }: Subscription): Promise<void> {
    const refusal = await session.subscribe(filter, qos);
    if (session !== this.#session || session.isEnding) return;
    if (refusal === undefined) {
      this.#refusedFilters.delete(filter);
      return;
    }
    this.#refusedFilters.set(filter, refusal);
    this.#deps.log.error(`Cannot subscribe to "${filter}": the broker refuses it (${refusal})`);
  }

  async #unsubscribe(session: MqttSession): Promise<void> {
    const filters = [...this.#obsoleteFilters];
    await Promise.all(filters.map((filter) => session.unsubscribe(filter)));
    // A filter that was asked for again meanwhile is no longer among them.
    if (session === this.#session) {
      filters.forEach((filter) => this.#obsoleteFilters.delete(filter));
    }
  }

  #received(incoming: Incoming): void {
    const { topic, payload, retained, qos, request } = incoming;
    const repeated = qos === 1 && this.#memory.deliveries.isRepeated(incoming);
    if (request === undefined) {
      const text = `Ignored a message on "${topic}": its properties are malformed`;
      this.#warnOnce("malformed properties", text);
      return;
    }
    // After this task: the acknowledgement is written before anything runs.
    setImmediate(() => this.#deps.received({ topic, payload, retained, repeated, ...request }));
  }

  /** Publishes a message of QoS 0 that nothing waits before, if it may go now and fits. */
  #publishAtOnce(message: Message): boolean {
    const session = this.#session;
    const welcome = this.#welcome;
    if (session === undefined || welcome === undefined || session.congested) return false;
    if (!fits(message, 0, welcome)) return false;
    return session.publish(message, 0);
  }

  /** Publishes until the window or the socket is full, or nothing is left. */
  #pump(): void {
    const session = this.#session;
    const welcome = this.#welcome;
    if (session === undefined || welcome === undefined) return;
    const { queue } = this.#deps;
    const window = Math.min(this.#options.sendMaximum, welcome.receiveMaximum);
    const { maximumQos, maximumPacketSize } = welcome;
    this.#announce();
    this.#settle();
    // Behind a backlog of events nobody would wait for them any more; but a place is left for events.
    session.sendReplies(welcome, queue.length === 0 ? window : Math.max(1, window - 1));
    let bytes = 0;
    while (!session.congested) {
      const next = queue.peek();
      if (next === undefined) break;
      if (bytes >= TURN_BYTES) {
        this.#pumpLater();
        break;
      }
      const qos = Math.min(next.qos, maximumQos) as 0 | 1 | 2;
      if (qos > 0 && session.inFlight >= window) break;
      const message = queue.take();
      if (message === undefined) break;
      if (!fits(message, qos, welcome)) {
        this.#warnOnce(
          "packet size",
          `Dropped a message of ${message.payload.length} bytes for "${message.topic}": the ` +
            `broker takes packets of at most ${maximumPacketSize} bytes`,
        );
        queue.drop(message, "too_large");
        this.#noteDrained();
      } else if (!session.publish(message, qos)) {
        queue.putBack([message]);
        break;
      }
      bytes += message.payload.length;
    }
    session.flush();
    this.#settleSoon();
  }

  #settle(): void {
    this.#session?.settle((message) => this.#deps.queue.acknowledge(message));
    this.#noteDrained();
  }

  #noteDrained(): void {
    if (this.#drainWaiters.length === 0) return;
    const { queue } = this.#deps;
    const isDrained = queue.length + queue.inFlight + this.#replies.length === 0;
    const isHopeless = this.#welcome === undefined && !(this.#wanted && this.#isBeginning);
    if (isDrained || isHopeless) {
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

  #delivered(message: Message, refusal: string | undefined): void {
    const { queue } = this.#deps;
    if (refusal === undefined) {
      queue.acknowledge(message);
    } else if (refusal === QUOTA_EXCEEDED) {
      queue.putBack([message]);
      this.#session?.destroy("the broker takes no more for now: its quota is exceeded");
    } else {
      this.#warnOnce(refusal, `The broker refused a message for "${message.topic}": ${refusal}`);
      queue.drop(message, "refused");
    }
    this.#noteDrained();
    this.#wake();
  }

  #closed(failure: BrokerFailure): void {
    const session = this.#session;
    const wasEnded = session?.isEnding === true;
    this.#settle();
    // A slow line takes its time for a large message; that is not the broker's word on it.
    const isSaid = session?.isAccepted === true && failure.silent !== true;
    if (isSaid) this.#noteResendEnd(this.#welcome !== undefined);
    this.#session = undefined;
    this.#welcome = undefined;
    this.#deps.queue.takeBack(session?.unsettled() ?? []);
    session?.closeReplies(isSaid && !wasEnded);
    this.#noteDrained();
    if (!this.#wanted) return;
    // Whoever ended it meanwhile wants it again.
    if (wasEnded) this.#try();
    else this.#wait(failure);
  }

  /**
   * What was in flight is sent again one by one before anything else. If connection after connection
   * ends at the same message, the broker will never take it, and would never get another.
   */
  #noteResendEnd(isDone: boolean): void {
    const { oldest } = this.#memory.outgoing;
    this.#vainResends = !isDone && oldest !== undefined && oldest === this.#resent
      ? this.#vainResends + 1
      : 1;
    this.#resent = oldest;
    if (isDone || oldest === undefined || this.#vainResends < MAX_VAIN_RESENDS) return;
    this.#deps.log.error(
      `Gave up a message of ${oldest.payload.length} bytes for "${oldest.topic}": the broker ended ` +
        `${MAX_VAIN_RESENDS} connections in a row at it`,
    );
    this.#memory.outgoing.giveUpOldest("the broker ends the connection at it");
  }

  #wait({ reason, refused }: BrokerFailure): void {
    this.#isBeginning = false;
    this.#noteDrained();
    const { retries, reconnectDelay, reconnectDelayMax } = this.#options;
    const wasConnected = this.#state.state === "connected";
    const { failures } = this.#backoff;
    const isUsedUp = retries > 0 && failures >= retries;
    const delayMs = refused || isUsedUp ? this.#backoff.slowest() : this.#backoff.next();
    this.#state = {
      state: refused ? "refused" : "waiting",
      reason: isUsedUp ? `${reason} (${retries} retries are used up)` : reason,
    };
    const text = `${wasConnected ? "disconnected" : `cannot connect to ${this.#where}`}: ${reason}`;
    // The same trouble is told once, not at each attempt.
    const level = reason === this.#knownTrouble ? "debug" : refused ? "error" : "warning";
    this.#deps.log.log(level, `${text}; next attempt in ${(delayMs / 1000).toFixed(1)} s`);
    this.#knownTrouble = reason;
    if (isUsedUp && failures === retries) {
      const slowest = Math.max(reconnectDelay, reconnectDelayMax);
      this.#deps.log.error(`${retries} retries are used up; going on with one every ${slowest} s`);
    }
    this.#cancelTimer = this.#deps.clock.after(delayMs, () => this.#try());
    this.#deps.noted?.({ kind: "failed", reason });
  }
}

/** Whether the broker takes the packet of a message. Most brokers take any. */
function fits(message: Message, qos: 0 | 1 | 2, { maximumPacketSize }: Welcome): boolean {
  return maximumPacketSize === Number.MAX_SAFE_INTEGER ||
    packetSize(message, qos) <= maximumPacketSize;
}
