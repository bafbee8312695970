/**
 * A file of the audit log, whose length is bounded.
 *
 * @module
 */

import { fileFault } from "../file_fault.ts";
import { openWithFolder } from "../open_file.ts";

const encoder = new TextEncoder();

/**
 * Lines, in two files: when one would make the file longer than it may be, the file is renamed to
 * end in `.1`, over the one before, and a new one begins. Nothing throws.
 */
export class AuditFile {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #complain: (text: string) => void;
  #file: Deno.FsFile | undefined;
  #trouble: string | undefined;

  /** The file is made with its folder when it is opened, readable to nobody else. */
  constructor(path: string, maxBytes: number, complain: (text: string) => void) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#complain = complain;
  }

  /** Why it cannot be written at present. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Opens it, unless it is open. */
  open(): void {
    this.#try(() => {
      this.#file ??= openToAppend(this.#path);
    });
  }

  /** Adds a line, which the system has when this returns. */
  append(line: string): void {
    this.#try(() => this.#append(encoder.encode(line + "\n")));
  }

  /** Lets go of it: the next line opens it by its name. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.close();
      const isNews = this.#trouble === undefined;
      this.#trouble = `Cannot write the audit log ${this.#path}: ${fileFault(error)}`;
      if (isNews) this.#complain(this.#trouble);
      return;
    }
    if (this.#trouble === undefined) return;
    this.#trouble = undefined;
    this.#complain(`The audit log ${this.#path} can be written again`);
  }

  #append(line: Uint8Array): void {
    this.#file ??= openToAppend(this.#path);
    let { size } = this.#file.statSync();
    if (size > 0 && size + line.length > this.#maxBytes) {
      this.close();
      Deno.renameSync(this.#path, rotatedPath(this.#path));
      this.#file = openToAppend(this.#path);
      ({ size } = this.#file.statSync());
    }
    if (size + line.length > this.#maxBytes) {
      throw new Error("A line is longer than the file may be");
    }
    try {
      for (let at = 0; at < line.length;) at += this.#file.writeSync(line.subarray(at));
    } catch (error) {
      // A part of a line would spoil the next one.
      this.#file.truncateSync(size);
      throw error;
    }
  }
}

function openToAppend(path: string): Deno.FsFile {
  if (!isFileOrNothing(path)) throw new Error("It is not a regular file");
  const options = { read: true, append: true, create: true, mode: 0o600 };
  const file = openWithFolder(path, options, 0o700);
  try {
    endLine(file);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** What a file is renamed to when it is full. */
export function rotatedPath(path: string): string {
  return `${path}.1`;
}

/** To open a pipe would wait for its other end, and nobody wants a device renamed. */
function isFileOrNothing(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    throw error;
  }
}

/** A line that a power cut has torn stays on a line of its own. */
function endLine(file: Deno.FsFile): void {
  if (file.statSync().size === 0) return;
  const last = new Uint8Array(1);
  file.seekSync(-1, Deno.SeekMode.End);
  file.readSync(last);
  if (last[0] !== 0x0a) file.writeSync(encoder.encode("\n"));
}
