/** What the tests of the log share. */

import type { LogOptions } from "../../lib/log/logs.ts";
import type { Sink } from "../../lib/log/sink.ts";

/** A sink that keeps the lines, without the time before each. */
export class Lines implements Sink {
  readonly lines: string[] = [];

  write(line: string): void {
    this.lines.push(withoutTime(line));
  }
}

export function withoutTime(line: string): string {
  return line.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} /, "");
}

/** The lines of a file, without the time before each. */
export function linesOf(path: string): string[] {
  return Deno.readTextFileSync(path).split("\n").slice(0, -1).map(withoutTime);
}

/** A log with a file in this folder. */
export function logTo(dir: string, options: Partial<LogOptions> = {}): LogOptions {
  return { level: "info", details: false, enable: true, dir, file: "fsmqtt.log", ...options };
}

/** A folder that is gone at the end. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "fsmqtt-log-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
