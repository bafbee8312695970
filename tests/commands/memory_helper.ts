/**
 * What the tests of the memory share.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { CommandMemory, type CommandMemoryOptions } from "../../lib/commands/memory.ts";
import { ManualClock } from "../support/manual_clock.ts";

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** A manual clock whose wall clock can be set. */
export class SettableClock extends ManualClock {
  #aheadMs = 0;

  /** What the wall clock shows. */
  get wallMs(): number {
    return super.date().getTime() + this.#aheadMs;
  }

  override date(): Date {
    return new Date(this.wallMs);
  }

  /** Sets the wall clock so much forward, or back. */
  step(ms: number): void {
    this.#aheadMs += ms;
  }
}

/** A file that memories are opened on, one after the other. */
export class MemoryFile implements AsyncDisposable {
  readonly folder: string;
  readonly path: string;
  clock = new SettableClock();
  /** What was complained of. */
  readonly told: string[] = [];
  #open: CommandMemory | undefined;

  constructor() {
    this.folder = Deno.makeTempDirSync({ prefix: "fsmqtt-memory-test-" });
    this.path = join(this.folder, "state", "commands");
  }

  /** A memory on the file; the former one is closed. */
  async open(options: Partial<CommandMemoryOptions> = {}): Promise<CommandMemory> {
    await this.#open?.close();
    this.#open = CommandMemory.open(this.path, {
      clock: this.clock,
      complain: (text) => this.told.push(text.replaceAll(this.path, "FILE")),
      ...options,
    });
    return this.#open;
  }

  async close(): Promise<void> {
    await this.#open?.close();
    this.#open = undefined;
  }

  /** The lines of the file. */
  get lines(): string[] {
    return Deno.readTextFileSync(this.path).split("\n").slice(0, -1);
  }

  /** What is in the file's folder. */
  get names(): string[] {
    return [...Deno.readDirSync(dirname(this.path))].map(({ name }) => name).sort();
  }

  /** Resolves when no other file is there that is to become this one. */
  async settled(): Promise<void> {
    while (this.names.length > 1) await new Promise((resolve) => setTimeout(resolve));
  }

  /** What was complained of since it was asked last. */
  heard(): string[] {
    return this.told.splice(0);
  }

  /** The wall clock so much later. */
  in(ms: number): number {
    return this.clock.wallMs + ms;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}
