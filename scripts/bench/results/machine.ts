/**
 * What it was measured on.
 *
 * @module
 */

import { VERSION } from "../../../lib/version.ts";
import { runProgram } from "../../build/program.ts";

/** A machine, and what runs on it. */
export interface Machine {
  /** Processors. */
  readonly cores: number;
  /** The name of the first. */
  readonly cpu: string;
  /** Memory, in bytes. */
  readonly memory_bytes: number;
  /** The kernel. */
  readonly kernel: string;
  /** What else ran: the mean of the last minute, at the start (proc(5), `loadavg`). */
  readonly load: number;
  /** The version of Deno. */
  readonly deno: string;
  /** That of V8 in it. */
  readonly v8: string;
  /** That of the broker. */
  readonly mosquitto: string;
  /** That of fsmqtt. */
  readonly fsmqtt: string;
}

/** This machine. */
export async function thisMachine(): Promise<Machine> {
  const cpus = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  return {
    cores: navigator.hardwareConcurrency,
    cpu: /^model name\s*: (.*)$/m.exec(cpus)?.[1] ?? "unknown",
    memory_bytes: Deno.systemMemoryInfo().total,
    kernel: Deno.osRelease(),
    load: Deno.loadavg()[0] ?? NaN,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    mosquitto: await mosquittoVersion(),
    fsmqtt: VERSION,
  };
}

/** The machine for people. */
export function machineText(machine: Machine): string {
  const { cores, cpu, memory_bytes, kernel, load, deno, mosquitto, fsmqtt } = machine;
  const gigabytes = Math.round(memory_bytes / 2 ** 30);
  return [
    `${cores} cores (${cpu}), ${gigabytes} GB, Linux ${kernel}, load ${
      load.toFixed(2)
    } at the start`,
    `fsmqtt ${fsmqtt}, Deno ${deno}, mosquitto ${mosquitto}`,
  ].join("\n");
}

/** `mosquitto -h` says it first, and ends with 3. */
async function mosquittoVersion(): Promise<string> {
  for (const path of ["/usr/sbin/mosquitto", "mosquitto"]) {
    try {
      const { out, err } = await runProgram([path, "-h"], { limitMs: 10_000 });
      const [, version] = /mosquitto version (\S+)/.exec(`${out}\n${err}`) ?? [];
      if (version !== undefined) return version;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return "unknown";
}
