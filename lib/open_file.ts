/**
 * Files that may be the first in their folder, and what is to outlive a power cut.
 *
 * @module
 */

import { dirname } from "node:path";

/**
 * Opens a file. Only if its folder is missing, that is made: who may write one file may not need to
 * do anything else there.
 *
 * @param folderMode The mode of a folder that is made.
 */
export function openWithFolder(
  path: string,
  options: Deno.OpenOptions,
  folderMode = 0o777,
): Deno.FsFile {
  try {
    return Deno.openSync(path, options);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    Deno.mkdirSync(dirname(path), { recursive: true, mode: folderMode });
    return Deno.openSync(path, options);
  }
}

/** Returns when the disk has what was written to a file, or which names a folder has. */
export function syncToDisk(path: string): void {
  const file = Deno.openSync(path);
  try {
    file.syncSync();
  } finally {
    file.close();
  }
}
