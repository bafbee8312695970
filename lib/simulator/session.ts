/**
 * One client's connection.
 *
 * @module
 */

import { bytesOf, decodeText } from "./byte_string.ts";
import { type Command, CommandError, CommandReader, firstLine } from "./command_reader.ts";
import { type CommandContext, type CommandHost, execute, type Outcome } from "./commands.ts";
import type { EventFormat, FiredEvent } from "./event.ts";
import { Outbox } from "./outbox.ts";
import { Signal } from "./signal.ts";
import { Subscription } from "./subscription.ts";
import type { SimulatedUser } from "./user.ts";

/** What a client sent, as a test wants to see it: text decoded as UTF-8. */
export interface ReceivedCommand {
  /** The number of the connection, from 1. */
  readonly connection: number;
  /** The first line. */
  readonly command: string;
  /** The header lines behind it. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The body, where there was one. */
  readonly body?: string;
}

/** A connection, as a test sees it. */
export interface Connection {
  /** Its number, from 1. */
  readonly id: number;
  /** Whether the client has authenticated. */
  readonly authenticated: boolean;
  /** The user, when the client came with `userauth`. */
  readonly user: SimulatedUser | undefined;
  /** The format of its events. */
  readonly format: EventFormat;
  /** The event names it has asked for. */
  readonly events: readonly string[];
  /** The subclasses of CUSTOM it has asked for. */
  readonly subclasses: readonly string[];
  /** Whether it has asked for that event; filters aside. */
  wants(name: string, subclass?: string): boolean;
  /** Events that wait for it. */
  readonly queued: number;
  /** Events dropped because too many waited. */
  readonly dropped: number;
}

/** What a connection needs of the simulator. */
export interface SessionHost extends CommandHost {
  /** The subclasses that `event ALL` adds. */
  readonly subclasses: Iterable<string>;
  /** Events that may wait for one listener. */
  readonly queueLimit: number;
  /** Whether the address of the client is refused. */
  readonly refusing: boolean;
  /** How long a client may take to authenticate. */
  readonly authTimeoutMs: number;
  /** How long the reply to `auth` is held back. */
  readonly authDelayMs: number;
  /** The most bytes in one write; everything when not set. */
  readonly writeBytes: number | undefined;
  /** When the result of a job goes out. */
  readonly jobResult: "before" | "after";
  /** Calls back once after that time; gives what cancels it. */
  after(delayMs: number, callback: () => void): () => void;
  /** A client sent something. */
  received(command: ReceivedCommand): void;
  /** Something about a connection changed. */
  changed(): void;
  /** Resolves when no listener has events waiting that could be sent. */
  flushed(): Promise<void>;
}

const GOODBYE = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n";
const GO_AWAY = "Access Denied, go away.\n";
/** Below so many waiting events a producer that minds may go on. */
const ROOM = 1024;

function disconnectNotice(message: string): string {
  return `Content-Type: text/disconnect-notice\nContent-Length: ${message.length}\n\n${message}`;
}

/**
 * Serves one client. As in FreeSWITCH one loop does everything in turn, so a half-sent command or
 * a running `api` holds back the events, and a burst of events holds back the next reply.
 */
export class Session implements Connection, CommandContext {
  readonly #socket: Deno.TcpConn;
  readonly #reader = new CommandReader();
  readonly #wake = new Signal();
  readonly #taken = new Signal();
  readonly #gone = Promise.withResolvers<void>();
  readonly #cancels = new Set<() => void>();
  #inbox: Uint8Array | undefined;
  #closed = false;
  #endOfInput = false;
  #closing = false;
  #busy = false;
  #resumed: PromiseWithResolvers<void> | undefined;
  #waitingForRoom: PromiseWithResolvers<void> | undefined;
  #waitingForIdle: PromiseWithResolvers<void> | undefined;
  #writing = false;
  #stopAuthTimer: () => void = () => {};
  /** Its number, from 1. */
  readonly id: number;
  /** What it belongs to. */
  readonly host: SessionHost;
  /** What it listens to. */
  readonly subscription: Subscription;
  /** The events that wait for it. */
  readonly outbox: Outbox;
  /** Whether the client has authenticated. */
  authenticated = false;
  /** The user, when the client came with `userauth`. */
  user: SimulatedUser | undefined;

  /** A connection that was just accepted; {@linkcode Session.run} serves it. */
  constructor(id: number, socket: Deno.TcpConn, host: SessionHost) {
    this.id = id;
    this.#socket = socket;
    this.host = host;
    this.subscription = new Subscription(() => host.subclasses);
    this.outbox = new Outbox(host.queueLimit);
  }

  /** The format of its events. */
  get format(): EventFormat {
    return this.subscription.format;
  }

  /** The event names it has asked for. */
  get events(): readonly string[] {
    return this.subscription.names;
  }

  /** The subclasses of CUSTOM it has asked for. */
  get subclasses(): readonly string[] {
    return this.subscription.subclasses;
  }

  /** Whether it has asked for that event. */
  wants(name: string, subclass?: string): boolean {
    return this.subscription.wants(name, subclass);
  }

  /** Events that wait for it. */
  get queued(): number {
    return this.outbox.size;
  }

  /** Events dropped because too many waited. */
  get dropped(): number {
    return this.outbox.dropped;
  }

  /** Whether the connection is over. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Serves the client until either side closes. */
  async run(): Promise<void> {
    try {
      this.#socket.setNoDelay(true);
      await this.#serve();
    } catch (error) {
      if (!isDisconnect(error)) throw error;
    } finally {
      this.close();
    }
  }

  async #serve(): Promise<void> {
    if (this.host.refusing) {
      const head = `Content-Type: text/rude-rejection\nContent-Length: ${GO_AWAY.length}\n\n`;
      return await this.#write(bytesOf(head + GO_AWAY + disconnectNotice(GOODBYE)));
    }
    await this.#write(bytesOf("Content-Type: auth/request\n\n"));
    const pump = this.#pump();
    this.#stopAuthTimer = this.#after(this.host.authTimeoutMs, () => this.disconnect());
    while (!this.#closed) {
      await this.#passable();
      if (!this.#reader.partial && this.outbox.size > 0) await this.#drain();
      else if (this.#closing) this.close();
      else if (this.#inbox !== undefined) await this.#consume(this.#inbox);
      else if (this.#endOfInput) this.disconnect();
      else {
        this.#waitingForIdle?.resolve();
        this.#waitingForIdle = undefined;
        await this.#wake.wait();
      }
    }
    await pump;
  }

  /** Reads ahead by one chunk only, so that a client that sends too much feels it. */
  async #pump(): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (;;) {
        await this.#passable();
        const length = await this.#socket.read(buffer);
        if (length === null) break;
        this.#inbox = buffer.subarray(0, length);
        this.#wake.set();
        await this.#taken.wait();
      }
      this.#endOfInput = true;
      this.#wake.set();
    } catch (error) {
      if (!isDisconnect(error)) throw error;
      this.close();
    }
  }

  async #consume(bytes: Uint8Array): Promise<void> {
    this.#reader.push(bytes);
    this.#inbox = undefined;
    this.#taken.set();
    for (;;) {
      await this.#passable();
      const command = this.#reader.next();
      if (command === undefined || this.#closed) return;
      this.#busy = true;
      await this.#obey(command);
      this.#busy = false;
    }
  }

  async #obey(command: Command): Promise<void> {
    this.#stopAuthTimer();
    this.host.received(receivedCommand(this.id, command));
    if (/^(user)?auth /i.test(command.text) && !this.authenticated) {
      await this.#pause(this.host.authDelayMs);
    }
    // A command may never end; the connection does.
    const outcome = await Promise.race([execute(command, this), this.#gone.promise]);
    if (outcome === undefined) return;
    this.host.changed();
    if (outcome.job !== undefined && this.host.jobResult === "before") {
      await Promise.race([outcome.job(), this.#gone.promise]);
      await this.#drain();
      await this.host.flushed();
    }
    const notice = outcome.close === true ? disconnectNotice(GOODBYE) : "";
    await this.#write(bytesOf(outcome.response + notice));
    if (outcome.close === true) this.close();
    this.#startJob(outcome);
  }

  #startJob({ job }: Outcome): void {
    if (job !== undefined && this.host.jobResult === "after") void job();
  }

  /** Puts an event into the queue if the client has asked for it. */
  offer(event: FiredEvent): void {
    if (this.#closed || this.format === "xml" || !this.subscription.takes(event)) return;
    this.outbox.push(event.frame(this.format));
    if (this.outbox.overrun) this.close();
    this.#wake.set();
  }

  /** Puts bytes into the stream behind the frames that wait. */
  send(bytes: Uint8Array): void {
    this.outbox.push(bytes);
    this.#wake.set();
  }

  /** Resolves when few events wait for the client, or it is gone. */
  room(): Promise<void> {
    if (this.#closed || this.outbox.size < ROOM) return Promise.resolve();
    this.#waitingForRoom ??= Promise.withResolvers<void>();
    return this.#waitingForRoom.promise;
  }

  /** Resolves when nothing waits for the client that could be sent, or it is gone. */
  idle(): Promise<void> {
    // While it obeys a command a client is given no events, so nobody can wait for that.
    const blocked = this.#closed || this.#busy || this.#resumed !== undefined;
    if (blocked || (this.outbox.size === 0 && !this.#writing)) return Promise.resolve();
    this.#waitingForIdle ??= Promise.withResolvers<void>();
    return this.#waitingForIdle.promise;
  }

  /** Neither reads nor writes until {@linkcode Session.resume}. */
  stall(): void {
    this.#resumed ??= Promise.withResolvers<void>();
  }

  /** Goes on after {@linkcode Session.stall}. */
  resume(): void {
    this.#resumed?.resolve();
    this.#resumed = undefined;
  }

  /** Sends a `text/disconnect-notice` behind the frames that wait, then closes. */
  disconnect(message: string = GOODBYE): void {
    this.notify(message);
    this.#closing = true;
  }

  /** Sends a `text/disconnect-notice` behind the frames that wait, and goes on. */
  notify(message: string = GOODBYE): void {
    this.send(bytesOf(disconnectNotice(message)));
  }

  /** Closes at once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const cancel of this.#cancels) cancel();
    this.#socket.close();
    this.resume();
    this.#waitingForRoom?.resolve();
    this.#waitingForIdle?.resolve();
    this.#gone.resolve();
    this.#wake.set();
    this.#taken.set();
    this.host.changed();
  }

  async #drain(): Promise<void> {
    while (this.outbox.size > 0 && !this.#closed) {
      await this.#passable();
      await this.#write(this.outbox.take());
      if (this.outbox.size < ROOM) {
        this.#waitingForRoom?.resolve();
        this.#waitingForRoom = undefined;
      }
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#passable();
    this.#writing = true;
    const most = this.host.writeBytes ?? bytes.length;
    for (let at = 0; at < bytes.length && !this.#closed;) {
      at += await this.#socket.write(bytes.subarray(at, at + most));
    }
    this.#writing = false;
  }

  async #passable(): Promise<void> {
    while (this.#resumed !== undefined) await this.#resumed.promise;
  }

  #after(delayMs: number, callback: () => void): () => void {
    const cancel = this.host.after(delayMs, () => {
      this.#cancels.delete(cancel);
      callback();
    });
    this.#cancels.add(cancel);
    return () => {
      this.#cancels.delete(cancel);
      cancel();
    };
  }

  async #pause(delayMs: number): Promise<void> {
    if (delayMs <= 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#after(delayMs, resolve);
    await Promise.race([promise, this.#gone.promise]);
    cancel();
  }
}

function receivedCommand(connection: number, command: Command): ReceivedCommand {
  return {
    connection,
    command: decodeText(firstLine(command.text)),
    headers: command.headers.map(([name, value]) => [decodeText(name), decodeText(value)]),
    ...(command.body === undefined ? {} : { body: decodeText(command.body) }),
  };
}

/** Whether the error only says that one side has closed, or that the client sent nonsense. */
function isDisconnect(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted || error instanceof Deno.errors.NotConnected ||
    error instanceof CommandError;
}
