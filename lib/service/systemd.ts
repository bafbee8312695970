/**
 * What the service manager is told, in the words of sd_notify(3).
 *
 * @module
 */

/** Sends a datagram to a unix socket, `@` standing for an abstract one. */
export type SendDatagram = (address: string, text: string) => boolean;

/** What the conversation needs from outside. */
export interface ServiceManagerOptions {
  /** The environment: `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` are looked at. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The id of this process. */
  readonly pid: number;
  /** How a datagram is sent. */
  readonly send: SendDatagram;
  /** CLOCK_MONOTONIC in microseconds. */
  readonly monotonicUsec: () => bigint;
}

/** So many signs of life fit into the watchdog's time: one may be late, and one lost. */
const SIGNS_IN_WATCHDOG_TIME = 3;

/**
 * So many characters of four bytes fit into the 4,096 bytes that systemd reads of a datagram
 * (src/core/manager.c, NOTIFY_BUFFER_MAX); a longer one is passed over as a whole.
 */
const MAX_STATUS_CHARACTERS = 900;

/**
 * systemd, or whoever else started this process and speaks its words. Where nobody listens, all of
 * it does nothing.
 */
export class ServiceManager {
  readonly #options: ServiceManagerOptions;
  readonly #socket: string | undefined;
  #status = "";

  /**
   * Milliseconds at which {@linkcode alive} is to be called; `undefined` if nobody waits for it. It
   * is a third of the time after which the service manager ends a silent process.
   */
  readonly watchdogIntervalMs: number | undefined;

  /** Says nothing yet. */
  constructor(options: ServiceManagerOptions) {
    this.#options = options;
    this.#socket = options.env["NOTIFY_SOCKET"] || undefined;
    this.watchdogIntervalMs = this.#socket === undefined ? undefined : watchdogInterval(options);
  }

  /** Whether somebody wants to be told. */
  get isThere(): boolean {
    return this.#socket !== undefined;
  }

  /** The service is up: after its start, and when a reload is over, whatever came of it. */
  ready(): void {
    this.#tell("READY=1");
  }

  /** A reload begins; {@linkcode ready} ends it. */
  reloading(): void {
    this.#tell("RELOADING=1", `MONOTONIC_USEC=${this.#options.monotonicUsec()}`);
  }

  /** What `systemctl status` is to show, in one line. What was said last is not said again. */
  status(text: string): void {
    const line = text.replaceAll(/\s+/g, " ").trim();
    const shown = [...line].slice(0, MAX_STATUS_CHARACTERS).join("");
    if (shown === this.#status) return;
    // What was not taken is said again.
    if (this.#tell(`STATUS=${shown}`)) this.#status = shown;
  }

  /** The loop that moves events goes round. */
  alive(): void {
    this.#tell("WATCHDOG=1");
  }

  /**
   * The service ends, and may take so long for it. The service manager leaves it that time, even if
   * its own (`TimeoutStopSec`) is shorter.
   */
  stopping(withinMs: number): void {
    this.#tell("STOPPING=1", `EXTEND_TIMEOUT_USEC=${Math.ceil(withinMs * 1_000)}`);
  }

  #tell(...lines: readonly string[]): boolean {
    if (this.#socket === undefined) return false;
    return this.#options.send(this.#socket, lines.join("\n"));
  }
}

/** sd_watchdog_enabled(3): the time is meant for one process, or for any. */
function watchdogInterval({ env, pid }: ServiceManagerOptions): number | undefined {
  const { WATCHDOG_USEC: usec = "", WATCHDOG_PID: meant = "" } = env;
  if (meant !== "" && meant !== String(pid)) return undefined;
  if (!/^[1-9]\d*$/.test(usec)) return undefined;
  return Math.max(1, Math.floor(Number(usec) / 1_000 / SIGNS_IN_WATCHDOG_TIME));
}
