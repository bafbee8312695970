/**
 * The status on one line, as a monitoring system shows it.
 *
 * @module
 */

import { type ConnectionStatus, type StatusReport, troubles } from "../control/status.ts";
import { printable } from "../log/logger.ts";

/** Further troubles are only counted once the line is this long. */
const LONG_ENOUGH = 200;

/**
 * `ok: …` with the figures that tell most, or `degraded: …` with what is wrong and why: as many
 * troubles as a line of some 200 characters holds, one at least, and how many more there are.
 */
export function statusLine(report: StatusReport): string {
  const found = troubles(report);
  return printable(found.length === 0 ? `ok: ${figures(report)}` : `degraded: ${firstOf(found)}`);
}

/** Events given up, for any reason. */
export function droppedBy({ dropped }: Pick<ConnectionStatus, "dropped">): number {
  return Object.values(dropped).reduce((sum, number) => sum + number, 0);
}

/** How long, in its two largest units. */
export function duration(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ] as const;
  const first = parts.findIndex(([number]) => number > 0);
  return parts.slice(first < 0 ? 3 : first).slice(0, 2)
    .map(([number, unit]) => `${number} ${unit}`).join(" ");
}

function figures({ profiles, uptime_seconds }: StatusReport): string {
  const all = profiles.flatMap(({ enabled, connections }) =>
    connections.map((connection) => ({ ...connection, isOn: enabled && connection.enabled }))
  );
  const on = all.filter(({ isOn }) => isOn);
  const total = (of: (connection: ConnectionStatus) => number) =>
    all.reduce((sum, connection) => sum + of(connection), 0);
  return [
    "FreeSWITCH connected",
    all.length === 0
      ? "no connection is configured"
      : `${on.length} of ${all.length} connection${all.length === 1 ? "" : "s"} connected`,
    `${total(({ acknowledged }) => acknowledged)} acknowledged`,
    `${total(({ in_flight }) => in_flight)} in flight`,
    `${total(({ queued }) => queued)} queued`,
    `${total(droppedBy)} dropped`,
    `up ${duration(uptime_seconds)}`,
  ].join(", ");
}

function firstOf(troubles: readonly string[]): string {
  let line = "";
  for (const [i, trouble] of troubles.entries()) {
    const longer = i === 0 ? trouble : `${line}; ${trouble}`;
    if (i > 0 && longer.length > LONG_ENOUGH) return `${line}; +${troubles.length - i} more`;
    line = longer;
  }
  return line;
}
