/**
 * Ids, and until when each of them is taken.
 *
 * @module
 */

/** An id that is remembered. */
export interface ExpiringId {
  /** The id. */
  readonly id: string;
  /** Whose it is. */
  readonly owner: string;
  /** Until when it is taken: wall clock, milliseconds since 1970. */
  readonly untilMs: number;
  /** Until when it is kept in any case, on a scale that never runs backwards. */
  readonly keptUntil: number;
}

/** An id with its place in the heap. */
interface Entry extends ExpiringId {
  untilMs: number;
  keptUntil: number;
  at: number;
}

/**
 * Ids, of which the one whose time ends first is found at once: a binary heap, with a map beside it.
 * Adding and removing one takes time in proportion to the logarithm of their number.
 */
export class ExpiringIds {
  readonly #byId = new Map<string, Entry>();
  /** No entry's time ends before that of its parent, which is at half its place. */
  readonly #heap: Entry[] = [];
  readonly #countByOwner = new Map<string, number>();

  /** How many there are. */
  get size(): number {
    return this.#heap.length;
  }

  /** How many of them are somebody's. */
  countOf(owner: string): number {
    return this.#countByOwner.get(owner) ?? 0;
  }

  /** The one whose time ends first. */
  get first(): ExpiringId | undefined {
    return this.#heap[0];
  }

  /** An id, if it is remembered. */
  get(id: string): ExpiringId | undefined {
    return this.#byId.get(id);
  }

  /** All of them, in no order. */
  [Symbol.iterator](): Iterator<ExpiringId> {
    return this.#heap.values();
  }

  /** Remembers an id. One that is remembered already keeps its owner, and the later of both times. */
  put({ id, owner, untilMs, keptUntil }: ExpiringId): void {
    const known = this.#byId.get(id);
    if (known !== undefined) {
      known.untilMs = Math.max(known.untilMs, untilMs);
      known.keptUntil = Math.max(known.keptUntil, keptUntil);
      this.#sink(known);
      return;
    }
    const entry = { id, owner, untilMs, keptUntil, at: this.#heap.length };
    this.#byId.set(id, entry);
    this.#countByOwner.set(owner, this.countOf(owner) + 1);
    this.#heap.push(entry);
    this.#rise(entry);
  }

  /** Forgets the one whose time ends first. */
  shift(): void {
    const [first] = this.#heap;
    if (first !== undefined) this.delete(first.id);
  }

  /** Forgets an id. */
  delete(id: string): void {
    const entry = this.#byId.get(id);
    if (entry === undefined) return;
    const last = this.#heap.pop() ?? entry;
    this.#byId.delete(id);
    this.#countByOwner.set(entry.owner, this.countOf(entry.owner) - 1);
    if (last === entry) return;
    this.#place(last, entry.at);
    this.#rise(last);
    this.#sink(last);
  }

  #rise(entry: Entry): void {
    for (;;) {
      const parent = this.#heap[(entry.at - 1) >> 1];
      if (parent === undefined || parent.untilMs <= entry.untilMs) return;
      this.#swap(parent, entry);
    }
  }

  #sink(entry: Entry): void {
    for (;;) {
      const left = this.#heap[2 * entry.at + 1];
      const right = this.#heap[2 * entry.at + 2];
      const child = right !== undefined && left !== undefined && right.untilMs < left.untilMs
        ? right
        : left;
      if (child === undefined || child.untilMs >= entry.untilMs) return;
      this.#swap(entry, child);
    }
  }

  #swap(a: Entry, b: Entry): void {
    const { at } = a;
    this.#place(a, b.at);
    this.#place(b, at);
  }

  #place(entry: Entry, at: number): void {
    entry.at = at;
    this.#heap[at] = entry;
  }
}
