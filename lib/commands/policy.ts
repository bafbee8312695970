/**
 * Who may run what. What is not allowed here does not run.
 *
 * @module
 */

import type { CommandRequest } from "./request.ts";

/** What a subscriber topic permits. */
export interface Permissions {
  /** Messages of this topic may start calls. */
  readonly originateAuthorized: boolean;
  /** Messages of this topic may run API commands. */
  readonly bgapiAuthorized: boolean;
}

/**
 * `originate` as a word anywhere: API commands such as `expand`, `sched_api` or `cond` run what
 * stands in their arguments, and FreeSWITCH finds API commands in any case. `expand` also fills in
 * `${…}` first and takes backslashes away, so that `ori${x}ginate` or `ori\\'ginate` would be one.
 */
const MAY_ORIGINATE = /\boriginate\b|\$\{|\\/i;

/** Why a command may not run on a topic with these permissions, or `undefined` if it may. */
export function refusalOf(request: CommandRequest, permissions: Permissions): string | undefined {
  if (request.kind === "bgapi" && !permissions.bgapiAuthorized) {
    return "bgapi_authorized is false for this topic";
  }
  const mayStartCall = request.kind === "originate" || MAY_ORIGINATE.test(request.command);
  if (mayStartCall && !permissions.originateAuthorized) {
    return "originate_authorized is false for this topic";
  }
  return undefined;
}
