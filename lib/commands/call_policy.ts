/**
 * Which calls an originate may start.
 *
 * @module
 */

import { isRestricted, type OriginateRules, type ValueRule } from "../protocol/allow_rules.ts";
import { isIndirectEndpoint, isSoundFile } from "../protocol/api_commands.ts";
import {
  type Application,
  type CallReading,
  DEFAULT_CONTEXT,
  isTimeoutSeconds,
  MAX_TIMEOUT_SECONDS,
  type Originate,
  originateFault,
  parseOriginate,
} from "./originate.ts";

/** What calls are held to. */
export interface CallRules extends OriginateRules {
  /** An originate is passed on as it is. */
  readonly originateUnrestricted: boolean;
  /** After so many seconds a call that was answered is hung up; 0: never. */
  readonly maxCallSeconds: number;
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
const LOOPBACK = /^loopback\//i;
/**
 * What {@linkcode CallRules.maxCallSeconds} is held with: FreeSWITCH runs all variables that begin so
 * (`switch_channel_execute_on`). The second counts where a call is never answered.
 */
const ENDS = ["execute_on_answer_fsmqtt", "execute_on_originate_fsmqtt"] as const;
/** Without this, the legs that have the end may leave their call to others (mod_loopback.c). */
const BOWOUT = "loopback_bowout";
/** With one of these a call could get round its end. */
const DEFEATS_END =
  /^(execute_on_|api_on_|loopback_bowout|user_recurse_variables$|local_var_clobber$)/i;
const DEFEATING_APP = /^sched_cancel$/i;
/** How long a `user/…` rings, whatever the timeout says. */
const RINGING_SECONDS = 60;
const MAX_SHOWN = 60;

/** A call that may be started, or why it may not. */
export type CallDecision = { readonly call: Originate } | { readonly fault: string };

/** Reads a call, and decides on it. */
export function decideCall(written: string | Originate, rules: CallRules): CallDecision {
  const call = typeof written === "string" ? parseOriginate(written) : checked(written);
  if ("fault" in call) return call;
  const fault = endFault(call, rules) ?? contentFault(call, rules);
  return fault === undefined ? { call } : { fault };
}

function checked(call: Originate): CallReading {
  const fault = originateFault(call);
  return fault === undefined ? call : { fault };
}

/** The call with its end, where it has one. */
export function withEnd(call: Originate, { maxCallSeconds }: CallRules): Originate {
  if (maxCallSeconds === 0) return call;
  const timeouts = call.variables.filter(isTimeout).map(([, value]) => Number(value));
  const ringing = Math.max(
    RINGING_SECONDS,
    ...[call.timeout ?? 0, ...timeouts].filter((seconds) => Number.isSafeInteger(seconds)),
  );
  const [onAnswer, onOriginate] = ENDS;
  const ends: Originate["variables"] = [
    [onAnswer, `sched_hangup +${maxCallSeconds}`],
    [onOriginate, `sched_hangup +${maxCallSeconds + ringing}`],
    ...(LOOPBACK.test(call.endpoint) ? [[BOWOUT, "false"] as const] : []),
  ];
  return { ...call, variables: [...call.variables, ...ends] };
}

function endFault(call: Originate, { maxCallSeconds }: CallRules): string | undefined {
  if (maxCallSeconds === 0) return undefined;
  const variable = variablesOf(call).find((name) => DEFEATS_END.test(name));
  if (variable !== undefined) return `max_call_seconds could be got round with ${shown(variable)}`;
  return call.app !== undefined && DEFEATING_APP.test(call.app.name)
    ? `max_call_seconds could be got round with ${shown(call.app.name)}`
    : undefined;
}

function contentFault(call: Originate, rules: CallRules): string | undefined {
  if (rules.originateUnrestricted) return undefined;
  return isRestricted(rules) ? unnamedPart(call, rules) : unusualPart(call);
}

/** A caller id is one whether it stands in a variable or behind the context. */
function variablesOf({ variables, callerIdName, callerIdNumber }: Originate): string[] {
  return [
    ...variables.map(([name]) => name),
    ...(callerIdName === undefined ? [] : ["origination_caller_id_name"]),
    ...(callerIdNumber === undefined ? [] : ["origination_caller_id_number"]),
  ];
}

function unnamedPart(call: Originate, rules: OriginateRules): string | undefined {
  const { endpoint, app, destination, context = DEFAULT_CONTEXT } = call;
  const isNamed = (list: readonly ValueRule[], value: string) =>
    list.some((rule) => rule.allows(value));
  if (!isNamed(rules.originateAllowEndpoint, endpoint)) return unnamed("endpoint", endpoint);
  if (
    app !== undefined &&
    !rules.originateAllowApp.some((rule) => rule.allows(app.name, app.args ?? ""))
  ) {
    return unnamed("app", app.name) + (app.args ? " with these arguments" : "");
  }
  if (destination !== undefined && !isNamed(rules.originateAllowDestination, destination)) {
    return unnamed("destination", destination);
  }
  if (destination !== undefined && !isNamed(rules.originateAllowContext, context)) {
    return unnamed("context", context);
  }
  const variable = variablesOf(call).find((name) => !isNamed(rules.originateAllowVariable, name));
  return variable === undefined ? undefined : unnamed("variable", variable);
}

function unnamed(kind: string, value: string): string {
  return `no originate_allow_${kind} of this topic names ${shown(value)}`;
}

/** With the first rule, all that is used has to be named. */
const AND_THE_REST = ", and with that all else that an originate here may hold";

function unusualPart(call: Originate): string | undefined {
  const { endpoint, app, variables } = call;
  if (isIndirectEndpoint(endpoint)) {
    return `originate_allow_endpoint has to name ${shown(endpoint)}${AND_THE_REST}`;
  }
  const timeout = variables.filter(isTimeout).find(([, value]) => !isTimeoutSeconds(value));
  if (timeout !== undefined) {
    return `${shown(timeout[0])} is no number of seconds, 1 to ${MAX_TIMEOUT_SECONDS}`;
  }
  if (app !== undefined && !isPlainApplication(app)) {
    const args = app.args ? " with these arguments" : "";
    return `originate_allow_app has to name ${shown(app.name)}${args}${AND_THE_REST}`;
  }
  const variable = variablesOf(call).find((name) => !PLAIN_VARIABLES.has(name));
  return variable === undefined
    ? undefined
    : `originate_allow_variable has to name ${shown(variable)}${AND_THE_REST}`;
}

function isTimeout([name]: readonly [string, string]): boolean {
  return name.toLowerCase().endsWith("_timeout");
}

function isPlainApplication({ name, args = "" }: Application): boolean {
  if (name === "playback") return isSoundFile(args);
  return (name === "park" || name === "echo") && args === "";
}

/** A part of a call for the log, without a password that an address may hold. */
function shown(part: string): string {
  const text = part.replace(
    /:[^:/@]*@/,
    (found, at: number) => part.slice(0, at).includes(":") ? ":…@" : found,
  );
  return `\`${text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text}\``;
}
