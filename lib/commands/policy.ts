/**
 * Who may run what. What is not allowed here does not run.
 *
 * @module
 */

import { type CommandRule, isRestricted, mayHide } from "../protocol/allow_rules.ts";
import {
  type ApiPower,
  DANGERS,
  isPlainCallArguments,
  mayWrapCalls,
  powerOf,
} from "../protocol/api_commands.ts";
import { type CallRules, decideCall, withEnd } from "./call_policy.ts";
import { originateArguments } from "./originate.ts";
import type { BgapiCommand, Command, OriginateCommand } from "./request.ts";

/** What a subscriber topic permits: its parameters of the same names. */
export interface Permissions extends CallRules {
  /** Messages of this topic may start, move and connect calls. */
  readonly originateAuthorized: boolean;
  /** Messages of this topic may run API commands. */
  readonly bgapiAuthorized: boolean;
  /** The API commands that may run; if there is none, those that need not be named. */
  readonly bgapiAllow: readonly CommandRule[];
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

/** Decides on a command. */
export function decide(command: Command, permissions: Permissions): Permitted | Refusal {
  return command.kind === "originate"
    ? decideOriginate(command, permissions)
    : decideBgapi(command, permissions);
}

function decideBgapi({ name, args }: BgapiCommand, permissions: Permissions): Permitted | Refusal {
  const { bgapiAuthorized, originateAuthorized, maxCallSeconds } = permissions;
  if (!bgapiAuthorized) return { fault: "bgapi_authorized is false for this topic" };
  const power = powerOf(name, args);
  const placesCalls = power.placesCalls || (power.danger === "wrapper" && mayWrapCalls(args));
  const fault = permissions.bgapiAllow.length > 0
    ? unallowed(name, args, permissions)
    : unnamed(name, args, power, permissions);
  if (fault !== undefined) return { fault };
  if (placesCalls && !originateAuthorized) {
    return { fault: `originate_authorized is false for this topic, and \`${name}\` places calls` };
  }
  if (placesCalls && maxCallSeconds > 0) {
    return { fault: `max_call_seconds cannot be set on \`${name}\`, only on an originate` };
  }
  return { line: args === "" ? name : `${name} ${args}`, placesCalls };
}

/** Why a command may not run where some are named. */
function unallowed(name: string, args: string, { bgapiAllow }: Permissions): string | undefined {
  if (bgapiAllow.some((rule) => rule.allows(name, args))) return undefined;
  const isKnown = bgapiAllow.some((rule) => rule.name === name);
  const how = !isKnown ? "" : args === "" ? " without arguments" : " with these arguments";
  return `no bgapi_allow of this topic names \`${name}\`${how}`;
}

/** Why a command may not run where none is named. */
function unnamed(
  name: string,
  args: string,
  { danger, placesCalls }: ApiPower,
  permissions: Permissions,
): string | undefined {
  if (danger !== undefined) return `bgapi_allow has to name \`${name}\`: it ${DANGERS[danger]}`;
  if (mayHide(args)) return "its arguments hold `${` or `;;`";
  if (!placesCalls) return undefined;
  if (isRestricted(permissions)) {
    return `bgapi_allow has to name \`${name}\` beside originate_allow_…`;
  }
  return isPlainCallArguments(name, args)
    ? undefined
    : `bgapi_allow has to name \`${name}\`: its arguments do more than name legs and extensions`;
}

function decideOriginate(
  { isBgapi, call }: OriginateCommand,
  permissions: Permissions,
): Permitted | Refusal {
  const { bgapiAuthorized, bgapiAllow, originateAuthorized } = permissions;
  if (isBgapi && !bgapiAuthorized) return { fault: "bgapi_authorized is false for this topic" };
  if (!originateAuthorized) return { fault: "originate_authorized is false for this topic" };
  if (permissions.originateUnrestricted && typeof call === "string") {
    return permissions.maxCallSeconds > 0
      ? { fault: "max_call_seconds cannot be held with originate_unrestricted" }
      : { line: `originate ${call}`, placesCalls: true };
  }
  const decision = decideCall(call, permissions);
  if ("fault" in decision) return decision;
  if (isBgapi && bgapiAllow.length > 0) {
    const fault = unallowed("originate", originateArguments(decision.call), permissions);
    if (fault !== undefined) return { fault };
  }
  const line = `originate ${originateArguments(withEnd(decision.call, permissions))}`;
  return { line, placesCalls: true };
}
