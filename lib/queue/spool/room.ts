/**
 * Room on the disk. To remove rows takes room too, so a spool must not fill a disk to the brim: it
 * could not even give back what it has.
 *
 * @module
 */

import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { sizeOf } from "./salvage.ts";

/** Room for the tables around the rows, in bytes. */
const MARGIN_BYTES = 1024 * 1024;

/** Deno's types do not know this kind yet; without the permission it would ask at a terminal. */
const PERMISSION = { name: "sys", kind: "statfs" } as unknown as Deno.SysPermissionDescriptor;

/**
 * Whether so many bytes of new rows would leave room to remove rows again; `freeInFile` tells what the
 * file has of its own. What cannot be told is taken for yes.
 */
export function leavesRoom(path: string, bytes: number, freeInFile: () => number): boolean {
  try {
    if (Deno.permissions.querySync(PERMISSION).state !== "granted") return true;
    const { bavail, bsize } = statfsSync(dirname(path));
    const free = bavail * bsize - bytes - MARGIN_BYTES;
    // New rows are written to the -wal file first; the file takes them later, and what is there now.
    const later = bytes + (sizeOf(`${path}-wal`) ?? 0);
    return free >= later || free >= Math.max(0, later - freeInFile());
  } catch {
    return true;
  }
}
