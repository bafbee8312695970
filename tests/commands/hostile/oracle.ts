/**
 * What may be sent to FreeSWITCH at all, said anew and more narrowly than the policy says it.
 *
 * @module
 */

import { type Call, readBgapi, readOriginate, type Variable } from "./freeswitch.ts";

/** Why a line must not have been sent, or `undefined` if it may be. */
export type Oracle = (line: string) => string | undefined;

/** What no line may hold, wherever it comes from. */
export function lineFault(line: string, job: string): string | undefined {
  if (/[\p{Cc}\u2028\u2029]/u.test(line + job)) return "it holds a control character";
  if (!line.isWellFormed()) return "it is no Unicode";
  if (/^ | $|^$/.test(line)) return "spaces stand around it";
  if (!/^[A-Za-z0-9-]{1,36}$/.test(job)) return `its job is ${job}`;
  const whole = `bgapi ${line}\nJob-UUID: ${job}`.toLowerCase();
  if (whole.includes("mod_event_socket") && /(un|re)load/.test(whole)) {
    return "it unloads the event socket";
  }
  return undefined;
}

/** The narrow topic: whole lines. */
export function narrowOracle(line: string): string | undefined {
  const isKnown =
    /^(status|originate user\/1000 &park(\(\))?( XML( [\w.-]+( undef undef [1-9]\d{0,3})?)?)?)$/
      .test(line);
  return isKnown ? undefined : "the narrow topic allows no such line";
}

/** What never needs not to be named: the first words of the issue's own list, and more. */
const DANGEROUS = new RegExp(
  "^(?:system|bg_system|spawn.*|bg_spawn|lua.*|python.*|js.*|perl.*|managed.*|java.*|load|unload" +
    "|reload|shutdown|\\.\\.\\.|fsctl|hupall|curl.*|http_.*|bgapi|sched_api|eval|expand|cond|xml_wrap" +
    "|json|alias|global_getvar|global_setvar|user_data|xml_locate|uuid_setvar.*|uuid_dump|mosquitto)$",
);
/** What starts, moves or connects calls, and the only forms in which it needs not be named. */
const CALLS = new Map(Object.entries({
  uuid_transfer: /^[\w.@:-]+( +-(bleg|both))? +[\w+*#.-]+( +xml( +[\w.-]+)?)?$/i,
  uuid_dual_transfer: /^[\w.@:-]+( +[\w+*#.-]+(\/xml(\/[\w.-]+)?)?){2}$/i,
  uuid_bridge: /^[\w.@:-]+( +[\w.@:-]+){1,2}$/,
  uuid_broadcast: /^[\w.@:-]+ +[\w./-]+( +(aleg|bleg|both|holdb))?$/i,
  sched_broadcast: /^[+@]?\d+ +[\w.@:-]+ +[\w./-]+( +(aleg|bleg|both))?$/i,
  sched_transfer: /^[+@]?\d+ +[\w.@:-]+ +[\w+*#.-]+( +xml( +[\w.-]+)?)?$/i,
  uuid_deflect: /^[\w.@:-]+ +sips?:[\w+*#.-]+@[\w.:-]+$/i,
  uuid_redirect: /^[\w.@:-]+ +sips?:[\w+*#.-]+@[\w.:-]+$/i,
  uuid_park: /^[\w.@:-]+$/,
  uuid_simplify: /^[\w.@:-]+$/,
  group_call: /^[\w.@+-]+$/,
}));

/** Both flags, and nothing named. */
export function openOracle(line: string): string | undefined {
  const { name, args } = readBgapi(line);
  const command = name.toLowerCase();
  if (command === "originate") return callFault(args, usualFault);
  if (DANGEROUS.test(command)) return `${command} has to be named`;
  if (/\$\{|;;/.test(args)) return "its arguments hide something";
  if (command === "conference" && /\b(bg)?dial\b/i.test(args)) return conferenceFault(args);
  const form = CALLS.get(command);
  return form === undefined || form.test(args) ? undefined : `${command} does more than name legs`;
}

function conferenceFault(args: string): string | undefined {
  const [, endpoint = ""] = /^[\w.@+-]+ +(?:bg)?dial +(\S+)( +[\w+*#.-]+){0,2}$/i.exec(args) ?? [];
  return endpointFault(endpoint) ?? indirectFault(endpoint);
}

/** Everything is named, by patterns that allow everything: what is left is that it is one call. */
export function patternOracle(line: string): string | undefined {
  const { name, args } = readBgapi(line);
  if (name === "originate") return callFault(args, () => undefined);
  const isNamed = name === "show"
    ? !/\$\{|;;/.test(args)
    : /^(echo [a-z ]*|uuid_kill [0-9a-f-]{36}|echo)$/.test(`${name} ${args}`.trim());
  return isNamed ? undefined : "no rule names it";
}

/** Both flags, and every call ends after 30 seconds. */
export function limitedOracle(line: string): string | undefined {
  const { name, args } = readBgapi(line);
  const command = name.toLowerCase();
  if (CALLS.has(command)) return "a call without an end";
  if (command === "conference" && /\b(bg)?dial|transfer\b/i.test(args)) {
    return "a call without an end";
  }
  return command === "originate" ? callFault(args, endlessFault) : openOracle(line);
}

function callFault(args: string, more: (call: Call) => string | undefined): string | undefined {
  const call = readOriginate(args);
  return "usage" in call ? "FreeSWITCH shows how it is used" : structureFault(call) ?? more(call);
}

/** Signs that mean something to FreeSWITCH where a part of a call is read again. */
const SPECIAL = /[$'"\\{}[\]<>^|`]|;;|:_:|^array::|nested_vars/i;

function structureFault(call: Call): string | undefined {
  const { variables, endpoints, app, extension, dialplan = "XML", context = "default" } = call;
  const [endpoint, ...others] = endpoints;
  if (endpoint === undefined || others.length > 0) return `${endpoints.length} endpoints`;
  const fault = endpointFault(endpoint);
  if (fault !== undefined) return fault;
  const names = variables.map(({ name }) => name.toLowerCase());
  if (new Set(names).size < names.length) return "a variable is set twice";
  for (const { name, value } of variables) {
    if (!/^[a-z_][\w.-]*$/i.test(name) || SPECIAL.test(name)) {
      return `a variable of the name ${name}`;
    }
    if (value === undefined || value === "" || SPECIAL.test(value)) {
      return `a variable of the value ${value}`;
    }
  }
  if (app === undefined) {
    if (!/^[\w+*#.-]+$/.test(extension ?? "")) return `the extension ${extension}`;
    if (extension?.toLowerCase() === "undef") return "an extension that ends FreeSWITCH";
  } else {
    if (!/^[a-z]\w*$/i.test(app.name)) return `the application ${app.name}`;
    if (SPECIAL.test(app.args) || /[()&]|^%/.test(app.args)) return `the arguments ${app.args}`;
  }
  if (dialplan !== "XML") return `the dialplan ${dialplan}`;
  if (!/^[\w.-]+$/.test(context)) return `the context ${context}`;
  const { callerIdName = "x", callerIdNumber = "x", timeout = "60" } = call;
  if (callerIdName === "" || SPECIAL.test(callerIdName)) return `the name ${callerIdName}`;
  if (!/^[\w+*#.-]+$/.test(callerIdNumber)) return `the number ${callerIdNumber}`;
  return /^[1-9]\d{0,3}$/.test(timeout) ? undefined : `the timeout ${timeout}`;
}

function endpointFault(endpoint: string): string | undefined {
  const [, plain = "", parameters = ""] = /^([^;]*)(.*)$/s.exec(endpoint) ?? [];
  const isSafe = /^(;(transport=(udp|tcp|tls|ws|wss)|user=phone))*$/.test(parameters);
  if (!isSafe) return `the parameters ${parameters}`;
  const address = plain.replace(/\[[0-9a-f:.]+\](:\d+)?$/i, "");
  return /^[a-z][\w.]*\/[\w.+*#@:/-]+$/i.test(address) ? undefined : `the endpoint ${endpoint}`;
}

function indirectFault(endpoint: string): string | undefined {
  return /^(loopback|group)\//i.test(endpoint) ? "an endpoint that runs a dialplan" : undefined;
}

const USUAL_VARIABLES = new Set([
  "origination_caller_id_name",
  "origination_caller_id_number",
  "effective_caller_id_name",
  "effective_caller_id_number",
  "originate_timeout",
  "leg_timeout",
  "progress_timeout",
  "leg_progress_timeout",
  "call_timeout",
  "absolute_codec_string",
  "codec_string",
]);

function usualFault({ variables, endpoints, app }: Call): string | undefined {
  const [endpoint = ""] = endpoints;
  const unusual = variables.find(({ name }) => !USUAL_VARIABLES.has(name));
  if (unusual !== undefined) return `the variable ${unusual.name}`;
  const endless = variables.find(({ name, value = "" }) =>
    name.endsWith("_timeout") && !/^[1-9]\d{0,3}$/.test(value)
  );
  if (endless !== undefined) return `the timeout ${endless.value}`;
  const fault = indirectFault(endpoint);
  if (fault !== undefined || app === undefined) return fault;
  const { name, args } = app;
  if (name === "playback") {
    return /^[\w./ -]+$/.test(args) && !args.includes("..") ? undefined : `the file ${args}`;
  }
  return (name === "park" || name === "echo") && args === ""
    ? undefined
    : `the application ${name}`;
}

function endlessFault(call: Call): string | undefined {
  const rest = beforeEnds(call.variables);
  return rest === undefined ? "a call without an end" : usualFault({ ...call, variables: rest });
}

/** What is set before the variables that end a call; nothing if they do not come last. */
function beforeEnds(variables: readonly Variable[]): readonly Variable[] | undefined {
  const [originated, answered, ...others] = variables.toReversed();
  const isEnded = answered?.name === "execute_on_answer_fsmqtt" &&
    answered.value === "sched_hangup +30" && originated?.name === "execute_on_originate_fsmqtt" &&
    /^sched_hangup \+\d{2,4}$/.test(originated.value ?? "");
  return isEnded ? others : undefined;
}

/** Everything is named by patterns, and yet every call ends. */
export function endedOracle(line: string): string | undefined {
  const { name, args } = readBgapi(line);
  if (name === "originate") return callFault(args, defeatFault);
  const isQuiet = name === "conference" && !/\b(bg)?dial\b|\btransfer\b/i.test(args);
  return isQuiet ? undefined : "a call without an end";
}

/** Whatever lets a call go on when its end has come. */
function defeatFault({ variables, endpoints, app }: Call): string | undefined {
  const isLoopback = /^loopback\//i.test(endpoints[0] ?? "");
  const last = variables.at(-1);
  if (isLoopback && (last?.name !== "loopback_bowout" || last.value !== "false")) {
    return "legs that bow out";
  }
  const rest = beforeEnds(isLoopback ? variables.slice(0, -1) : variables);
  if (rest === undefined) return "a call without an end";
  const defeat =
    /^(execute_on_.*|api_on_.*|user_recurse_variables|local_var_clobber|loopback_bowout.*)$/i;
  const found = rest.find(({ name }) => defeat.test(name));
  if (found !== undefined) return `the variable ${found.name}`;
  return app?.name.toLowerCase() === "sched_cancel" ? "the end is cancelled" : undefined;
}
