/**
 * What the audit log shows of a command's arguments: whom it calls, and no secrets.
 *
 * @module
 */

import { hasPlainArguments, powerOf } from "../protocol/api_commands.ts";
import { MASK } from "../secret.ts";
import { LONGEST_VALUE } from "./audit.ts";

/** Their values are set by those who may set a variable, and may be anything. */
const SETTING_COMMANDS: ReadonlySet<string> = new Set(["uuid_setvar", "global_setvar"]);
/** A short message costs as a call does, but its text is nobody's business, and no PIN is. */
const TEXT_COMMANDS: ReadonlySet<string> = new Set([
  "smpp_send",
  "uuid_send_dtmf",
  "uuid_recv_dtmf",
]);
/** Applications whose arguments say whom a call reaches or what it plays, or are masked. */
const SHOWN_APPLICATIONS: ReadonlySet<string> = new Set(
  `answer att_xfer bridge callcenter conference deflect delay_echo eavesdrop echo endless_playback
  execute_extension export fifo hangup hold info intercept multiset park pickup playback pre_answer
  queue_dtmf record record_session redirect ring_ready sched_hangup sched_transfer send_dtmf set sleep
  transfer valet_park`.split(/\s+/),
);
/** `&name(` and `name::`; the latter may also stand in an IPv6 address. */
const APPLICATION = /&(\w+)(?=\()|(?<![\w:[])([a-z]\w*)(?=::)/gi;
/** The dialplan `inline` takes `name:args,name:args` for an extension. */
const INLINE_APPLICATION = /(?<=[\s',])([a-z]\w*)(?=:)/gi;
/** Commands that run another one, and what stands before that. */
const WRAPPERS: ReadonlyMap<string, RegExp> = new Map([
  ["bgapi", / */y],
  ["expand", / */y],
  ["xml_wrap", / */y],
  ["sched_api", / *\S+ +\S+ +/y],
]);
const COMMAND = /([\w.:+-]+) */y;

/** Caller ids, which an inquiry needs as much as the number that is called. */
export const CALLER_ID: RegExp =
  /^(?:(?:origination|effective|outbound)_)?(?:caller|callee)_id_(?:name|number)$/i;
/** Parameters of a SIP address that hold no secret (RFC 3261, section 19.1.1; RFC 3966). */
const ADDRESS_PARAMETER = /^(?:transport|user|method|ttl|maddr|lr|phone-context|isub|ext)$/i;
/** The schemes of addresses, which stand before a user as that does before its password. */
const SCHEMES: ReadonlySet<string> = new Set([
  "sip",
  "sips",
  "tel",
  "http",
  "https",
  "ftp",
  "rtmp",
]);

/**
 * The arguments of an API command for the audit log:
 *
 * - names, numbers, calls, users and settings are shown, and so are those of commands that start or
 *   move calls: endpoints, extensions, contexts, applications, and the caller id
 * - values of variables are masked, and whatever follows `password=` and the like, or stands as a
 *   password in an address
 * - of what stands behind every other command or application, the length is told: `(27 characters)`
 *
 * @param longest What stands behind so many characters is not looked at, and not shown. The work is
 * in proportion to it, whatever the text is.
 */
export function maskedArguments(command: string, args: string, longest = LONGEST_VALUE): string {
  let name = command.toLowerCase();
  let shown = 0;
  for (;;) {
    const inner = commandWithin(name, args, shown);
    if (inner === undefined) break;
    if (inner.end > longest) return lengthOf(args);
    name = inner.name;
    shown = inner.end;
  }
  return args.slice(0, shown) + masked(name, args.slice(shown), longest);
}

/** The command that another one runs: its name, and where its arguments begin. */
function commandWithin(name: string, args: string, from: number) {
  const wrapper = WRAPPERS.get(name);
  if (wrapper === undefined) return undefined;
  const begin = endOfMatch(wrapper, args, from);
  if (begin === undefined || begin === args.length) return undefined;
  const end = endOfMatch(COMMAND, args, begin);
  // What is no command stays nameless.
  return end === undefined
    ? { name: "", end: begin }
    : { name: args.slice(begin, end).trim().toLowerCase(), end };
}

function endOfMatch(sticky: RegExp, text: string, from: number): number | undefined {
  sticky.lastIndex = from;
  return sticky.test(text) ? sticky.lastIndex : undefined;
}

function masked(name: string, args: string, longest: number): string {
  if (args.trim() === "") return "";
  if (SETTING_COMMANDS.has(name)) return maskedSetting(args, longest);
  const isShown = !TEXT_COMMANDS.has(name) &&
    (hasPlainArguments(name) || powerOf(name, args).placesCalls);
  return isShown ? scrubbed(args, longest) : lengthOf(args);
}

/** `name=value`, or a call and then `name value`. */
function maskedSetting(args: string, longest: number): string {
  const [, before, name = ""] = /^((?:[\w-]+ +)?([\w.-]+)(?: +|=))./s.exec(args) ?? [];
  if (before === undefined) return lengthOf(args);
  if (before.length > longest) return lengthOf(args);
  return CALLER_ID.test(name) ? scrubbed(args, longest) : before + MASK;
}

function lengthOf(text: string): string {
  return text.length === 1 ? "(1 character)" : `(${text.length} characters)`;
}

function scrubbed(args: string, longest: number): string {
  const begun = beginningOf(args, longest);
  if (begun === undefined) return lengthOf(args);
  const end = beginOfHidden(begun);
  const shown = withoutValues(begun.slice(0, end));
  if (end < begun.length) return shown + lengthOf(args.slice(end));
  return begun.length < args.length ? `${shown}…` : shown;
}

/** Where the arguments of an application begin that may be anything. */
function beginOfHidden(text: string): number {
  const patterns = /\binline\b/i.test(text) ? [APPLICATION, INLINE_APPLICATION] : [APPLICATION];
  const begins = patterns.flatMap((pattern) => [...text.matchAll(pattern)])
    .filter(([, name, other = name ?? ""]) => !SHOWN_APPLICATIONS.has(other.toLowerCase()))
    .map(({ 0: match, index }) => index + match.length);
  return Math.min(text.length, ...begins);
}

function withoutValues(text: string): string {
  let shown = "";
  let at = 0;
  while (at < text.length) {
    const begin = indexOf(text, /[{[<]/g, at);
    shown += withoutSecrets(text.slice(at, begin));
    const end = endOfBlock(text, begin);
    shown += maskedBlock(text.slice(begin, end));
    at = end;
  }
  return shown;
}

/** A text that is too long is cut where a secret that is cut too is not mistaken for something else. */
function beginningOf(text: string, longest: number): string | undefined {
  if (text.length <= longest) return text;
  const end = text.lastIndexOf(" ", longest);
  return end < 0 ? undefined : text.slice(0, end);
}

/** Behind the bracket that closes a block; brackets within quotes are not seen. */
function endOfBlock(text: string, begin: number): number {
  const open = text.charAt(begin);
  const close = { "{": "}", "[": "]", "<": ">" }[open];
  let depth = 0;
  let isQuoted = false;
  for (let at = begin; at < text.length; at++) {
    const sign = text.charAt(at);
    if (sign === "'") isQuoted = !isQuoted;
    if (isQuoted) continue;
    if (sign === open) depth++;
    if (sign === close) depth--;
    if (depth === 0) return at + 1;
  }
  return text.length;
}

/** `{name=value,name=value}`; what is no such list has nothing to mask but what has everywhere. */
function maskedBlock(block: string): string {
  if (!block.includes("=")) return withoutSecrets(block);
  const [, open = "", delimiter = ","] = /^(.(?:\^\^(.))?)/s.exec(block) ?? [];
  const isWhole = /[}\]>]$/.test(block);
  const list = block.slice(open.length, isWhole ? -1 : undefined);
  const masked = partsOf(list, delimiter).map(maskedVariable).join(delimiter);
  return open + masked + (isWhole ? block.slice(-1) : "");
}

/** The delimiter counts neither within quotes nor behind a backslash. */
function partsOf(list: string, delimiter: string): string[] {
  const parts: string[] = [];
  let part = "";
  for (const [piece] of list.matchAll(/'[^']*'|\\.|./gs)) {
    if (piece === delimiter) {
      parts.push(part);
      part = "";
    } else {
      part += piece;
    }
  }
  return [...parts, part];
}

function maskedVariable(part: string): string {
  const [, name, equals = "", value = ""] = /^( *[\w.[\]-]+ *)(=)(.*)$/s.exec(part) ?? [];
  if (name === undefined) return part.trim() === "" ? part : MASK;
  return name + equals + (CALLER_ID.test(name.trim()) ? withoutSecrets(value) : MASK);
}

/** Nothing that a name could be the end of stands before it. */
const BEGIN = "(?<![\\w.-])";
const SECRET_WORD =
  "(?:password|passwd|passphrase|pwd|secret|token|api[-_]?key|key|auth|(?:proxy-)?authorization" +
  "|credentials?|cookie|pin)";
/** Looked for once in a name, not at each of its places. */
const SECRET_NAME =
  "(?:(?=[\\w.-]*(?:pass|pwd|secret|token|key|auth|credential|cookie))[\\w.-]+|pin)";
const QUOTED = "'[^']*(?:'|$)|\"[^\"]*(?:\"|$)";
/** Whatever a secret may hold: all up to a space. */
const SECRET = `(?:${QUOTED})?\\S*`;

type Rule = readonly [
  pattern: RegExp,
  mask: (match: string, before: string, ...groups: (string | undefined)[]) => string,
];

const keepFirst = (_: string, first: string) => first + MASK;

/** The name of a variable behind whatever else the match begins with. */
const keepCallerId = (match: string, before: string, name = "") =>
  CALLER_ID.test(name) || ADDRESS_PARAMETER.test(name) ? match : before + MASK;

/** What an application sets, if the match holds a value at all. */
const keepSetCallerId = (match: string, before: string, value?: string) =>
  value === undefined ? match : keepCallerId(match, `${before}=`, nameAtEnd(before));

/**
 * For each of them the work is in proportion to the length of the text: what may be long begins
 * where a name does, or is part of the match whatever follows, so that nothing is read twice.
 */
const RULES: readonly Rule[] = [
  // What somebody keys in, and the number that opens a conference.
  [/((?:send|queue)_dtmf[( :]+)[^)\s]*/gi, keepFirst],
  [/(\bdtmf +\S+ +)\S*/gi, keepFirst],
  [
    /(\bconference[(:]+[^\s()+]*)(\+[^\s()+]*)?/gi,
    (match, before, pin?: string) => pin === undefined ? match : `${before}+${MASK}`,
  ],
  [
    new RegExp(
      `(${BEGIN}${SECRET_WORD}(?: *: *| +)(?:(?:basic|bearer|digest) +)?)${SECRET}`,
      "gi",
    ),
    keepFirst,
  ],
  [new RegExp(`(${BEGIN}${SECRET_NAME} *= *)${SECRET}`, "gi"), keepFirst],
  // A variable that an application sets may hold spaces.
  [/(\b(?:multi)?(?:set|export)\([^=)]*)(=[^)]*)?/gi, keepSetCallerId],
  [/(\b(?:multi)?(?:set|export)::[^=]*)(=.*)?/gis, keepSetCallerId],
  [/(\b(?:multi)?(?:set|export):[^=,]*)(=[^,]*)?/gi, keepSetCallerId],
  [new RegExp(`(${BEGIN}([\\w.-]+) *= *)(?:${QUOTED}|[^\\s,|)]*)`, "g"), keepCallerId],
];

function nameAtEnd(text: string): string {
  const [name = ""] = /(?<![\w.-])[\w.-]+$/.exec(text.trimEnd()) ?? [];
  return name;
}

/** Text outside of blocks, without what may be a secret in it. */
function withoutSecrets(text: string): string {
  const ruled = RULES.reduce((rest, [pattern, mask]) => rest.replace(pattern, mask), text);
  return ruled.replace(/[^\s,|'"()]+/g, withoutPassword);
}

/** An address without its password: `user:password@host`, with a scheme before it or none. */
function withoutPassword(word: string): string {
  const end = word.lastIndexOf("@");
  if (end < 0) return word;
  const parts = word.slice(0, end).split(":");
  const user = parts.findIndex((part) => !isNoUser(part));
  if (user < 0 || user === parts.length - 1) return word;
  return `${parts.slice(0, user + 1).join(":")}:${MASK}${word.slice(end)}`;
}

/** A scheme, an application in an inline dialplan, or what stands between two colons. */
function isNoUser(part: string): boolean {
  const name = part.slice(part.lastIndexOf("/") + 1).toLowerCase();
  return name === "" || SCHEMES.has(name) || SHOWN_APPLICATIONS.has(name.replace(/^&/, ""));
}

function indexOf(text: string, pattern: RegExp, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}
