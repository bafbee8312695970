/**
 * Whether this process may do what fsmqtt needs.
 *
 * @module
 */

import { TASK_FLAGS, WORKER_OPTIONS } from "./flags.ts";

/** The flags that Deno should have been given, as far as that can be told. */
export function missingFlags(): string[] {
  return [
    ...TASK_FLAGS.filter((flag) => !isGranted(flag)),
    ...(lacksWorkerOptions() ? [WORKER_OPTIONS] : []),
  ];
}

function isGranted(flag: string): boolean {
  const [, name, kinds] = /^--allow-(net|read|write|env|sys)(?:=(.+))?$/.exec(flag) ?? [];
  // Among the others is foreign code: only a connection that asks for OpenSSL needs it.
  if (name === undefined) return true;
  const granted = (permission: object) =>
    Deno.permissions.querySync(permission as Deno.PermissionDescriptor).state === "granted";
  return kinds === undefined
    ? granted({ name })
    : kinds.split(",").every((kind) => granted({ name, kind }));
}

/** Whether a version, as `2.9.6`, comes before another, of which it may have more places. */
export function isOlder(version: string, other: string): boolean {
  const numbers = version.split(/[.+-]/).map(Number);
  for (const [i, wanted] of other.split(".").map(Number).entries()) {
    const number = numbers[i] ?? 0;
    if (number !== wanted) return number < wanted;
  }
  return false;
}

/** Only with all permissions can it be asked; with fewer, Deno says so when a thread starts. */
function lacksWorkerOptions(): boolean {
  try {
    return !Deno.readTextFileSync("/proc/self/cmdline").split("\0").includes(WORKER_OPTIONS);
  } catch {
    return false;
  }
}
