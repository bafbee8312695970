/**
 * The status of the running agent, for people and for machines.
 *
 * @module
 */

import { brokerName } from "../config/broker.ts";
import type { Config } from "../config/config.ts";
import { type SectionName, sections, valueOf } from "../config/parameters.ts";
import type { Parameters } from "../config/parameters.ts";
import type {
  BreakerStatus,
  ConnectionStatus,
  FreeswitchStatus,
  ProfileStatus,
  PublisherStatus,
  ShownParameters,
  SpoolStatus,
  StatusReport,
  SubscriberStatus,
} from "../control/status.ts";
import type { SwitchNames } from "../events/template.ts";
import type { BreakerCondition } from "../queue/breaker.ts";
import type { SpoolCondition } from "../queue/event_queue.ts";
import { MASK } from "../secret.ts";
import { VERSION } from "../version.ts";
import type { ManagedConnection } from "./managed_connection.ts";
import type { Model, Profile } from "./model.ts";
import { complete } from "./routes.ts";

/** What a report is made from. */
export interface ReportSources {
  /** The configuration in force. */
  readonly config: Config;
  /** The profiles as they run. */
  readonly model: Model;
  /** The link to FreeSWITCH. */
  readonly freeswitch: FreeswitchStatus;
  /** FreeSWITCH's names, once they are known. */
  readonly names: SwitchNames | undefined;
  /** Seconds since the agent started. */
  readonly uptimeSeconds: number;
  /** Why the audit log cannot be written, if it cannot. */
  readonly auditTrouble: string | undefined;
  /** The configuration that the last reload refused, if it did. */
  readonly configRefused: StatusReport["config_refused"] | undefined;
}

/** Puts a report together. */
export function buildReport(sources: ReportSources): StatusReport {
  const { config, model, freeswitch, names, uptimeSeconds, auditTrouble, configRefused } = sources;
  return {
    version: VERSION,
    uptime_seconds: Math.floor(uptimeSeconds),
    config_file: config.file,
    settings: shown("settings", config.settings),
    ...(auditTrouble === undefined ? {} : { audit_trouble: auditTrouble }),
    ...(configRefused === undefined ? {} : { config_refused: configRefused }),
    freeswitch,
    profiles: [...model.values()].map((profile) => profileStatus(profile, names)),
  };
}

function profileStatus(profile: Profile, names: SwitchNames | undefined): ProfileStatus {
  return {
    name: profile.name,
    enabled: profile.enabled,
    parameters: shown("profile", profile.config),
    connections: [...profile.connections].map(([name, connection]) =>
      connectionStatus(name, connection, profile.enabled)
    ),
    publishers: [...profile.publishers].map(([name, publisher]): PublisherStatus => ({
      name,
      enabled: publisher.enabled,
      topics: publisher.topics.map(({ config, counter }) => ({
        name: config.name,
        enabled: config.enable,
        pattern: config.pattern,
        messages: counter.messages,
        parameters: shown("publisherTopic", config),
      })),
    })),
    subscribers: [...profile.subscribers].map(([name, subscriber]): SubscriberStatus => ({
      name,
      enabled: subscriber.enabled,
      topics: subscriber.topics.map(({ config, counter, limits }) => {
        const filter = complete(config.pattern, names) ?? config.pattern;
        const refusal = profile.connections.get(config.connectionName)?.subscriptionRefusal(filter);
        return {
          name: config.name,
          enabled: config.enable,
          pattern: config.pattern,
          ...(refusal === undefined ? {} : { subscription_refused: refusal }),
          commands_run: counter.run,
          commands_refused: counter.refused,
          commands_refused_by: { ...counter.refusedBy },
          commands_running: limits.running,
          parameters: shown("subscriberTopic", config),
        };
      }),
    })),
  };
}

function connectionStatus(
  name: string,
  connection: ManagedConnection,
  profileEnabled: boolean,
): ConnectionStatus {
  const { config, queue } = connection;
  const state = profileEnabled ? connection.state : { state: "disabled" as const };
  const tlsSession = state.state === "connected" ? state.tls : undefined;
  const { offered, acknowledged, inFlight, queued, dropped } = queue.books;
  return {
    name,
    enabled: connection.enabled,
    state: state.state,
    ...("reason" in state ? { reason: state.reason } : {}),
    ...(tlsSession === undefined ? {} : { tls_session: tlsSession }),
    broker: brokerName(config),
    client_id: connection.clientId ?? null,
    reconnects: connection.reconnects,
    breaker: breakerStatus(connection.breaker.condition),
    offered,
    acknowledged,
    in_flight: inFlight,
    queued,
    queued_bytes: queue.bytes,
    ...(queue.spool === undefined ? {} : { spool: spoolStatus(queue.spool, connection) }),
    dropped,
    parameters: shown("connection", config),
    tls: shown("tls", config.tls),
    will: shown("will", config.will),
  };
}

function spoolStatus(
  condition: SpoolCondition,
  { spoolFile }: ManagedConnection,
): SpoolStatus {
  return { ...condition, ...(spoolFile === undefined ? {} : { file: spoolFile }) };
}

function breakerStatus({ state, since, reason }: BreakerCondition): BreakerStatus {
  return {
    state,
    ...(since === undefined ? {} : { since: since.toISOString() }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** A section's values as they may be shown. */
function shown(kind: SectionName, section: object): ShownParameters {
  const table: Parameters = sections[kind].parameters;
  return Object.fromEntries(
    Object.entries(table).map(([name, { secret, repeatable, write }]) => {
      const value = valueOf(section, name);
      if (value === undefined) return [name, null];
      if (secret) return [name, MASK];
      if (repeatable) return [name, (value as readonly unknown[]).map(write).join(", ")];
      return [name, typeof value === "number" || typeof value === "boolean" ? value : write(value)];
    }),
  );
}
