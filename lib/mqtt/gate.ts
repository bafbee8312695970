/**
 * Lets things go in their order, though some of them have to wait.
 *
 * @module
 */

interface Waiting {
  readonly go: () => void;
  isReady: boolean;
}

/** Whatever passes goes after all that came before it. */
export class Gate {
  readonly #waiting: Waiting[] = [];
  #isClosed = false;

  /**
   * Runs `go` when all that came before has gone and, with `prepare`, when that has called back.
   */
  pass(go: () => void, prepare?: (ready: () => void) => void): void {
    if (this.#isClosed) return;
    if (prepare === undefined && this.#waiting.length === 0) {
      go();
      return;
    }
    const waiting = { go, isReady: prepare === undefined };
    this.#waiting.push(waiting);
    if (prepare === undefined) this.#open();
    else {
      prepare(() => {
        waiting.isReady = true;
        this.#open();
      });
    }
  }

  /** Nothing goes any more. */
  close(): void {
    this.#isClosed = true;
  }

  #open(): void {
    while (!this.#isClosed && this.#waiting[0]?.isReady === true) this.#waiting.shift()?.go();
  }
}
