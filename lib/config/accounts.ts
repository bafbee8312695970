/**
 * The users and groups of this machine, as far as its files name them, and who may read a file.
 *
 * @module
 */

import { dirname, resolve } from "node:path";
import { fileFault } from "../file_fault.ts";

/** FreeSWITCH's group, as its packages name it. */
const FREESWITCH_GROUP = "freeswitch";
const FREESWITCH_FOLDER = /^\/(?:etc|usr\/local)\/freeswitch(?:\/|$)/;
const ROOT = 0;
/** What a group needs in the mode of a file to read it, and in that of a folder to get through. */
const GROUP_READS = 0o040;
const GROUP_PASSES = 0o010;

/** What is asked of a machine. */
export interface Machine {
  /** The user that asks. */
  readonly uid: number | null;
  /** Owner and mode of a path; may throw. */
  readonly stat: (
    path: string,
  ) => Pick<Deno.FileInfo, "uid" | "gid" | "mode" | "isDirectory">;
  /** The text of a file such as `/etc/group`; may throw. */
  readonly read: (path: string) => string;
}

const thisMachine: Machine = {
  get uid() {
    return Deno.uid();
  },
  stat: (path) => Deno.statSync(path),
  read: (path) => Deno.readTextFileSync(path),
};

/** The name of a user, or `undefined` if `/etc/passwd` has none. */
export function userName(uid: number, machine: Machine = thisMachine): string | undefined {
  return entries("/etc/passwd", machine).find(([, , id]) => id === String(uid))?.[0];
}

/** The lines of `/etc/passwd` or `/etc/group` by their fields. */
function entries(file: string, { read }: Machine): string[][] {
  try {
    return read(file).split("\n").map((line) => line.split(":"));
  } catch {
    return [];
  }
}

/**
 * Why a file cannot be read, in words. Where it is for want of rights: with what would give them to
 * this user.
 */
export function readFault(path: string, error: unknown, machine: Machine = thisMachine): string {
  const fault = fileFault(error);
  return error instanceof Deno.errors.PermissionDenied
    ? `${fault}; ${remedy(resolve(path), machine)}`
    : fault;
}

function remedy(path: string, machine: Machine): string {
  const user = machine.uid === null ? undefined : userName(machine.uid, machine);
  const group = groupThatMay(path, machine);
  return group === undefined
    ? `run this as a user that may read it, or let ${user ?? "this user"}: chgrp, chmod g+r`
    : `its group ${group} may: usermod --append --groups ${group} ${user ?? "USER"}`;
}

/** Nobody is told to join root's own group. */
function groupThatMay(path: string, machine: Machine): string | undefined {
  const groups = entries("/etc/group", machine);
  const { gid, mode, isDirectory } = barrier(path, machine);
  const needed = isDirectory ? GROUP_PASSES : GROUP_READS;
  if (gid !== null && gid !== ROOT && ((mode ?? 0) & needed) !== 0) {
    const name = groups.find(([, , id]) => id === String(gid))?.[0];
    if (name !== undefined) return name;
  }
  const hasGroup = groups.some(([name]) => name === FREESWITCH_GROUP);
  return FREESWITCH_FOLDER.test(path) && hasGroup ? FREESWITCH_GROUP : undefined;
}

/** What keeps somebody from a path: itself, or the folder that hides it. */
function barrier(
  path: string,
  machine: Machine,
): Pick<Deno.FileInfo, "gid" | "mode" | "isDirectory"> {
  try {
    return machine.stat(path);
  } catch {
    const parent = dirname(path);
    return parent === path
      ? { gid: null, mode: null, isDirectory: true }
      : barrier(parent, machine);
  }
}
