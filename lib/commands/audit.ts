/**
 * The audit log: what was asked for over MQTT, by whom as far as is known, and what became of it.
 *
 * @module
 */

import { dirname } from "node:path";
import type { Clock } from "../clock.ts";
import { fileFault } from "../file_fault.ts";

/** Where a command came from. */
export interface AuditSource {
  /** The profile. */
  readonly profile: string;
  /** The broker connection. */
  readonly connection: string;
  /** The MQTT topic, as it was published to. */
  readonly topic: string;
  /** The name of the subscriber's topic in the configuration; absent if none listens there. */
  readonly subscriber_topic?: string;
}

/** What was decided about a message. */
export interface AuditDecision extends AuditSource {
  /** Whether the command was handed to FreeSWITCH. */
  readonly event: "run" | "refused";
  /** The API command's name, as far as the message was understood. */
  readonly command?: string;
  /** Its arguments, masked where they may hold secrets. */
  readonly arguments?: string;
  /** Why it was refused: a reason code. */
  readonly reason?: string;
  /** The same in words. */
  readonly detail?: string;
  /** The id that the sender gave it. */
  readonly id?: string;
  /** FreeSWITCH's Job-UUID. */
  readonly job?: string;
  /** Whoever the message claims to be from; anybody can claim anything. */
  readonly claimed_sender?: string;
  /** Whether it had a valid signature. */
  readonly signed?: boolean;
}

/** What became of a command that was run. */
export interface AuditResult extends AuditSource {
  /** A result. */
  readonly event: "result";
  /** FreeSWITCH's Job-UUID, as at the decision. */
  readonly job: string;
  /** The id that the sender gave it. */
  readonly id?: string;
  /** The API command's name. */
  readonly command?: string;
  /** How it ended, as far as is known. */
  readonly result: "succeeded" | "failed" | "timed_out" | "unknown";
  /** FreeSWITCH's words, or why nothing is known. */
  readonly detail?: string;
}

/** Messages that were refused within a minute, beside those that have lines of their own. */
export interface AuditSummary extends Omit<AuditSource, "topic"> {
  /** Further refusals. */
  readonly event: "refused_more";
  /** How many they were. */
  readonly count: number;
  /** How many of them for which reason, by its code. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** What the audit log is given. */
export type AuditEntry = AuditDecision | AuditResult | AuditSummary;

/** A line of the audit log is the JSON of one of these. The contract of the file. */
export type AuditLine = AuditEntry & {
  /** When it was written: ISO 8601, in UTC. */
  readonly time: string;
};

/** How an {@linkcode AuditLog} is kept. */
export interface AuditLogOptions {
  /** For the time of a line. */
  readonly clock: Pick<Clock, "date">;
  /** Hears once that the file cannot be written, and once when it can be again. */
  readonly complain: (text: string) => void;
}

/** In UTF-16 units; what is longer is cut. */
export const LONGEST_VALUE = 500;

/**
 * What a terminal obeys or does not show: controls, C1 included, and Unicode's format characters
 * and others of no width (those that turn round how a line reads, tags), line and paragraph separators.
 */
const DECEITFUL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

const encoder = new TextEncoder();

/**
 * Writes entries as lines of JSON. Two files: when a line would make the file longer than it may be,
 * the file is renamed to end in `.1`, over the one before, and a new one begins. A line is handed to
 * the system before {@linkcode AuditLog.write} returns. Nothing throws: a file that cannot be
 * written stops nothing.
 */
export class AuditLog {
  readonly #path: string | undefined;
  readonly #maxBytes: number;
  readonly #clock: Pick<Clock, "date">;
  readonly #complain: (text: string) => void;
  #file: Deno.FsFile | undefined;
  #hasFailed = false;

  /**
   * The file is made with its folder at the first line, readable to nobody else. Without a file, or
   * with 0 bytes, nothing is written.
   */
  constructor(path: string | undefined, maxBytes: number, { clock, complain }: AuditLogOptions) {
    this.#path = maxBytes === 0 ? undefined : path;
    this.#maxBytes = maxBytes;
    this.#clock = clock;
    this.#complain = complain;
  }

  /** Writes a line. */
  write(entry: AuditEntry): void {
    if (this.#path === undefined) return;
    try {
      const line = auditLine({ time: this.#clock.date().toISOString(), ...entry });
      this.#append(this.#path, encoder.encode(line + "\n"));
    } catch (error) {
      this.close();
      if (this.#hasFailed) return;
      this.#hasFailed = true;
      this.#complain(`Cannot write the audit log ${this.#path}: ${fileFault(error)}`);
      return;
    }
    if (!this.#hasFailed) return;
    this.#hasFailed = false;
    this.#complain(`The audit log ${this.#path} can be written again`);
  }

  /** Lets go of the file: the next line opens it by its name, which may be a new one's. */
  reopen(): void {
    this.close();
  }

  /** Lets go of the file. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #append(path: string, line: Uint8Array): void {
    this.#file ??= openToAppend(path);
    let { size } = this.#file.statSync();
    if (size > 0 && size + line.length > this.#maxBytes) {
      this.close();
      Deno.renameSync(path, `${path}.1`);
      this.#file = openToAppend(path);
      ({ size } = this.#file.statSync());
    }
    if (size + line.length > this.#maxBytes) {
      throw new Error("A line is longer than the file may be");
    }
    try {
      for (let at = 0; at < line.length;) at += this.#file.writeSync(line.subarray(at));
    } catch (error) {
      // A part of a line would spoil the next one.
      this.#file.truncateSync(size);
      throw error;
    }
  }
}

/** An entry as one line of JSON, with values cut and nothing in it that deceives a terminal. */
export function auditLine(line: AuditLine): string {
  const json = JSON.stringify(line, (_, value) => typeof value === "string" ? cut(value) : value);
  return json.replace(DECEITFUL, escaped);
}

function cut(value: string): string {
  if (value.length <= LONGEST_VALUE) return value;
  const head = value.slice(0, LONGEST_VALUE);
  // Not between the halves of a character.
  return `${head.isWellFormed() ? head : head.slice(0, -1)}…`;
}

/** JSON knows characters beyond U+FFFF as two. */
function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`,
  ).join("");
}

function openToAppend(path: string): Deno.FsFile {
  Deno.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (!isFileOrNothing(path)) throw new Error("It is not a regular file");
  const file = Deno.openSync(path, { read: true, append: true, create: true, mode: 0o600 });
  try {
    endLine(file);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** To open a pipe would wait for its other end, and nobody wants a device renamed. */
function isFileOrNothing(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    throw error;
  }
}

/** A line that a power cut has torn stays on a line of its own. */
function endLine(file: Deno.FsFile): void {
  if (file.statSync().size === 0) return;
  const last = new Uint8Array(1);
  file.seekSync(-1, Deno.SeekMode.End);
  file.readSync(last);
  if (last[0] !== 0x0a) file.writeSync(encoder.encode("\n"));
}
