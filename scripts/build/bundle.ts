/**
 * Makes all of fsmqtt one script.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ExitCode } from "../../lib/exit_code.ts";
import { VERSION } from "../../lib/version.ts";
import { refuseUsing } from "./disposal.ts";
import { BuildError } from "./error.ts";
import { BUNDLE_ENVIRONMENT, SHORT_FLAGS } from "./flags.ts";
import { notices, type Package } from "./notices.ts";
import { complaint, runDeno } from "./program.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const ENTRY = "scripts/build/entry.ts";
/** `deno bundle` downloads what it bundles with once. */
const LIMIT_MS = 300_000;

/** A bundle of fsmqtt. */
export interface Bundle {
  /** The script, which a shell can start where `deno` is on the path. */
  readonly script: string;
  /** The licences of what is in it. */
  readonly notices: string;
}

/**
 * Bundles fsmqtt, or another main module.
 *
 * @throws {BuildError} with exit code 69 if `deno bundle` cannot download what it needs.
 */
export async function makeBundle(entry = ENTRY): Promise<Bundle> {
  const readable = await bundled(entry);
  await refuseUsing(readable);
  // Minified it holds no path of this machine, and each thread has half as much to keep in memory.
  const code = await bundled(entry, "--minify");
  const licences = await notices(packagesIn(readable));
  const script = [
    `#!/usr/bin/env -S ${BUNDLE_ENVIRONMENT} deno run ${SHORT_FLAGS.join(" ")}`,
    `// fsmqtt ${VERSION}. SPDX-License-Identifier: MPL-2.0`,
    "// The licences of the packages in it are at its end.",
    code.trim(),
    `/*\n${licences.replaceAll("*/", "* /")}\n*/\n`,
  ].join("\n");
  return { script, notices: licences };
}

async function bundled(entry: string, ...options: string[]): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "fsmqtt-bundle-" });
  try {
    const file = join(folder, "fsmqtt.js");
    const ended = await runDeno(
      ["bundle", "--quiet", "--platform", "deno", ...options, "--output", file, entry],
      { cwd: ROOT, limitMs: LIMIT_MS },
    );
    if (ended.code === 0) return await Deno.readTextFile(file);
    const why = complaint(ended);
    const unreachable = ended.code === undefined ||
      /error sending request|Failed (loading|fetching|download)|client error/i.test(why);
    throw unreachable
      ? new BuildError(
        "Cannot bundle: what `deno bundle` bundles with cannot be downloaded from npm's registry",
        ExitCode.UNAVAILABLE,
      )
      : new BuildError(`Cannot bundle: ${why}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The npm packages of a bundle that names its modules' files. */
function packagesIn(bundle: string): Package[] {
  const packages = new Map<string, Package>();
  const places = /^ *(?:\/\/ |")(\S*\/npm\/[^/\s]+\/((?:@[^/\s]+\/)?[^/@\s]+)\/(\d[^/\s]*))\//gm;
  for (const [, path = "", name = "", version = ""] of bundle.matchAll(places)) {
    packages.set(`${name} ${version}`, { name, version, folder: resolve(ROOT, path) });
  }
  if (packages.size === 0) throw new BuildError("Cannot bundle: its packages cannot be told");
  return [...packages.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}
