/**
 * Lets one loop sleep until something happened.
 *
 * @module
 */

/** Remembers that it was set until the one waiter has seen it. */
export class Signal {
  #set = false;
  #waiter: (() => void) | undefined;

  /** Wakes the waiter, now or as soon as it waits. */
  set(): void {
    this.#set = true;
    this.#waiter?.();
  }

  /** Resolves once it was set, and clears it. */
  async wait(): Promise<void> {
    if (!this.#set) await new Promise<void>((resolve) => this.#waiter = resolve);
    this.#waiter = undefined;
    this.#set = false;
  }
}
