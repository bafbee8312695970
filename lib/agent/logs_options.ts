/**
 * From a configuration to its log files.
 *
 * @module
 */

import type { Config } from "../config/config.ts";
import { resolveLogDir } from "../config/paths.ts";
import type { LogOptions, LogsOptions } from "../log/logs.ts";

/** How the logs are kept by a configuration. */
export function logsOptions({ settings, profiles }: Config): LogsOptions {
  const options = (
    section: Config["settings"] | Config["profiles"][number],
    file: string,
  ): LogOptions => ({
    enable: section.logEnable,
    level: section.logLevel,
    details: section.logDetails,
    dir: resolveLogDir(section),
    file: section.logFile ?? file,
  });
  return {
    whole: options(settings, "mosquitto.log"),
    profiles: new Map(
      profiles.map((profile) => [profile.name, options(profile, `${profile.name}.log`)]),
    ),
  };
}
