/**
 * The status as a person reads it: first how things stand, then every parameter.
 *
 * @module
 */

import {
  type ConnectionStatus,
  type FreeswitchStatus,
  type ProfileStatus,
  type ShownParameters,
  type StatusReport,
  troubles,
} from "../control/status.ts";

/** The whole report as text. */
export function statusText(report: StatusReport): string {
  const trouble = troubles(report);
  return [
    `fsmqtt ${report.version}, up ${duration(report.uptime_seconds)}, ${report.config_file}`,
    trouble.length === 0 ? "healthy" : `DEGRADED: ${trouble.join("; ")}`,
    "",
    ...freeswitchLines(report.freeswitch),
    ...report.profiles.flatMap((profile) => ["", ...profileLines(profile)]),
    "",
    "settings",
    ...indent(parameterLines(report.settings)),
    ...report.profiles.flatMap(profileParameterLines),
  ].join("\n");
}

function freeswitchLines(freeswitch: FreeswitchStatus): string[] {
  const { address, state, reason, switchname, hostname, core_uuid } = freeswitch;
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;
  return [
    `FreeSWITCH ${address}: ${state}${because(reason)}`,
    ...(core_uuid === null
      ? []
      : [`  switchname ${switchname}, hostname ${hostname}, core ${core_uuid}`]),
    `  ${count(freeswitch.events_received, "event")} received, ` +
    `${count(freeswitch.reconnects, "reconnect")}, ` +
    `${count(freeswitch.protocol_errors, "protocol error")}`,
  ];
}

function profileLines(profile: ProfileStatus): string[] {
  return [
    `profile ${profile.name}${off(profile.enabled)}`,
    ...profile.connections.flatMap((connection) => indent(connectionLines(connection))),
    ...profile.publishers.flatMap((publisher) =>
      indent([
        `publisher ${publisher.name}${off(publisher.enabled)}`,
        ...indent(columns(publisher.topics.map((topic) => [
          `topic ${topic.name}${off(topic.enabled)}`,
          `${topic.parameters["event"]} → ${topic.pattern}`,
          `${topic.messages} published`,
        ]))),
      ])
    ),
    ...profile.subscribers.flatMap((subscriber) =>
      indent([
        `subscriber ${subscriber.name}${off(subscriber.enabled)}`,
        ...indent(columns(subscriber.topics.map((topic) => [
          `topic ${topic.name}${off(topic.enabled)}`,
          `${topic.pattern} (${permissions(topic.parameters)})`,
          `${topic.commands_run} run, ${topic.commands_refused} refused` +
          (topic.subscription_refused === undefined
            ? ""
            : `; SUBSCRIPTION REFUSED: ${topic.subscription_refused}`),
        ]))),
      ])
    ),
  ];
}

function connectionLines(connection: ConnectionStatus): string[] {
  const { name, broker, state, reason, client_id, dropped } = connection;
  const drops = Object.entries(dropped);
  const total = drops.reduce((sum, [, number]) => sum + number, 0);
  const reasons = drops.map(([why, number]) => `${number} ${why}`).join(", ");
  return [
    `connection ${name} to ${broker}: ${state}${because(reason)}`,
    `  ${connection.offered} offered = ${connection.acknowledged} acknowledged + ` +
    `${connection.in_flight} in flight + ${connection.queued} queued + ${total} dropped` +
    (total === 0 ? "" : ` (${reasons})`),
    `  client_id ${client_id ?? "not known yet"}, reconnects ${connection.reconnects}, ` +
    `queued bytes ${connection.queued_bytes}`,
  ];
}

function permissions(parameters: ShownParameters): string {
  const allowed = ["bgapi", "originate"].filter((what) =>
    parameters[`${what}_authorized`] === true
  );
  return allowed.length === 0 ? "nothing may run" : `${allowed.join(" and ")} may run`;
}

function profileParameterLines(profile: ProfileStatus): string[] {
  const named = (kind: string, name: string, parameters: ShownParameters) => [
    `${kind} ${name}`,
    ...indent(parameterLines(parameters)),
  ];
  return [
    "",
    ...named("profile", profile.name, profile.parameters),
    ...profile.connections.flatMap(({ name, parameters, tls, will }) =>
      indent([
        ...named("connection", name, parameters),
        ...indent(["tls", ...indent(parameterLines(tls))]),
        ...indent(["will", ...indent(parameterLines(will))]),
      ])
    ),
    ...[...profile.publishers, ...profile.subscribers].flatMap(({ name, topics }) =>
      topics.flatMap((topic) => indent(named("topic", `${name}/${topic.name}`, topic.parameters)))
    ),
  ];
}

function parameterLines(parameters: ShownParameters): string[] {
  return Object.entries(parameters).map(([name, value]) => `${name}: ${value ?? ""}`.trimEnd());
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = [0, 1].map((column) =>
    Math.max(0, ...rows.map((row) => [...row[column] ?? ""].length))
  );
  return rows.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()
  );
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function off(enabled: boolean): string {
  return enabled ? "" : " (disabled)";
}

function because(reason: string | undefined): string {
  return reason === undefined ? "" : ` (${reason})`;
}

function duration(seconds: number): string {
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
