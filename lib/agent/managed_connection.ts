/**
 * A configured broker connection of the running agent: its queue, its commands, and the connection
 * itself once it can be made.
 *
 * @module
 */

import { atMost, type Clock } from "../clock.ts";
import { CommandInbox, type InboxDeps } from "../commands/inbox.ts";
import type { CommandTopic } from "../commands/topic.ts";
import type { ConnectionConfig } from "../config/config.ts";
import { equalValues } from "../config/equal.ts";
import { exists } from "../config/files.ts";
import type { SwitchNames } from "../events/template.ts";
import type { Logger } from "../log/logger.ts";
import {
  BrokerConnection,
  type BrokerState,
  type ReceivedMessage,
  type TlsRenewal,
} from "../mqtt/connection.ts";
import type { BrokerOptions } from "../mqtt/options.ts";
import type { Message, MessageCounter } from "../mqtt/outbox.ts";
import { ReplyBox } from "../mqtt/replies.ts";
import type { SrvResolver } from "../mqtt/srv.ts";
import { sessionIdentity, SessionMemory } from "../mqtt/session_memory.ts";
import { type CarriedQueue, EventQueue, type QueueLimits } from "../queue/event_queue.ts";
import type { RateLimit } from "../queue/holding.ts";
import type { Spools } from "../queue/spool/rows.ts";
import { brokerOptions } from "./broker_options.ts";
import { ConnectionBreaker } from "./connection_breaker.ts";
import { queueSettings } from "./queue_settings.ts";

/** What a managed connection needs. */
export interface ManagedConnectionDeps {
  /** Its log. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
  /** What its commands need; they wait for `ready`. */
  readonly commands:
    & Pick<InboxDeps, "where" | "runner" | "memory" | "audit" | "takesCommands">
    & { readonly ready: Promise<void> };
  /** What to say on its `status_topic`; asked for whenever it can be said. */
  readonly announcement: () => string | undefined;
  /** Hears that its state changed. */
  readonly changed: () => void;
  /** The random part of its client id, of this length, the same at every start. */
  readonly uniquePart: (length: number) => string;
  /** The counter of a topic of its profile. */
  readonly counter: (name: string) => MessageCounter;
  /** Opens spools. */
  readonly spools: Spools;
  /** The file of its spool; none without a state folder. */
  readonly spoolFile: string | undefined;
  /** Settles when nobody has that file any more. */
  readonly after: Promise<void>;
  /** The MQTT session that its spool knows of, which outlives a restart. */
  readonly session: { known: string | undefined };
  /** Looks up SRV records; DNS where it is left out. */
  readonly resolveSrv?: SrvResolver | undefined;
}

/** A disk that takes longer is not waited for. */
export const DISK_TIMEOUT_MS = 30_000;

/** One connection of one profile. */
export class ManagedConnection {
  readonly #deps: ManagedConnectionDeps;
  /** What it still has to publish, and its books. */
  readonly queue: EventQueue;
  /** Says when it is in lasting trouble, and what is dropped then. */
  readonly breaker: ConnectionBreaker;
  readonly #inbox: CommandInbox;
  /** Answers to commands that the broker does not have yet. */
  readonly #replies: ReplyBox;
  #config: ConnectionConfig;
  #options: BrokerOptions | undefined;
  #memory: SessionMemory | undefined;
  #hasSpool = false;
  /** Messages for commands that come while it is handed over. */
  #late: ReceivedMessage[] | undefined;
  #isClosed = false;
  /** What an earlier process has begun to deliver. */
  #opened: Promise<readonly Message[]> | undefined;
  /** Settles when the present connection may be made, as far as that is concerned. */
  #resumed: Promise<void> | undefined;
  #broker: BrokerConnection | undefined;
  /** Settles when the connections have ended whose place it takes. */
  #replaced: Promise<void>;
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
    const { log, clock, counter } = deps;
    this.queue = new EventQueue(queueSettings(config, limits), { log, clock, counter });
    this.queue.sheds = (qos) => this.breaker.sheds(qos);
    this.breaker = new ConnectionBreaker(config, {
      log: deps.log,
      clock: deps.clock,
      fill: () => this.queue.fill,
      changed: () => deps.changed(),
    });
    this.#replies = new ReplyBox(clock);
    this.#inbox = new CommandInbox({
      ...deps.commands,
      log,
      clock,
      reply: (reply) => this.#replies.add(reply),
    });
    this.#replaced = deps.after;
    this.#openSpool();
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

  /** The file of its spool. */
  get spoolFile(): string | undefined {
    return this.#deps.spoolFile;
  }

  /** Settles when the connections that were replaced have ended. */
  get replaced(): Promise<void> {
    return this.#replaced;
  }

  /** Does not connect before this has settled. */
  waitFor(other: Promise<void>): void {
    this.#replaced = Promise.all([this.#replaced, other]).then(() => {});
  }

  /** There is something new to say on its `status_topic`. */
  announce(): void {
    this.#broker?.announce();
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
    const same = equalValues("connection", this.#config, config, ({ live }) => !live) &&
      equalValues("tls", this.#config.tls, config.tls) &&
      equalValues("will", this.#config.will, config.will);
    this.#config = config;
    this.enabled = config.enable;
    this.toldToDisconnect = false;
    this.queue.configure(queueSettings(config, limits));
    this.#openSpool();
    this.breaker.configure(config);
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
    this.breaker.watch();
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
    // One client id is not used by two connections at once: the broker would end the first. And what
    // an earlier process has begun to deliver is to be known first.
    this.#replaced.then(async () => {
      if (this.#broker !== broker || this.#goal !== "connected") return;
      await this.#resumeDeliveries();
      if (this.#broker === broker && this.#goal === "connected") broker.connect();
    });
  }

  /** Queues a message, and publishes it as soon as the broker takes it. */
  offer(message: Message, limit?: RateLimit): void {
    const { log } = this.#deps;
    if (log.details) log.info(`${message.payload.length} bytes for "${message.topic}"`);
    this.queue.offer(message, limit);
    this.breaker.watch();
  }

  /**
   * Takes no more commands, and resolves when nothing is left to deliver, or nothing can be
   * delivered at present.
   */
  async drained(): Promise<void> {
    this.#inbox.listen([]);
    this.queue.releaseHeld();
    await this.#broker?.drained();
  }

  /** Ends the connection in order, and for good: nothing more runs; what is on disk stays there. */
  async close(): Promise<void> {
    const { log } = this.#deps;
    await this.#end();
    const { length, spool } = this.queue;
    const kept = Math.min(spool?.messages ?? 0, length);
    if (kept > 0) {
      log.notice(
        `${kept} events stay on disk, in ${this.#deps.spoolFile}; they are sent when fsmqtt runs ` +
          "with this connection again",
      );
    }
    this.#tellUnanswered();
    if (length > kept) log.error(`Ended with ${length - kept} events still queued: they are lost`);
  }

  /** From now on messages for commands are kept for the next agent. */
  keepCommands(): void {
    this.#late ??= [];
  }

  /** Gives the broker so many milliseconds to acknowledge what is in flight. */
  async settle(ms: number): Promise<void> {
    await atMost(this.#deps.clock, ms, this.#broker?.drained() ?? Promise.resolve());
  }

  /**
   * Ends the connection as {@linkcode close} does, and returns what the next agent goes on with: its
   * queue, and messages for commands that came after {@linkcode keepCommands}.
   */
  async handOver(): Promise<{ queue: CarriedQueue; commands: readonly ReceivedMessage[] }> {
    this.keepCommands();
    await this.#end();
    this.#tellUnanswered();
    return { queue: this.queue.handOver(), commands: this.#late ?? [] };
  }

  /** Takes a message for commands, once FreeSWITCH is there or cannot be reached. */
  receive(message: ReceivedMessage): void {
    if (this.#late !== undefined) {
      this.#late.push(message);
      return;
    }
    this.#deps.commands.ready.then(() => this.#inbox.take(message)).catch((error: Error) => {
      this.#deps.log.alert(`A fault of fsmqtt's own, please report it: ${error.stack}`);
    });
  }

  async #end(): Promise<void> {
    this.#isClosed = true;
    this.#goal = "disabled";
    if (this.#late === undefined) this.#inbox.listen([]);
    // The connection that was replaced last may still deliver for the same session.
    await this.#replaced;
    await this.#broker?.close();
    this.breaker.close();
    this.#inbox.close();
    const left = this.#memory?.outgoing.clear() ?? [];
    this.queue.putBack(left, { keepsDelivery: true });
    await atMost(this.#deps.clock, DISK_TIMEOUT_MS, this.queue.close());
  }

  #tellUnanswered(): void {
    const unanswered = this.#replies.length;
    if (unanswered > 0) {
      this.#deps.log.warning(`Ended with ${unanswered} answers to commands unsent`);
    }
  }

  /** What is on disk already is delivered, even if nothing more is to be written there. */
  #openSpool(): void {
    const { spoolFile = "", spools } = this.#deps;
    if (this.#hasSpool) return;
    if (this.#config.spool === "memory" && !exists(spoolFile)) return;
    this.#hasSpool = true;
    this.#resumed = undefined;
    this.#opened = this.#deps.after.then(() => this.queue.open(spools, spoolFile));
  }

  /** Resolves when what an earlier process has begun to deliver is looked after, or has to wait. */
  #resumeDeliveries(): Promise<void> {
    return this.#resumed ??= this.#resume();
  }

  /** Goes on with what an earlier process has begun, if the session is the same. */
  async #resume(): Promise<void> {
    const { session, clock } = this.#deps;
    const identity = () => this.#options && sessionIdentity(this.#options);
    const isSame = () => identity() !== undefined && identity() === session.known;
    // In a connection that is there already nothing can be taken over.
    let isInTime = (this.#broker?.state.state ?? "disabled") === "disabled";
    const resumed = this.#opened?.then(async (begun) => {
      const mayAdopt = isInTime && isSame();
      await this.#startAnew(begun.filter((message) => !mayAdopt || !this.#adopts(message)));
      // From here on what is on disk counts for this session.
      if (!this.#isClosed) session.known = identity();
    });
    if (resumed !== undefined && isInTime && isSame()) {
      await atMost(clock, DISK_TIMEOUT_MS, resumed);
    }
    isInTime = false;
  }

  #adopts(message: Message): boolean {
    const delivery = this.queue.deliveryOf(message);
    return delivery !== undefined && this.#memory?.outgoing.adopt(message, delivery) === true;
  }

  /**
   * Messages whose delivery has begun in a session that is over are delivered from the start.
   * Resolves when that is on disk, or the disk takes too long.
   */
  async #startAnew(messages: readonly Message[]): Promise<void> {
    const forgotten = messages.map((message) =>
      new Promise<void>((then) => this.queue.remember(message, undefined, then))
    );
    this.queue.putBack(messages);
    if (forgotten.length === 0) return;
    await atMost(this.#deps.clock, DISK_TIMEOUT_MS, Promise.all(forgotten));
  }

  #replace(): void {
    const former = this.#broker;
    this.#broker = undefined;
    this.#options = undefined;
    if (former === undefined) return;
    this.breaker.reset();
    this.waitFor(former.disconnect("disabled"));
  }

  /** What is in flight goes on with the session, or is delivered from the start in another. */
  #memoryFor(options: BrokerOptions): SessionMemory {
    const former = this.#memory;
    if (former?.serves(options) === true) return former;
    this.#memory = new SessionMemory(options, this.queue, this.#deps.clock);
    // Until its connection has ended, the broker may still acknowledge it.
    if (former !== undefined) {
      this.waitFor(this.#replaced.then(async () => {
        await this.#startAnew(former.outgoing.clear());
        if (this.#hasSpool) this.#deps.session.known = sessionIdentity(options);
      }));
    }
    return this.#memory;
  }

  #make(options: BrokerOptions): BrokerConnection {
    return new BrokerConnection(options, {
      queue: this.queue,
      memory: this.#memoryFor(options),
      log: this.#deps.log,
      clock: this.#deps.clock,
      // What the broker kept comes before FreeSWITCH is there, and would be rejected for that.
      received: (message) => this.receive(message),
      announcement: () => this.#deps.announcement(),
      replies: this.#replies,
      ...(this.#deps.resolveSrv === undefined ? {} : { resolveSrv: this.#deps.resolveSrv }),
      noted: (note) => {
        this.#deps.changed();
        this.breaker.note(note);
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
    present.will?.topic !== next.will?.topic || present.will?.payload !== next.will?.payload ||
    present.offline?.topic !== next.offline?.topic;
}
