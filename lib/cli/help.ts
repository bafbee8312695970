/**
 * `fsmqtt help`
 *
 * @module
 */

import { EXIT_CODE_MEANINGS, ExitCode } from "../exit_code.ts";
import { type Command, type CommandGroup, noWords, UsageError, usageOf } from "./command.ts";
import { table } from "./table.ts";

/** Makes the subcommand that shows how the others are used. */
export function helpOn(groups: () => readonly CommandGroup[]): Command {
  return {
    name: "help",
    words: "[COMMAND]",
    places: ["command"],
    summary: "Shows this, or how a command is used.",
    options: {},
    run([name, ...more], _options, output) {
      noWords("help", more);
      const command = groups().flatMap(({ commands }) => commands)
        .find((known) => known.name === name);
      if (name !== undefined && command === undefined) {
        throw new UsageError(`fsmqtt help: there is no command "${name}"`);
      }
      output.out(command === undefined ? generalHelp(groups()) : commandHelp(command));
      return ExitCode.OK;
    },
  };
}

/** What fsmqtt is, and its subcommands. */
export function generalHelp(groups: readonly CommandGroup[]): string {
  return [
    "fsmqtt carries FreeSWITCH events to MQTT brokers, and commands from them back.",
    "",
    "Usage: fsmqtt COMMAND [OPTION…]",
    ...groups.flatMap(({ title, commands }) => [
      "",
      `${title}:`,
      ...table(commands.map(({ name, summary }) => [name.padEnd(10), summary])),
    ]),
    "",
    "Exit codes:",
    ...table(Object.entries(EXIT_CODE_MEANINGS).map(([code, text]) => [code.padStart(2), text])),
    "",
    "`fsmqtt help COMMAND` shows how a command is used.",
  ].join("\n");
}

/** How one subcommand is used. */
export function commandHelp(command: Command): string {
  const { summary, options } = command;
  const given = Object.entries(options).map(([option, { value, help }]) =>
    [`--${option}${value === undefined ? "" : ` ${value}`}`, help] as const
  );
  return [
    summary,
    "",
    `Usage: ${usageOf(command)}`,
    ...(given.length === 0 ? [] : ["", "Options:"]),
    ...table(given),
  ].join("\n");
}
