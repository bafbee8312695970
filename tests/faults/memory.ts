/**
 * The memory of a process.
 *
 * @module
 */

/** The resident memory of a process in bytes (proc(5), `VmRSS`). Linux. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const [, kilobytes] = /^VmRSS:\s*(\d+) kB$/m.exec(status) ?? [];
  if (kilobytes === undefined) throw new Error(`the process ${pid} has no VmRSS`);
  return Number(kilobytes) * 1024;
}

/** Bytes in MB, for people. */
export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}
