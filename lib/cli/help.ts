/**
 * `fsmqtt help`
 *
 * @module
 */

import { EXIT_CODE_MEANINGS, ExitCode } from "../exit_code.ts";
import { type Command, UsageError } from "./command.ts";

/** Makes the subcommand that shows how the others are used. */
export function helpOn(commands: () => readonly Command[]): Command {
  return {
    name: "help",
    usage: "[COMMAND]",
    summary: "Shows this, or how a command is used.",
    options: {},
    run([name], _options, output) {
      const command = commands().find((known) => known.name === name);
      if (name !== undefined && command === undefined) {
        throw new UsageError(`fsmqtt help: there is no command "${name}"`);
      }
      output.out(command === undefined ? generalHelp(commands()) : commandHelp(command));
      return ExitCode.OK;
    },
  };
}

/** What fsmqtt is, and its subcommands. */
export function generalHelp(commands: readonly Command[]): string {
  const rows = commands.map(({ name, usage, summary }) =>
    [`  fsmqtt ${name} ${usage}`.trimEnd(), summary] as const
  );
  return [
    "fsmqtt carries FreeSWITCH events to MQTT brokers, and commands from them back.",
    "",
    ...rows.flatMap(([usage, summary]) => [usage, `      ${summary}`]),
    "",
    "`fsmqtt help COMMAND` tells more. Exit codes:",
    ...Object.entries(EXIT_CODE_MEANINGS).map(([code, meaning]) =>
      `  ${code.padStart(2)}  ${meaning}`
    ),
  ].join("\n");
}

/** How one subcommand is used. */
export function commandHelp({ name, usage, summary, options }: Command): string {
  const given = Object.entries(options).map(([option, { value, help }]) =>
    [`  --${option}${value === undefined ? "" : ` ${value}`}`, help] as const
  );
  const width = Math.max(0, ...given.map(([option]) => option.length));
  return [
    `fsmqtt ${name} ${usage}`.trimEnd(),
    "",
    summary,
    ...(given.length === 0 ? [] : ["", "Options:"]),
    ...given.map(([option, help]) => `${option.padEnd(width)}  ${help}`),
  ].join("\n");
}
