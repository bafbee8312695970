/**
 * A FreeSWITCH stand-in that speaks the event socket protocol, for the demo, tests and benchmarks.
 *
 * @module
 */

import { type ApiHandler, type ApiHost, BUILTIN_API } from "./api.ts";
import { decodeText, encodeText } from "./byte_string.ts";
import { CallScript } from "./call.ts";
import { splitCommand } from "./commands.ts";
import { Core, type EventOrigin } from "./core.ts";
import {
  ContentEvent,
  type EventContent,
  type EventHeader,
  type FiredEvent,
  RawEvent,
} from "./event.ts";
import { HEARTBEAT_ORIGIN, heartbeatHeaders } from "./heartbeat.ts";
import { type CallGenerator, flood, type FloodResult, generateCalls } from "./load.ts";
import { type SimulatorOptions, withDefaults } from "./options.ts";
import { type Connection, type ReceivedCommand, Session, type SessionHost } from "./session.ts";
import { eventNamed } from "./subscription.ts";
import { Watchers } from "./watchers.ts";

export type { ApiHandler, ApiHost } from "./api.ts";
export type { SimulatorOptions } from "./options.ts";
export type { Connection, ReceivedCommand } from "./session.ts";
export type { SimulatedUser } from "./user.ts";
export type { CallGenerator, FloodResult } from "./load.ts";
export { CallScript, eventsOfCall } from "./call.ts";
export { readRecording, recordedEvents } from "./recording.ts";
export type { RecordedFrame } from "./recording.ts";
export type { EventOrigin } from "./core.ts";

/** What an event may have beside its name and headers. */
export interface FireOptions {
  /** `Event-Subclass`, for CUSTOM. */
  readonly subclass?: string;
  /** The body. */
  readonly body?: string;
  /** Where in FreeSWITCH's source it comes from. @default the simulator itself */
  readonly origin?: EventOrigin;
}

/** How a call is made. */
export interface CallOptions {
  /** How long it lasts; 0 fires all its events at once. @default {0} */
  readonly durationMs?: number;
  /** Its `Unique-ID`, of 36 characters. @default a fresh one */
  readonly uuid?: string;
  /** The recorded call to make again. @default the answered SIP call of 23 events */
  readonly script?: CallScript;
}

/** A call that was made. */
export interface SimulatedCall {
  /** Its `Unique-ID`. */
  readonly uuid: string;
  /** Resolves when its last event was fired, or the simulator stopped. */
  readonly ended: Promise<void>;
}

const SIMULATOR_ORIGIN: EventOrigin = { file: "simulator.ts", function: "fire", line: 1 };
const API_ORIGIN = {
  file: "switch_loadable_module.c",
  function: "switch_api_execute",
  line: 3140,
};
const JOB_ORIGIN = { file: "mod_event_socket.c", function: "api_exec", line: 1580 };
const SENDEVENT_ORIGIN = { file: "mod_event_socket.c", function: "parse_command", line: 2283 };

/** A FreeSWITCH with nothing behind its event socket but recordings. */
export class Simulator implements AsyncDisposable {
  readonly #options: Required<SimulatorOptions>;
  readonly #sessions = new Set<Session>();
  readonly #running = new Set<Promise<void>>();
  readonly #timers = new Set<() => void>();
  readonly #received: ReceivedCommand[] = [];
  readonly #watchers = new Watchers();
  readonly #api: Map<string, ApiHandler>;
  readonly #host: SessionHost;
  readonly #script = CallScript.recorded();
  #core: Core;
  #listener: Deno.TcpListener | undefined;
  #accepting = Promise.resolve();
  #port: number;
  #connections = 0;
  #stopped = false;
  #stallNew = false;

  /** Refuses every new client as an ACL does: `text/rude-rejection` before any authentication. */
  refusing = false;
  /** How long the replies to `auth` and `userauth` are held back. */
  authDelayMs = 0;
  /** The most bytes in one write to a client; everything that waits when not set. */
  writeBytes: number | undefined;

  private constructor(options: Required<SimulatorOptions>) {
    this.#options = options;
    this.#port = options.port;
    this.#core = this.#newCore(options.coreUuid);
    this.#api = new Map(Object.entries(BUILTIN_API));
    for (const [name, handler] of Object.entries(options.api)) this.handleApi(name, handler);
    this.#host = this.#sessionHost();
  }

  /** Starts a simulator that listens. */
  static start(options: SimulatorOptions = {}): Promise<Simulator> {
    const simulator = new Simulator(withDefaults(options));
    simulator.listen();
    simulator.#beat();
    return Promise.resolve(simulator);
  }

  // What a client needs to know.

  /** The port it listens on. */
  get port(): number {
    return this.#port;
  }

  /** The address it listens on. */
  get hostname(): string {
    return this.#options.hostname;
  }

  /** What `auth` must give. */
  get password(): string {
    return this.#options.password;
  }

  /** `Core-UUID`. */
  get coreUuid(): string {
    return this.#core.identity.uuid;
  }

  /** `Event-Sequence` of the last event. */
  get sequence(): number {
    return this.#core.sequence;
  }

  // What a test wants to see.

  /** Every command of every client, in the order they came. */
  get received(): readonly ReceivedCommand[] {
    return this.#received;
  }

  /** The connections that are open. */
  get connections(): readonly Connection[] {
    // A closed one stays in the set until its loop has ended.
    return [...this.#sessions].filter((session) => !session.closed);
  }

  /** How many connections were accepted since the start. */
  get accepted(): number {
    return this.#connections;
  }

  /**
   * Resolves when `predicate` holds: now, or after a client connected, sent a command, subscribed
   * or went away. Rejects when the simulator stops before.
   */
  waitFor(predicate: (simulator: Simulator) => boolean): Promise<void> {
    return this.#watchers.until(() => predicate(this) ? true : undefined).then(() => {});
  }

  /**
   * Resolves with the first command that `predicate` takes, among those already received from
   * number `after` on and those to come.
   */
  waitForCommand(
    predicate: (command: ReceivedCommand) => boolean,
    after = 0,
  ): Promise<ReceivedCommand> {
    return this.#watchers.until(() => this.#received.slice(after).find(predicate));
  }

  /** Resolves when a client has subscribed to that event. */
  waitForSubscription(name: string, subclass?: string): Promise<void> {
    return this.waitFor(() => this.connections.some((one) => one.wants(name, subclass)));
  }

  /** Resolves when no listener has events waiting that could be written. */
  async flushed(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.idle()));
  }

  // Events.

  /** Fires an event. Header names and values are text; an array becomes a JSON array. */
  fire(
    name: string,
    headers: Readonly<Record<string, string | readonly string[]>> = {},
    options: FireOptions = {},
  ): void {
    const own = Object.entries(headers).map(([key, value]): EventHeader => [
      encodeText(key),
      typeof value === "string" ? encodeText(value) : value.map(encodeText),
    ]);
    const subclass: EventHeader[] = options.subclass === undefined
      ? []
      : [["Event-Subclass", encodeText(options.subclass)]];
    const base = this.#core.headers(name, options.origin ?? SIMULATOR_ORIGIN);
    const body = options.body === undefined ? {} : { body: encodeText(options.body) };
    this.#deliver(name, { headers: [...subclass, ...base, ...own], ...body });
  }

  /** Fires an event whose JSON bytes reach `json` listeners as they are. */
  fireRaw(bytes: Uint8Array): void {
    this.#core.nextSequence();
    this.#offer(new RawEvent(bytes));
  }

  /** Fires a HEARTBEAT. */
  fireHeartbeat(): void {
    const base = this.#core.headers("HEARTBEAT", HEARTBEAT_ORIGIN);
    this.#deliver("HEARTBEAT", { headers: [...base, ...heartbeatHeaders(this.#core)] });
  }

  /** Makes a call: fires the events of a recorded one with ids and times of its own. */
  fireCall(options: CallOptions = {}): SimulatedCall {
    const core = this.#core;
    const script = options.script ?? this.#script;
    const play = script.play(core, this.#options.newUuid, options);
    const stepMs = (options.durationMs ?? 0) / Math.max(play.moments - 1, 1);
    core.sessions++;
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const step = (moment: number) => {
      if (core === this.#core) { for (const event of play.next()) this.#offer(event); }
      if (moment + 1 >= play.moments || this.#stopped) resolve();
      else if (stepMs === 0) step(moment + 1);
      else this.#after(stepMs, () => step(moment + 1), resolve);
    };
    step(0);
    return { uuid: play.uuid, ended };
  }

  /** Makes calls at that rate until it is told to stop. */
  callsAtRate(perSecond: number, options: CallOptions = {}): CallGenerator {
    const after = (delayMs: number, callback: () => void) => this.#after(delayMs, callback);
    return generateCalls(perSecond, this.#options.clock, after, () => this.fireCall(options));
  }

  /**
   * Makes `count` calls, or does `fire` as often, as fast as the listeners read: it waits whenever
   * one of them falls behind, so nothing is dropped.
   */
  flood(count: number, fire: () => void = () => void this.fireCall()): Promise<FloodResult> {
    const before = this.#core.sequence;
    const room = () => Promise.all([...this.#sessions].map((session) => session.room()));
    return flood(count, fire, room, () => this.#core.sequence - before);
  }

  /** Adds or replaces a command for `api` and `bgapi`. */
  handleApi(name: string, handler: ApiHandler): void {
    this.#api.set(
      name.toLowerCase(),
      async (argument, host) => encodeText(await handler(decodeText(argument), host)),
    );
  }

  // Faults.

  /** Neither reads nor writes until {@linkcode Simulator.resume}; `new` leaves open ones alone. */
  stall(which: "all" | "new" = "all"): void {
    this.#stallNew = true;
    if (which === "all") { for (const session of this.#sessions) session.stall(); }
  }

  /** Ends {@linkcode Simulator.stall}. */
  resume(): void {
    this.#stallNew = false;
    for (const session of this.#sessions) session.resume();
  }

  /** Closes every connection without a word. */
  closeConnections(): void {
    for (const session of [...this.#sessions]) session.close();
  }

  /** Tells every client goodbye with a `text/disconnect-notice`, and closes unless told not to. */
  sendDisconnectNotice(options: { message?: string; close?: boolean } = {}): void {
    for (const session of this.#sessions) {
      if (options.close ?? true) session.disconnect(options.message);
      else session.notify(options.message);
    }
  }

  /** Puts any bytes into the stream of every client, between two frames. */
  sendBytes(bytes: Uint8Array): void {
    for (const session of this.#sessions) session.send(bytes);
  }

  /** Takes no new connections; those that are open stay. Resolves when the port is free. */
  async stopListening(): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    await this.#accepting;
  }

  /** Takes connections, on the same port as before. */
  listen(): void {
    if (this.#listener !== undefined) return;
    const { hostname } = this.#options;
    const listener = Deno.listen({ hostname, port: this.#port });
    this.#listener = listener;
    this.#port = listener.addr.port;
    this.#accepting = this.#accept(listener);
  }

  /** Closes every connection and goes on as a FreeSWITCH that has just started. */
  restart(coreUuid: string = this.#options.newUuid()): void {
    this.closeConnections();
    this.#core = this.#newCore(coreUuid);
  }

  /** Closes everything. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const cancel of [...this.#timers]) cancel();
    const listening = this.stopListening();
    this.closeConnections();
    this.#watchers.fail(new Error("Cannot wait: the simulator has stopped"));
    await Promise.all([listening, ...this.#running]);
  }

  /** {@linkcode Simulator.stop}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #newCore(uuid: string): Core {
    const { freeswitchHostname, switchname, clock } = this.#options;
    const hostname = encodeText(freeswitchHostname);
    return new Core({ uuid, hostname, switchname: encodeText(switchname) }, clock);
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    for await (const socket of listener) {
      const session = new Session(++this.#connections, socket, this.#host);
      if (this.#stallNew) session.stall();
      this.#sessions.add(session);
      this.#track(
        session.run().finally(() => {
          this.#sessions.delete(session);
          this.#watchers.look();
        }),
      );
      this.#watchers.look();
    }
  }

  #track(running: Promise<void>): void {
    const done = running.finally(() => this.#running.delete(done));
    this.#running.add(done);
  }

  #offer(event: FiredEvent): void {
    for (const session of this.#sessions) session.offer(event);
  }

  #deliver(name: string, content: EventContent): void {
    this.#offer(new ContentEvent(name, content));
  }

  /** Like the clock's `after`, but ends with the simulator; `cancelled` is called then. */
  #after(delayMs: number, callback: () => void, cancelled?: () => void): () => void {
    const stop = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(cancel);
      callback();
    });
    const cancel = () => {
      this.#timers.delete(cancel);
      stop();
      cancelled?.();
    };
    this.#timers.add(cancel);
    return cancel;
  }

  #beat(): void {
    const { heartbeatMs } = this.#options;
    if (heartbeatMs <= 0) return;
    this.#after(heartbeatMs, () => {
      this.fireHeartbeat();
      this.#beat();
    });
  }

  /** FreeSWITCH makes the API event before it runs the command, and fires it afterwards. */
  async #runApi(name: string, argument: string | undefined): Promise<string> {
    const command = name.trim();
    const trimmed = (argument ?? "").trim();
    const headers = this.#core.headers("API", API_ORIGIN);
    if (command !== "") headers.push(["API-Command", command]);
    if (trimmed !== "") headers.push(["API-Command-Argument", trimmed]);
    const handler = this.#api.get(command.toLowerCase());
    const output = handler === undefined
      ? `-ERR ${name} Command not found!\n`
      : await handler(trimmed, this.#apiHost());
    this.#deliver("API", { headers });
    return output;
  }

  async #runJob(uuid: string, command: string): Promise<void> {
    const [name, argument] = splitCommand(command);
    const body = await this.#runApi(name, argument);
    const headers = this.#core.headers("BACKGROUND_JOB", JOB_ORIGIN);
    headers.push(["Job-UUID", uuid], ["Job-Command", name]);
    if (argument !== undefined && argument !== "") headers.push(["Job-Command-Arg", argument]);
    this.#deliver("BACKGROUND_JOB", { headers, body });
  }

  #fireSent(given: string, sent: EventHeader[], body: string | undefined): void {
    const name = eventNamed(given) ?? "CLONE";
    const headers = [...sent, ...this.#core.headers(name, SENDEVENT_ORIGIN)];
    // FreeSWITCH puts the subclass of a CUSTOM event first, wherever the client had it.
    const at = headers.findIndex(([key]) => key.toLowerCase() === "event-subclass");
    const subclass = name === "CUSTOM" && at >= 0 ? headers.splice(at, 1) : [];
    const first = subclass.map(([, value]): EventHeader => ["Event-Subclass", value]);
    const content = { headers: [...first, ...headers], ...(body === undefined ? {} : { body }) };
    this.#deliver(name, content);
  }

  #apiHost(): ApiHost {
    const { modules, globals, newUuid } = this.#options;
    return {
      core: this.#core,
      modules: new Set(modules),
      globals: new Map(Object.entries(globals)),
      originate: (uuid) => this.fireCall(uuid === undefined ? {} : { uuid }).uuid,
      startJob: (command) => {
        const uuid = newUuid();
        void this.#runJob(uuid, command);
        return uuid;
      },
    };
  }

  #sessionHost(): SessionHost {
    const dial = {
      refusing: () => this.refusing,
      authDelayMs: () => this.authDelayMs,
      writeBytes: () => this.writeBytes,
    };
    const { password, users, newUuid, subclasses, queueLimit, authTimeoutMs, jobResult } =
      this.#options;
    return {
      password: encodeText(password),
      users,
      newUuid,
      subclasses,
      queueLimit,
      authTimeoutMs,
      jobResult,
      get refusing() {
        return dial.refusing();
      },
      get authDelayMs() {
        return dial.authDelayMs();
      },
      get writeBytes() {
        return dial.writeBytes();
      },
      runApi: (name, argument) => this.#runApi(name, argument),
      runJob: (uuid, command) => this.#runJob(uuid, command),
      fireSent: (name, headers, body) => this.#fireSent(name, headers, body),
      after: (delayMs, callback) => this.#after(delayMs, callback),
      received: (command) => {
        this.#received.push(command);
        this.#watchers.look();
      },
      changed: () => this.#watchers.look(),
      flushed: () => this.flushed(),
    };
  }
}
