/**
 * The folder of what is handed out.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** `dist/` of this repository. */
export const DIST: string = fileURLToPath(new URL("../../dist", import.meta.url));

/** The option that every script of them has, for `parseArgs`. */
export const DIST_OPTION = { type: "string", default: DIST } as const;

/**
 * Makes a file in a folder of its own beside where it goes, and moves it there when `make`, which is
 * given its path, has made it and found it good. If that fails nothing is left of it, and what was
 * there before stays.
 *
 * @returns the path of the file.
 */
export async function handOut(
  dist: string,
  name: string,
  make: (path: string) => Promise<void>,
): Promise<string> {
  await Deno.mkdir(dist, { recursive: true });
  const folder = await Deno.makeTempDir({ dir: resolve(dist), prefix: ".making-" });
  try {
    const path = join(folder, name);
    await make(path);
    const target = join(resolve(dist), name);
    await Deno.rename(path, target);
    return target;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
