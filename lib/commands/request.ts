/**
 * What a message asks for, as it was written. What may run is decided elsewhere.
 *
 * @module
 */

import type { Originate } from "./originate.ts";
import { parseStrictJson } from "./strict_json.ts";

/** A command, and what its sender says of it. */
export interface Request {
  /** What is to run. */
  readonly command: Command;
  /** The sender's name for it. */
  readonly id?: string;
  /** The Job-UUID that the sender chose. */
  readonly job?: string;
  /** When it was asked for, in milliseconds since 1970. */
  readonly issuedAt?: number;
  /** Who says to have sent it. */
  readonly sender?: string;
}

/** What is to run. */
export type Command = BgapiCommand | OriginateCommand;

/** An API command that is no originate. */
export interface BgapiCommand {
  /** Tells the kinds apart. */
  readonly kind: "bgapi";
  /** The API command. */
  readonly name: string;
  /** What stands behind it; empty if nothing does. */
  readonly args: string;
}

/** A call to start. */
export interface OriginateCommand {
  /** Tells the kinds apart. */
  readonly kind: "originate";
  /** Whether it was asked for as the API command `originate`. */
  readonly isBgapi: boolean;
  /** The text behind `originate`, or the call in parts. */
  readonly call: string | Originate;
}

/** A message that is no command, and why. */
export interface NoCommand {
  /** Why not. */
  readonly fault: string;
  /** The id that it has nevertheless. */
  readonly id?: string;
}

/** Control characters, C1 included, and Unicode's line and paragraph separators. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u;
/** An API command of FreeSWITCH's: what looks like one in another alphabet is none. */
const API_NAME = /^[\w.:+-]{1,64}$/;
const ID = /^[A-Za-z0-9_.:-]{1,128}$/;
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;
/** The `variables` of a command are the deepest that there is. */
const MAX_DEPTH = 2;
const MAX_SENDER_LENGTH = 128;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A payload as text; none if it is no UTF-8. */
export function decodePayload(payload: Uint8Array): string | undefined {
  try {
    return decoder.decode(payload);
  } catch {
    return undefined;
  }
}

/** Reads a command: JSON (see `contract.ts`) where it begins with `{`, else text. */
export function parseRequest(text: string): Request | NoCommand {
  return /^[ \t\r\n]*\{/.test(text) ? parseDocument(text) : parseText(text);
}

/**
 * Reads a command as mod_mosquitto has it:
 *
 * - `bgapi <command> [args]`
 * - `bgapi uuid:<id> <command> [args]`, the id of letters, digits and `-`, at most 36
 * - `originate <aleg> <exten>|&app(args) [dialplan] [context] [cid_name] [cid_num] [timeout]`
 *
 * The first word is taken in any case.
 */
function parseText(text: string): Request | NoCommand {
  if (CONTROL.test(text)) {
    return { fault: "it holds a control character, such as a line end" };
  }
  const [, word = "", rest = ""] = /^(bgapi|originate)(?: +(.*))?$/i.exec(text) ?? [];
  switch (word.toLowerCase()) {
    case "bgapi":
      return parseBgapi(rest);
    case "originate":
      return withCommand(originate(rest, false));
    default:
      return text === ""
        ? { fault: "it is empty" }
        : { fault: "it begins with neither `bgapi` nor `originate`, and is no JSON" };
  }
}

function parseBgapi(rest: string): Request | NoCommand {
  if (!rest.startsWith("uuid:")) return withCommand(apiCommand(rest));
  const [, uuid, text] = /^uuid:([A-Za-z0-9-]{1,36}) +(\S.*)$/.exec(rest) ?? [];
  if (uuid === undefined || text === undefined) {
    return { fault: "`uuid:` needs 1 to 36 letters, digits or `-`, and a command after it" };
  }
  return withCommand(apiCommand(text), { id: uuid, job: uuid });
}

function apiCommand(text: string): Command | NoCommand {
  const [, name, args = ""] = /^(\S+)(?: +(.*))?$/.exec(trimSpaces(text)) ?? [];
  if (name === undefined) return { fault: "`bgapi` has no command after it" };
  if (!API_NAME.test(name)) return { fault: "its API command is not the name of one" };
  // FreeSWITCH finds API commands in any case.
  return name.toLowerCase() === "originate" ? originate(args, true) : { kind: "bgapi", name, args };
}

function originate(args: string, isBgapi: boolean): OriginateCommand | NoCommand {
  const call = trimSpaces(args);
  return call === ""
    ? { fault: "`originate` has nothing after it" }
    : { kind: "originate", isBgapi, call };
}

/** Other white space is none to FreeSWITCH. */
function trimSpaces(text: string): string {
  let start = 0;
  let end = text.length;
  while (text[start] === " ") start++;
  while (end > start && text[end - 1] === " ") end--;
  return text.slice(start, end);
}

function withCommand(
  command: Command | NoCommand,
  rest: Omit<Request, "command"> = {},
): Request | NoCommand {
  return "fault" in command
    ? { ...command, ...(rest.id === undefined ? {} : { id: rest.id }) }
    : { command, ...rest };
}

function parseDocument(text: string): Request | NoCommand {
  let value: unknown;
  try {
    value = parseStrictJson(text, MAX_DEPTH);
  } catch (error) {
    return { fault: (error as Error).message };
  }
  const fields = new Fields(value as Record<string, unknown>);
  try {
    return readDocument(fields);
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    // An answer that comes back as a command has an id and is not to be answered again.
    const { id, command } = value as Record<string, unknown>;
    const isMeant = typeof id === "string" && ID.test(id) && command !== undefined;
    return { fault: error.message, ...(isMeant ? { id } : {}) };
  }
}

function readDocument(fields: Fields): Request {
  const kind = fields.text("command");
  const id = fields.optional("id", () => fields.id("id"));
  const issuedAt = fields.optional("issued_at", () => fields.time("issued_at"));
  const sender = fields.optional("sender", () => fields.short("sender", MAX_SENDER_LENGTH));
  const command = readCommand(kind, fields);
  fields.refuseOthers();
  return {
    command,
    ...(id === undefined ? {} : { id }),
    ...(issuedAt === undefined ? {} : { issuedAt }),
    ...(sender === undefined ? {} : { sender }),
  };
}

function readCommand(kind: string, fields: Fields): Command {
  if (kind !== "bgapi" && kind !== "originate") {
    throw new FieldError("its `command` is neither `bgapi` nor `originate`");
  }
  if (kind === "originate" && !fields.has("args")) {
    return { kind, isBgapi: false, call: readCall(fields) };
  }
  const args = fields.text("args");
  if (args.split(" ", 1)[0]?.toLowerCase() === kind) {
    throw new FieldError(`its \`args\` begin with \`${kind}\` itself: leave that out`);
  }
  const command = kind === "originate" ? originate(args, false) : apiCommand(args);
  if ("fault" in command) throw new FieldError(command.fault);
  return command;
}

function readCall(fields: Fields): Originate {
  const optional = (name: string) => fields.optional(name, () => fields.text(name));
  const endpoint = fields.text("endpoint");
  const variables = fields.optional("variables", () => fields.record("variables")) ?? [];
  const app = optional("app");
  const appArgs = optional("app_args");
  const destination = optional("destination");
  const context = optional("context");
  const callerIdName = optional("caller_id_name");
  const callerIdNumber = optional("caller_id_number");
  const timeout = fields.optional("timeout", () => fields.seconds("timeout"));
  if ((app === undefined) === (destination === undefined)) {
    throw new FieldError("it needs either an `app` or a `destination`");
  }
  if (destination === undefined && context !== undefined) {
    throw new FieldError("its `context` is of no use without a `destination`");
  }
  if (app === undefined && appArgs !== undefined) {
    throw new FieldError("its `app_args` are of no use without an `app`");
  }
  return {
    variables,
    endpoint,
    ...(app === undefined ? {} : { app: { name: app, args: appArgs } }),
    ...(destination === undefined ? {} : { destination }),
    ...(context === undefined ? {} : { context }),
    ...(callerIdName === undefined ? {} : { callerIdName }),
    ...(callerIdNumber === undefined ? {} : { callerIdNumber }),
    ...(timeout === undefined ? {} : { timeout }),
  };
}

/** A field is not as it should be; the message says which and how. */
class FieldError extends Error {
  override readonly name: string = "FieldError";
}

/** The fields of a document, each of which has to be asked for. */
class Fields {
  readonly #fields: ReadonlyMap<string, unknown>;
  readonly #known = new Set<string>();

  constructor(document: Readonly<Record<string, unknown>>) {
    this.#fields = new Map(Object.entries(document));
  }

  has(name: string): boolean {
    this.#known.add(name);
    return this.#fields.has(name);
  }

  optional<T>(name: string, read: () => T): T | undefined {
    return this.has(name) ? read() : undefined;
  }

  text(name: string): string {
    if (!this.has(name)) throw new FieldError(`its \`${name}\` is missing`);
    return textOf(this.#fields.get(name), name);
  }

  /** A text, or a whole number as its digits. */
  id(name: string): string {
    const value = this.#fields.get(name);
    const text = Number.isSafeInteger(value) ? String(value) : this.text(name);
    if (ID.test(text)) return text;
    throw new FieldError(`its \`${name}\` is not 1 to 128 letters, digits and \`-_.:\``);
  }

  short(name: string, length: number): string {
    const text = this.text(name);
    if (text.length <= length) return text;
    throw new FieldError(`its \`${name}\` is longer than ${length} characters`);
  }

  /** ISO 8601 or seconds since 1970, in milliseconds. */
  time(name: string): number {
    const value = this.#fields.get(name);
    const ms = typeof value === "number"
      ? value * 1000
      : typeof value === "string" && ISO_TIME.test(value)
      ? Date.parse(value)
      : NaN;
    if (Number.isFinite(ms)) return ms;
    throw new FieldError(
      `its \`${name}\` is neither ISO 8601 with a time zone nor seconds since 1970`,
    );
  }

  seconds(name: string): number {
    const value = this.#fields.get(name);
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
    throw new FieldError(`its \`${name}\` is no whole number of seconds`);
  }

  record(name: string): [string, string][] {
    const value = this.#fields.get(name);
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new FieldError(`its \`${name}\` are no object`);
    }
    return Object.entries(value).map(([key, entry]) => {
      if (CONTROL.test(key)) throw new FieldError(`its \`${name}\` hold a control character`);
      return [key, typeof entry === "string" ? textOf(entry, name) : plainText(entry, name)];
    });
  }

  refuseOthers(): void {
    const other = [...this.#fields.keys()].find((name) => !this.#known.has(name));
    if (other === undefined) return;
    throw new FieldError(`it has a field that no such command has, "${other.slice(0, 40)}"`);
  }
}

/** A number that JSON readers take for another one than was written would be another value. */
function plainText(value: unknown, name: string): string {
  const isPlain = typeof value === "boolean" || Number.isSafeInteger(value);
  if (!isPlain) {
    throw new FieldError(`its \`${name}\` hold other than texts, whole numbers or booleans`);
  }
  return String(value);
}

function textOf(value: unknown, name: string): string {
  if (typeof value !== "string") throw new FieldError(`its \`${name}\` is no text`);
  // Half a character would be sent as another one.
  if (!value.isWellFormed()) throw new FieldError(`its \`${name}\` is no valid Unicode`);
  if (CONTROL.test(value)) throw new FieldError(`its \`${name}\` holds a control character`);
  return value;
}
