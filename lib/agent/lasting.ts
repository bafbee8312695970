/**
 * What a reload cannot change.
 *
 * @module
 */

import type { Config } from "../config/config.ts";
import { propertyName, valueOf } from "../config/parameters.ts";

/** Files and sockets that are opened once. */
const LASTING = ["state-dir", "control-socket", "control-group", "audit-log", "audit-log-bytes"];

/** What of a changed configuration counts from the next start on, in words. */
export function restartNotes(before: Config, after: Config): string[] {
  return LASTING
    .filter((name) => valueOf(before.settings, name) !== valueOf(after.settings, name))
    .map((name) => `the changed ${name} counts from the next start of fsmqtt on`);
}

/** A configuration with that of the one in force. */
export function withLasting(before: Config, after: Config): Config {
  const kept = LASTING.map((name) => [propertyName(name), valueOf(before.settings, name)]);
  return { ...after, settings: { ...after.settings, ...Object.fromEntries(kept) } };
}
