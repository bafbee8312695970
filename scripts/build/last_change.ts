/**
 * How old the sources are, so that what is made of them is the same at any time.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { runProgram } from "./program.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * `SOURCE_DATE_EPOCH` (https://reproducible-builds.org/specs/source-date-epoch/), else the time of the
 * last commit, else now.
 */
export async function lastChange(): Promise<Date> {
  const given = Deno.env.get("SOURCE_DATE_EPOCH") || await lastCommit();
  return given === undefined ? new Date() : new Date(1000 * Number(given));
}

async function lastCommit(): Promise<string | undefined> {
  try {
    const git = ["git", "log", "-1", "--format=%ct"];
    const { code, out } = await runProgram(git, { cwd: ROOT, limitMs: 10_000 });
    return code === 0 ? out : undefined;
  } catch {
    return undefined;
  }
}
