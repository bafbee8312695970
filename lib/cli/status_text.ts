/**
 * The status as a person reads it: first how things stand, then every parameter. The first line is
 * the whole in short; what is wrong is said again at the end, where a terminal has not scrolled it
 * away.
 *
 * @module
 */

import {
  type ConnectionStatus,
  type FreeswitchStatus,
  missedIn,
  type ProfileStatus,
  type PublisherStatus,
  type ShownParameters,
  type SpoolStatus,
  type StatusReport,
  type SubscriberStatus,
  troubles,
} from "../control/status.ts";
import { printable } from "../log/logger.ts";
import { sizeText } from "../size_text.ts";
import { droppedBy, duration, statusLine } from "./status_line.ts";

/** The whole report as text. */
export function statusText(report: StatusReport): string {
  const { version, uptime_seconds, config_file, freeswitch, profiles, settings } = report;
  const found = troubles(report);
  const line = statusLine(report);
  return [
    line,
    `fsmqtt ${version}, up ${duration(uptime_seconds)}, ${config_file}`,
    ...(found.length < 2 ? [] : ["", count(found.length, "trouble"), ...indent(found)]),
    "",
    ...freeswitchLines(freeswitch),
    ...profiles.flatMap((profile) => ["", ...profileLines(profile)]),
    "",
    "Configuration",
    ...indent(section("settings", settings)),
    ...indent(profiles.flatMap(configurationLines)),
    ...(found.length === 0 ? [] : ["", line]),
    // What a broker or FreeSWITCH says does not get to move the cursor.
  ].map(printable).join("\n");
}

function freeswitchLines(freeswitch: FreeswitchStatus): string[] {
  const { address, state, reason, switchname, hostname, core_uuid, events_too_long } = freeswitch;
  return [
    `FreeSWITCH at ${address}: ${state}${because(reason)}`,
    ...(core_uuid === null
      ? []
      : [`  switchname ${switchname}, hostname ${hostname}, core ${core_uuid}`]),
    `  ${count(freeswitch.events_received, "event")} received, ` +
    `${count(freeswitch.reconnects, "reconnect")}, ` +
    count(freeswitch.protocol_errors, "protocol error") +
    (events_too_long === 0 ? "" : `, ${count(events_too_long, "event")} missed as too long`),
    ...gapLines(freeswitch),
  ];
}

function gapLines({ gaps, last_gap }: FreeswitchStatus): string[] {
  if (last_gap === null) return [];
  const { from, until, seconds, restarted, reason } = last_gap;
  return [
    `  ${count(gaps, "gap")}, the last from ${from ?? "an unknown moment"} until ${until}` +
    `${seconds === null ? "" : ` (${duration(seconds)})`}: ${reason}`,
    ...(restarted === true
      ? [
        "    FreeSWITCH was restarted; what the former one did before its end is unknown",
        `    since its start ${missedIn(last_gap)}`,
      ]
      : [`    missed: ${missedIn(last_gap)}`]),
  ];
}

function profileLines(profile: ProfileStatus): string[] {
  return [
    `Profile ${profile.name}${off(profile)}`,
    ...indent([
      ...profile.connections.flatMap(connectionLines),
      ...profile.publishers.flatMap(publisherLines),
      ...profile.subscribers.flatMap(subscriberLines),
    ]),
  ];
}

function connectionLines(connection: ConnectionStatus): string[] {
  const { name, broker, state, reason, client_id, queued, queued_bytes, dropped } = connection;
  const { tls_session: tls, breaker, spool, held = 0 } = connection;
  const total = droppedBy(connection);
  const waiting = count(queued_bytes, "byte") + (held === 0 ? "" : `, ${held} held by max_rate`);
  return [
    `connection ${name} to ${broker}: ${state}` +
    (tls === undefined ? because(reason) : ` over ${tls.version} (${tls.cipher})`),
    `  client id ${client_id ?? "not known yet"}, ${count(connection.reconnects, "reconnect")}`,
    ...(spool === undefined ? [] : spoolLines(spool, connection.parameters)),
    ...(breaker.state === "closed" ? [] : [
      `  breaker ${breaker.state.replace("_", " ")} since ${breaker.since}` +
      because(breaker.reason),
    ]),
    `  ${connection.offered} offered = ${connection.acknowledged} acknowledged + ` +
    `${connection.in_flight} in flight + ` +
    `${queued} queued${queued === 0 ? "" : ` (${waiting})`} + ` +
    `${total} dropped${byReason(dropped)}`,
  ];
}

function spoolLines(spool: SpoolStatus, { spool: kind, spool_max_bytes }: ShownParameters) {
  const { messages, bytes, recovered, file, trouble } = spool;
  // What is left on disk is sent though nothing more is written there; no bound counts then.
  const bound = kind === "disk" && typeof spool_max_bytes === "number"
    ? ` of at most ${sizeText(spool_max_bytes)}`
    : "";
  return [
    `  ${count(messages, "event")} on disk${
      bytes === undefined ? "" : ` (${sizeText(bytes)}${bound})`
    }` +
    `${recovered === 0 ? "" : `, ${recovered} found at the start`}${because(trouble)}`,
    ...(file === undefined ? [] : [`    in ${file}`]),
  ];
}

function publisherLines({ name, enabled, topics }: PublisherStatus): string[] {
  const total = topics.reduce((sum, { messages }) => sum + messages, 0);
  return [
    `publisher ${name}${off({ enabled })}: ${total} published`,
    ...indent(columns(topics.map((topic) => [
      `topic ${topic.name}${off(topic)}`,
      `${topic.parameters["event"]} → ${topic.pattern}`,
      `${topic.messages} published`,
    ]))),
  ];
}

function subscriberLines({ name, enabled, topics }: SubscriberStatus): string[] {
  return [
    `subscriber ${name}${off({ enabled })}`,
    ...indent(columns(topics.map((topic) => [
      `topic ${topic.name}${off(topic)}`,
      `${topic.pattern} (${permissions(topic.parameters)})`,
      `${topic.commands_run} run, ${topic.commands_refused} refused` +
      byReason(topic.commands_refused_by) +
      (topic.commands_running === 0 ? "" : `, ${topic.commands_running} under way`) +
      (topic.subscription_refused === undefined
        ? ""
        : `; SUBSCRIPTION REFUSED: ${topic.subscription_refused}`),
    ]))),
  ];
}

function permissions(parameters: ShownParameters): string {
  const named = (name: string) => parameters[name] ? ` ${parameters[name]}` : "";
  const allowed = [
    ...(parameters["bgapi_authorized"] === true ? [`bgapi${named("bgapi_allow")}`] : []),
    ...(parameters["originate_authorized"] === true
      ? [`originate${named("originate_allow_endpoint")}`]
      : []),
  ];
  return allowed.length === 0 ? "nothing may run" : `${allowed.join(" and ")} may run`;
}

function byReason(counts: Readonly<Record<string, number>>): string {
  const text = Object.entries(counts).map(([why, number]) => `${number} ${why}`).join(", ");
  return text === "" ? "" : ` (${text})`;
}

function configurationLines(profile: ProfileStatus): string[] {
  const { name, parameters, connections, publishers, subscribers } = profile;
  return [
    ...section(`profile ${name}`, parameters),
    ...indent([
      ...connections.flatMap((connection) => [
        ...section(`connection ${connection.name}`, connection.parameters),
        ...indent([...section("tls", connection.tls), ...section("will", connection.will)]),
      ]),
      ...publishers.flatMap((publisher) => [
        `publisher ${publisher.name}`,
        ...indent(publisher.topics.flatMap(topicSection)),
      ]),
      ...subscribers.flatMap((subscriber) => [
        `subscriber ${subscriber.name}`,
        ...indent(subscriber.topics.flatMap(topicSection)),
      ]),
    ]),
  ];
}

function topicSection(topic: { readonly name: string; readonly parameters: ShownParameters }) {
  return section(`topic ${topic.name}`, topic.parameters);
}

/** What is set, a line each, and the names of the rest. */
function section(title: string, parameters: ShownParameters): string[] {
  const all = Object.entries(parameters);
  const isUnset = (value: unknown) => value === null || value === "";
  const unset = all.filter(([, value]) => isUnset(value)).map(([name]) => name);
  return [
    title,
    ...indent(columns(
      all.filter(([, value]) => !isUnset(value)).map(([name, value]) => [name, String(value)]),
    )),
    ...(unset.length === 0 ? [] : [`  not set: ${unset.join(", ")}`]),
  ];
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows.map((row) =>
    row.map((cell, column) => cell.padEnd(width(column))).join("  ").trimEnd()
  );
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function off({ enabled }: { readonly enabled: boolean }): string {
  return enabled ? "" : " (disabled)";
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function because(reason: string | undefined): string {
  return reason === undefined ? "" : ` (${reason})`;
}
