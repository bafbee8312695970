/**
 * The lasting link to one FreeSWITCH: an event connection and a command connection, made again for
 * as long as it takes.
 *
 * @module
 */

import { Backoff } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import { EslConnection, type EslEndpoint } from "./connection.ts";
import { EslError } from "./errors.ts";
import { coreUuid, eventName, hostname, switchname } from "./event_json.ts";
import { type JobOutcome, Jobs } from "./jobs.ts";

/** Who a FreeSWITCH is. */
export interface SwitchIdentity {
  /** New at each start of FreeSWITCH. */
  readonly coreUuid: string;
  /** The machine's name as FreeSWITCH reports it. */
  readonly hostname: string;
  /** The name of this FreeSWITCH; the hostname where none is set. */
  readonly switchname: string;
}

/**
 * - `connecting`: trying; with the reason why the last attempt failed.
 * - `connected`: authenticated, and the subscription acknowledged.
 * - `refused`: password or access list; tried again slowly.
 */
export type LinkState =
  | { readonly state: "connecting"; readonly reason?: string }
  | { readonly state: "connected" }
  | { readonly state: "refused"; readonly reason: string };

/** What a link tells its owner. */
export interface LinkHandlers {
  /** An event's JSON, as FreeSWITCH sent it. It is only lent: its bytes change after the call. */
  event(body: Uint8Array<ArrayBuffer>): void;
  /** Whether events come faster than they go on: then FreeSWITCH is read a little slower. */
  isAhead?(): boolean;
  /** An event was too long to be read. Its name is what FreeSWITCH calls it, where that is known. */
  eventTooLong(length: number, name: string | undefined): void;
  /** The state changed. */
  state(state: LinkState): void;
  /** FreeSWITCH told who it is; before `connected` where it may be asked, else with an event. */
  identity(identity: SwitchIdentity): void;
  /** Whether FreeSWITCH has mod_mosquitto loaded, which would run every command a second time. */
  originalModuleLoaded(loaded: boolean): void;
  /**
   * How many call legs FreeSWITCH has seen since its start, as of the moment before events come;
   * only where it may be asked.
   */
  callLegs(sinceStartup: number): void;
  /** The link was connected and is no more. Events have come until `silentMs` before, at least. */
  lost(reason: string, silentMs: number): void;
}

/** What a link needs. */
export interface LinkOptions {
  /** Where FreeSWITCH is. */
  readonly endpoint: EslEndpoint;
  /** The commands that ask for the wanted events, HEARTBEAT among them; they are sent again. */
  readonly subscription: readonly string[];
  /** Time. */
  readonly clock: Clock;
  /** A number from 0 up to 1; `Math.random` outside tests. */
  readonly random?: () => number;
}

/** A job that FreeSWITCH took on. */
export interface Job {
  /** Its Job-UUID. */
  readonly uuid: string;
  /** How it ends; it never rejects. */
  readonly outcome: Promise<JobOutcome>;
}

/** Reconnects are at most this far apart. */
const MAX_DELAY_MS = 5_000;
/** More commands than these are not sent to a FreeSWITCH that does not answer. */
const MAX_UNANSWERED = 1000;
/** After a refusal, which only a person can mend, the next attempt comes this much later. */
const REFUSED_DELAY_MS = 30_000;
/** FreeSWITCH sends HEARTBEAT every 20 s; after this silence it is asked for a sign of life. */
const SILENCE_MS = 25_000;
/** In FreeSWITCH's answer to `status` (`status_function` of mod_commands.c). */
const SESSIONS = /^(\d+) session\(s\) since startup/m;

/** One FreeSWITCH, for as long as the agent runs. */
export class EslLink {
  readonly #handlers: LinkHandlers;
  readonly #clock: Clock;
  readonly #endpoint: EslEndpoint;
  readonly #backoff: Backoff;
  readonly #jobs = new Jobs();
  #subscription: readonly string[];
  /** The subscription is being sent; what is changed meanwhile is sent after it. */
  #asking = false;
  #askAgain = false;
  #state: LinkState = { state: "connecting" };
  #identity: SwitchIdentity | undefined;
  #identityIsCurrent = false;
  #events: EslConnection | undefined;
  #commands: EslConnection | undefined;
  /** Of the present attempt; aborted, both connections end and nothing of them is heard. */
  #attempt = new AbortController();
  #cancelRetry = () => {};
  #running = false;
  /** Commands that FreeSWITCH has not answered yet. */
  #unanswered = 0;
  #connects = 0;
  #eventsReceived = 0;
  #eventsTooLong = 0;
  #protocolErrors = 0;

  /** Makes a link that does nothing until {@linkcode start}. */
  constructor(options: LinkOptions, handlers: LinkHandlers) {
    this.#handlers = handlers;
    this.#clock = options.clock;
    this.#endpoint = options.endpoint;
    this.#subscription = options.subscription;
    this.#backoff = new Backoff({
      firstMs: 250,
      maxMs: MAX_DELAY_MS,
      exponential: true,
      ...(options.random === undefined ? {} : { random: options.random }),
    });
  }

  /** Where it stands. */
  get state(): LinkState {
    return this.#state;
  }

  /** Who FreeSWITCH is, as last heard. */
  get identity(): SwitchIdentity | undefined {
    return this.#identity;
  }

  /** Events read so far. */
  get eventsReceived(): number {
    return this.#eventsReceived;
  }

  /** Events that were too long to be read; they are not among those received. */
  get eventsTooLong(): number {
    return this.#eventsTooLong;
  }

  /** How often the link was made again. */
  get reconnects(): number {
    return Math.max(0, this.#connects - 1);
  }

  /** How often a connection was dropped because what came on it was no frame, or absurdly long. */
  get protocolErrors(): number {
    return this.#protocolErrors;
  }

  /** Starts connecting, and goes on for ever. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#connect();
  }

  /** Ends both connections. Open jobs end as unknown. */
  stop(): void {
    this.#running = false;
    this.#cancelRetry();
    this.#drop(new EslError("lost", "fsmqtt is stopping"));
  }

  /** Changes which events are wanted, at once where connected. */
  subscribe(subscription: readonly string[]): void {
    this.#subscription = subscription;
    const { signal } = this.#attempt;
    this.#askForEvents().catch((error) => this.#failed(error, signal));
  }

  /** Why no command can be started at present, if none can. */
  get unavailable(): string | undefined {
    if (this.#commands === undefined || this.#state.state !== "connected") {
      return "FreeSWITCH is not connected";
    }
    return this.#unanswered >= MAX_UNANSWERED
      ? `FreeSWITCH has yet to answer ${MAX_UNANSWERED} commands`
      : undefined;
  }

  /** Whether a job of this id is under way. */
  isRunning(uuid: string): boolean {
    return this.#jobs.has(uuid);
  }

  /**
   * Starts `bgapi <command>` under this Job-UUID.
   *
   * @throws {EslError} if it was not started, or the connection ended before FreeSWITCH answered.
   */
  async bgapi(command: string, uuid: string): Promise<Job> {
    const connection = this.#commands;
    const { unavailable } = this;
    if (connection === undefined || unavailable !== undefined) {
      throw new EslError("unreachable", unavailable ?? "FreeSWITCH is not connected");
    }
    if (this.#jobs.has(uuid)) {
      throw new EslError("rejected", `A job of the id ${uuid} is still running`);
    }
    const outcome = this.#jobs.expect(uuid);
    this.#unanswered++;
    try {
      await connection.command(`bgapi ${command}`, { "Job-UUID": uuid });
    } catch (error) {
      this.#jobs.forget(uuid);
      throw error;
    } finally {
      this.#unanswered--;
    }
    return { uuid, outcome };
  }

  async #connect(): Promise<void> {
    this.#attempt = new AbortController();
    const { signal } = this.#attempt;
    const closed = (reason: EslError) => this.#failed(reason, signal);
    this.#identityIsCurrent = false;
    this.#asking = false;
    try {
      const options = { clock: this.#clock, signal };
      // Who FreeSWITCH is may decide which events are wanted, so that is asked first.
      const commands = await EslConnection.open(this.#endpoint, {
        event: (body) => {
          if (eventName(body) === "BACKGROUND_JOB") this.#jobs.take(body);
        },
        tooLong: (length, start) => {
          this.#jobs.lose(start, `its result of ${length} bytes is too long`);
        },
        closed,
      }, options);
      await this.#ask(commands);
      const askForJobs = () => commands.command("event json BACKGROUND_JOB");
      await askForJobs();
      const events = await EslConnection.open(this.#endpoint, {
        event: (body) => this.#takeEvent(body),
        isAhead: () => this.#handlers.isAhead?.() ?? false,
        tooLong: (length, start) => {
          this.#eventsTooLong++;
          this.#handlers.eventTooLong(length, eventName(start));
        },
        closed,
      }, options);
      signal.throwIfAborted();
      await this.#askForCallLegs(commands);
      signal.throwIfAborted();
      this.#commands = commands;
      this.#events = events;
      await this.#askForEvents();
      signal.throwIfAborted();
      this.#watch(commands, askForJobs, signal);
      this.#watch(events, () => this.#askForEvents(), signal);
    } catch (error) {
      this.#failed(error as Error, signal);
      return;
    }
    this.#connects++;
    this.#backoff.reset();
    this.#setState({ state: "connected" });
  }

  /** Sends the subscription; where that is under way already, it will be done once more. */
  async #askForEvents(): Promise<void> {
    this.#askAgain = true;
    const connection = this.#events;
    if (connection === undefined || this.#asking) return;
    this.#asking = true;
    while (this.#askAgain) {
      this.#askAgain = false;
      for (const command of this.#subscription) await connection.command(command);
    }
    this.#asking = false;
  }

  /** Who FreeSWITCH is. A restricted user may not ask; then the first event tells. */
  async #ask(connection: EslConnection): Promise<void> {
    const answer = async (question: string) => {
      const text = (await connection.api(question)).trim();
      return text === "" || text.startsWith("-") ? undefined : text;
    };
    const core = await answer("global_getvar core_uuid");
    const host = await answer("hostname");
    const name = await answer("switchname");
    if (core !== undefined && host !== undefined && name !== undefined) {
      this.#identify({ coreUuid: core, hostname: host, switchname: name });
    }
    const loaded = await answer("module_exists mod_mosquitto");
    this.#handlers.originalModuleLoaded(loaded === "true");
  }

  /**
   * As late as can be, since legs that begin before events come are missed and not counted; but not
   * later, since whoever subscribes to API events would be sent the question.
   */
  async #askForCallLegs(connection: EslConnection): Promise<void> {
    const [, count] = SESSIONS.exec(await connection.api("status")) ?? [];
    if (count !== undefined) this.#handlers.callLegs(Number(count));
  }

  #takeEvent(body: Uint8Array<ArrayBuffer>): void {
    this.#eventsReceived++;
    if (!this.#identityIsCurrent) this.#identifyBy(body);
    this.#handlers.event(body);
  }

  #identifyBy(event: Uint8Array): void {
    const core = coreUuid(event);
    const host = hostname(event);
    const name = switchname(event);
    if (core !== undefined && host !== undefined && name !== undefined) {
      this.#identify({ coreUuid: core, hostname: host, switchname: name });
    }
  }

  #identify(identity: SwitchIdentity): void {
    this.#identityIsCurrent = true;
    this.#identity = identity;
    this.#handlers.identity(identity);
  }

  /** Asks for a sign of life whenever there was none for a while. */
  #watch(connection: EslConnection, ask: () => Promise<unknown>, signal: AbortSignal): void {
    let cancelTimer = () => {};
    signal.addEventListener("abort", () => cancelTimer(), { once: true });
    const watch = () => {
      const delayMs = Math.max(SILENCE_MS - connection.silentMs, 1000);
      cancelTimer = this.#clock.after(delayMs, async () => {
        try {
          // An answer that does not come ends the connection.
          if (connection.silentMs >= SILENCE_MS) await ask();
          if (!signal.aborted) watch();
        } catch (error) {
          this.#failed(error as Error, signal);
        }
      });
    };
    watch();
  }

  /** Tries again later, unless the attempt that failed was given up before. */
  #failed(error: Error, signal: AbortSignal): void {
    if (signal.aborted) return;
    const reason = error instanceof EslError ? error : new EslError("lost", error.message);
    if (reason.kind === "protocol") this.#protocolErrors++;
    const silentMs = this.#events?.silentMs ?? 0;
    this.#drop(reason);
    if (this.#state.state === "connected") this.#handlers.lost(reason.message, silentMs);
    const refused = reason.kind === "refused";
    const delayMs = refused ? REFUSED_DELAY_MS : this.#backoff.next();
    this.#cancelRetry = this.#clock.after(delayMs, () => this.#connect());
    this.#setState({ state: refused ? "refused" : "connecting", reason: reason.message });
  }

  #drop(reason: EslError): void {
    this.#events = undefined;
    this.#commands = undefined;
    this.#attempt.abort(reason);
    this.#jobs.abandon(reason.message);
  }

  #setState(state: LinkState): void {
    this.#state = state;
    this.#handlers.state(state);
  }
}
