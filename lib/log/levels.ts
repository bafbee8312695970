/**
 * The severities of a log, as FreeSWITCH names them (switch_log.c, `LEVELS`).
 *
 * @module
 */

/** The names a configuration may use, most severe first. */
export const LOG_LEVELS = [
  "console",
  "alert",
  "critical",
  "error",
  "warning",
  "notice",
  "info",
  "debug",
] as const;

/** One severity. */
export type LogLevel = typeof LOG_LEVELS[number];

/** FreeSWITCH's own short forms, which its other modules take. */
const SHORT_FORMS: ReadonlyMap<string, LogLevel> = new Map([
  ["crit", "critical"],
  ["err", "error"],
]);

/** Reads a level in any case, FreeSWITCH's short forms included; `undefined` if it is none. */
export function parseLogLevel(text: string): LogLevel | undefined {
  const name = text.toLowerCase();
  return LOG_LEVELS.find((level) => level === name) ?? SHORT_FORMS.get(name);
}

/** Whether a log set to `limit` keeps a message of `level`. */
export function keepsLevel(limit: LogLevel, level: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) <= LOG_LEVELS.indexOf(limit);
}
