/**
 * Packet identifiers, the lowest ones first.
 *
 * @module
 */

/**
 * Hands out packet identifiers for MQTT.js (its `IMessageIdProvider`). They stay as low as the
 * number of packets on their way, so that a later process knows which ones a session may still hold.
 */
export class PacketIds {
  readonly #used = new Set<number>();
  #free: number[] = [];
  #next = 1;
  #last: number | null = null;

  /** An identifier that is not in use, or `null` if all are. */
  allocate(): number | null {
    const id = this.#free.pop() ?? (this.#next <= 0xffff ? this.#next++ : undefined);
    if (id === undefined) return null;
    this.#used.add(id);
    return this.#last = id;
  }

  /** The identifier handed out last. */
  getLastAllocated(): number | null {
    return this.#last;
  }

  /** Takes an identifier that a stored packet has; `false` if it is in use. */
  register(id: number): boolean {
    if (this.#used.has(id)) return false;
    while (this.#next <= id) this.#free.push(this.#next++);
    this.#free = this.#free.filter((free) => free !== id);
    this.#used.add(id);
    return true;
  }

  /** Gives an identifier back. */
  deallocate(id: number): void {
    if (this.#used.delete(id)) this.#free.push(id);
  }

  /** Gives all identifiers back. */
  clear(): void {
    this.#used.clear();
    this.#free = [];
    this.#next = 1;
  }
}
