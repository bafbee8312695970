/**
 * What fsmqtt says of itself on the `status_topic` of a connection: one JSON document, retained, the
 * latest in place of all before.
 *
 * Fields are added over time; none is renamed or removed without a new major version.
 *
 * @module
 */

import {
  type BreakerStatus,
  type ConnectionStatus,
  type FreeswitchStatus,
  type GapStatus,
  type StatusReport,
  troubles,
} from "./status.ts";

/** While fsmqtt is connected to the broker. */
export interface Announcement {
  /** `degraded` while there are `reasons`. */
  readonly state: "online" | "degraded";
  /** Since when it is in this state (ISO 8601). */
  readonly since: string;
  /** When this was said (ISO 8601). */
  readonly time: string;
  /** fsmqtt's version. */
  readonly version: string;
  /** FreeSWITCH's hostname; `null` until it was heard. */
  readonly hostname: string | null;
  /** FreeSWITCH's switchname; `null` until it was heard. */
  readonly switchname: string | null;
  /** New at each start of FreeSWITCH; `null` until it was heard. */
  readonly core_uuid: string | null;
  /** The link to FreeSWITCH. */
  readonly freeswitch: FreeswitchStatus["state"];
  /** What keeps fsmqtt from being healthy, in words. */
  readonly reasons: readonly string[];
  /** The last time that FreeSWITCH's events were missed. */
  readonly last_gap: GapStatus | null;
  /** The breaker of this connection. */
  readonly breaker: BreakerStatus["state"];
}

/**
 * When fsmqtt has ended the connection, or the broker has lost it. The broker says the latter, with
 * words that it was given when the connection was made; so there is no time in them.
 */
export interface OfflineAnnouncement {
  /** Always `offline`. */
  readonly state: "offline";
  /** fsmqtt's version. */
  readonly version: string;
  /** FreeSWITCH's hostname; `null` if it was unknown when the connection was made. */
  readonly hostname: string | null;
  /** FreeSWITCH's switchname; `null` if it was unknown when the connection was made. */
  readonly switchname: string | null;
}

/** An {@linkcode Announcement} but for its times. */
export type Condition = Omit<Announcement, "since" | "time">;

/**
 * What to say on the `status_topic` of this connection. That it is not connected is not said there:
 * whoever hears it, hears it over that connection.
 */
export function conditionFor(
  report: StatusReport,
  profile: string,
  connection: ConnectionStatus,
): Condition {
  const { freeswitch, version } = report;
  const { hostname, switchname, core_uuid, last_gap } = freeswitch;
  const reasons = troubles(report, { profile, connection: connection.name });
  return {
    state: reasons.length === 0 ? "online" : "degraded",
    version,
    hostname,
    switchname,
    core_uuid,
    freeswitch: freeswitch.state,
    reasons,
    last_gap,
    breaker: connection.breaker.state,
  };
}
