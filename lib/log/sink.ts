/**
 * Where log lines go.
 *
 * @module
 */

import { openWithFolder } from "../open_file.ts";
import { atMost, systemClock } from "../clock.ts";

/** Takes finished lines. A sink never throws: a log that cannot be written stops nothing. */
export interface Sink {
  /** Writes one line, which has no line end yet. */
  write(line: string): void;
}

const encoder = new TextEncoder();

/** So many lines wait for a reader of standard error; what comes on top is left out. */
const MAX_WAITING_LINES = 10_000;

/**
 * Standard error, where journald and a person at the terminal read. It is written behind the
 * agent's back: a reader that stands still must not hold up events.
 */
class StderrSink implements Sink {
  #waiting: string[] = [];
  #leftOut = 0;
  #writing: Promise<void> | undefined;

  write(line: string): void {
    if (this.#waiting.length >= MAX_WAITING_LINES) {
      this.#leftOut++;
      return;
    }
    this.#waiting.push(line);
    this.#writing ??= this.#write().finally(() => this.#writing = undefined);
  }

  /** Resolves when everything is written, or after this time. */
  async flush(timeoutMs: number): Promise<void> {
    if (this.#writing !== undefined) await atMost(systemClock, timeoutMs, this.#writing);
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting.splice(0);
      if (this.#leftOut > 0) lines.push(`(${this.#leftOut} lines are left out here)`);
      this.#leftOut = 0;
      const bytes = encoder.encode(lines.join("\n") + "\n");
      try {
        for (let at = 0; at < bytes.length;) at += await Deno.stderr.write(bytes.subarray(at));
      } catch {
        // Nobody is left to tell.
      }
    }
  }
}

/** The one sink for standard error. */
export const stderrSink: Sink & { flush(timeoutMs: number): Promise<void> } = new StderrSink();

/** A log file, made with its folder when it is first written to. */
export class FileSink implements Sink {
  /** The file's path. */
  readonly path: string;
  readonly #complain: (text: string) => void;
  #file: Deno.FsFile | undefined;
  #failed = false;

  /** `complain` hears once that the file cannot be written, and once when it can be again. */
  constructor(path: string, complain: (text: string) => void) {
    this.path = path;
    this.#complain = complain;
  }

  /** Appends a line. */
  write(line: string): void {
    try {
      this.#file ??= openWithFolder(this.path, { append: true, create: true, mode: 0o640 });
      writeFully(this.#file, encoder.encode(line + "\n"));
      if (this.#failed) {
        this.#failed = false;
        this.#complain(`The log file ${this.path} can be written again`);
      }
    } catch (error) {
      this.close();
      if (this.#failed) return;
      this.#failed = true;
      this.#complain(`Cannot write the log file ${this.path}: ${(error as Error).message}`);
    }
  }

  /** Lets go of the file; the next line opens it by its name, after a rotation a new one. */
  close(): void {
    const file = this.#file;
    this.#file = undefined;
    file?.close();
  }
}

function writeFully(to: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += to.writeSync(bytes.subarray(at));
}
