/**
 * The audit log: what was asked for over MQTT, by whom as far as is known, and what became of it.
 *
 * @module
 */

import { format, parse } from "node:path";
import type { Clock } from "../clock.ts";
import { AuditFile, rotatedPath } from "./audit_file.ts";

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
export interface AuditRefusals extends Omit<AuditSource, "topic"> {
  /** Further refusals. */
  readonly event: "refused_more";
  /** How many they were. */
  readonly count: number;
  /** How many of them for which reason, by its code. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** Commands that ran within a minute, beside those that have lines of their own; no calls. */
export interface AuditRuns extends Omit<AuditSource, "topic"> {
  /** Further commands that were handed to FreeSWITCH. */
  readonly event: "ran_more";
  /** How many they were. */
  readonly count: number;
  /** How many of them of which name; those that are too many to be named are `…`. */
  readonly commands: Readonly<Record<string, number>>;
}

/** What the audit log is given. */
export type AuditEntry = AuditDecision | AuditResult | AuditRefusals | AuditRuns;

/** A line of the audit log is the JSON of one of these. The contract of the file. */
export type AuditLine = AuditEntry & {
  /** When it was written: ISO 8601, in UTC. */
  readonly time: string;
};

/** How an {@linkcode AuditLog} is kept. */
export interface AuditLogOptions {
  /** For the time of a line. */
  readonly clock: Pick<Clock, "date">;
  /** Hears of each file once that it cannot be written, and once when it can be again. */
  readonly complain: (text: string) => void;
}

/** As it is written, in UTF-16 units; what is longer is cut. */
export const LONGEST_VALUE = 500;
/** The same of what was refused, which anybody may have written. */
export const LONGEST_REFUSED_VALUE = 200;

/**
 * What a terminal obeys or does not show: controls, C1 included, and Unicode's format characters
 * and others of no width (those that turn round how a line reads, tags), line and paragraph separators.
 */
const DECEITFUL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Writes entries as lines of JSON. What was refused is in a file of its own, so that nobody who may
 * run nothing can wash away what ran. When a line would make a file longer than it may be, the file
 * is renamed to end in `.1`, over the one before, and a new one begins. A line is handed to the
 * system before {@linkcode AuditLog.write} returns. Nothing throws: a file that cannot be written
 * stops nothing.
 */
export class AuditLog {
  readonly #clock: Pick<Clock, "date">;
  /** None where nothing is written. */
  readonly #files: { readonly ran: AuditFile; readonly refused: AuditFile } | undefined;

  /**
   * Of `audit.jsonl`, the file for what was refused is `audit-refused.jsonl`. They are made with
   * their folder when they are opened, readable to nobody else. Each of them, and each of those
   * before, may have `maxBytes`. Without a file, or with 0 bytes, nothing is written.
   */
  constructor(path: string | undefined, maxBytes: number, { clock, complain }: AuditLogOptions) {
    this.#clock = clock;
    if (path === undefined || maxBytes === 0) return;
    this.#files = {
      ran: new AuditFile(path, maxBytes, complain),
      refused: new AuditFile(refusedPath(path), maxBytes, complain),
    };
  }

  /** Why it cannot be written at present. */
  get trouble(): string | undefined {
    return this.#files?.ran.trouble ?? this.#files?.refused.trouble;
  }

  /** Opens the files, so that what is wrong with them is told before the first command. */
  open(): void {
    this.#files?.ran.open();
    this.#files?.refused.open();
  }

  /** Writes a line. */
  write(entry: AuditEntry): void {
    const line = () => auditLine({ time: this.#clock.date().toISOString(), ...entry });
    if (isRefusal(entry)) this.#files?.refused.append(line());
    else this.#files?.ran.append(line());
  }

  /** Lets go of the files: the next line opens one by its name, which may be a new one's. */
  reopen(): void {
    this.close();
  }

  /** Lets go of the files. */
  close(): void {
    this.#files?.ran.close();
    this.#files?.refused.close();
  }
}

/** All files of the audit log of this path. */
export function auditFiles(path: string): string[] {
  return [path, refusedPath(path)].flatMap((file) => [file, rotatedPath(file)]);
}

function refusedPath(path: string): string {
  const { dir, name, ext } = parse(path);
  return format({ dir, name: `${name}-refused`, ext });
}

function isRefusal({ event }: AuditEntry): boolean {
  return event === "refused" || event === "refused_more";
}

/** An entry as one line of JSON, with values cut and nothing in it that deceives a terminal. */
export function auditLine(line: AuditLine): string {
  const longest = isRefusal(line) ? LONGEST_REFUSED_VALUE : LONGEST_VALUE;
  return written(line, (_, value) => typeof value === "string" ? cut(value, longest) : value);
}

function written(value: unknown, replacer?: (key: string, value: unknown) => unknown): string {
  return JSON.stringify(value, replacer).replace(DECEITFUL, escaped);
}

/** Cut by what it takes in the file: a character may take six times as much as another. */
function cut(value: string, longest: number): string {
  const lengthOf = (text: string) => written(text).length - 2;
  if (lengthOf(value.slice(0, longest + 1)) <= longest) return value;
  let kept = "";
  let room = longest - 1;
  for (const character of value) {
    room -= lengthOf(character);
    if (room < 0) break;
    kept += character;
  }
  return `${kept}…`;
}

/** JSON knows characters beyond U+FFFF as two. */
function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`,
  ).join("");
}
