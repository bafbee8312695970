/**
 * What V8 tells of its garbage collections.
 *
 * It knows of what is on its heap: objects, strings, and what stands for an array buffer. The bytes
 * of array buffers, and with them those of sockets and events, lie outside. What was made since the
 * last collection is not told until the next.
 *
 * @module
 */

/** How a program is started so that V8 tells, line by line. */
export const GC_TRACE = {
  /** Without it C would keep the lines until there are many. */
  wrap: ["stdbuf", "-oL"],
  env: { DENO_V8_FLAGS: "--trace-gc-nvp" },
} as const;

/** Some collections. */
export interface Collections {
  /** How many. */
  readonly count: number;
  /** What was made on the heap before them, in bytes. */
  readonly allocated: number;
  /** For how long they held up their threads, in milliseconds. */
  readonly pausedMs: number;
  /** The longest of them, in milliseconds. */
  readonly longestMs: number;
}

/** What V8 says of a collection, as far as it is needed. */
interface Told {
  readonly allocated: number;
  readonly pause: number;
}

/** Adds up the collections of all threads of a process. */
export class GcTally {
  #told: Told[] = [];

  /** Takes a line of the program's standard output. */
  take(line: string): void {
    const [, text] = /^\[\d+:\w+(?::\d+)?\] +\d+ ms: GC: (\{.*\})$/.exec(line) ?? [];
    if (text !== undefined) this.#told.push(JSON.parse(text) as Told);
  }

  /** Forgets what was told. */
  forget(): void {
    this.#told = [];
  }

  /** What was told since. */
  get collections(): Collections {
    const pauses = this.#told.map(({ pause }) => pause);
    const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
    return {
      count: pauses.length,
      allocated: sum(this.#told.map(({ allocated }) => allocated)),
      pausedMs: sum(pauses),
      longestMs: Math.max(0, ...pauses),
    };
  }
}
