/**
 * One authenticated connection to FreeSWITCH's event socket.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { Secret } from "../secret.ts";
import { EslError } from "./errors.ts";
import { EVENT_JSON, type Frame, FrameError, type FrameLimits, FrameParser } from "./frames.ts";

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
  /** An event's JSON, as FreeSWITCH sent it. */
  event(body: Uint8Array<ArrayBuffer>): void;
  /** The connection ended; it is told once, and nothing follows. */
  closed(reason: EslError): void;
}

/** What {@linkcode EslConnection.open} needs beside the endpoint. */
export interface EslConnectionOptions {
  /** Time. */
  readonly clock: Clock;
  /**
   * How long FreeSWITCH may take to accept, to authenticate, and to answer a command, in
   * milliseconds each.
   * @default 10000
   */
  readonly replyTimeoutMs?: number;
  /** Bounds of a frame. */
  readonly limits?: FrameLimits;
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
const DEFAULT_REPLY_TIMEOUT_MS = 10_000;
/** LF, CR or NUL in a command would end it early or add headers to it (mod_event_socket.c). */
const BREAKS_A_LINE = /[\n\r\0]/;

/** A connection that is authenticated from the moment there is one. */
export class EslConnection {
  readonly #socket: Deno.TcpConn;
  readonly #handlers: EslConnectionHandlers;
  readonly #clock: Clock;
  readonly #replyTimeoutMs: number;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();
  /** Replies carry no id: they come in the order of the commands. */
  readonly #waiters: Waiter[] = [];
  #writing: Promise<void> = Promise.resolve();
  #closed: EslError | undefined;
  #greet: ((frame: Frame) => void) | undefined;
  #lastFrameAt: number;

  private constructor(
    socket: Deno.TcpConn,
    handlers: EslConnectionHandlers,
    options: EslConnectionOptions,
  ) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.#clock = options.clock;
    this.#replyTimeoutMs = options.replyTimeoutMs ?? DEFAULT_REPLY_TIMEOUT_MS;
    this.#lastFrameAt = options.clock.now();
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
    const timeoutMs = options.replyTimeoutMs ?? DEFAULT_REPLY_TIMEOUT_MS;
    const socket = await dial(endpoint, options.clock, timeoutMs);
    // Until authentication has succeeded, the caller hears of failures by the rejected promise.
    let opened = false;
    const connection = new EslConnection(socket, {
      event: (body) => handlers.event(body),
      closed: (reason) => {
        if (opened) handlers.closed(reason);
      },
    }, options);
    const greeting = connection.#greeting();
    connection.#read(options.limits);
    try {
      await greeting;
      await connection.#authenticate(endpoint);
      // It may have ended between the last answer and now.
      if (connection.#closed !== undefined) throw connection.#closed;
      opened = true;
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Milliseconds since the last frame came. */
  get silentMs(): number {
    return this.#clock.now() - this.#lastFrameAt;
  }

  /**
   * Sends a command and waits for its answer.
   *
   * @throws {EslError} `rejected` if FreeSWITCH answers `-ERR` or `-USAGE`; `lost` if the
   * connection ends, or had to be ended because no answer came in time.
   */
  async command(line: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    const reply = await this.#exchange(line, headers);
    if (/^-(ERR|USAGE)/.test(reply.text)) {
      throw new EslError("rejected", `FreeSWITCH rejected "${nameOf(line)}": ${reply.text}`);
    }
    return reply;
  }

  /**
   * Asks an API question and returns FreeSWITCH's text, whatever it says. It holds up this
   * connection's events until it is answered.
   */
  async api(command: string): Promise<string> {
    return (await this.#exchange(`api ${command}`, {})).text;
  }

  /** Ends the connection. Its owner is told as if it had been lost. */
  close(): void {
    this.#end(new EslError("lost", "The connection to FreeSWITCH was closed by fsmqtt"));
  }

  #exchange(line: string, headers: Readonly<Record<string, string>>): Promise<Reply> {
    const lines = [line, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
    if (lines.some((part) => BREAKS_A_LINE.test(part))) {
      return Promise.reject(
        new EslError("rejected", "Cannot send a command that holds LF, CR or NUL"),
      );
    }
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      const cancelTimer = this.#clock.after(this.#replyTimeoutMs, () => {
        // A late answer would be taken for the next command's: the connection has to go.
        this.#end(
          new EslError(
            "lost",
            `FreeSWITCH did not answer "${nameOf(line)}" within ${this.#replyTimeoutMs / 1000} s`,
          ),
        );
      });
      this.#waiters.push({ resolve, reject, cancelTimer });
      this.#write(this.#encoder.encode(lines.join("\n") + "\n\n"));
    });
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
      this.#greet = (frame) => {
        if (frame.contentType === "auth/request") {
          this.#settle({ text: "", headers: frame.headers });
        } else {
          this.#end(
            new EslError(
              "protocol",
              `Expected FreeSWITCH's auth/request, got "${frame.contentType}"`,
            ),
          );
        }
      };
    });
  }

  async #authenticate({ user, password }: EslEndpoint): Promise<void> {
    const secret = password.reveal();
    const line = user === undefined ? `auth ${secret}` : `userauth ${user}:${secret}`;
    const reply = await this.#exchange(line, {}).catch((error: EslError) => {
      // FreeSWITCH may close before its refusal is read.
      throw error.kind === "rejected"
        ? new EslError("refused", "The password holds LF, CR or NUL, which FreeSWITCH cannot take")
        : error;
    });
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
    const parser = new FrameParser((frame) => this.#take(frame), limits);
    const buffer = new Uint8Array(READ_BUFFER_BYTES);
    try {
      while (this.#closed === undefined) {
        const count = await this.#socket.read(buffer);
        if (count === null) {
          this.#end(new EslError("lost", "FreeSWITCH closed the connection"));
          return;
        }
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

  #take(frame: Frame): void {
    if (this.#closed !== undefined) return;
    this.#lastFrameAt = this.#clock.now();
    switch (frame.contentType) {
      case EVENT_JSON:
        this.#handlers.event(frame.body);
        return;
      case "command/reply":
        this.#settle({ text: frame.headers.get("Reply-Text") ?? "", headers: frame.headers });
        return;
      case "api/response":
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
    if (this.#greet !== undefined) this.#greet(frame);
  }

  #settle(reply: Reply): void {
    this.#greet = undefined;
    const waiter = this.#waiters.shift();
    if (waiter === undefined) {
      this.#end(new EslError("protocol", "FreeSWITCH answered a question that nobody asked"));
      return;
    }
    waiter.cancelTimer();
    waiter.resolve(reply);
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
      waiter.reject(reason);
    }
    this.#handlers.closed(reason);
  }
}

async function dial(
  { host, port }: EslEndpoint,
  clock: Clock,
  timeoutMs: number,
): Promise<Deno.TcpConn> {
  const where = `${host}:${port}`;
  let late = false;
  let cancelTimer = () => {};
  const timeout = new Promise<never>((_, reject) => {
    cancelTimer = clock.after(timeoutMs, () => {
      late = true;
      reject(
        new EslError("unreachable", `Nothing answers at ${where} within ${timeoutMs / 1000} s`),
      );
    });
  });
  const connecting = Deno.connect({ hostname: host, port }).then((socket) => {
    if (late) socket.close();
    return socket;
  });
  // After a timeout nobody waits for how the attempt ends.
  connecting.catch(() => {});
  try {
    const socket = await Promise.race([connecting, timeout]);
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
