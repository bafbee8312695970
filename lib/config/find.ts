/**
 * Where a configuration lies that nobody named.
 *
 * @module
 */

import { resolve } from "node:path";
import { fileFault } from "../file_fault.ts";
import { readFault } from "./accounts.ts";

/** fsmqtt's own place comes first: what lies there was put there for it. */
export const CONFIG_PLACES = [
  "/etc/fsmqtt/mosquitto.conf.xml",
  // FreeSWITCH's packages.
  "/etc/freeswitch/autoload_configs/mosquitto.conf.xml",
  // Installed from source, as it is by default and with `--enable-fhs` (configure.ac).
  "/usr/local/freeswitch/conf/autoload_configs/mosquitto.conf.xml",
  "/usr/local/freeswitch/etc/freeswitch/autoload_configs/mosquitto.conf.xml",
] as const;

/** The environment of the service (`EnvironmentFile` of its unit). */
export const SERVICE_ENVIRONMENT = "/etc/default/fsmqtt";
/** The variable there that names the service's configuration. */
export const SERVICE_VARIABLE = "FSMQTT_CONFIG";

/** What is asked of the disk. */
export interface Disk {
  /** The file that a path leads to in the end, or `undefined` if there is none; may throw. */
  readonly look: (path: string) => string | undefined;
  /** The text of a file, or `undefined` if there is none; may throw. */
  readonly read: (path: string) => string | undefined;
}

/** A path of which it cannot be known what it leads to. */
export interface HiddenPlace {
  /** The path. */
  readonly path: string;
  /** Why it cannot be looked at. */
  readonly fault: string;
}

/** What lies in the usual places. */
export interface FoundConfigs {
  /** The file that is set for the service, whether it is there or not; absent if none is. */
  readonly service?: string;
  /**
   * The paths of what is there, best first: the service's, then those of {@linkcode CONFIG_PLACES}. A
   * file that two of them lead to is there once.
   */
  readonly files: readonly string[];
  /** Where it cannot be known. */
  readonly hidden: readonly HiddenPlace[];
}

/** Looks for configurations where the service has its own, and in {@linkcode CONFIG_PLACES}. */
export function findConfigs(disk: Disk = thisDisk): FoundConfigs {
  const files = new Map<string, string>();
  const hidden: HiddenPlace[] = [];
  const attempt = <T>(path: string, ask: (path: string) => T): T | undefined => {
    try {
      return ask(path);
    } catch (error) {
      hidden.push({ path, fault: fileFault(error) });
      return undefined;
    }
  };
  const service = serviceConfig(attempt(SERVICE_ENVIRONMENT, disk.read) ?? "");
  for (const path of new Set([...(service === undefined ? [] : [service]), ...CONFIG_PLACES])) {
    const file = attempt(path, disk.look);
    if (file !== undefined && !files.has(file)) files.set(file, path);
  }
  return { ...(service === undefined ? {} : { service }), files: [...files.values()], hidden };
}

/**
 * An assignment as systemd reads an `EnvironmentFile` (systemd.exec(5)): what is quoted and what
 * follows unquoted. A comment has its own alternative, so that nothing is looked for in it.
 */
const ASSIGNMENT =
  /^[ \t\r]*(?:[#;].*|([^\s=]+)[ \t]*=((?:[ \t\r]|'[^']*'|"(?:[^"\\]|\\[^])*")*)((?:[^\n\\]|\\[^])*))$/gm;

/** The configuration that such a file sets for the service; the last one counts. */
function serviceConfig(environment: string): string | undefined {
  const [path] = [...environment.matchAll(ASSIGNMENT)]
    .filter(([, name]) => name === SERVICE_VARIABLE)
    .map(([, , quoted = "", bare = ""]) => unquoted(quoted) + unescaped(bare).trimEnd())
    .slice(-1);
  return path === undefined || path === "" ? undefined : resolve("/", path);
}

function unquoted(text: string): string {
  return [...text.matchAll(/'([^']*)'|"((?:[^"\\]|\\[^])*)"/g)]
    .map(([, single, double = ""]) => single ?? double.replace(/\\(["\\`$])|\\\n/g, "$1"))
    .join("");
}

function unescaped(text: string): string {
  return text.replace(/\\([^])/g, (_, sign: string) => sign === "\n" ? "" : sign);
}

/** Whether a configuration lies in FreeSWITCH's folder, where mod_mosquitto reads it. */
export function isFreeswitchs(file: string): boolean {
  const [, ...freeswitchs] = CONFIG_PLACES;
  return freeswitchs.some((place) => place === file);
}

const thisDisk: Disk = {
  look: (path) => ifThere(path, Deno.realPathSync),
  read: (path) => ifThere(path, Deno.readTextFileSync),
};

function ifThere(path: string, ask: (path: string) => string): string | undefined {
  try {
    return ask(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw new Error(readFault(path, error), { cause: error });
  }
}
