/**
 * Who may run what. What is not allowed here does not run.
 *
 * @module
 */

import { lineFault } from "../esl/line_fault.ts";
import type { CommandRule, ValueRule } from "../protocol/allow_rules.ts";
import {
  type ApiDanger,
  isPlainCallArguments,
  isSoundFile,
  powerOf,
} from "../protocol/api_commands.ts";
import {
  type Application,
  DEFAULT_CONTEXT,
  type Originate,
  originateArguments,
  originateFault,
  parseOriginate,
} from "./originate.ts";
import type { BgapiCommand, Command, OriginateCommand } from "./request.ts";

/** What a subscriber topic permits: its parameters of the same names. */
export interface Permissions extends OriginateRules {
  /** Messages of this topic may start, move and connect calls. */
  readonly originateAuthorized: boolean;
  /** Messages of this topic may run API commands. */
  readonly bgapiAuthorized: boolean;
  /** The API commands that may run; if there is none, those that need not be named. */
  readonly bgapiAllow: readonly CommandRule[];
  /** An originate is passed on as it is. */
  readonly originateUnrestricted: boolean;
  /** After so many seconds a call that was answered is hung up; 0: never. */
  readonly maxCallSeconds: number;
}

/** What an originate may hold; if there is no rule at all, what is usual and harms nobody. */
export interface OriginateRules {
  /** Who may be called. */
  readonly originateAllowEndpoint: readonly ValueRule[];
  /** What the call may run. */
  readonly originateAllowApp: readonly CommandRule[];
  /** The contexts that it may be sent to. */
  readonly originateAllowContext: readonly ValueRule[];
  /** The extensions that it may be sent to. */
  readonly originateAllowDestination: readonly ValueRule[];
  /** The variables that it may set. */
  readonly originateAllowVariable: readonly ValueRule[];
}

/** A command that may run. */
export interface Permitted {
  /** What FreeSWITCH gets behind `bgapi`. */
  readonly line: string;
  /** Whether it starts, moves or connects calls. */
  readonly placesCalls: boolean;
}

/** A command that may not run, and why: for the owner alone. */
export interface Refusal {
  /** Why not. */
  readonly fault: string;
}

/** What may be set, without being named, of the variables of FreeSWITCH's `originate`. */
const PLAIN_VARIABLES: ReadonlySet<string> = new Set([
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
/** These run a dialplan of the sender's choice, call many, or open a file or an address. */
const INDIRECT_ENDPOINT = /^(loopback|group|vlc)\//i;
const TIMEOUT_SECONDS = /^[1-9]\d{0,3}$/;
/**
 * What {@linkcode Permissions.maxCallSeconds} is held with: FreeSWITCH runs all variables that begin
 * so (`switch_channel_execute_on`). The second counts where a call is never answered.
 */
const ENDS = ["execute_on_answer_fsmqtt", "execute_on_originate_fsmqtt"] as const;
/** With one of these a call could get round its end. */
const DEFEATS_END = /^(execute_on_|api_on_|user_recurse_variables$|local_var_clobber$)/i;
const DEFEATING_APP = /^sched_cancel$/i;
/** How long a `user/…` rings, whatever the timeout says. */
const RINGING_SECONDS = 60;
/** Where one of these stands, FreeSWITCH may run another command than it seems. */
const HIDDEN = /\$\{|;;/;
/** What a wrapper may run of what starts or moves calls, or may make up. */
const MAY_PLACE_CALLS =
  /originate|conference|transfer|bridge|deflect|redirect|broadcast|group_call|page|\$\{|\\/i;

/** Decides on a command. */
export function decide(command: Command, permissions: Permissions): Permitted | Refusal {
  const decision = command.kind === "originate"
    ? decideOriginate(command, permissions)
    : decideBgapi(command, permissions);
  if ("fault" in decision) return decision;
  const fault = lineFault(`bgapi ${decision.line}`);
  return fault === undefined ? decision : { fault: `it ${fault}` };
}

function decideBgapi(
  { name, args }: BgapiCommand,
  permissions: Permissions,
): Permitted | Refusal {
  const { bgapiAuthorized, originateAuthorized, maxCallSeconds } = permissions;
  if (!bgapiAuthorized) return { fault: "bgapi_authorized is false for this topic" };
  const { danger, ...power } = powerOf(name, args);
  const placesCalls = power.placesCalls || (danger === "wrapper" && MAY_PLACE_CALLS.test(args));
  const fault = unnamedFault(name, args, permissions);
  if (fault !== undefined) return { fault };
  if (placesCalls && !originateAuthorized) {
    return { fault: "originate_authorized is false for this topic" };
  }
  if (placesCalls && maxCallSeconds > 0) {
    return { fault: "max_call_seconds can be set on an `originate` alone" };
  }
  return { line: args === "" ? name : `${name} ${args}`, placesCalls };
}

/** Why a command may not run as far as names go. */
function unnamedFault(
  name: string,
  args: string,
  permissions: Permissions,
): string | undefined {
  const { bgapiAllow } = permissions;
  if (bgapiAllow.length > 0) {
    return bgapiAllow.some((rule) => rule.allows(name, args))
      ? undefined
      : "no bgapi_allow of this topic names it with these arguments";
  }
  const { danger, placesCalls } = powerOf(name, args);
  if (danger !== undefined) return `bgapi_allow has to name it: ${DANGERS[danger]}`;
  if (HIDDEN.test(args)) return "its arguments hold `${` or `;;`";
  if (!placesCalls) return undefined;
  if (isRestricted(permissions)) return "bgapi_allow has to name it beside originate_allow_…";
  return isPlainCallArguments(name, args)
    ? undefined
    : "bgapi_allow has to name it: its arguments do more than name legs and extensions";
}

const DANGERS: Readonly<Record<ApiDanger, string>> = {
  code: "it can run code, or read and write files",
  switch: "it can end or change FreeSWITCH itself",
  wrapper: "it runs other commands",
  secrets: "it can reveal secrets",
};

function decideOriginate(
  { isBgapi, call }: OriginateCommand,
  permissions: Permissions,
): Permitted | Refusal {
  const { bgapiAuthorized, bgapiAllow, originateAuthorized, maxCallSeconds } = permissions;
  if (isBgapi && !bgapiAuthorized) return { fault: "bgapi_authorized is false for this topic" };
  if (!originateAuthorized) return { fault: "originate_authorized is false for this topic" };
  if (permissions.originateUnrestricted && typeof call === "string") {
    return maxCallSeconds > 0
      ? { fault: "max_call_seconds cannot be held with originate_unrestricted" }
      : { line: `originate ${call}`, placesCalls: true };
  }
  const read = typeof call === "string" ? parseOriginate(call) : call;
  const fault = "fault" in read
    ? read.fault
    : originateFault(read) ?? contentFault(read, permissions);
  if (fault !== undefined) return { fault };
  const args = originateArguments(read as Originate);
  if (isBgapi && bgapiAllow.length > 0 && !bgapiAllow.some((r) => r.allows("originate", args))) {
    return { fault: "no bgapi_allow of this topic names it with these arguments" };
  }
  const line = `originate ${originateArguments(withEnd(read as Originate, maxCallSeconds))}`;
  return { line, placesCalls: true };
}

/** The call with its end, where it has one. */
function withEnd(call: Originate, maxCallSeconds: number): Originate {
  if (maxCallSeconds === 0) return call;
  const ringing = Math.max(RINGING_SECONDS, call.timeout ?? 0);
  const [onAnswer, onOriginate] = ENDS;
  return {
    ...call,
    variables: [
      ...call.variables,
      [onAnswer, `sched_hangup +${maxCallSeconds}`],
      [onOriginate, `sched_hangup +${maxCallSeconds + ringing}`],
    ],
  };
}

/** Why a call that is well written may not be started. */
function contentFault(call: Originate, permissions: Permissions): string | undefined {
  const { originateUnrestricted, maxCallSeconds } = permissions;
  const names = variablesOf(call);
  if (maxCallSeconds > 0 && names.some((name) => DEFEATS_END.test(name))) {
    return "it sets a variable that max_call_seconds could be got round with";
  }
  if (maxCallSeconds > 0 && call.app !== undefined && DEFEATING_APP.test(call.app.name)) {
    return "it runs an application that max_call_seconds could be got round with";
  }
  if (originateUnrestricted) return undefined;
  return isRestricted(permissions)
    ? unnamedPart(call, names, permissions)
    : unusualPart(call, names);
}

function isRestricted(rules: OriginateRules): boolean {
  return [
    rules.originateAllowEndpoint,
    rules.originateAllowApp,
    rules.originateAllowContext,
    rules.originateAllowDestination,
    rules.originateAllowVariable,
  ].some((list) => list.length > 0);
}

/** A caller id is one whether it stands in a variable or behind the context. */
function variablesOf({ variables, callerIdName, callerIdNumber }: Originate): string[] {
  return [
    ...variables.map(([name]) => name),
    ...(callerIdName === undefined ? [] : ["origination_caller_id_name"]),
    ...(callerIdNumber === undefined ? [] : ["origination_caller_id_number"]),
  ];
}

function unnamedPart(
  { endpoint, app, destination, context = DEFAULT_CONTEXT }: Originate,
  names: readonly string[],
  rules: OriginateRules,
): string | undefined {
  const isNamed = (list: readonly ValueRule[], value: string) =>
    list.some((rule) => rule.allows(value));
  if (!isNamed(rules.originateAllowEndpoint, endpoint)) return unnamed("endpoint");
  if (
    app !== undefined &&
    !rules.originateAllowApp.some((rule) => rule.allows(app.name, app.args ?? ""))
  ) {
    return unnamed("app");
  }
  if (destination !== undefined && !isNamed(rules.originateAllowDestination, destination)) {
    return unnamed("destination");
  }
  if (destination !== undefined && !isNamed(rules.originateAllowContext, context)) {
    return unnamed("context");
  }
  return names.every((name) => isNamed(rules.originateAllowVariable, name))
    ? undefined
    : unnamed("variable");
}

function unnamed(kind: string): string {
  return `no originate_allow_${kind} of this topic names its ${kind}`;
}

function unusualPart(
  { endpoint, app, variables }: Originate,
  names: readonly string[],
): string | undefined {
  const [kind = ""] = endpoint.split("/", 1);
  if (INDIRECT_ENDPOINT.test(endpoint)) {
    return `originate_allow_endpoint has to name an endpoint of ${kind}`;
  }
  const isTimeout = ([name]: readonly [string, string]) => name.endsWith("_timeout");
  if (!variables.filter(isTimeout).every(([, value]) => TIMEOUT_SECONDS.test(value))) {
    return "a timeout among its variables is no number of seconds, 1 to 9999";
  }
  if (app !== undefined && !isPlainApplication(app)) {
    return "originate_allow_app has to name its application and arguments";
  }
  return names.every((name) => PLAIN_VARIABLES.has(name))
    ? undefined
    : "originate_allow_variable has to name a variable other than caller id, timeout and codec";
}

function isPlainApplication({ name, args = "" }: Application): boolean {
  if (name === "playback") return isSoundFile(args);
  return (name === "park" || name === "echo") && args === "";
}
