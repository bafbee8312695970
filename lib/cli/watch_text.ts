/**
 * The status as one watches it: what moves, and how fast.
 *
 * @module
 */

import {
  type ConnectionStatus,
  type FreeswitchStatus,
  type ProfileStatus,
  type StatusReport,
  troubles,
} from "../control/status.ts";
import { printable } from "../log/logger.ts";
import { droppedBy, statusLine } from "./status_line.ts";

/** A status, and when it came. */
export interface Sample {
  /** The status. */
  readonly report: StatusReport;
  /** Milliseconds on a clock that never runs backwards. */
  readonly atMs: number;
}

/**
 * The lines to show. Rates are those since `former`; without it, or if another agent gave it, they
 * are unknown, and a `-` stands for them. `date` is the wall clock.
 */
export function watchLines(sample: Sample, former: Sample | undefined, date: Date): string[] {
  const { report, atMs } = sample;
  const isSameAgent = former !== undefined &&
    former.report.uptime_seconds <= report.uptime_seconds;
  const seconds = isSameAgent ? (atMs - former.atMs) / 1000 : 0;
  const before = seconds > 0 ? former?.report : undefined;
  const found = troubles(report);
  const rate = (count: number, formerCount: number | undefined) => {
    const more = growth(count, formerCount);
    return more === undefined ? "-" : rateText(more / seconds);
  };
  return [
    statusLine(report),
    `${momentText(date)}  fsmqtt ${report.version}  ${report.config_file}`,
    "",
    freeswitchLine(report.freeswitch, before?.freeswitch, rate),
    ...section(connectionRows(report.profiles, before?.profiles ?? [], rate)),
    ...section(commandRows(report.profiles)),
    ...(found.length < 2 ? [] : ["", "troubles", ...found.map((trouble) => `  ${trouble}`)]),
  ].map(printable);
}

/** A moment in local time: `2026-11-22 12:00:00`. */
export function momentText(date: Date): string {
  // Sweden writes it so.
  return date.toLocaleString("sv");
}

/** How much a count grew; `undefined` where that cannot be known. */
function growth(count: number, former: number | undefined): number | undefined {
  // What was removed and added again counts from nothing.
  return former === undefined || former > count ? undefined : count - former;
}

function rateText(rate: number): string {
  return rate === 0 ? "0" : rate < 100 ? rate.toFixed(1) : rate.toFixed(0);
}

type Rate = (count: number, former: number | undefined) => string;

function freeswitchLine(
  { address, state, events_received, gaps }: FreeswitchStatus,
  former: FreeswitchStatus | undefined,
  rate: Rate,
): string {
  return `FreeSWITCH at ${address}: ${state}, ${events_received} events ` +
    `(${rate(events_received, former?.events_received)}/s)` +
    (gaps === 0 ? "" : `, ${gaps} gap${gaps === 1 ? "" : "s"}`);
}

function connectionRows(
  profiles: readonly ProfileStatus[],
  former: readonly ProfileStatus[],
  rate: Rate,
): string[][] {
  const all = connectionsOf(profiles);
  const before = connectionsOf(former);
  const hasSpool = [...all.values()].some(({ spool }) => spool !== undefined);
  const rows = [...all].map(([name, connection]) => {
    const { state, reason, broker, offered, acknowledged, in_flight, queued, spool } = connection;
    const was = before.get(name);
    return [
      name,
      state,
      rate(offered, was?.offered),
      rate(acknowledged, was?.acknowledged),
      String(in_flight),
      String(queued),
      ...(hasSpool ? [spool === undefined ? "-" : String(spool.messages)] : []),
      droppedText(connection, was),
      broker + (reason === undefined ? "" : ` (${reason})`),
    ];
  });
  const head = ["connection", "state", "in/s", "out/s", "in flight", "queued"];
  return [[...head, ...(hasSpool ? ["on disk"] : []), "dropped", "broker"], ...rows];
}

/** Connections by profile and name. */
function connectionsOf(profiles: readonly ProfileStatus[]): Map<string, ConnectionStatus> {
  return new Map(
    profiles.flatMap((profile) =>
      profile.connections.map((connection) => [`${profile.name}/${connection.name}`, connection])
    ),
  );
}

function droppedText(connection: ConnectionStatus, former: ConnectionStatus | undefined): string {
  const total = droppedBy(connection);
  const more = growth(total, former && droppedBy(former)) ?? 0;
  return more === 0 ? String(total) : `+${more} = ${total}`;
}

function commandRows(profiles: readonly ProfileStatus[]): string[][] {
  const rows = profiles.flatMap(({ name, subscribers }) =>
    subscribers.flatMap((subscriber) =>
      subscriber.topics.map((topic) => [
        `${name}/${subscriber.name}/${topic.name}`,
        "",
        String(topic.commands_run),
        String(topic.commands_refused),
        String(topic.commands_running),
        topic.pattern,
      ])
    )
  );
  return [["commands", "", "run", "refused", "under way", "from"], ...rows];
}

/** A table with its head, after an empty line; nothing where there is only the head. */
function section(rows: readonly (readonly string[])[]): string[] {
  if (rows.length < 2) return [];
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const isNumber = (column: number) => column > 1 && column < (rows[0]?.length ?? 0) - 1;
  const cell = (text: string, column: number) =>
    isNumber(column) ? text.padStart(width(column)) : text.padEnd(width(column));
  return ["", ...rows.map((row) => row.map(cell).join("  ").trimEnd())];
}
