/**
 * The HEARTBEAT event.
 *
 * @module
 */

import { type Core, type EventOrigin, VERSION } from "./core.ts";
import type { EventHeader } from "./event.ts";

/** Where FreeSWITCH fires it. */
export const HEARTBEAT_ORIGIN: EventOrigin = {
  file: "switch_core.c",
  function: "send_heartbeat",
  line: 95,
};

/** The headers that a HEARTBEAT has of its own. */
export function heartbeatHeaders(core: Core): EventHeader[] {
  return [
    ["Event-Info", "System Ready"],
    ["Up-Time", core.uptimeText],
    ["FreeSWITCH-Version", VERSION],
    ["Uptime-msec", `${core.uptimeMs}`],
    ["Session-Count", "0"],
    ["Max-Sessions", "5000"],
    ["Session-Per-Sec", "500"],
    ["Session-Per-Sec-Last", "0"],
    ["Session-Per-Sec-Max", "0"],
    ["Session-Per-Sec-FiveMin", "0"],
    ["Session-Since-Startup", `${core.sessions}`],
    ["Session-Peak-Max", "0"],
    ["Session-Peak-FiveMin", "0"],
    ["Idle-CPU", "100.000000"],
  ];
}
