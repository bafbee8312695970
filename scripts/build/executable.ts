/**
 * Makes the bundle an executable.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { ExitCode } from "../../lib/exit_code.ts";
import { BuildError } from "./error.ts";
import { TASK_FLAGS, WORKER_OPTIONS } from "./flags.ts";
import { complaint, type Ended, runDeno, runProgram } from "./program.ts";

/** The machines that there are executables for: `e_machine` of ELF by Deno's name of the target. */
export const TARGETS: Readonly<Record<string, number>> = {
  "x86_64-unknown-linux-gnu": 62,
  "aarch64-unknown-linux-gnu": 183,
};

/** What does not say its version by then is no `deno`. */
const VERSION_LIMIT_MS = 10_000;

/** How an executable is made. */
export interface ExecutableOptions {
  /** For which machine, a key of {@link TARGETS}. */
  readonly target: string;
  /** The runtime base, if it is not to be downloaded: `DENORT_BIN`. */
  readonly base: string | undefined;
  /** How long a download of the base may take. */
  readonly waitMs: number;
}

/**
 * Makes an executable of a bundle. All threads begin with the bundle, so none has to be named.
 *
 * @throws {BuildError} with exit code 69 if there is no runtime base.
 */
export async function makeExecutable(
  script: string,
  path: string,
  { target, base, waitMs }: ExecutableOptions,
): Promise<void> {
  if (base !== undefined) await inspectBase(base, target);
  const folder = await Deno.makeTempDir({ prefix: "fsmqtt-compile-" });
  try {
    const bundle = join(folder, "fsmqtt.js");
    await Deno.writeTextFile(bundle, script);
    // Its time goes into the executable.
    await Deno.utime(bundle, 0, 0);
    const ended = await runDeno([
      "compile",
      "--no-check",
      "--no-config",
      "--no-lock",
      "--no-npm",
      "--no-remote",
      // Deno would keep it under a name that all can foresee in a folder where all can write.
      "--no-code-cache",
      // An executable may import from a few hosts by default.
      "--deny-import",
      WORKER_OPTIONS,
      ...TASK_FLAGS,
      "--target",
      target,
      "--output",
      path,
      bundle,
    ], { cwd: folder, env: environment(base), clearEnv: true, limitMs: waitMs });
    if (ended.code !== 0) throw refusal(ended, { target, base, waitMs });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Deno takes an empty `DENORT_BIN` for one that is set. */
function environment(base: string | undefined): Record<string, string> {
  const { DENORT_BIN: _, ...others } = Deno.env.toObject();
  return base === undefined ? others : { ...others, DENORT_BIN: resolve(base) };
}

function refusal(ended: Ended, { target, base, waitMs }: ExecutableOptions): BuildError {
  const why = complaint(ended);
  if (base !== undefined) return new BuildError(`Cannot compile with DENORT_BIN ${base}: ${why}`);
  if (ended.code === undefined) return noBase(`it has not come within ${waitMs / 1000} s`, target);
  const [, failed] = /error sending request for url \(\S+\): (.+)/.exec(why) ?? [];
  if (failed !== undefined) return noBase(failed, target);
  return /setting up base binary|denort/i.test(why)
    ? noBase(lastLine(why), target)
    : new BuildError(`Cannot compile: ${why}`);
}

/** Where a base comes from, without the name of a host: there are mirrors. */
function whereFrom(target: string): string {
  return `the program in denort-${target}.zip of Deno ${Deno.version.deno}'s release`;
}

function noBase(why: string, target: string): BuildError {
  return new BuildError(
    `Cannot compile: the runtime base denort cannot be downloaded (${why});` +
      ` name a local one in DENORT_BIN: ${whereFrom(target)}`,
    ExitCode.UNAVAILABLE,
  );
}

function lastLine(text: string): string {
  return text.slice(text.lastIndexOf("\n") + 1).trim();
}

/** Deno's words for a base that is none come late and say less. */
async function inspectBase(base: string, target: string): Promise<void> {
  const fault = await baseFault(base, target);
  if (fault !== undefined) {
    throw new BuildError(
      `Cannot compile: DENORT_BIN names ${base}, ${fault}`,
      ExitCode.UNAVAILABLE,
    );
  }
}

async function baseFault(base: string, target: string): Promise<string | undefined> {
  try {
    if (!(await Deno.stat(base)).isFile) return "which is no file";
    using file = await Deno.open(base);
    const header = new Uint8Array(20);
    await file.read(header);
    const view = new DataView(header.buffer);
    if (view.getUint32(0) !== 0x7f454c46) return "which is no program (it is not in ELF)";
    if (view.getUint16(18, true) !== TARGETS[target]) return `which is not for ${target}`;
    return await isDeno(base) ? `which is deno; denort is needed: ${whereFrom(target)}` : undefined;
  } catch (error) {
    return `which cannot be read: ${(error as Error).message.replace(/:? ?(stat|open) '.*'$/, "")}`;
  }
}

/** Both are programs of one release, and `deno` would be taken for a base. */
async function isDeno(base: string): Promise<boolean> {
  try {
    const { out } = await runProgram([resolve(base), "--version"], { limitMs: VERSION_LIMIT_MS });
    return out.startsWith("deno ");
  } catch {
    // A program for another machine.
    return false;
  }
}
