/**
 * What a subcommand of `fsmqtt` is.
 *
 * @module
 */

import { parseArgs } from "node:util";
import type { View } from "./view.ts";

/** Where a subcommand writes. */
export interface Output {
  /** Data, one line or more, to standard output. */
  out(text: string): void;
  /** Messages to standard error. */
  err(text: string): void;
  /** Opens standard output for what changes; absent where only what has an end may be written. */
  readonly view?: () => View;
}

/** An option of a subcommand. */
export interface Option {
  /** What stands for its value in the usage; a switch has none. */
  readonly value?: string;
  /** Whether it must be given. */
  readonly required?: true;
  /** What it does. */
  readonly help: string;
}

/**
 * What may stand at a place among the words: one of these, the name of a subcommand, that of a
 * profile of the running agent, or that of a part of the profile, of the kind that stands before.
 */
export type Place = readonly string[] | "command" | "profile" | "part";

/** The options given on the command line. */
export type GivenOptions = Readonly<Record<string, string | boolean | undefined>>;

/** A subcommand. */
export interface Command {
  /** The word after `fsmqtt`. */
  readonly name: string;
  /** What may follow it beside options. */
  readonly words: string;
  /** What may stand at each place of them, as far as a shell can complete it. */
  readonly places?: readonly Place[];
  /** What it does, in one sentence. */
  readonly summary: string;
  /** Its options by name. */
  readonly options: Readonly<Record<string, Option>>;
  /** Whether all that follows is taken as it is, options included. */
  readonly verbatim?: true;
  /** Does it and returns the exit code. */
  run(words: readonly string[], options: GivenOptions, output: Output): Promise<number> | number;
}

/** Subcommands that belong together. */
export interface CommandGroup {
  /** What they have in common. */
  readonly title: string;
  /** They themselves. */
  readonly commands: readonly Command[];
}

/** The command line is wrong; the message says how. */
export class UsageError extends Error {
  /** Its name, for logs. */
  override readonly name: string = "UsageError";
}

/** How a subcommand is called, on one line. */
export function usageOf({ name, words, options }: Command): string {
  const given = Object.entries(options).map(([option, { value, required }]) => {
    const text = `--${option}${value === undefined ? "" : ` ${value}`}`;
    return required === true ? text : `[${text}]`;
  });
  return ["fsmqtt", name, ...given, words].join(" ").trimEnd();
}

/** Every subcommand has it. */
const HELP: Option = { help: "Shows how this is used." };

/** The options of a subcommand, with that which every one has. */
export function optionsOf({ options }: Command): readonly (readonly [string, Option])[] {
  return [...Object.entries(options), ["help", HELP]];
}

/** The words and options that follow a subcommand. */
export interface ParsedLine {
  /** What is no option. */
  readonly words: readonly string[];
  /** The options. */
  readonly options: GivenOptions;
}

/**
 * Reads what follows a subcommand.
 *
 * @throws {UsageError} if there is an option that it does not have.
 */
export function parseLine(command: Command, args: readonly string[]): ParsedLine {
  const { leading, rest } = command.verbatim === true
    ? splitVerbatim(command, args)
    : { leading: args, rest: [] };
  const options = Object.fromEntries(
    optionsOf(command).map(([name, { value }]) =>
      [name, { type: value === undefined ? "boolean" as const : "string" as const }] as const
    ),
  );
  try {
    const { values, positionals } = parseArgs({
      args: [...leading],
      options,
      allowPositionals: true,
      strict: true,
    });
    return { words: [...positionals, ...rest], options: values as GivenOptions };
  } catch (error) {
    const [reason] = (error as Error).message.split(". ");
    throw new UsageError(`fsmqtt ${command.name}: ${reason}`);
  }
}

/** Only what stands before the first word is an option of ours; `--` ends them too. */
function splitVerbatim(command: Command, args: readonly string[]) {
  let at = 0;
  while (args[at]?.startsWith("--") === true && args[at] !== "--") {
    const [name = ""] = (args[at] ?? "").slice(2).split("=");
    const takesNext = command.options[name]?.value !== undefined && !args[at]?.includes("=");
    at += takesNext ? 2 : 1;
  }
  if (args[at] === "--") return { leading: args.slice(0, at), rest: args.slice(at + 1) };
  const rest = args.slice(at);
  // Whoever puts it last, as everywhere else, would ask another agent unawares.
  const late = Object.keys(command.options).find((name) =>
    rest.some((word) => word === `--${name}` || word.startsWith(`--${name}=`))
  );
  if (late !== undefined) {
    throw new UsageError(
      `fsmqtt ${command.name}: --${late} goes before the command; after \`--\` all is passed on`,
    );
  }
  return { leading: args.slice(0, at), rest };
}

/** The text of an option that takes a value. */
export function optionText(options: GivenOptions, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

/** The text of an option that must be there. */
export function requiredOption(command: string, options: GivenOptions, name: string): string {
  const value = optionText(options, name);
  if (value === undefined || value === "") {
    throw new UsageError(`fsmqtt ${command}: --${name} is missing`);
  }
  return value;
}

/** Refuses words that a subcommand does not take. */
export function noWords(command: string, words: readonly string[]): void {
  if (words.length > 0) throw new UsageError(`fsmqtt ${command}: unexpected "${words[0]}"`);
}
