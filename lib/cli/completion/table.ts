/**
 * What the scripts of all shells need of the command table.
 *
 * @module
 */

import { type Command, type Option, optionsOf } from "../command.ts";

/** What stands in the usage for values that are files. */
const FILES: readonly (string | undefined)[] = ["FILE", "SOCKET"];

/** Whether an option's value is a file. */
export function isFile({ value }: Option): boolean {
  return FILES.includes(value);
}

/** All options that take a value, each once: a word after one of them is no word of the command. */
export function optionsWithValue(commands: readonly Command[]): [string, Option][] {
  return [...new Map(commands.flatMap(optionsOf).filter(([, { value }]) => value !== undefined))];
}

/** The names of the commands. */
export function namesOf(commands: readonly Command[]): string[] {
  return commands.map(({ name }) => name);
}

/** A text as a word of any shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
