/**
 * Memory for payloads that have to wait: many of them in one piece, which is used again when none of
 * them is needed any more.
 *
 * An array for each payload would take ten times as long to make as to fill, and be freed by the garbage
 * collector at some later time, until when it counts for no bound.
 *
 * @module
 */

/** A piece of memory. */
const SLAB_BYTES = 256 * 1024;
/** What is longer has a piece of its own, so that little is left unused at the end of one. */
const SHARED_BYTES = 64 * 1024;
/** So many unused ones are kept; a queue that is full needs one at a time. */
const SPARE_SLABS = 8;

/** One piece of memory, with the payloads in it. */
export class Slab {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #unused: (slab: Slab) => void;
  #filled = 0;
  #payloads = 0;

  /** A piece of so many bytes; `unused` hears when nothing in it is needed any more. */
  constructor(bytes: number, unused: (slab: Slab) => void = () => {}) {
    this.#bytes = new Uint8Array(bytes);
    this.#unused = unused;
  }

  /** How many bytes are left. */
  get room(): number {
    return this.#bytes.length - this.#filled;
  }

  /** Copies a payload into it, for which there has to be room. Returns where it begins. */
  add(payload: Uint8Array): number {
    const start = this.#filled;
    this.#bytes.set(payload, start);
    this.#filled += payload.length;
    this.#payloads++;
    return start;
  }

  /** The bytes at a place. */
  view(start: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(start, start + length);
  }

  /** One of its payloads is not needed any more: its bytes may change from here on. */
  release(): void {
    this.#payloads--;
    if (this.#payloads > 0) return;
    this.#filled = 0;
    this.#unused(this);
  }
}

/**
 * Gives payloads of one kind their place: those that come together are expected to be needed for about
 * as long, since a piece is only used again as a whole.
 */
export class Slabs {
  #current: Slab | undefined;
  readonly #spare: Slab[] = [];

  /** Where a payload of this length is to be added next. */
  for(length: number): Slab {
    if (length > SHARED_BYTES) return new Slab(length);
    if (this.#current === undefined || this.#current.room < length) {
      this.#current = this.#spare.pop() ?? new Slab(SLAB_BYTES, (slab) => this.#takeBack(slab));
    }
    return this.#current;
  }

  #takeBack(slab: Slab): void {
    const isSpare = slab !== this.#current && this.#spare.length < SPARE_SLABS;
    if (isSpare) this.#spare.push(slab);
  }
}
