/**
 * The agent in a thread of its own, which may do no more than its configuration needs.
 *
 * A thread's permissions are what it was started with, or less. A configuration that needs more is
 * taken up by another thread: it listens to FreeSWITCH before the former one ends, and goes on with
 * what that has queued.
 *
 * @module
 */

import { restartNotes, withLasting } from "../agent/lasting.ts";
import { atMost, type Clock, systemClock } from "../clock.ts";
import type { Config } from "../config/config.ts";
import { packConfig } from "../config/transfer.ts";
import {
  type ControlReply,
  type ControlRequest,
  isSteering,
  type SteeringRequest,
} from "../control/protocol.ts";
import { resolveByDns, type SrvResolver, targetOf } from "../mqtt/srv.ts";
import { startThread } from "../threads.ts";
import { AgentThread, makeFolders, type ThreadStarter } from "./agent_host.ts";
import {
  addressOf,
  type Grant,
  grantsOf,
  liftsConfinement,
  missingGrants,
  srvNames,
} from "./grants.ts";
import type { Beginning } from "./messages.ts";
import { remainingOf } from "./remaining.ts";
import { type ServedAgent, type ServedAgentOptions, StartError } from "./served_agent.ts";
import { SrvDirectory } from "./srv_directory.ts";

/** What a confined agent is started with. */
export interface ConfinedAgentOptions extends ServedAgentOptions {
  /** Whether OpenSSL may still be granted to a thread. */
  readonly mayGrantOpenSsl: () => boolean;
  /**
   * Starts a thread.
   * @default startThread
   */
  readonly startThread?: ThreadStarter;
  /**
   * Looks up SRV records.
   * @default DNS
   */
  readonly resolveSrv?: SrvResolver;
  /**
   * Time.
   * @default systemClock
   */
  readonly clock?: Clock;
}

/** DNS is waited for at most so long; a broker that it names later is taken up then. */
const DNS_TIMEOUT_MS = 2_000;
/** The next thread may take so long to reach FreeSWITCH; otherwise what comes meanwhile is a gap. */
const LISTEN_TIMEOUT_MS = 15_000;
/** Longer than a disk is waited for. */
const HAND_OVER_TIMEOUT_MS = 60_000;

/** A configuration that is to be taken up. */
interface Change {
  readonly config: Config;
  readonly warnings: readonly string[];
  /** What of it could not be taken up. */
  readonly notes: readonly string[];
}

/** A confined agent, over all threads that it runs in. */
export class ConfinedAgent implements ServedAgent {
  readonly #options: ConfinedAgentOptions;
  readonly #clock: Clock;
  readonly #directory: SrvDirectory;
  readonly #died = Promise.withResolvers<string>();
  #config: Config;
  #thread: AgentThread;
  /** What was steered since the configuration was taken up. */
  #steered: SteeringRequest[] = [];
  /** Settles when what was asked for before is done: one thing is taken up at a time. */
  #settled: Promise<unknown> = Promise.resolve();
  /** Settles when there is a thread that can be asked. */
  #changing: Promise<unknown> = Promise.resolve();
  #isStopping = false;

  /**
   * Starts an agent in a thread.
   *
   * @throws {StartError} if it cannot be started.
   */
  static async start(options: ConfinedAgentOptions): Promise<ConfinedAgent> {
    const { config, clock = systemClock, resolveSrv = resolveByDns } = options;
    const directory = new SrvDirectory(resolveSrv);
    await atMost(clock, DNS_TIMEOUT_MS, directory.lookUpAll(srvNames(config)));
    const agent = confined(() => new ConfinedAgent(options, directory, clock));
    await agent.#begin(agent.#thread, { warnings: options.warnings });
    return agent;
  }

  private constructor(options: ConfinedAgentOptions, directory: SrvDirectory, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#directory = directory;
    this.#config = options.config;
    this.#thread = this.#newThread(options.config, grantsOf(options.config, directory.targets));
  }

  /** Resolves with the reason if a thread that was needed has died. */
  get died(): Promise<string> {
    return this.#died.promise;
  }

  /** What the thread may do at present. */
  get grants(): readonly Grant[] {
    return this.#thread.grants;
  }

  /** See `ServedAgent.handle`. */
  async handle(request: ControlRequest): Promise<ControlReply> {
    if (request.do === "reload") return await this.#inTurn(() => this.#reload());
    await (request.do === "status" ? this.#changing : this.#settled);
    const reply = await this.#thread.call("handle", request);
    if (reply.kind === "done" && isSteering(request)) this.#noteSteering(request);
    return reply;
  }

  /** The last word on each thing counts. */
  #noteSteering(request: SteeringRequest): void {
    const thing = (one: SteeringRequest) =>
      JSON.stringify({ ...one, do: undefined, level: undefined });
    const isSame = (one: SteeringRequest) =>
      (one.do === "loglevel") === (request.do === "loglevel") && thing(one) === thing(request);
    this.#steered = [...this.#steered.filter((one) => !isSame(one)), request];
  }

  /** See `ServedAgent.shutdownTimeoutMs`. */
  get shutdownTimeoutMs(): number {
    return this.#config.settings.shutdownTimeout * 1_000;
  }

  /** See `ServedAgent.reopenLogs`. */
  reopenLogs(): void {
    this.#thread.call("reopenLogs", undefined).catch(() => {});
  }

  /** See `ServedAgent.ping`. */
  ping(): Promise<void> {
    return this.#thread.call("ping", undefined);
  }

  /** See `ServedAgent.stop`. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#settled;
    await this.#thread.call("stop", undefined);
    this.#thread.terminate();
  }

  #newThread(config: Config, grants: readonly Grant[]): AgentThread {
    const thread: AgentThread = new AgentThread({
      startThread: this.#options.startThread ?? startThread,
      config,
      grants,
      resolveSrv: (name) => this.#lookUpFor(thread, name),
    });
    // A thread that is not needed yet, or no more, may die.
    thread.died.then((reason) => {
      if (thread === this.#thread) this.#died.resolve(reason);
    });
    return thread;
  }

  async #begin(thread: AgentThread, beginning: Omit<Beginning, "config">): Promise<void> {
    const fault = await thread.call("begin", { ...beginning, config: packConfig(this.#config) });
    if (fault === undefined) return;
    thread.terminate();
    throw new StartError(fault.text, fault.isDenied);
  }

  /** Runs something when all that was asked for before is done. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#settled.then(work);
    this.#settled = done.catch(() => {});
    return done;
  }

  async #reload(): Promise<ControlReply> {
    const loaded = this.#options.load();
    if ("errors" in loaded) return await this.#thread.call("adopt", loaded);
    const notes = restartNotes(this.#config, loaded.config);
    const change = {
      config: withLasting(this.#config, loaded.config),
      warnings: loaded.warnings ?? [],
      notes,
    };
    const { config, warnings } = change;
    await atMost(this.#clock, DNS_TIMEOUT_MS, this.#directory.lookUpAll(srvNames(config)));
    const wanted = grantsOf(config, this.#directory.targets);
    const missing = missingGrants(this.#thread.grants, wanted);
    if (liftsConfinement(missing) && !this.#options.mayGrantOpenSsl()) {
      return await this.#refuse(this.#thread, noOpenSsl(missing));
    }
    if (missing.length > 0) return await this.#handOver(change, wanted);
    makeFolders(wanted);
    const reply = await this.#thread.call("adopt", { config: packConfig(config), warnings, notes });
    this.#config = config;
    this.#steered = [];
    const hasAll = await this.#thread.keepOnly(wanted);
    return hasAll ? reply : await this.#handOver({ ...change, warnings: [] }, wanted);
  }

  /** Tells why a configuration is not taken up. */
  async #refuse(thread: AgentThread, reason: string): Promise<ControlReply> {
    return await thread.call("adopt", { errors: [reason] });
  }

  /** Has a thread of other grants take the place of the present one. */
  async #handOver(
    { config, warnings, notes }: Change,
    grants: readonly Grant[],
    steered: readonly SteeringRequest[] = [],
  ): Promise<ControlReply> {
    const former = this.#thread;
    // What goes for good may take its time with its broker, and holds up nothing else meanwhile.
    const remaining = remainingOf(this.#config, config);
    if (remaining !== undefined) await this.#adoptBetween(former, remaining);
    let next: AgentThread | undefined;
    let first: string | undefined;
    try {
      next = this.#newThread(config, grants);
      await former.call("noteEvents", true);
      const listening = next.call("listen", packConfig(config)).then((mark) => {
        first = mark;
      });
      await atMost(this.#clock, LISTEN_TIMEOUT_MS, listening);
    } catch (error) {
      next?.terminate();
      await former.call("noteEvents", false);
      if (remaining !== undefined) await this.#adoptBetween(former, this.#config);
      return await this.#refuse(former, `Cannot confine the agent: ${(error as Error).message}`);
    }
    const lines = [`${config.file} is in force`, ...notes];
    const notice = "all connections are made anew, since other permissions are needed";
    const thread = next;
    const changed = this.#orDie(async () => {
      const carried = await this.#within(HAND_OVER_TIMEOUT_MS, former.call("handOver", first));
      former.terminate();
      this.#thread = thread;
      this.#config = config;
      this.#steered = [...steered];
      const beginning = { warnings, carried, steered, notice: [...lines, notice].join("; ") };
      await this.#begin(thread, beginning);
    });
    this.#changing = changed.catch(() => {});
    await changed;
    return { kind: "done", text: [...lines, notice].join("\n") };
  }

  async #adoptBetween(thread: AgentThread, config: Config): Promise<void> {
    await thread.call("adopt", { config: packConfig(config), warnings: [], notes: [] });
  }

  async #within<T>(ms: number, work: Promise<T>): Promise<T> {
    let result: { readonly value: T } | undefined;
    await atMost(this.#clock, ms, work.then((value) => result = { value }));
    if (result === undefined) throw new Error("the agent's thread does not come to its end");
    return result.value;
  }

  /** Does what leaves no agent behind if it fails. */
  async #orDie(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#died.resolve((error as Error).message);
      throw error;
    }
  }

  /** Brokers that DNS has named since the thread was started are not granted to it. */
  async #lookUpFor(thread: AgentThread, name: string): Promise<readonly Deno.SrvRecord[]> {
    if (!srvNames(this.#config).has(name)) throw new Error("it is not configured");
    const records = await this.#directory.lookUp(name);
    const granted = new Set(thread.grants.map(({ what }) => what));
    const usable = records.filter((record) => granted.has(addressOf(targetOf(record))));
    if (usable.length < records.length) {
      // What goes wrong in it has been told as the death of the agent.
      this.#inTurn(() => this.#takeUpBrokers()).catch(() => {});
    }
    if (usable.length > 0 || records.length === 0) return usable;
    throw new Error("its brokers are others than before; they are being taken up");
  }

  async #takeUpBrokers(): Promise<void> {
    const wanted = grantsOf(this.#config, this.#directory.targets);
    if (this.#isStopping || missingGrants(this.#thread.grants, wanted).length === 0) return;
    const change = { config: this.#config, warnings: [], notes: [] };
    await this.#handOver(change, wanted, this.#steered);
  }
}

/** What Deno says of permissions that it does not understand ends in words. */
function confined<T>(start: () => T): T {
  try {
    return start();
  } catch (error) {
    throw new StartError(`Cannot confine the agent: ${(error as Error).message}`, false);
  }
}

function noOpenSsl(missing: readonly Grant[]): string {
  const who = missing.filter(({ kind }) => kind === "ffi").map(({ why }) => why).join(", ");
  return `OpenSSL, which ${who} needs, was given up at the start: start fsmqtt again, not only reload`;
}
