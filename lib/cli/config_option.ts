/**
 * The option that names the configuration, and what happens without it.
 *
 * @module
 */

import {
  CONFIG_PLACES,
  findConfigs,
  type FoundConfigs,
  SERVICE_ENVIRONMENT,
  SERVICE_VARIABLE,
} from "../config/find.ts";
import { ExitCode } from "../exit_code.ts";
import {
  type GivenOptions,
  type Option,
  type Output,
  requiredOption,
  UsageError,
} from "./command.ts";

/** The option of the subcommands that look for a configuration where none is named. */
export const configOption: Readonly<Record<"config", Option>> = {
  config: {
    value: "FILE",
    help:
      "The configuration, a mosquitto.conf.xml; else the service's, or the one in the usual places.",
  },
};

/** Why a configuration is taken: it was named, is the service's, or lies in a usual place. */
export type ConfigOrigin = "named" | "service" | "place";

/** A configuration to work with, or the exit code where there is none. */
export type ChosenConfig =
  | { readonly file: string; readonly origin: ConfigOrigin }
  | { readonly exitCode: number };

/** What makes a configuration the service's. */
const SERVICES = `the service's (${SERVICE_VARIABLE} in ${SERVICE_ENVIRONMENT})`;

/**
 * The configuration that is named, else the one that is found: the service's before others. Standard
 * error says which, and what else there is, or that there is none.
 *
 * @throws {UsageError} if an empty name is given.
 */
export function configFile(
  command: string,
  options: GivenOptions,
  output: Output,
  find: () => FoundConfigs = findConfigs,
): ChosenConfig {
  if (options["config"] !== undefined) {
    return { file: requiredOption(command, options, "config"), origin: "named" };
  }
  const { service, files: [file, ...others], hidden } = find();
  for (const { path, fault } of hidden) output.err(`Cannot look at ${path}: ${fault}`);
  const isHidden = (path: string) => hidden.some((place) => place.path === path);
  if (service !== undefined && isHidden(service)) {
    output.err(`Cannot use ${service}, ${SERVICES}; name another one with --config`);
    return { exitCode: ExitCode.NOT_PERMITTED };
  }
  if (service !== undefined && file !== service) {
    output.err(`There is no ${service}, which is ${SERVICES}; name another one with --config`);
    return { exitCode: ExitCode.CONFIG };
  }
  if (file === undefined) {
    const empty = CONFIG_PLACES.filter((path) => !isHidden(path));
    const where = empty.length === 0 ? "" : ` there is none in ${empty.join(", ")};`;
    output.err(`Cannot find a configuration:${where} name one with --config`);
    return { exitCode: hidden.length === 0 ? ExitCode.CONFIG : ExitCode.NOT_PERMITTED };
  }
  const why = service === undefined ? "" : `, ${SERVICES}`;
  const rest = others.length === 0 ? "" : `, not ${others.join(", ")}`;
  output.err(`No --config is given: taking ${file}${why}${rest}`);
  return { file, origin: service === undefined ? "place" : "service" };
}

/**
 * The configuration that has to be named.
 *
 * @throws {UsageError} if it is not; the message tells what could be.
 */
export function requiredConfigFile(
  command: string,
  options: GivenOptions,
  find: () => FoundConfigs = findConfigs,
): string {
  if (options["config"] !== undefined) return requiredOption(command, options, "config");
  const { files } = find();
  const found = files.length === 0 ? "" : `; there is ${files.join(", ")}`;
  throw new UsageError(`fsmqtt ${command}: --config is missing${found}`);
}
