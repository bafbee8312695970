/**
 * The running agent: wires the rooms together from a configuration.
 *
 * @module
 */

import { atMost, type Clock, systemClock } from "../clock.ts";
import { brokerName } from "../config/broker.ts";
import type { Config } from "../config/config.ts";
import { resolveStateDir } from "../config/paths.ts";
import { AuditLog } from "../commands/audit.ts";
import type { CommandRunner } from "../commands/inbox.ts";
import { CommandMemory } from "../commands/memory.ts";
import type { ControlReply, ControlRequest, SteeringRequest } from "../control/protocol.ts";
import { failed } from "../control/server.ts";
import type { StatusReport } from "../control/status.ts";
import { EslError, isFailure } from "../esl/errors.ts";
import { EslLink, type LinkHandlers, type LinkState, type SwitchIdentity } from "../esl/link.ts";
import { Router } from "../events/router.ts";
import { subscriptionCommands } from "../events/subscription.ts";
import type { SwitchNames } from "../events/template.ts";
import { Announcer } from "./announcer.ts";
import {
  type Carried,
  countersOf,
  type LinkCounts,
  resumeCounters,
  sumOfCounts,
} from "./carried.ts";
import { type EarlyLink, endpointOf, eventMark } from "./early_link.ts";
import { Endings } from "./endings.ts";
import { ExitCode } from "../exit_code.ts";
import { Logs } from "../log/logs.ts";
import { logsOptions } from "./logs_options.ts";
import { Gaps } from "./gaps.ts";
import type { SrvResolver } from "../mqtt/srv.ts";
import { topicMatches } from "../protocol/mqtt_topics.ts";
import { SpoolError, type Spools } from "../queue/spool/rows.ts";
import type { MessageCounter } from "../mqtt/outbox.ts";
import { DiskSpools, type SpoolStarter } from "../queue/spool/spools.ts";
import { keyOf } from "./keys.ts";
import { restartNotes } from "./lasting.ts";
import { DISK_TIMEOUT_MS, ManagedConnection } from "./managed_connection.ts";
import { buildModel, connectionsOf, counterOf, type Model } from "./model.ts";
import { buildReport } from "./report.ts";
import { commandFilters, commandTopics, eventRoutes, type Target } from "./routes.ts";
import { StateDir } from "./state_dir.ts";
import { type Steered, SteeringError, switchConnection, switchPart } from "./steering.ts";

/** A configuration that was loaded again; the errors in words if it cannot be used. */
export type Loaded =
  | {
    readonly config: Config;
    readonly warnings?: readonly string[];
    /** What of it could not be taken up. */
    readonly notes?: readonly string[];
  }
  | { readonly errors: readonly string[] };

/** What an agent is made from. */
export interface AgentOptions {
  /** The configuration, checked. */
  readonly config: Config;
  /** What is to be known of the configuration; logged at the start. */
  readonly warnings?: readonly string[];
  /** Loads the configuration again for `reload`. */
  readonly reload: () => Loaded;
  /** The logs; made from the configuration where absent. */
  readonly logs?: Logs;
  /**
   * Time.
   * @default systemClock
   */
  readonly clock?: Clock;
  /**
   * Starts what keeps the spools.
   * @default startSpoolWorker
   */
  readonly startSpool?: SpoolStarter;
  /**
   * Looks up SRV records.
   * @default DNS
   */
  readonly resolveSrv?: SrvResolver;
  /** The agent whose place this one takes. */
  readonly former?: {
    /** What it handed over. */
    readonly carried: Carried;
    /** What was steered there and goes on. */
    readonly steered: readonly SteeringRequest[];
    /** The link that listens since before its end. */
    readonly link: EarlyLink;
    /** What is to be logged of the change. */
    readonly notice?: string | undefined;
  };
}

/** In flight for so long, what is to be handed over may still be acknowledged. */
const HAND_OVER_MS = 1_000;
/** For so long FreeSWITCH may be behind in sending events that the next agent will not have. */
const CATCH_UP_MS = 2_000;
/** It looks every 20 ms for what it has to send. */
const CATCH_UP_PAUSE_MS = 100;
/** Events that were too long are told of so far apart. */
const LONG_EVENT_PAUSE_MS = 60_000;

/** An agent, from its start to its end. */
export class Agent {
  readonly #warnings: readonly string[];
  readonly #reloadConfig: AgentOptions["reload"];
  readonly #clock: Clock;
  #startedAt: number;
  readonly #state: StateDir;
  readonly #logs: Logs;
  readonly #spools: DiskSpools;
  readonly #resolveSrv: SrvResolver | undefined;
  #former: AgentOptions["former"];
  readonly #commandMemory: CommandMemory;
  readonly #audit: AuditLog;
  /** The present link, which a reload may replace. */
  readonly #runner: CommandRunner;
  /** Resolves when FreeSWITCH was reached, or could not be. */
  readonly #linkTried = Promise.withResolvers<void>();
  /** What no answer may be published to. */
  #commandFilters: readonly string[] = [];
  readonly #endings = new Endings();
  #config: Config;
  #model: Model = new Map();
  #link: EslLink;
  #router = new Router<Target>([]);
  #subscription = subscriptionCommands([]);
  #names: SwitchNames | undefined;
  #coreUuid: string | undefined;
  #linkTrouble: string | undefined;
  #isLinked = false;
  #longEventToldAt = -Infinity;
  readonly #gaps: Gaps;
  readonly #announcer: Announcer;
  #originalModuleLoaded = false;
  #stopping = false;
  /** The configuration that was refused since the present one was taken up. */
  #refused: StatusReport["config_refused"];
  /** Marks of the events that were taken since {@linkcode noteEvents}. */
  #taken: Set<string> | undefined;
  /** What was counted of links before the present one. */
  #countsBefore: LinkCounts = {
    eventsReceived: 0,
    eventsTooLong: 0,
    reconnects: 0,
    protocolErrors: 0,
  };

  /**
   * Makes an agent that does nothing until {@linkcode start}.
   *
   * @throws {StateDirError} if another agent uses the same state folder.
   */
  constructor(options: AgentOptions) {
    this.#config = options.config;
    this.#warnings = options.warnings ?? [];
    this.#reloadConfig = options.reload;
    this.#spools = new DiskSpools(options.startSpool);
    this.#resolveSrv = options.resolveSrv;
    this.#former = options.former;
    this.#clock = options.clock ?? systemClock;
    this.#startedAt = this.#clock.now();
    this.#logs = options.logs ?? new Logs(logsOptions(options.config), this.#clock);
    const stateDir = resolveStateDir(options.config.settings);
    this.#state = StateDir.open(stateDir, (text) => this.#logs.whole.warning(text));
    this.#names = this.#state.switchNames;
    const complain = (text: string) => this.#logs.whole.warning(text);
    this.#commandMemory = CommandMemory.open(this.#state.file("commands.journal"), {
      clock: this.#clock,
      complain,
    });
    const { auditLog = this.#state.file("audit.jsonl"), auditLogBytes } = options.config.settings;
    this.#audit = new AuditLog(auditLog, auditLogBytes, { clock: this.#clock, complain });
    const link = () => this.#link;
    this.#runner = {
      get unavailable() {
        return link().unavailable;
      },
      isRunning: (uuid) => link().isRunning(uuid),
      bgapi: (command, uuid) => link().bgapi(command, uuid),
    };
    this.#announcer = new Announcer({
      clock: this.#clock,
      report: () => this.status(),
      find: (profile, connection) => this.#model.get(profile)?.connections.get(connection),
    });
    this.#gaps = new Gaps(this.#clock, {
      missed: (text) => this.#logs.whole.warning(text),
      changed: () => this.#announcer.changed(),
    });
    const { heard } = this.#state;
    if (this.#former !== undefined) {
      const { carried, link } = this.#former;
      this.#gaps.takeOver(carried.gaps, link.link.state.state === "connected");
      this.#startedAt -= carried.uptimeMs;
      this.#countsBefore = carried.link;
    } else if (heard?.address === this.#address) this.#gaps.resume(heard);
    this.#link = this.#former?.link.link ?? this.#makeLink();
  }

  /** Starts connecting to FreeSWITCH and the brokers. */
  start(): void {
    for (const line of this.#warnings) this.#logs.whole.warning(line);
    this.#takeUp(this.#config);
    this.#takeOverQueues();
    this.#tellStranded();
    if (this.#config.profiles.some(takesCommands)) this.#audit.open();
    if (this.#former === undefined) {
      this.#link.start();
    } else {
      const { link, carried, steered, notice } = this.#former;
      if (notice !== undefined) this.#logs.whole.notice(notice);
      for (const request of steered) this.#steerAgain(request);
      resumeCounters(this.#model, carried.counters);
      link.giveTo(this.#linkHandlers(), carried.taken);
      for (const [profile, { connections }] of this.#model) {
        for (const [name, connection] of connections) {
          const commands = carried.commands.get(keyOf(profile, name)) ?? [];
          for (const message of commands) connection.receive(message);
        }
      }
      // What was queued there is not to be held twice.
      this.#former = undefined;
    }
  }

  /**
   * Stops reading events, lets the brokers take what is queued for a while, and ends everything in
   * order.
   */
  async stop(): Promise<void> {
    await this.#stopReading();
    this.#end(connectionsOf(this.#model));
    await this.#release();
    this.#logs.whole.notice("stopped");
    this.#logs.reopen();
  }

  /** Whether it is noted from now on which events are taken, for {@linkcode handOver}. */
  noteEvents(wanted: boolean): void {
    this.#taken = wanted ? new Set() : undefined;
  }

  /**
   * Stops as {@linkcode stop} does, but what is queued is not waited for where the connection goes
   * on in the next agent: it is handed over.
   *
   * @param first The mark of the first event that the next agent has. FreeSWITCH may have yet to send
   * some to this one that were before it.
   */
  async handOver(first: string | undefined): Promise<Carried> {
    await this.#catchUp(first);
    const connections = [...this.#model].flatMap(([profile, { connections }]) =>
      [...connections].map(([name, connection]) => ({ key: keyOf(profile, name), connection }))
    );
    for (const { connection } of connections) connection.keepCommands();
    await this.#stopReading();
    const link = this.#linkCounts;
    const handedOver = connections.map(async ({ key, connection }) => {
      await connection.settle(HAND_OVER_MS);
      return { key, ...await connection.handOver() };
    });
    const parts = await Promise.all(handedOver);
    await this.#release();
    this.#logs.reopen();
    return {
      queues: new Map(parts.map(({ key, queue }) => [key, queue])),
      commands: new Map(parts.map(({ key, commands }) => [key, commands])),
      counters: countersOf(this.#model),
      taken: this.#taken ?? new Set(),
      gaps: this.#gaps.handOver(),
      uptimeMs: this.#clock.now() - this.#startedAt,
      link,
    };
  }

  /** Waits until FreeSWITCH has sent what was before the next agent's first event. */
  async #catchUp(first: string | undefined): Promise<void> {
    const pause = () => new Promise<void>((then) => this.#clock.after(CATCH_UP_PAUSE_MS, then));
    const isBehind = () => first !== undefined && this.#taken?.has(first) !== true;
    const untilMs = this.#clock.now() + CATCH_UP_MS;
    while (this.#isLinked && isBehind() && this.#clock.now() < untilMs) await pause();
    // What several of FreeSWITCH's threads send is not quite in its order.
    if (this.#isLinked) await pause();
  }

  async #stopReading(): Promise<void> {
    this.#stopping = true;
    this.#announcer.stop();
    this.#link.stop();
    // What ran ends as unknown: its senders are told before the connections end.
    await new Promise((told) => setImmediate(told));
    this.#rememberHeard();
  }

  /** Lets go of all files, once the connections have ended. */
  async #release(): Promise<void> {
    await this.#endings.all();
    await this.#spools.close();
    await atMost(this.#clock, DISK_TIMEOUT_MS, this.#commandMemory.close());
    this.#audit.close();
    this.#state.close();
  }

  /** Lets the brokers take what is queued for a while, and ends the connections. */
  #end(connections: readonly ManagedConnection[]): Promise<void> {
    const { shutdownTimeout } = this.#config.settings;
    const end = async (connection: ManagedConnection) => {
      try {
        const drained = connection.drained();
        if (shutdownTimeout > 0) await atMost(this.#clock, shutdownTimeout * 1000, drained);
        await connection.close();
      } catch (error) {
        this.#logs.whole.error(`Cannot end a connection in order: ${(error as Error).message}`);
      }
    };
    const ended = Promise.all(connections.map(end)).then(() => {});
    this.#endings.add(connections.flatMap((each) => [each.spoolFile, clientOf(each)]), ended);
    return ended;
  }

  /** How long an end waits for the brokers at most, in milliseconds. */
  get shutdownTimeoutMs(): number {
    return this.#config.settings.shutdownTimeout * 1_000;
  }

  /** Opens the log files anew, after they were rotated. */
  reopenLogs(): void {
    this.#logs.reopen();
    this.#audit.reopen();
  }

  /** The status at this moment. */
  status(): StatusReport {
    const link = this.#link;
    const counts = this.#linkCounts;
    return buildReport({
      config: this.#config,
      model: this.#model,
      names: this.#names,
      uptimeSeconds: (this.#clock.now() - this.#startedAt) / 1000,
      auditTrouble: this.#audit.trouble,
      configRefused: this.#refused,
      freeswitch: {
        ...link.state,
        address: this.#address,
        core_uuid: this.#coreUuid ?? null,
        hostname: this.#names?.hostname ?? null,
        switchname: this.#names?.switchname ?? null,
        events_received: counts.eventsReceived,
        reconnects: counts.reconnects,
        protocol_errors: counts.protocolErrors,
        events_too_long: counts.eventsTooLong,
        mod_mosquitto_loaded: this.#originalModuleLoaded,
        gaps: this.#gaps.count,
        last_gap: this.#gaps.last ?? null,
      },
    });
  }

  get #linkCounts(): LinkCounts {
    return sumOfCounts(this.#countsBefore, this.#link);
  }

  /** Does what a control request asks for; it never rejects. */
  async handle(request: ControlRequest): Promise<ControlReply> {
    try {
      return await this.#perform(request);
    } catch (error) {
      if (error instanceof SteeringError) return failed(error.message);
      const text = `Cannot do "${request.do}": ${(error as Error).message}`;
      this.#logs.whole.error(text);
      return failed(text);
    }
  }

  async #perform(request: ControlRequest): Promise<ControlReply> {
    if (this.#stopping && request.do !== "status") {
      return failed("The agent is stopping", ExitCode.UNAVAILABLE);
    }
    switch (request.do) {
      case "status":
        return { kind: "status", status: this.status() };
      case "reload":
        return await this.adopt(this.#reloadConfig());
      case "bgapi":
        return await this.#runBgapi(request.command);
      case "loglevel":
      case "enable":
      case "disable":
      case "remove":
      case "connect":
      case "disconnect": {
        const { text, removed } = this.#steer(request);
        await this.#end(removed);
        return { kind: "done", text };
      }
    }
  }

  /** Repeats what was steered in the agent before this one. */
  #steerAgain(request: SteeringRequest): void {
    try {
      this.#end(this.#steer(request).removed);
    } catch (error) {
      this.#logs.whole.warning(`"${request.do}" does not go on: ${(error as Error).message}`);
    }
  }

  /** Changes what runs until the next reload. */
  #steer(request: SteeringRequest): Steered {
    if (request.do === "loglevel") {
      if (request.level !== undefined) this.#logs.setLevel(request.level);
      return { text: `log level: ${this.#logs.level}`, removed: [] };
    }
    const steered = "connection" in request
      ? switchConnection(this.#model, request.do, request.profile, request.connection)
      : switchPart(this.#model, request.do, request.profile, request.part);
    this.#sync();
    this.#logs.whole.notice(steered.text);
    return steered;
  }

  /**
   * Takes up a configuration in place of the present one. One with errors is refused, and the
   * present one goes on; connections that did not change lose nothing.
   */
  async adopt(loaded: Loaded): Promise<ControlReply> {
    if ("errors" in loaded) {
      const [reason = "it cannot be read"] = loaded.errors;
      this.#refused = { at: this.#clock.date().toISOString(), reason };
      this.#announcer.changed();
      const lines = [...loaded.errors, "The configuration is refused; the present one goes on"];
      for (const line of lines) this.#logs.whole.error(line);
      return failed(lines.join("\n"), ExitCode.CONFIG);
    }
    const { config, warnings = [], notes: known = [] } = loaded;
    this.#refused = undefined;
    for (const line of warnings) this.#logs.whole.warning(line);
    const notes = [...known, ...restartNotes(this.#config, config)];
    const linkChanged = !sameLink(this.#config, config);
    const formerAddress = this.#address;
    this.#config = config;
    this.#logs.configure(logsOptions(config));
    if (linkChanged) this.#replaceLink(this.#address === formerAddress);
    const ended = this.#takeUp(config);
    const { renewed, faults } = this.#renewTls();
    if (linkChanged) this.#link.start();
    await ended;
    const lines = [`${config.file} is in force`, ...notes, ...renewed];
    for (const line of lines) this.#logs.whole.notice(line);
    for (const line of faults) this.#logs.whole.error(line);
    const text = [...lines, ...faults].join("\n");
    return faults.length === 0 ? { kind: "done", text } : failed(text, ExitCode.FAILED);
  }

  /** Takes up certificates and keys that are others on disk now; says what came of it. */
  #renewTls(): { renewed: string[]; faults: string[] } {
    const renewed: string[] = [];
    const faults: string[] = [];
    for (const [name, profile] of this.#model) {
      for (const [connectionName, connection] of profile.connections) {
        const where = `${name}/${connectionName}`;
        const renewal = connection.renewTls();
        if (renewal === "renewed") {
          renewed.push(`${where} connects again: its certificates or its key are others now`);
        } else if (renewal !== "same") {
          const isUp = connection.state.state === "connected";
          faults.push(
            `${where}: ${renewal.fault}` +
              (isUp ? "; the present connection goes on, and the next will be refused" : ""),
          );
        }
      }
    }
    return { renewed, faults };
  }

  /** What was known of the former FreeSWITCH does not hold for another. */
  #replaceLink(isSameFreeswitch: boolean): void {
    this.#link.stop();
    if (!isSameFreeswitch) this.#gaps.reset();
    else if (this.#isLinked) this.#gaps.lost("the login to FreeSWITCH was changed", 0);
    this.#coreUuid = undefined;
    this.#linkTrouble = undefined;
    this.#isLinked = false;
    this.#originalModuleLoaded = false;
    this.#link = this.#makeLink();
  }

  /** Takes up a configuration. Resolves when the connections that it has no more have ended. */
  #takeUp(config: Config): Promise<void> {
    const former = connectionsOf(this.#model).map((each) => ({ each, client: clientOf(each) }));
    this.#model = buildModel(config, this.#model, this.#clock, (profile, connection, limits) => {
      const spoolFile = this.#state.spoolFile(profile, connection.name);
      return new ManagedConnection(connection, limits, {
        log: this.#logs.profile(profile).within(connection.name),
        clock: this.#clock,
        commands: {
          where: { profile, connection: connection.name },
          runner: this.#runner,
          memory: this.#commandMemory,
          audit: this.#audit,
          ready: this.#linkTried.promise,
          takesCommands: (topic) =>
            this.#commandFilters.some((filter) => topicMatches(filter, topic)),
        },
        announcement: () => this.#announcer.document(profile, connection.name),
        changed: () => this.#announcer.changed(),
        uniquePart: (length) => this.#state.uniquePart(profile, connection.name, length),
        counter: (name) => counterOf(this.#model.get(profile), name),
        spools: this.#state.fault === undefined ? this.#spools : noSpools(this.#state.fault),
        spoolFile,
        after: this.#endings.of(spoolFile),
        session: this.#state.session(profile, connection.name),
        resolveSrv: this.#resolveSrv,
      });
    });
    const present = connectionsOf(this.#model);
    const ended = this.#end(
      former.map(({ each }) => each).filter((each) => !present.includes(each)),
    );
    // One client id is not used by two connections at once: they would push each other off.
    for (const connection of present) {
      const client = clientOf(connection);
      connection.waitFor(this.#endings.of(client));
      for (const { each, client: formerClient } of former) {
        if (each === connection || client === undefined || client !== formerClient) continue;
        if (present.includes(each)) connection.waitFor(each.replaced);
      }
    }
    this.#sync();
    return ended;
  }

  /** The queues go on with what another agent has handed over; their spools are not open yet. */
  #takeOverQueues(): void {
    for (const [profile, { connections, publishers }] of this.#model) {
      const topics = [...publishers.values()].flatMap(({ topics }) => topics);
      const limits = new Map(topics.map(({ counter, limit }) => [counter, limit]));
      const limitOf = (counter: MessageCounter) => limits.get(counter);
      for (const [name, { queue }] of connections) {
        const carried = this.#former?.carried.queues.get(keyOf(profile, name));
        if (carried !== undefined) queue.takeOver(carried, limitOf);
      }
    }
  }

  /** Events that wait for a connection which nobody has configured any more. */
  #tellStranded(): void {
    const connections = [...this.#model].flatMap(([profile, { connections }]) =>
      [...connections.keys()].map((connection) => ({ profile, connection }))
    );
    for (const file of this.#state.strandedSpools(connections)) {
      this.#logs.whole.warning(
        `${file} is the spool of a connection that is not configured: what is in it waits until ` +
          "the connection is there again. Remove the file to give that up",
      );
    }
  }

  /** Brings connections, routes and subscriptions into line with the model. */
  #sync(): void {
    const names = this.#names;
    const { uniqueStringLength } = this.#config.settings;
    for (const profile of this.#model.values()) {
      for (const [name, connection] of profile.connections) {
        const topics = commandTopics(profile, name, names);
        connection.sync(profile.enabled, names, uniqueStringLength, topics);
      }
    }
    this.#commandFilters = commandFilters(this.#model, names);
    const routes = eventRoutes(this.#model, names);
    this.#router = new Router(routes);
    const subscription = subscriptionCommands(routes.flatMap(({ events }) => events));
    const changed = subscription.join("\n") !== this.#subscription.join("\n");
    this.#subscription = subscription;
    if (changed) this.#link.subscribe(subscription);
    this.#announcer.changed();
  }

  #makeLink(): EslLink {
    return new EslLink({
      endpoint: endpointOf(this.#config.settings),
      subscription: this.#subscription,
      clock: this.#clock,
    }, this.#linkHandlers());
  }

  #linkHandlers(): LinkHandlers {
    return {
      event: (body) => this.#takeEvent(body),
      isAhead: () => this.#isAhead(),
      eventTooLong: (length, name) => this.#missedTooLong(length, name),
      state: (state) => this.#linkStateChanged(state),
      identity: (identity) => this.#identified(identity),
      originalModuleLoaded: (loaded) => this.#foundOriginalModule(loaded),
      callLegs: (sinceStartup) => this.#gaps.callLegs(sinceStartup),
      lost: (reason, silentMs) => this.#gaps.lost(reason, silentMs),
    };
  }

  #takeEvent(payload: Uint8Array<ArrayBuffer>): void {
    this.#gaps.event(payload);
    this.#taken?.add(eventMark(payload));
    for (const target of this.#router.targets(payload)) {
      const { connection, topic, qos, retain, counter, limit } = target;
      connection.offer({ topic, payload, qos, retain, counter }, limit);
    }
  }

  /** Where events wait though their broker takes some, a burst is better left with FreeSWITCH. */
  #isAhead(): boolean {
    return connectionsOf(this.#model).some(({ queue }) => queue.isCatchingUp);
  }

  /** Told once a minute: whoever can make one can make many. */
  #missedTooLong(length: number, name = "of unknown name"): void {
    const now = this.#clock.now();
    if (now < this.#longEventToldAt + LONG_EVENT_PAUSE_MS) return;
    this.#longEventToldAt = now;
    const { eventsTooLong } = this.#link;
    this.#logs.whole.warning(
      `Missed an event (${name}) of ${length} bytes, which is too long; ` +
        `${eventsTooLong} such ${eventsTooLong === 1 ? "event" : "events"} so far`,
    );
  }

  #identified({ coreUuid, hostname, switchname }: SwitchIdentity): void {
    if (this.#coreUuid !== undefined && this.#coreUuid !== coreUuid) {
      this.#logs.whole.warning("FreeSWITCH was restarted");
    }
    this.#coreUuid = coreUuid;
    const changed = this.#names?.hostname !== hostname || this.#names.switchname !== switchname;
    this.#names = { hostname, switchname };
    this.#state.rememberSwitch(this.#names);
    if (changed) this.#sync();
    this.#gaps.identified(coreUuid);
    this.#rememberRunning();
    this.#announcer.changed();
  }

  /** From the first events on: if fsmqtt does not end in order, nobody knows what was missed. */
  #rememberRunning(): void {
    if (!this.#isLinked || this.#coreUuid === undefined) return;
    this.#state.rememberHeard({ address: this.#address, coreUuid: this.#coreUuid });
  }

  #rememberHeard(): void {
    const heard = this.#gaps.heard();
    if (heard !== undefined) this.#state.rememberHeard({ address: this.#address, ...heard });
  }

  /** Where FreeSWITCH's event socket is. */
  get #address(): string {
    const { eslHost, eslPort } = this.#config.settings;
    return `${eslHost}:${eslPort}`;
  }

  #linkStateChanged(state: LinkState): void {
    this.#linkTried.resolve();
    this.#announcer.changed();
    const log = this.#logs.whole;
    const where = `FreeSWITCH at ${this.#address}`;
    if (state.state === "connected") {
      this.#linkTrouble = undefined;
      this.#isLinked = true;
      const name = this.#names === undefined ? "" : ` (${this.#names.switchname})`;
      log.notice(`connected to ${where}${name}`);
      this.#gaps.connected();
      this.#rememberRunning();
      return;
    }
    this.#gaps.failed();
    this.#isLinked = false;
    const { reason } = state;
    // The same trouble is told once, not at each attempt.
    if (reason === undefined || reason === this.#linkTrouble) return;
    this.#linkTrouble = reason;
    if (state.state === "refused") {
      const source = this.#config.eslPasswordSource;
      const origin = /password/.test(reason) ? ` The password comes from ${source}.` : "";
      log.error(`${where}: ${reason}.${origin} Trying again slowly`);
    } else {
      log.warning(`${where}: ${reason}. Trying again`);
    }
  }

  #foundOriginalModule(loaded: boolean): void {
    this.#originalModuleLoaded = loaded;
    this.#announcer.changed();
    if (!loaded) return;
    this.#logs.whole.alert(
      "FreeSWITCH has mod_mosquitto loaded: events are published twice and commands RUN TWICE. " +
        "Run `unload mod_mosquitto` in FreeSWITCH and take it out of modules.conf.xml",
    );
  }

  async #runBgapi(command: string): Promise<ControlReply> {
    try {
      const job = await this.#link.bgapi(command, crypto.randomUUID());
      const outcome = await job.outcome;
      if (outcome.kind === "finished") {
        return isFailure(outcome.text)
          ? failed(outcome.text.trimEnd())
          : { kind: "done", text: outcome.text.trimEnd() };
      }
      return failed(`The outcome is unknown: ${outcome.reason}`);
    } catch (error) {
      if (!(error instanceof EslError)) throw error;
      const unreachable = error.kind === "unreachable";
      return failed(error.message, unreachable ? ExitCode.UNAVAILABLE : ExitCode.FAILED);
    }
  }
}

/** Without a state folder nothing can be kept on disk. */
function noSpools(fault: string): Spools {
  const error = new SpoolError(
    `Cannot keep events on disk: ${fault}; start fsmqtt again when that is mended`,
  );
  return { open: () => Promise.reject(error), close: () => Promise.resolve() };
}

/** Whether messages may run anything. */
function takesCommands({ subscribers }: Config["profiles"][number]): boolean {
  return subscribers.some(({ topics }) =>
    topics.some(({ bgapiAuthorized, originateAuthorized }) =>
      bgapiAuthorized || originateAuthorized
    )
  );
}

/** Who a connection is to its broker; `undefined` where its client id is random. */
function clientOf({ config }: ManagedConnection): string | undefined {
  return config.clientId && `${brokerName(config)} ${config.clientId}`;
}

function sameLink(a: Config, b: Config): boolean {
  const [one, other] = [a.settings, b.settings];
  return one.eslHost === other.eslHost && one.eslPort === other.eslPort &&
    one.eslUser === other.eslUser && one.eslPassword.reveal() === other.eslPassword.reveal();
}
