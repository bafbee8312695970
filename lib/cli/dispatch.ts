/**
 * From the words of a command line to the subcommand that they name.
 *
 * @module
 */

import { nearest } from "../config/nearest.ts";
import { ExitCode } from "../exit_code.ts";
import { type CommandGroup, type Output, parseLine, UsageError, usageOf } from "./command.ts";
import { commandHelp, generalHelp } from "./help.ts";

/** Runs what the arguments say and returns the exit code. */
export async function dispatch(
  groups: readonly CommandGroup[],
  args: readonly string[],
  output: Output,
): Promise<number> {
  const [first, ...rest] = args;
  if (first === undefined || first === "--help" || first === "-h") {
    output.out(generalHelp(groups));
    return first === undefined ? ExitCode.USAGE : ExitCode.OK;
  }
  const name = first === "--version" ? "version" : first;
  const commands = groups.flatMap(({ commands }) => commands);
  const command = commands.find((known) => known.name === name);
  try {
    if (command === undefined) {
      const meant = nearest(first, commands.map(({ name }) => name));
      const perhaps = meant === undefined ? "" : `; perhaps ${meant}`;
      throw new UsageError(`fsmqtt: there is no command "${first}"${perhaps}`);
    }
    const { words, options } = parseLine(command, rest);
    if (options["help"] === true) {
      output.out(commandHelp(command));
      return ExitCode.OK;
    }
    return await command.run(words, options, output);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    output.err(error.message);
    output.err(
      command === undefined ? "`fsmqtt help` lists the commands." : `Usage: ${usageOf(command)}`,
    );
    return ExitCode.USAGE;
  }
}
