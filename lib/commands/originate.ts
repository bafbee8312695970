/**
 * The call that an originate starts: read by a small grammar, and written anew for FreeSWITCH, so
 * that what runs is what was looked at.
 *
 * FreeSWITCH's own grammar is in `originate_function` (mod_commands.c), `switch_ivr_originate` and
 * `switch_event_create_brackets`: quotes that are taken away twice, delimiters that a text chooses
 * for itself, several calls in one, variables that run commands. What is not needed to start one
 * call is refused here.
 *
 * @module
 */

/** A call to start. What is absent is left to FreeSWITCH. */
export interface Originate {
  /** Channel variables, in their order. */
  readonly variables: readonly (readonly [name: string, value: string])[];
  /** Who is called. */
  readonly endpoint: string;
  /** The application that the call runs; absent where it goes to an extension. */
  readonly app?: Application;
  /** The extension that the call is sent to. */
  readonly destination?: string;
  /** Its context; {@linkcode DEFAULT_CONTEXT} where it is absent. */
  readonly context?: string;
  /** The name shown to who is called. */
  readonly callerIdName?: string;
  /** The number shown to who is called. */
  readonly callerIdNumber?: string;
  /** How long it rings, in seconds. */
  readonly timeout?: number;
}

/** An application, and what stands in its parentheses; `undefined` where there are none. */
export interface Application {
  /** Its name. */
  readonly name: string;
  /** Its arguments. */
  readonly args: string | undefined;
}

/** What FreeSWITCH takes where no context is given. */
export const DEFAULT_CONTEXT = "default";
/** The one dialplan that an extension is looked up in: `inline` would be a list of applications. */
const DIALPLAN = "XML";

/** An hour of ringing is a mistake. */
export const MAX_TIMEOUT_SECONDS = 3600;
const MAX_VARIABLES = 50;
const MAX_PART_LENGTH = 1000;

// What may stand where: no quotes, brackets, backslash, `$`, `^` or `|` anywhere, since each begins
// something for FreeSWITCH.

/** Not `name[3]`, which sets a part of a variable, nor `^^:name`, which sets another. */
const VARIABLE_NAME = /^[A-Za-z_][\w.-]*$/;
/** FreeSWITCH takes spaces around it away, and an empty one for none. */
const VALUE = /^(?! )[\p{L}\p{M}\p{N} _.+*#@:;/%,()&!?-]+(?<! )$/u;
const CALLER_ID_NAME = /^(?! )[\p{L}\p{M}\p{N} _.+*#,()&!-]+(?<! )$/u;
const CALLER_ID_NUMBER = /^[\w+*#.-]+$/;
/**
 * A kind of endpoint and what it needs, such as a SIP address. Its parameters are the two that do
 * not send the call elsewhere, as `fs_path` does.
 */
const ENDPOINT =
  /^[A-Za-z][\w.]{0,31}(\/[\w.+*#@:-]+)+(\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?)?(;transport=(udp|tcp|tls|wss?)|;user=phone)*$/;
const DESTINATION = /^[\w+*#.-]+$/;
const CONTEXT = /^[\w.-]+$/;
const APPLICATION_NAME = /^[A-Za-z]\w*$/;
/** `%[` at the start would set variables (`switch_core_session_exec`). */
const APPLICATION_ARGS = /^(?!%)[\w./:@+=,;*#!~% -]*$/;

/** Signs and words that mean something to FreeSWITCH wherever they stand. */
const SPECIAL = [
  [/;;/, "two commands in one"],
  [/:_:/, "several calls in one"],
  [/^ARRAY::/i, "a list in place of a value"],
  [/nested_vars/i, "variables in variables"],
  // To `originate_function` it is nothing at all, and without an extension FreeSWITCH aborts.
  [/^undef$/i, "`undef`"],
] as const;

/** A call, or what is wrong with it. */
export type CallReading = Originate | { readonly fault: string };

/**
 * Reads `[{name=value,…}]endpoint extension|&app(args) [XML [context [cid_name [cid_num
 * [timeout]]]]]`, with values and words in `'…'` where they hold spaces or commas.
 */
export function parseOriginate(text: string): CallReading {
  const block = /^\{([^{}]*)\}/.exec(text);
  const variables = block === null ? [] : parseVariables(block[1] ?? "");
  if ("fault" in variables) return variables;
  const words = splitWords(text.slice(block?.[0].length ?? 0));
  if (words === undefined) return { fault: "a quote or a space stands where none may" };
  const [endpoint, extension, dialplan, context, name, number, timeout, ...more] = words;
  if (endpoint === undefined || extension === undefined) {
    return { fault: "it needs an endpoint, and an extension or application after it" };
  }
  if (more.length > 0) return { fault: "it holds more than an originate has" };
  if (dialplan !== undefined && dialplan.toUpperCase() !== DIALPLAN) {
    return { fault: `its dialplan is not ${DIALPLAN}` };
  }
  if (timeout !== undefined && !isTimeoutSeconds(timeout)) {
    return { fault: `its timeout is no number of seconds, 1 to ${MAX_TIMEOUT_SECONDS}` };
  }
  const app = extension.startsWith("&") ? parseApplication(extension) : undefined;
  if (app !== undefined && "fault" in app) return app;
  const call: Originate = {
    variables,
    endpoint,
    ...(app === undefined ? { destination: extension } : { app }),
    ...(context === undefined ? {} : { context }),
    ...(isAbsent(name) ? {} : { callerIdName: name }),
    ...(isAbsent(number) ? {} : { callerIdNumber: number }),
    ...(timeout === undefined ? {} : { timeout: Number(timeout) }),
  };
  const fault = originateFault(call);
  if (fault !== undefined) return { fault };
  // Beside an application FreeSWITCH makes nothing of a context.
  const { context: _, ...appCall } = call;
  return app === undefined ? call : appCall;
}

/** Whether a text is a number of seconds that a phone may ring. */
export function isTimeoutSeconds(text: string): boolean {
  return /^[1-9]\d{0,3}$/.test(text) && Number(text) <= MAX_TIMEOUT_SECONDS;
}

/** A part of the caller id that FreeSWITCH is to choose, so that something can stand behind it. */
function isAbsent(word: string | undefined): word is undefined {
  return word === undefined || word.toLowerCase() === "undef";
}

function parseVariables(block: string): [string, string][] | { readonly fault: string } {
  const variables: [string, string][] = [];
  const variable = /([^=,'\\ ]+)=(?:'((?:[^'\\]|\\,)*)'|((?:[^',\\]|\\,)*))(,|$)/y;
  while (variable.lastIndex < block.length) {
    const [, name, quoted, plain = "", comma] = variable.exec(block) ?? [];
    if (name === undefined) {
      return { fault: "its variables are not `name=value`, with commas between" };
    }
    if (quoted === undefined && plain.includes(" ")) {
      return { fault: "a variable's value that holds a space needs quotes" };
    }
    // FreeSWITCH takes the quotes away before it looks for commas, and wants the backslash.
    variables.push([name, (quoted ?? plain).replaceAll("\\,", ",")]);
    if (comma === "") return variables;
  }
  return { fault: "its variables end in a comma, or there are none" };
}

/** Words between spaces; one that stands in quotes may hold spaces. */
function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  const word = /(?:'([^']*)'|([^' ]+))(?: +|$)/y;
  while (word.lastIndex < text.length) {
    const [, quoted, plain] = word.exec(text) ?? [];
    const found = quoted ?? plain;
    if (found === undefined) return undefined;
    words.push(found);
  }
  return words;
}

function parseApplication(text: string): Application | { readonly fault: string } {
  const [, name, parentheses, args = ""] = /^&([^()]*)(\(([^()]*)\))?$/.exec(text) ?? [];
  if (name === undefined) return { fault: "its application is not `&name` or `&name(arguments)`" };
  return { name, args: parentheses === undefined ? undefined : args };
}

/** What keeps a call, from whatever it was read, from being one that FreeSWITCH reads as meant. */
export function originateFault(call: Originate): string | undefined {
  const { variables, endpoint, app, destination, context, callerIdName, callerIdNumber } = call;
  const parts = [
    endpoint,
    ...variables.flat(),
    ...[app?.name, app?.args, destination, context, callerIdName, callerIdNumber]
      .filter((part) => part !== undefined),
  ];
  const special = SPECIAL.find(([sign]) => parts.some((part) => sign.test(part)));
  if (special !== undefined) return `it holds ${special[1]}`;
  if (parts.some((part) => part.length > MAX_PART_LENGTH)) {
    return `a part of it is longer than ${MAX_PART_LENGTH} characters`;
  }
  if (!ENDPOINT.test(endpoint)) {
    return "its endpoint is not a single one, such as `user/1000`, with usual signs in it";
  }
  if (destination !== undefined && !DESTINATION.test(destination)) {
    return "its extension holds other signs than letters, digits and `_.+*#-`";
  }
  if (context !== undefined && !CONTEXT.test(context)) {
    return "its context holds other signs than letters, digits and `_.-`";
  }
  if (callerIdName !== undefined && !CALLER_ID_NAME.test(callerIdName)) {
    return "the name of its caller id holds a quote, a bracket or another sign of FreeSWITCH's";
  }
  if (callerIdNumber !== undefined && !CALLER_ID_NUMBER.test(callerIdNumber)) {
    return "the number of its caller id holds other signs than letters, digits and `_.+*#-`";
  }
  return variablesFault(variables) ?? applicationFault(app) ?? timeoutFault(call.timeout);
}

function variablesFault(variables: Originate["variables"]): string | undefined {
  if (variables.length > MAX_VARIABLES) return `it sets more than ${MAX_VARIABLES} variables`;
  // To FreeSWITCH the case makes no difference.
  const names = new Set(variables.map(([name]) => name.toLowerCase()));
  if (names.size < variables.length) return "it sets a variable twice";
  if (!variables.every(([name]) => VARIABLE_NAME.test(name))) {
    return "the name of a variable holds other signs than letters, digits and `_.-`";
  }
  return variables.every(([, value]) => VALUE.test(value))
    ? undefined
    : "the value of a variable is empty, or holds a quote, a bracket or another sign of FreeSWITCH's";
}

function applicationFault(app: Application | undefined): string | undefined {
  if (app === undefined) return undefined;
  if (!APPLICATION_NAME.test(app.name)) return "its application has no valid name";
  if (APPLICATION_ARGS.test(app.args ?? "")) return undefined;
  return "the arguments of its application hold a quote, a bracket or another sign of FreeSWITCH's";
}

function timeoutFault(timeout: number | undefined): string | undefined {
  return timeout === undefined || timeout <= MAX_TIMEOUT_SECONDS
    ? undefined
    : `its timeout is longer than ${MAX_TIMEOUT_SECONDS} s`;
}

/** What stands behind `originate` for a call in which {@linkcode originateFault} found nothing. */
export function originateArguments(call: Originate): string {
  const { variables, endpoint, app, destination = "" } = call;
  const block = variables.map(([name, value]) => `${name}=${renderValue(value)}`).join(",");
  const words = [
    (block === "" ? "" : `{${block}}`) + endpoint,
    quoted(app === undefined ? destination : renderApplication(app)),
    ...renderRest(call),
  ];
  return words.join(" ");
}

/** FreeSWITCH takes quotes away before it looks for commas; the backslash it keeps until then. */
function renderValue(value: string): string {
  return quoted(value.replaceAll(",", "\\,"));
}

function quoted(word: string): string {
  return word.includes(" ") ? `'${word}'` : word;
}

function renderApplication({ name, args }: Application): string {
  return args === undefined ? `&${name}` : `&${name}(${args})`;
}

/** What stands behind the extension; what is given last needs all before it. */
function renderRest(call: Originate): string[] {
  const { context, callerIdName, callerIdNumber, timeout } = call;
  const given = [undefined, context, callerIdName, callerIdNumber, timeout?.toString()];
  const fallbacks = [DIALPLAN, DEFAULT_CONTEXT, "undef", "undef", "60"];
  const last = given.findLastIndex((part) => part !== undefined);
  return given.slice(0, last + 1).map((part, i) => quoted(part ?? fallbacks[i] ?? ""));
}
