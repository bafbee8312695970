/**
 * Where files and sockets are, as far as the configuration does not say.
 *
 * @module
 */

import { dirname, join, resolve } from "node:path";
import type { Config, Settings } from "./config.ts";
import { exists, writeFault } from "./files.ts";

/** How the environment is asked. */
export type Env = (name: string) => string | undefined;

/** What is asked of the file system. */
export interface Probe {
  /** Why files cannot be made in a folder, or `undefined` if they can. */
  readonly writeFault: (folder: string) => string | undefined;
  /** Whether a path is there. */
  readonly exists: (path: string) => boolean;
}

const machine: Probe = { writeFault, exists };

const STATE_DIR = "/var/lib/fsmqtt";
const CONTROL_SOCKET = "/run/fsmqtt/control.sock";
const LOG_DIR = "/var/log/fsmqtt";
/** FreeSWITCH's log folder as its packages have it, and as it is installed from source. */
const FREESWITCH_LOG_DIRS = ["/var/log/freeswitch", "/usr/local/freeswitch/log"];

/** The folder for what must outlive a restart. */
export function resolveStateDir(
  settings: Pick<Settings, "stateDir">,
  env: Env = Deno.env.get,
  probe: Probe = machine,
): string {
  if (settings.stateDir !== undefined) return settings.stateDir;
  return probe.writeFault(STATE_DIR) === undefined ? STATE_DIR : userStateDir(env) ?? STATE_DIR;
}

/** The socket on which the agent is to listen. */
export function resolveControlSocket(
  settings: Pick<Settings, "controlSocket">,
  env: Env = Deno.env.get,
  probe: Probe = machine,
): string {
  if (settings.controlSocket !== undefined) return settings.controlSocket;
  const mayWrite = probe.writeFault(dirname(CONTROL_SOCKET)) === undefined;
  return mayWrite ? CONTROL_SOCKET : userControlSocket(env) ?? CONTROL_SOCKET;
}

/**
 * The socket on which an agent is to be found by a client that has no configuration: where this
 * user's own agent would listen, else the system's agent if it is there.
 */
export function findControlSocket(env: Env = Deno.env.get, probe: Probe = machine): string {
  const own = resolveControlSocket({ controlSocket: undefined }, env, probe);
  return [own, CONTROL_SOCKET, userControlSocket(env)]
    .find((socket) => socket !== undefined && probe.exists(socket)) ?? own;
}

/** The folder of a log file, of the whole or of a profile. */
export function resolveLogDir(section: { readonly logDir: string | undefined }): string {
  return section.logDir ?? freeswitchLogFolder() ?? LOG_DIR;
}

/** The configuration with all of its own folders and sockets as absolute paths. */
export function withPaths(config: Config, env: Env = Deno.env.get, probe: Probe = machine): Config {
  const { settings, profiles } = config;
  const { auditLog } = settings;
  const logDir = (section: { readonly logDir: string | undefined }) => ({
    logDir: resolve(resolveLogDir(section)),
  });
  return {
    ...config,
    settings: {
      ...settings,
      ...logDir(settings),
      stateDir: resolve(resolveStateDir(settings, env, probe)),
      controlSocket: resolve(resolveControlSocket(settings, env, probe)),
      auditLog: auditLog && resolve(auditLog),
    },
    profiles: profiles.map((profile) => ({ ...profile, ...logDir(profile) })),
  };
}

/** FreeSWITCH's own log folder, if it is on this machine. */
export function freeswitchLogFolder(): string | undefined {
  return FREESWITCH_LOG_DIRS.find(exists);
}

function userStateDir(env: Env): string | undefined {
  const home = env("HOME");
  const base = env("XDG_STATE_HOME") ?? (home && join(home, ".local/state"));
  return base && join(base, "fsmqtt");
}

function userControlSocket(env: Env): string | undefined {
  const base = env("XDG_RUNTIME_DIR");
  return base && join(base, "fsmqtt/control.sock");
}
