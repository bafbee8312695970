/** States of an agent for the tests that show them. */

import type { ConnectionStatus, StatusReport } from "../../lib/control/status.ts";

/** A connection that is well, with this changed. */
export function connectionStatus(
  name: string,
  change: Partial<ConnectionStatus> = {},
): ConnectionStatus {
  return {
    name,
    enabled: true,
    state: "connected",
    broker: `${name}:1883`,
    client_id: name,
    reconnects: 0,
    breaker: { state: "closed" },
    offered: 0,
    acknowledged: 0,
    in_flight: 0,
    queued: 0,
    queued_bytes: 0,
    dropped: {},
    parameters: {},
    tls: {},
    will: {},
    ...change,
  };
}

/** An agent that is well but for these connections of its profile `p`. */
export function statusReport(
  connections: readonly ConnectionStatus[],
  change: Partial<StatusReport> = {},
): StatusReport {
  return {
    version: "1.2.3",
    uptime_seconds: 60,
    config_file: "/etc/mosquitto.conf.xml",
    settings: {},
    freeswitch: {
      state: "connected",
      address: "127.0.0.1:8021",
      core_uuid: "c0",
      hostname: "h",
      switchname: "s",
      events_received: 0,
      reconnects: 0,
      protocol_errors: 0,
      events_too_long: 0,
      mod_mosquitto_loaded: false,
      gaps: 0,
      last_gap: null,
    },
    profiles: [{
      name: "p",
      enabled: true,
      parameters: {},
      connections,
      publishers: [],
      subscribers: [],
    }],
    ...change,
  };
}
