/**
 * All logs of an agent: the whole's and each profile's, with their files.
 *
 * @module
 */

import { resolve } from "node:path";
import type { Clock } from "../clock.ts";
import type { LogLevel } from "./levels.ts";
import { Logger, type LogSettings } from "./logger.ts";
import { FileSink, type Sink, stderrSink } from "./sink.ts";

/** How one log is kept. */
export interface LogOptions {
  /** The least severe messages that are kept. */
  readonly level: LogLevel;
  /** Whether message details are logged. */
  readonly details: boolean;
  /** Whether there is a file. */
  readonly enable: boolean;
  /** The file's folder. */
  readonly dir: string;
  /** The file's name, or a whole path. */
  readonly file: string;
}

/** How all logs are kept. */
export interface LogsOptions {
  /** The whole agent's log. */
  readonly whole: LogOptions;
  /** The profiles' logs by their names. */
  readonly profiles: ReadonlyMap<string, LogOptions>;
}

/**
 * The logs. The whole's messages go to standard error and to its file; a profile's, kept by the
 * profile's own level, go there too and to the profile's file.
 */
export class Logs {
  readonly #clock: Clock;
  readonly #console: Sink;
  readonly #whole: LogSettings;
  readonly #profiles = new Map<string, LogSettings>();
  /** By path: logs that name the same file share it. */
  readonly #files = new Map<string, FileSink>();
  /** The whole agent's log. */
  readonly whole: Logger;

  /** Files are made when they are first written to. `console` stands in for standard error. */
  constructor(options: LogsOptions, clock: Clock, console: Sink = stderrSink) {
    this.#clock = clock;
    this.#console = console;
    this.#whole = { level: options.whole.level, details: false, sinks: [console] };
    this.whole = new Logger(this.#whole, clock);
    this.configure(options);
  }

  /** The log of a profile. It stays the same over {@linkcode configure}. */
  profile(name: string): Logger {
    return new Logger(this.#settingsOf(name), this.#clock, name);
  }

  /** The level of the whole. */
  get level(): LogLevel {
    return this.#whole.level;
  }

  /** Sets the level of the whole and of every profile. */
  setLevel(level: LogLevel): void {
    this.#whole.level = level;
    for (const settings of this.#profiles.values()) settings.level = level;
  }

  /** Keeps the logs in another way from now on. */
  configure({ whole, profiles }: LogsOptions): void {
    this.reopen();
    this.#files.clear();
    const shared = new Set([this.#console, ...this.#fileOf(whole)]);
    Object.assign(this.#whole, { level: whole.level, details: whole.details, sinks: [...shared] });
    // A profile that is gone may still have something to say, but not to files nobody closes.
    for (const name of new Set([...this.#profiles.keys(), ...profiles.keys()])) {
      const options = profiles.get(name);
      const sinks = new Set([...shared, ...(options === undefined ? [] : this.#fileOf(options))]);
      const { level, details } = options ?? whole;
      Object.assign(this.#settingsOf(name), { level, details, sinks: [...sinks] });
    }
  }

  /** Lets go of all files, so that the next line opens them anew: for a rotation, and at the end. */
  reopen(): void {
    for (const file of this.#files.values()) file.close();
  }

  #settingsOf(profile: string): LogSettings {
    const known = this.#profiles.get(profile);
    if (known !== undefined) return known;
    const settings = { ...this.#whole };
    this.#profiles.set(profile, settings);
    return settings;
  }

  #fileOf(options: LogOptions): readonly FileSink[] {
    if (!options.enable) return [];
    const path = logPath(options);
    const sink = this.#files.get(path) ?? new FileSink(path, (text) => this.#complain(text));
    this.#files.set(path, sink);
    return [sink];
  }

  /** About a file that cannot be written: to the console alone. */
  #complain(text: string): void {
    new Logger({ level: "warning", details: false, sinks: [this.#console] }, this.#clock)
      .warning(text);
  }
}

/** The path of a log file. */
export function logPath({ dir, file }: Pick<LogOptions, "dir" | "file">): string {
  return resolve(dir, file);
}
