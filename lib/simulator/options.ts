/**
 * How a simulator is started, with every default in one place.
 *
 * @module
 */

import { type Clock, systemClock } from "../clock.ts";
import type { ApiHandler } from "./api.ts";
import type { SimulatedUser } from "./user.ts";

/** How a simulator is started. */
export interface SimulatorOptions {
  /** The port to listen on; 0 takes a free one. @default {0} */
  readonly port?: number;
  /** The address to listen on. @default {"127.0.0.1"} */
  readonly hostname?: string;
  /** What `auth` must give. @default {"ClueCon"} */
  readonly password?: string;
  /** Who may come with `userauth`. @default {[]} */
  readonly users?: readonly SimulatedUser[];
  /** `Core-UUID`. @default a fresh one */
  readonly coreUuid?: string;
  /** `FreeSWITCH-Hostname`. @default {"fs1"} */
  readonly freeswitchHostname?: string;
  /** `FreeSWITCH-Switchname`. @default {"fs1"} */
  readonly switchname?: string;
  /** The loaded modules. @default the common ones */
  readonly modules?: readonly string[];
  /** The global variables beside `hostname` and `core_uuid`. @default {{}} */
  readonly globals?: Readonly<Record<string, string>>;
  /** The subclasses of CUSTOM that `event ALL` adds. @default those of mod_sofia */
  readonly subclasses?: readonly string[];
  /** Commands for `api` and `bgapi`, beside or instead of the ones built in. @default {{}} */
  readonly api?: Readonly<Record<string, ApiHandler>>;
  /** When a BACKGROUND_JOB goes out: before the reply to its `bgapi`, or after. @default {"after"} */
  readonly jobResult?: "before" | "after";
  /** Time between two heartbeats; 0 for none. @default {20_000} */
  readonly heartbeatMs?: number;
  /** How long a client may take to authenticate. @default {25_000} */
  readonly authTimeoutMs?: number;
  /** How many events may wait for one listener. @default {100_000} */
  readonly queueLimit?: number;
  /** The time. @default {systemClock} */
  readonly clock?: Clock;
  /** Makes UUIDs. @default {crypto.randomUUID} */
  readonly newUuid?: () => string;
}

/** The options with the defaults filled in. */
export function withDefaults(options: SimulatorOptions): Required<SimulatorOptions> {
  const newUuid = options.newUuid ?? (() => crypto.randomUUID());
  return {
    port: 0,
    hostname: "127.0.0.1",
    password: "ClueCon",
    users: [],
    coreUuid: options.coreUuid ?? newUuid(),
    freeswitchHostname: "fs1",
    switchname: "fs1",
    modules: ["mod_commands", "mod_dptools", "mod_event_socket", "mod_loopback", "mod_sofia"],
    globals: {},
    subclasses: ["sofia::register", "sofia::unregister", "sofia::expire", "sofia::gateway_state"],
    api: {},
    jobResult: "after",
    heartbeatMs: 20_000,
    authTimeoutMs: 25_000,
    queueLimit: 100_000,
    clock: systemClock,
    ...options,
    newUuid,
  };
}
