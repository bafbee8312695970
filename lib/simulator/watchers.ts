/**
 * Promises that resolve when something has come true, looked at after each change.
 *
 * @module
 */

interface Watcher {
  readonly look: () => boolean;
  readonly fail: (reason: Error) => void;
}

/** Everybody who waits for something. */
export class Watchers {
  readonly #watchers = new Set<Watcher>();
  #failure: Error | undefined;

  /** Resolves with what `probe` gives, as soon as it gives something. */
  until<T>(probe: () => T | undefined): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const look = () => {
      const found = probe();
      if (found !== undefined) resolve(found);
      return found !== undefined;
    };
    if (look()) return promise;
    if (this.#failure !== undefined) reject(this.#failure);
    else this.#watchers.add({ look, fail: reject });
    return promise;
  }

  /** Something has changed. */
  look(): void {
    for (const watcher of this.#watchers) {
      if (watcher.look()) this.#watchers.delete(watcher);
    }
  }

  /** Nothing will change any more. */
  fail(reason: Error): void {
    this.#failure = reason;
    for (const watcher of this.#watchers) watcher.fail(reason);
    this.#watchers.clear();
  }
}
