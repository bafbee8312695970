/**
 * The command line of fsmqtt.
 *
 * @module
 */

import { ExitCode } from "../exit_code.ts";
import { type Command, type Output, parseLine, UsageError, usageOf } from "./command.ts";
import { commandGroups, commands } from "./commands.ts";
import { commandHelp, generalHelp } from "./help.ts";

/** Standard output and standard error. */
export const terminal: Output = {
  out: (text) => writeLine(Deno.stdout, text),
  err: (text) => writeLine(Deno.stderr, text),
};

/** Runs what the arguments say and returns the exit code. */
export async function main(
  args: readonly string[],
  output: Output = terminal,
): Promise<number> {
  const [first, ...rest] = args;
  if (first === undefined || first === "--help" || first === "-h") {
    output.out(generalHelp(commandGroups));
    return first === undefined ? ExitCode.USAGE : ExitCode.OK;
  }
  const name = first === "--version" ? "version" : first;
  const command = commands.find((known) => known.name === name);
  try {
    if (command === undefined) throw new UsageError(`fsmqtt: there is no command "${first}"`);
    return await runCommand(command, rest, output);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    output.err(error.message);
    output.err(
      command === undefined ? "`fsmqtt help` lists the commands." : `Usage: ${usageOf(command)}`,
    );
    return ExitCode.USAGE;
  }
}

function runCommand(command: Command, args: readonly string[], output: Output) {
  const { words, options } = parseLine(command, args);
  if (options["help"] === true) {
    output.out(commandHelp(command));
    return ExitCode.OK;
  }
  return command.run(words, options, output);
}

function writeLine(to: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  const bytes = new TextEncoder().encode(text.endsWith("\n") ? text : text + "\n");
  try {
    for (let at = 0; at < bytes.length;) at += to.writeSync(bytes.subarray(at));
  } catch (error) {
    // `fsmqtt events | head` closes its end early.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
