/**
 * The scripts that build, as their tasks run them, into folders of their own.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Ended, runDeno, runProgram } from "../../scripts/build/program.ts";

const SCRIPTS = fileURLToPath(new URL("../../scripts", import.meta.url));

/** Longer than anything takes that does not hang. */
export const LIMIT_MS = 240_000;

/** Runs a script of `scripts/`. */
export async function build(
  script: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended> {
  const given = { DENORT_BIN: "", ...env };
  return await runDeno(["run", "-A", join(SCRIPTS, script), ...args], {
    env: given,
    limitMs: LIMIT_MS,
  });
}

/** Does something in a folder that is gone afterwards. */
export async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "fsmqtt-build-test-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What lies in a folder, hidden files too. */
export function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  } catch {
    return [];
  }
}

/**
 * Makes a stand-in for Deno's runtime base: a program that ends with `code` at the subcommand
 * `fails`, and at `version` says what `version` is.
 */
export async function standIn(
  folder: string,
  { version, fails = "" }: { readonly version: string; readonly fails?: string },
): Promise<string> {
  const source = join(folder, "base.c");
  const base = join(folder, "base");
  await Deno.writeTextFile(
    source,
    `#include <stdio.h>
#include <string.h>
int main(int count, char **words) {
  puts("fsmqtt ${version} (stand-in)\\nThe broker took 1 of 1 messages.");
  fprintf(stderr, "%s was asked for\\n", words[1]);
  return strcmp(words[1], "${fails}") == 0 ? 3 : 0;
}`,
  );
  const { code, err } = await runProgram(["cc", "-o", base, source], { limitMs: LIMIT_MS });
  assert.equal(code, 0, err);
  return base;
}
