/**
 * Bundles are handed out when they have been started.
 *
 * @module
 */

import { handOut } from "./dist.ts";
import { tryOut } from "./trial.ts";

/**
 * Tries a bundle out and hands it out.
 *
 * @returns its path.
 */
export async function handOutBundle(script: string, dist: string): Promise<string> {
  return await handOut(dist, "fsmqtt.js", async (path) => {
    await Deno.writeTextFile(path, script, { mode: 0o755 });
    await tryOut([path], { needsDeno: true });
  });
}
