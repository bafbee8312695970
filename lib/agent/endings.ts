/**
 * Connections that are being ended, and what they hold until then.
 *
 * @module
 */

/** Who takes over something from a connection that is ending waits for its end. */
export class Endings {
  readonly #running = new Map<Promise<void>, readonly (string | undefined)[]>();

  /** Notes an ending, which never rejects, and what is held until it is over. */
  add(holds: readonly (string | undefined)[], ending: Promise<void>): void {
    this.#running.set(ending, holds);
    ending.then(() => this.#running.delete(ending));
  }

  /** Settles when nobody who is ending at this moment holds this any more. */
  async of(held: string | undefined): Promise<void> {
    if (held === undefined) return;
    const ending = [...this.#running].filter(([, holds]) => holds.includes(held));
    await Promise.all(ending.map(([ending]) => ending));
  }

  /** Settles when all that are ending at this moment have ended. */
  async all(): Promise<void> {
    await Promise.all(this.#running.keys());
  }
}
