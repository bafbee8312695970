/**
 * The log: messages with a severity, for the whole agent and for each profile.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { keepsLevel, type LogLevel } from "./levels.ts";
import type { Sink } from "./sink.ts";

/** How a log is kept. It may change while the agent runs. */
export interface LogSettings {
  /** The least severe messages that are kept. */
  level: LogLevel;
  /** Whether message details are wanted. */
  details: boolean;
  /** Where they go. */
  sinks: readonly Sink[];
}

/** Writes messages of one scope. */
export class Logger {
  readonly #settings: LogSettings;
  readonly #clock: Clock;
  readonly #scope: string;

  /** `scope` stands before each message; it may be empty. */
  constructor(settings: LogSettings, clock: Clock, scope = "") {
    this.#settings = settings;
    this.#clock = clock;
    this.#scope = scope;
  }

  /** Whether details of messages are to be logged; asked before they are put together. */
  get details(): boolean {
    return this.#settings.details;
  }

  /** The same log with a narrower scope. */
  within(scope: string): Logger {
    const whole = this.#scope === "" ? scope : `${this.#scope}/${scope}`;
    return new Logger(this.#settings, this.#clock, whole);
  }

  /** Something an operator must see at once: what should not be possible, or is dangerous. */
  alert(text: string): void {
    this.log("alert", text);
  }

  /** Something failed and stays failed until somebody acts. */
  error(text: string): void {
    this.log("error", text);
  }

  /** Something failed that fsmqtt deals with, or is not as it should be. */
  warning(text: string): void {
    this.log("warning", text);
  }

  /** A change that an operator wants to know of. */
  notice(text: string): void {
    this.log("notice", text);
  }

  /** What is going on. */
  info(text: string): void {
    this.log("info", text);
  }

  /** What a developer wants to know. */
  debug(text: string): void {
    this.log("debug", text);
  }

  /** Writes a message if this log keeps its severity. */
  log(level: LogLevel, text: string): void {
    if (!keepsLevel(this.#settings.level, level)) return;
    const scope = this.#scope === "" ? "" : `${this.#scope}: `;
    const time = timestamp(this.#clock.date());
    const line = printable(`${time} [${level.toUpperCase()}] ${scope}${text}`);
    for (const sink of this.#settings.sinks) sink.write(line);
  }
}

/**
 * The text with control characters made visible, so that nothing from outside forges a line, nor
 * turns round how one reads.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, "0")}`
      : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** Local time, as FreeSWITCH's own log has it. */
function timestamp(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
