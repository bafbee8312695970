/**
 * Executables are handed out when they have been started, or under a name that says that they have
 * not.
 *
 * @module
 */

import { join } from "node:path";
import { ExitCode } from "../../lib/exit_code.ts";
import { handOut } from "./dist.ts";
import { BuildError } from "./error.ts";
import { type ExecutableOptions, makeExecutable } from "./executable.ts";
import { tryOut } from "./trial.ts";

/** How an executable is handed out. */
export interface HandOutOptions extends ExecutableOptions {
  /** What starts programs of that machine here; without it the system does, or nothing. */
  readonly emulator: string | undefined;
  /** Whether what nothing here can start is handed out all the same, as `….untested`. */
  readonly untested: boolean;
}

/**
 * Makes an executable of a bundle, tries it out and hands it out.
 *
 * @returns its path.
 * @throws {BuildError} with exit code 69 if there is no runtime base, or nothing that starts it.
 */
export async function handOutExecutable(
  script: string,
  dist: string,
  options: HandOutOptions,
): Promise<string> {
  const { target, emulator, untested } = options;
  const name = executableName(target);
  const startable = emulator !== undefined || await startsHere(target);
  if (!startable && !untested) {
    throw new BuildError(
      `Not handed out: nothing here can start a program for ${target}; name an emulator` +
        ` (--emulator qemu-aarch64-static), or have it as ${
          join(dist, name)
        }.untested (--untested)`,
      ExitCode.UNAVAILABLE,
    );
  }
  return await handOut(dist, startable ? name : `${name}.untested`, async (path) => {
    await makeExecutable(script, path, options);
    if (startable) await tryOut([...emulator?.split(" ") ?? [], path], { needsDeno: false });
  });
}

/**
 * Whether the system starts programs for a machine, itself or by an emulator that binfmt_misc knows.
 * It is not enough to try: what execvp(3) cannot start it gives to the shell.
 */
async function startsHere(target: string): Promise<boolean> {
  if (target === Deno.build.target) return true;
  const [machine] = target.split("-");
  try {
    const entry = await Deno.readTextFile(`/proc/sys/fs/binfmt_misc/qemu-${machine}`);
    return entry.startsWith("enabled");
  } catch {
    return false;
  }
}

/** The name of an executable: for this machine, that of the program. */
export function executableName(target: string): string {
  return target === Deno.build.target ? "fsmqtt" : `fsmqtt-${target}`;
}
