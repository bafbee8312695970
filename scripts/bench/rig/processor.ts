/**
 * Processor time: that of a process, and that of the machine.
 *
 * @module
 */

/** The kernel counts it in ticks of this length for programs (sysconf(3), `_SC_CLK_TCK`). */
const TICK_SECONDS = 0.01;

/** Processor time that a process has taken so far, all threads, in seconds (proc(5), `stat`). */
export async function cpuSeconds(pid: number): Promise<number> {
  const text = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The name, in parentheses, may hold anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  return (user + system) * TICK_SECONDS;
}

/** The processor time of all of the machine since its start, in ticks. */
export interface MachineTime {
  /** In which something ran. */
  readonly busy: number;
  /** All of it, on all processors. */
  readonly all: number;
}

/** The processor time of the machine so far (proc(5), `/proc/stat`). */
export async function machineTime(): Promise<MachineTime> {
  const text = await Deno.readTextFile("/proc/stat");
  const [, line = ""] = /^cpu +(.*)$/m.exec(text) ?? [];
  // What guests took is in the user's time already.
  const ticks = line.split(" ").slice(0, 8).map(Number);
  const [, , , idle = 0, waiting = 0] = ticks;
  const all = ticks.reduce((sum, each) => sum + each, 0);
  return { busy: all - idle - waiting, all };
}
