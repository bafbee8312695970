/**
 * What a process holds in memory.
 *
 * @module
 */

/** The memory of a process, in bytes. */
export interface Memory {
  /** Resident: all pages that are in memory, those of the program's file included. */
  readonly rss: number;
  /** The same, with each page that others have too counted in part. */
  readonly pss: number;
  /** Pages that it has written to, and nobody else has: what ending it would give back. */
  readonly private: number;
}

/**
 * The memory of a process (proc(5), `smaps_rollup`). Linux.
 *
 * @throws {Error} if there is no such process, or no such file.
 */
export async function memoryOf(pid: number): Promise<Memory> {
  const text = await Deno.readTextFile(`/proc/${pid}/smaps_rollup`);
  return {
    rss: field(text, "Rss"),
    pss: field(text, "Pss"),
    private: field(text, "Private_Dirty"),
  };
}

/** The resident memory of a process, in bytes. */
export interface Resident {
  /** Now. */
  readonly now: number;
  /** The most since its start, or since {@linkcode forgetPeak}. */
  readonly peak: number;
}

/**
 * The resident memory of a process (proc(5), `status`: `VmRSS`, `VmHWM`), which takes the kernel less
 * time than {@linkcode memoryOf}. Linux.
 *
 * @throws {Error} if there is no such process, or no such file.
 */
export async function residentOf(pid: number): Promise<Resident> {
  const text = await Deno.readTextFile(`/proc/${pid}/status`);
  return { now: field(text, "VmRSS"), peak: field(text, "VmHWM") };
}

/** Lets the most that a process took begin anew (proc(5), `clear_refs`). */
export async function forgetPeak(pid: number): Promise<void> {
  await Deno.writeTextFile(`/proc/${pid}/clear_refs`, "5");
}

function field(text: string, name: string): number {
  const [, kilobytes] = new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(text) ?? [];
  if (kilobytes === undefined) throw new Error(`Cannot read the memory of a process: no ${name}`);
  return Number(kilobytes) * 1024;
}
