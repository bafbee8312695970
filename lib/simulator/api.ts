/**
 * The commands that `api` and `bgapi` run.
 *
 * @module
 */

import { type Core, VERSION } from "./core.ts";

/** What a command may use. */
export interface ApiHost {
  /** The running FreeSWITCH. */
  readonly core: Core;
  /** The loaded modules. */
  readonly modules: ReadonlySet<string>;
  /** The global variables, beside `hostname` and `core_uuid`. */
  readonly globals: ReadonlyMap<string, string>;
  /** Makes a call and gives its `Unique-ID`. */
  originate(uuid?: string): string;
  /** Starts a job and gives its id. */
  startJob(command: string): string;
}

/** Runs one command. What it gives is sent as it is; nothing is sent as `-ERR no reply`. */
export type ApiHandler = (argument: string, host: ApiHost) => string | Promise<string>;

const ORIGINATE_USAGE = "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>]" +
  " [<context>] [<cid_name>] [<cid_num>] [<timeout_sec>]\n";

/** The commands that are always there. They see and give bytes, not text, as FreeSWITCH does. */
export const BUILTIN_API: Readonly<Record<string, ApiHandler>> = {
  bgapi: (command, host) => `+OK Job-UUID: ${host.startJob(command)}\n`,
  echo: (text) => text,
  global_getvar: (name, host) => globalVariable(name, host),
  hostname: (_, host) => host.core.identity.hostname,
  module_exists: (name, host) => name === "" ? "" : `${host.modules.has(name)}`,
  originate: (argument, host) => originate(argument, host),
  show: (what) => / as json$/.test(what) ? '{"row_count": 0}\n' : "\n0 total.\n",
  status: (_, host) => status(host.core),
  switchname: (_, host) => host.core.identity.switchname,
  uptime: (unit, { core }) =>
    `${unit === "ms" ? core.uptimeMs : Math.floor(core.uptimeMs / 1000)}\n`,
  version: (form) =>
    form === "short" ? "1.11.2-release\n" : `FreeSWITCH Version ${VERSION} ( 64bit)\n`,
};

function globalVariable(name: string, { core, globals }: ApiHost): string {
  const all = new Map([
    ["hostname", core.identity.hostname],
    ...globals,
    ["core_uuid", core.identity.uuid],
  ]);
  if (name !== "") return all.get(name) ?? "";
  return [...all].map(([key, value]) => `${key}=${value}\n`).join("");
}

function originate(argument: string, host: ApiHost): string {
  const [, variables = "", destination = "", extension] =
    /^(\{[^}]*\})?(\S*)(?: +(.+))?$/.exec(argument) ?? [];
  if (extension === undefined) return ORIGINATE_USAGE;
  const cause = /^error\/(\w+)$/.exec(destination)?.[1];
  if (cause !== undefined) return `-ERR ${cause}\n`;
  const uuid = /[{,]origination_uuid=([^,}]{36})[,}]/.exec(variables)?.[1];
  return `+OK ${host.originate(uuid)}\n`;
}

function status(core: Core): string {
  return [
    `UP ${core.uptimeText}`,
    "FreeSWITCH (Version 1.11.2-release  64bit) is ready",
    `${core.sessions} session(s) since startup`,
    "0 session(s) - peak 0, last 5min 0 ",
    "0 session(s) per Sec out of max 500, peak 0, last 5min 0 ",
    "5000 session(s) max",
    "min idle cpu 0.00/100.00",
    "Current Stack Size/Max 240K/240K",
    "",
  ].join("\n");
}
