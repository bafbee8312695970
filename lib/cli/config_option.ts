/**
 * The option that names the configuration, and what happens without it.
 *
 * @module
 */

import { CONFIG_PLACES, findConfigs, type FoundConfigs } from "../config/find.ts";
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
    help: "The configuration, a mosquitto.conf.xml; else the one in the usual places.",
  },
};

/**
 * The configuration that is named, else the one that is found; standard error says which, and what
 * else there is. `undefined` if there is none, which it says too.
 *
 * @throws {UsageError} if an empty name is given.
 */
export function configFile(
  command: string,
  options: GivenOptions,
  output: Output,
  find: () => FoundConfigs = findConfigs,
): string | undefined {
  if (options["config"] !== undefined) return requiredOption(command, options, "config");
  const { files: [file, ...others], hidden } = find();
  for (const place of hidden) output.err(`Cannot look at ${place}`);
  if (file === undefined) {
    output.err(
      `Cannot find a configuration: there is none in ${CONFIG_PLACES.join(", ")}; ` +
        "name one with --config",
    );
    return undefined;
  }
  const rest = others.length === 0 ? "" : `, not ${others.join(", ")}`;
  output.err(`No --config is given: taking ${file}${rest}`);
  return file;
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
