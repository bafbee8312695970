/**
 * What each command of a client does and is answered (`parse_command` of mod_event_socket).
 *
 * @module
 */

import type { EventHeader } from "./event.ts";
import { type Command, firstLine } from "./command_reader.ts";
import type { Subscription } from "./subscription.ts";
import { apiAllowed, authenticateUser, type SimulatedUser, userReply } from "./user.ts";
import { AllowedEvents } from "./subscription.ts";

/** What the commands need of the connection that sent them. */
export interface CommandContext {
  /** Whether the client has given a password. */
  authenticated: boolean;
  /** Who it is, after `userauth`. */
  user: SimulatedUser | undefined;
  /** What it listens to. */
  readonly subscription: Subscription;
  /** The events that wait for it. */
  readonly outbox: { clear(): void };
  /** What the whole FreeSWITCH has. */
  readonly host: CommandHost;
}

/** What the commands need of the simulator. */
export interface CommandHost {
  /** For `auth`. */
  readonly password: string;
  /** For `userauth`. */
  readonly users: readonly SimulatedUser[];
  /** A fresh UUID. */
  newUuid(): string;
  /** Runs an api command and fires its API event. */
  runApi(name: string, argument: string | undefined): Promise<string>;
  /** Runs an api command and fires its BACKGROUND_JOB. */
  runJob(uuid: string, command: string): Promise<void>;
  /** Fires an event that a client sent; `name` as the client gave it. */
  fireSent(name: string, headers: EventHeader[], body: string | undefined): void;
}

/** What a command comes to. */
export interface Outcome {
  /** What is sent back; a byte string. */
  readonly response: string;
  /** Whether the connection ends. */
  readonly close?: boolean;
  /** What goes on after the reply, or before it. */
  readonly job?: () => Promise<void>;
}

type Verb = (line: string, command: Command, context: CommandContext) => Outcome | Promise<Outcome>;

function reply(text: string): Outcome {
  return { response: `Content-Type: command/reply\nReply-Text: ${text}\n\n` };
}

const NOT_FOUND = reply("-ERR command not found");
const REFUSED: Outcome = { ...reply("-ERR invalid"), close: true };
const DENIED = reply("-ERR permission denied");
const NO_SESSION = reply("-ERR not controlling a session");

/** FreeSWITCH compares only the beginning, so `exitus` and `events` are commands too. */
const BEFORE_AUTHENTICATION: readonly (readonly [prefix: string, verb: Verb])[] = [
  ["exit", exit],
  ["...", exit],
  ["auth ", auth],
  ["userauth ", userauth],
];

const VERBS: readonly (readonly [prefix: string, verb: Verb])[] = [
  ["exit", exit],
  ["...", exit],
  ["filter ", (line, _, { subscription }) => reply(subscription.filter(line))],
  ["divert_events", () => reply("-ERR not controlling a session.")],
  ["sendmsg", sendmsg],
  ["sendevent", sendevent],
  ["api ", api],
  ["bgapi ", bgapi],
  ["linger", () => NO_SESSION],
  ["nolinger", () => NO_SESSION],
  ["event", (line, _, { subscription }) => reply(subscription.event(line))],
  ["nixevent", (line, _, { subscription }) => reply(subscription.nixevent(line))],
  ["noevents", noevents],
];

/** Does what the command says. */
export async function execute(command: Command, context: CommandContext): Promise<Outcome> {
  const text = cheat(command.text);
  const verbs = context.authenticated ? VERBS : BEFORE_AUTHENTICATION;
  const lower = text.toLowerCase();
  const verb = verbs.find(([prefix]) => lower.startsWith(prefix))?.[1];
  return await verb?.(firstLine(text), command, context) ?? NOT_FOUND;
}

/** Wherever in a command these words stand, this is what FreeSWITCH runs instead of it. */
function cheat(text: string): string {
  const lower = text.toLowerCase();
  if (!lower.includes("mod_event_socket")) return text;
  const verb = ["unload", "reload"].find((word) => lower.includes(word));
  return verb === undefined ? text : `api bgapi ${verb} mod_event_socket`;
}

function exit(): Outcome {
  return { ...reply("+OK bye"), close: true };
}

function auth(line: string, _: Command, context: CommandContext): Outcome {
  if (line.slice("auth ".length) !== context.host.password) return REFUSED;
  context.authenticated = true;
  return reply("+OK accepted");
}

function userauth(line: string, _: Command, context: CommandContext): Outcome {
  const user = authenticateUser(context.host.users, line.slice("userauth ".length));
  if (user === undefined) return REFUSED;
  context.authenticated = true;
  context.user = user;
  if (user.allowedEvents !== undefined) {
    context.subscription.allowed = new AllowedEvents(user.allowedEvents);
  }
  return { response: `Content-Type: command/reply\n${userReply(user)}` };
}

function sendmsg(line: string, command: Command): Outcome {
  const uuid = line.slice("sendmsg".length).trimStart() || header(command, "session-id") || "";
  return reply(`-ERR invalid session id [${uuid}]`);
}

function header(command: Command, name: string): string | undefined {
  return command.headers.find(([candidate]) => candidate.toLowerCase() === name)?.[1];
}

function sendevent(line: string, command: Command, { host }: CommandContext): Outcome {
  const uuid = host.newUuid();
  const sent: EventHeader[] = [
    ["Command", line],
    ...command.headers.flatMap(eventHeader),
    ["Event-UUID", uuid],
  ];
  host.fireSent(line.slice("sendevent".length).replace(/^[\t ]+/, ""), sent, command.body);
  return reply(`+OK ${uuid}`);
}

function eventHeader([name, value]: readonly [string, string]): EventHeader[] {
  if (!value.startsWith("ARRAY::")) return [[name, value]];
  const values = value.slice("ARRAY::".length).split("|:");
  return values.join("") === "" ? [] : [[name, values]];
}

async function api(line: string, _: Command, context: CommandContext): Promise<Outcome> {
  const text = line.slice("api ".length);
  if (!apiAllowed(context.user, text)) return DENIED;
  const [name, argument] = splitCommand(text);
  const output = await context.host.runApi(name, argument) || "-ERR no reply\n";
  const head = `Content-Type: api/response\nContent-Length: ${output.length}\n\n`;
  return { response: head + output };
}

function bgapi(line: string, command: Command, { user, host }: CommandContext): Outcome {
  const text = line.slice("bgapi ".length);
  if (!apiAllowed(user, text)) return DENIED;
  const uuid = header(command, "job-uuid") ?? host.newUuid();
  return {
    response: `Content-Type: command/reply\nReply-Text: +OK Job-UUID: ${uuid}\n` +
      `Job-UUID: ${uuid}\n\n`,
    job: () => host.runJob(uuid, text),
  };
}

function noevents(_line: string, _: Command, { subscription, outbox }: CommandContext): Outcome {
  outbox.clear();
  return reply(subscription.noevents());
}

/** The name of an api command, and what follows the first space. */
export function splitCommand(text: string): [name: string, argument: string | undefined] {
  const space = text.indexOf(" ");
  return space < 0 ? [text, undefined] : [text.slice(0, space), text.slice(space + 1)];
}
