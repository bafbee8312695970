/**
 * The command line of a script: read, or refused with how it is used.
 *
 * @module
 */

import { parseArgs, type ParseArgsConfig } from "node:util";
import { ExitCode } from "../lib/exit_code.ts";

/** How a script is used. */
export class Usage {
  readonly #text: string;

  /** `text` is what `--help` shows. */
  constructor(text: string) {
    this.#text = text;
  }

  /** The options given; `--help` shows the usage and ends the script. */
  read<const T extends NonNullable<ParseArgsConfig["options"]>>(options: T) {
    if (Deno.args.includes("--help")) {
      console.log(this.#text);
      Deno.exit(ExitCode.OK);
    }
    try {
      return parseArgs({ options }).values;
    } catch (error) {
      // Node's advice for a value that begins with a dash helps nobody here: no number may.
      const [why = ""] = (error as Error).message.split("\n");
      return this.refuse(why.replace("argument is ambiguous.", "needs a number above 0"));
    }
  }

  /** The number above 0 that an option gives. */
  number(text: string, name: string): number {
    const value = Number(text);
    if (Number.isFinite(value) && value > 0) return value;
    return this.refuse(`--${name} needs a number above 0, not "${text}"`);
  }

  /** The whole number above 0 that an option gives. */
  wholeNumber(text: string, name: string): number {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value > 0) return value;
    return this.refuse(`--${name} needs a whole number above 0, not "${text}"`);
  }

  /** Where all randomness begins: what is given, else another one each time. */
  seed(text: string | undefined): number {
    return text === undefined
      ? 1 + Math.floor(Math.random() * 1_000_000_000)
      : this.wholeNumber(text, "seed");
  }

  /** Says why not, and how it is used, and ends the script. */
  refuse(why: string): never {
    console.error(`${why}\n\n${this.#text}`);
    Deno.exit(ExitCode.USAGE);
  }
}
