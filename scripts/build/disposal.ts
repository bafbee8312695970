/**
 * What the minifier of `deno bundle` would break.
 *
 * @module
 */

import { join } from "node:path";
import { BuildError } from "./error.ts";
import { complaint, type Ended, runDeno } from "./program.ts";

const PLUGIN = new URL("disposal_lint.ts", import.meta.url).href;
const LIMIT_MS = 60_000;

/** The first line of a module in a bundle that is not minified: one of ours, and one of CommonJS. */
const MODULE = /^ *(?:\/\/ (\S+)|"(\S+)"\(.*\) \{)$/;

/**
 * Makes sure that a bundle, which is not minified yet, has no `using` declaration. esbuild up to
 * 0.28.0, which Deno 2.9 bundles with, puts the value of one that is used once in the place where it
 * is used, and then nothing disposes of it (evanw/esbuild#4482).
 *
 * @throws {BuildError} with the modules that have one.
 */
export async function refuseUsing(bundle: string): Promise<void> {
  const modules = new Set((await linesWithUsing(bundle)).map((line) => moduleAt(bundle, line)));
  if (modules.size === 0) return;
  throw new BuildError(
    `Cannot bundle: there is a \`using\` declaration in ${[...modules].join(", ")}. Minified by` +
      " `deno bundle` it may never dispose of what it holds (evanw/esbuild#4482); write try and finally",
  );
}

/** Deno's own parser finds them: comments, strings and names are no declarations. */
async function linesWithUsing(bundle: string): Promise<number[]> {
  const folder = await Deno.makeTempDir({ prefix: "fsmqtt-disposal-" });
  try {
    const config = join(folder, "deno.json");
    const rules = { tags: [], include: ["bundle/no-using"] };
    await Deno.writeTextFile(config, JSON.stringify({ lint: { plugins: [PLUGIN], rules } }));
    const file = join(folder, "bundle.js");
    await Deno.writeTextFile(file, bundle);
    const ended = await runDeno(["lint", "--config", config, "--json", file], {
      cwd: folder,
      limitMs: LIMIT_MS,
    });
    return linesOf(ended);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function linesOf(ended: Ended): number[] {
  try {
    const { diagnostics, errors } = JSON.parse(ended.out);
    if (errors.length === 0) {
      return diagnostics.map(({ range }: { range: { start: { line: number } } }) =>
        range.start.line
      );
    }
  } catch {
    // It has said why on standard error.
  }
  throw new BuildError(`Cannot bundle: the bundle cannot be parsed: ${complaint(ended)}`);
}

function moduleAt(bundle: string, line: number): string {
  const before = bundle.split("\n").slice(0, line).reverse();
  for (const each of before) {
    const [, ours, common] = MODULE.exec(each) ?? [];
    const module = ours ?? common;
    if (module !== undefined) return module;
  }
  return "the bundle";
}
