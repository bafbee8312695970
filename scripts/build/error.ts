/**
 * Why something could not be built.
 *
 * @module
 */

import { ExitCode } from "../../lib/exit_code.ts";

/** Something was not built; the message says why, to whoever ran the task. */
export class BuildError extends Error {
  /** Its name, for logs. */
  override readonly name: string = "BuildError";
  /** What the script ends with. */
  readonly exitCode: number;

  /** `exitCode` tells what is out of reach ({@link ExitCode.UNAVAILABLE}) from what failed. */
  constructor(message: string, exitCode: number = ExitCode.FAILED) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Does what a script is there for, prints the files that it made, and ends with its exit code. */
export async function building(make: () => Promise<readonly string[]>): Promise<never> {
  try {
    for (const file of await make()) console.log(file);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(error.message);
    Deno.exit(error.exitCode);
  }
  Deno.exit(ExitCode.OK);
}
