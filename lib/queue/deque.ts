/**
 * A queue with two ends.
 *
 * @module
 */

/** Things in a row. Each end takes and gives in constant time. */
export class Deque<T extends object> {
  /** A ring: the first thing is at `#first`. Its length is a power of two. */
  #ring: (T | undefined)[] = new Array(16);
  #first = 0;
  #length = 0;

  /** How many there are. */
  get length(): number {
    return this.#length;
  }

  /** The first one. */
  get first(): T | undefined {
    return this.#ring[this.#first];
  }

  /** Adds one behind the last. */
  push(thing: T): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[this.#at(this.#length)] = thing;
    this.#length++;
  }

  /** Adds one before the first. */
  unshift(thing: T): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#first = this.#at(-1);
    this.#ring[this.#first] = thing;
    this.#length++;
  }

  /** Removes and returns the first. */
  shift(): T | undefined {
    const thing = this.#ring[this.#first];
    if (thing === undefined) return undefined;
    this.#ring[this.#first] = undefined;
    this.#first = this.#at(1);
    this.#length--;
    return thing;
  }

  /** Removes and returns the last. */
  pop(): T | undefined {
    if (this.#length === 0) return undefined;
    const at = this.#at(this.#length - 1);
    const thing = this.#ring[at];
    this.#ring[at] = undefined;
    this.#length--;
    return thing;
  }

  /** All of them, the first one first. */
  *[Symbol.iterator](): Generator<T, void> {
    for (let i = 0; i < this.#length; i++) yield this.#ring[this.#at(i)] as T;
  }

  /** Removes those that are not wanted. */
  keep(isWanted: (thing: T) => boolean): void {
    const kept = [...this].filter(isWanted);
    this.#ring.fill(undefined);
    Object.assign(this.#ring, kept);
    this.#first = 0;
    this.#length = kept.length;
  }

  /** Brings them into another order. */
  sort(compare: (a: T, b: T) => number): void {
    const ordered = [...this].sort(compare);
    this.#ring = Object.assign(new Array(this.#ring.length), ordered);
    this.#first = 0;
  }

  #at(index: number): number {
    return (this.#first + index) & (this.#ring.length - 1);
  }

  #grow(): void {
    const ordered = [...this];
    this.#ring = Object.assign(new Array(this.#length * 2), ordered);
    this.#first = 0;
  }
}
