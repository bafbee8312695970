/**
 * One authenticated connection to FreeSWITCH's event socket.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { Secret } from "../secret.ts";
import { EslError, isFailure } from "./errors.ts";
import {
  API_RESPONSE,
  EVENT_JSON,
  type Frame,
  FrameError,
  type FrameLimits,
  FrameParser,
  type LongFrame,
} from "./frames.ts";
import { lineFault } from "./line_fault.ts";

/** Where FreeSWITCH listens, and how to log in. */
export interface EslEndpoint {
  /** Host name or address. */
  readonly host: string;
  /** TCP port. */
  readonly port: number;
  /** `user@domain` of FreeSWITCH's directory, for `userauth`. */
  readonly user?: string | undefined;
  /** The password, of that user or of the event socket. */
  readonly password: Secret;
}

/** What a connection tells its owner. */
export interface EslConnectionHandlers {
  /** An event's JSON, as FreeSWITCH sent it. It is only lent: its bytes change after the call. */
  event(body: Uint8Array<ArrayBuffer>): void;
  /**
   * Whether events come faster than they go on. Asked now and then while much comes; if so, the next
   * read waits for a moment.
   */
  isAhead?(): boolean;
  /** An event was over the limit: its length in bytes, and the first of them. */
  tooLong(length: number, start: Uint8Array): void;
  /** The connection ended; it is told once, and nothing follows. */
  closed(reason: EslError): void;
}

/** What {@linkcode EslConnection.open} needs beside the endpoint. */
export interface EslConnectionOptions {
  /** Time. */
  readonly clock: Clock;
  /**
   * How long FreeSWITCH may take to accept and to greet, in milliseconds each, and for how long it
   * may send nothing at all while it owes an answer.
   * @default 10000
   */
  readonly replyTimeoutMs?: number;
  /**
   * For how long, in milliseconds, it may send events and none of the answers that it owes. It
   * writes out what waits for a listener before it reads a command, so bursts delay answers.
   * @default 60000
   */
  readonly lateReplyMs?: number;
  /** Bounds of a frame. */
  readonly limits?: FrameLimits;
  /** Gives up the attempt, and later the connection, for its reason (an {@linkcode EslError}). */
  readonly signal?: AbortSignal;
}

/** An answer to a command. */
export interface Reply {
  /** `Reply-Text`, or the text of an `api` answer. */
  readonly text: string;
  /** The frame's headers. */
  readonly headers: ReadonlyMap<string, string>;
}

interface Waiter {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: EslError) => void;
  readonly cancelTimer: () => void;
}

const READ_BUFFER_BYTES = 256 * 1024;
/** So many bytes are read until something else has its turn. */
const TURN_BYTES = 256 * 1024;
/** With events ahead it takes so many milliseconds: FreeSWITCH never sends as much in that time. */
const GIVE_WAY_MS = 1;
const DEFAULT_REPLY_TIMEOUT_MS = 10_000;
const DEFAULT_LATE_REPLY_MS = 60_000;
/** What may come first. */
const GREETINGS: ReadonlySet<string> = new Set([
  "auth/request",
  "text/rude-rejection",
  "text/disconnect-notice",
]);

/** A connection that is authenticated from the moment there is one. */
export class EslConnection {
  readonly #socket: Deno.TcpConn;
  readonly #handlers: EslConnectionHandlers;
  readonly #clock: Clock;
  readonly #replyTimeoutMs: number;
  readonly #lateReplyMs: number;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** Replies carry no id: they come in the order of the commands. */
  readonly #waiters: Waiter[] = [];
  #writing: Promise<void> = Promise.resolve();
  #greeted = false;
  /** Until authentication has succeeded, the caller hears of failures by the rejected promise. */
  #opened = false;
  #closed: EslError | undefined;
  #user: string | undefined;
  #heardAt: number;
  /** When the last answer came. */
  #answeredAt: number;

  private constructor(
    socket: Deno.TcpConn,
    handlers: EslConnectionHandlers,
    options: EslConnectionOptions,
  ) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.#clock = options.clock;
    this.#replyTimeoutMs = options.replyTimeoutMs ?? DEFAULT_REPLY_TIMEOUT_MS;
    this.#lateReplyMs = options.lateReplyMs ?? DEFAULT_LATE_REPLY_MS;
    this.#heardAt = options.clock.now();
    this.#answeredAt = this.#heardAt;
  }

  /**
   * Connects and authenticates.
   *
   * @throws {EslError} `unreachable`, `refused`, `lost` or `protocol`.
   */
  static async open(
    endpoint: EslEndpoint,
    handlers: EslConnectionHandlers,
    options: EslConnectionOptions,
  ): Promise<EslConnection> {
    const { signal } = options;
    const socket = await dial(endpoint, options);
    const connection = new EslConnection(socket, handlers, options);
    const greeting = connection.#greeting();
    connection.#read(options.limits);
    const giveUp = () => connection.#end(signal?.reason);
    if (signal?.aborted === true) giveUp();
    else signal?.addEventListener("abort", giveUp, { once: true });
    try {
      await greeting;
      await connection.#authenticate(endpoint);
      // It may have ended between the last answer and now.
      if (connection.#closed !== undefined) throw connection.#closed;
      connection.#opened = true;
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Milliseconds since FreeSWITCH sent anything. */
  get silentMs(): number {
    return this.#clock.now() - this.#heardAt;
  }

  /**
   * Sends a command and waits for its answer.
   *
   * @throws {EslError} `rejected` if it cannot be sent, or FreeSWITCH answers `-ERR` or `-USAGE`;
   * `lost` if the connection ends, or had to be ended because FreeSWITCH fell silent.
   */
  async command(line: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    const reply = await this.#exchange(line, headers);
    if (isFailure(reply.text)) {
      throw new EslError(
        "rejected",
        `FreeSWITCH rejected "${nameOf(line)}": ${reply.text}${this.#hint(reply.text)}`,
        reply.text,
      );
    }
    return reply;
  }

  /**
   * Asks an API question and returns FreeSWITCH's text, whatever it says. It holds up this
   * connection's events until it is answered.
   *
   * @throws {EslError} `rejected` if it cannot be sent, or the answer is over the limit; `lost` as
   * {@linkcode command} does.
   */
  async api(command: string): Promise<string> {
    return (await this.#exchange(`api ${command}`, {})).text;
  }

  /** Ends the connection. Its owner is told as if it had been lost. */
  close(): void {
    this.#end(new EslError("lost", "The connection to FreeSWITCH was closed by fsmqtt"));
  }

  #exchange(line: string, headers: Readonly<Record<string, string>>): Promise<Reply> {
    const headerLines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const fault = lineFault(line, ...headerLines);
    if (fault !== undefined) {
      return Promise.reject(new EslError("rejected", `Cannot send a command that ${fault}`));
    }
    if (this.#closed !== undefined) return Promise.reject(this.#waitersReason(this.#closed));
    return new Promise((resolve, reject) => {
      // A late answer would be taken for the next command's: the connection has to go.
      const cancelTimer = this.#whenOverdue((limitMs) =>
        this.#end(
          new EslError(
            "lost",
            `FreeSWITCH did not answer "${nameOf(line)}" within ${limitMs / 1000} s`,
          ),
        )
      );
      this.#waiters.push({ resolve, reject, cancelTimer });
      this.#write(this.#encoder.encode([line, ...headerLines].join("\n") + "\n\n"));
    });
  }

  /**
   * Calls back, with the time that was too long, when nothing at all has come for as long as an
   * answer may take, or events but no answer for much longer: a burst of events holds answers back,
   * and a FreeSWITCH that has stopped reading sends events for ever.
   */
  #whenOverdue(callback: (limitMs: number) => void): () => void {
    const askedAt = this.#clock.now();
    let cancelTimer = () => {};
    const wait = (ms: number) => {
      cancelTimer = this.#clock.after(ms, () => {
        const silenceLeftMs = this.#replyTimeoutMs - this.silentMs;
        const unansweredMs = this.#clock.now() - Math.max(askedAt, this.#answeredAt);
        const answerLeftMs = this.#lateReplyMs - unansweredMs;
        if (silenceLeftMs <= 0) callback(this.#replyTimeoutMs);
        else if (answerLeftMs <= 0) callback(this.#lateReplyMs);
        else wait(Math.min(silenceLeftMs, answerLeftMs));
      });
    };
    wait(this.#replyTimeoutMs);
    return () => cancelTimer();
  }

  /** A user of the directory may do only what its entry says. */
  #hint(answer: string): string {
    return this.#user === undefined || !/permission denied/i.test(answer)
      ? ""
      : ` (the entry of ${this.#user} does not allow it: see fsmqtt check --esl-user)`;
  }

  #write(bytes: Uint8Array): void {
    this.#writing = this.#writing.then(async () => {
      for (let at = 0; at < bytes.length && this.#closed === undefined;) {
        at += await this.#socket.write(bytes.subarray(at));
      }
    }).catch((error: Error) => this.#end(lostBy(error)));
  }

  #greeting(): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancelTimer = this.#clock.after(this.#replyTimeoutMs, () => {
        this.#end(
          new EslError(
            "unreachable",
            "The port accepts connections, but nothing that speaks FreeSWITCH's event socket answers",
          ),
        );
      });
      this.#waiters.push({ resolve: () => resolve(), reject, cancelTimer });
    });
  }

  async #authenticate({ user, password }: EslEndpoint): Promise<void> {
    this.#user = user;
    const secret = password.reveal();
    const line = user === undefined ? `auth ${secret}` : `userauth ${user}:${secret}`;
    const fault = lineFault(line);
    if (fault !== undefined) {
      throw new EslError("refused", `Cannot send FreeSWITCH a user or password that ${fault}`);
    }
    const reply = await this.#exchange(line, {});
    if (!reply.text.startsWith("+OK")) {
      throw new EslError(
        "refused",
        user === undefined
          ? "FreeSWITCH refused the event socket password"
          : `FreeSWITCH refused the event socket user ${user} or its password`,
      );
    }
  }

  async #read(limits: FrameLimits | undefined): Promise<void> {
    const parser = new FrameParser(
      (frame) => this.#take(frame),
      limits,
      (frame) => this.#takeTooLong(frame),
    );
    const buffer = new Uint8Array(READ_BUFFER_BYTES);
    let readInTurn = 0;
    try {
      while (this.#closed === undefined) {
        if (readInTurn >= TURN_BYTES) {
          readInTurn = 0;
          await this.#giveWay();
        }
        const count = await this.#socket.read(buffer);
        if (count === null) {
          this.#end(new EslError("lost", "FreeSWITCH closed the connection"));
          return;
        }
        readInTurn += count;
        this.#heardAt = this.#clock.now();
        parser.push(buffer.subarray(0, count));
      }
    } catch (error) {
      this.#end(
        error instanceof FrameError
          ? new EslError("protocol", error.message)
          : lostBy(error as Error),
      );
    }
  }

  /**
   * What is there already is read without a turn of the event loop, for as long as more comes: nothing
   * else of this process would be done.
   */
  async #giveWay(): Promise<void> {
    const isAhead = this.#handlers.isAhead?.() === true;
    await new Promise<void>((turn) => {
      if (isAhead) this.#clock.after(GIVE_WAY_MS, turn);
      else setImmediate(turn);
    });
  }

  #take(frame: Frame): void {
    if (this.#closed !== undefined || !this.#isSpoken(frame)) return;
    switch (frame.contentType) {
      case EVENT_JSON:
        this.#handlers.event(frame.body);
        return;
      case "auth/request":
        this.#greeted = true;
        this.#settle({ text: "", headers: frame.headers });
        return;
      case "command/reply":
        this.#settle({ text: frame.headers.get("Reply-Text") ?? "", headers: frame.headers });
        return;
      case API_RESPONSE:
        this.#settle({ text: this.#decoder.decode(frame.body), headers: frame.headers });
        return;
      case "text/rude-rejection":
        this.#end(
          new EslError(
            "refused",
            "FreeSWITCH's access list (apply-inbound-acl) refuses this address",
          ),
        );
        return;
      case "text/disconnect-notice":
        // With linger, which fsmqtt never asks for, the socket would stay open.
        this.#end(new EslError("lost", "FreeSWITCH said goodbye"));
        return;
    }
  }

  #takeTooLong(frame: LongFrame): void {
    if (this.#closed !== undefined || !this.#isSpoken(frame)) return;
    const { contentType, length, start } = frame;
    if (contentType === API_RESPONSE) {
      const text = `FreeSWITCH's answer of ${length} bytes is too long`;
      this.#nextWaiter()?.reject(new EslError("rejected", text));
    } else {
      this.#handlers.tooLong(length, start);
    }
  }

  /** Whether the peer speaks the event socket's protocol; the connection ends if not. */
  #isSpoken({ contentType }: { readonly contentType: string }): boolean {
    if (this.#greeted || GREETINGS.has(contentType)) return true;
    this.#end(new EslError("protocol", "The port answers, but not as an event socket does"));
    return false;
  }

  #settle(reply: Reply): void {
    this.#nextWaiter()?.resolve(reply);
  }

  /** Whose answer has come; the connection ends if nobody waits for one. */
  #nextWaiter(): Waiter | undefined {
    this.#answeredAt = this.#clock.now();
    const waiter = this.#waiters.shift();
    if (waiter === undefined) {
      this.#end(new EslError("protocol", "FreeSWITCH answered a question that nobody asked"));
    }
    waiter?.cancelTimer();
    return waiter;
  }

  #end(reason: EslError): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    try {
      this.#socket.close();
    } catch {
      // Already closed by the peer.
    }
    for (const waiter of this.#waiters.splice(0)) {
      waiter.cancelTimer();
      waiter.reject(this.#waitersReason(reason));
    }
    if (this.#opened) this.#handlers.closed(reason);
  }

  /** Whatever ended an open connection, what became of a command that was sent is unknown. */
  #waitersReason(reason: EslError): EslError {
    return this.#opened ? new EslError("lost", reason.message) : reason;
  }
}

async function dial(
  { host, port }: EslEndpoint,
  { clock, signal, replyTimeoutMs = DEFAULT_REPLY_TIMEOUT_MS }: EslConnectionOptions,
): Promise<Deno.TcpConn> {
  const where = `${host}:${port}`;
  const late = new AbortController();
  const cancelTimer = clock.after(replyTimeoutMs, () => {
    const text = `Nothing answers at ${where} within ${replyTimeoutMs / 1000} s`;
    late.abort(new EslError("unreachable", text));
  });
  try {
    const socket = await Deno.connect({
      hostname: host,
      port,
      signal: signal === undefined ? late.signal : AbortSignal.any([late.signal, signal]),
    });
    socket.setNoDelay(true);
    return socket;
  } catch (error) {
    if (error instanceof EslError) throw error;
    throw new EslError("unreachable", `Cannot connect to ${where}: ${(error as Error).message}`);
  } finally {
    cancelTimer();
  }
}

function lostBy(error: Error): EslError {
  return new EslError("lost", `The connection to FreeSWITCH broke: ${error.message}`);
}

/** The command's own word: what follows may be a password or a caller's number. */
function nameOf(line: string): string {
  return line.split(" ", 2)[0] ?? "";
}
