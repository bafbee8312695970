/**
 * Where a configuration lies that nobody named.
 *
 * @module
 */

import { fileFault } from "../file_fault.ts";

/** fsmqtt's own place comes first: what lies there was put there for it. */
export const CONFIG_PLACES = [
  "/etc/fsmqtt/mosquitto.conf.xml",
  // FreeSWITCH's packages.
  "/etc/freeswitch/autoload_configs/mosquitto.conf.xml",
  // Installed from source, as it is by default and with `--enable-fhs` (configure.ac).
  "/usr/local/freeswitch/conf/autoload_configs/mosquitto.conf.xml",
  "/usr/local/freeswitch/etc/freeswitch/autoload_configs/mosquitto.conf.xml",
] as const;

/** The file that a path leads to in the end, or `undefined` if there is none; may throw. */
export type Look = (path: string) => string | undefined;

/** What lies in the usual places. */
export interface FoundConfigs {
  /** The paths of what is there, best first; a file that two of them lead to is there once. */
  readonly files: readonly string[];
  /** Where it cannot be known, with the reason. */
  readonly hidden: readonly string[];
}

/** Looks for configurations in {@linkcode CONFIG_PLACES}. */
export function findConfigs(look: Look = lookOnDisk): FoundConfigs {
  const files = new Map<string, string>();
  const hidden: string[] = [];
  for (const path of CONFIG_PLACES) {
    try {
      const file = look(path);
      if (file !== undefined && !files.has(file)) files.set(file, path);
    } catch (error) {
      hidden.push(`${path}: ${fileFault(error)}`);
    }
  }
  return { files: [...files.values()], hidden };
}

/** Whether a configuration lies in FreeSWITCH's folder, where mod_mosquitto reads it. */
export function isFreeswitchs(file: string): boolean {
  return file !== CONFIG_PLACES[0];
}

function lookOnDisk(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}
