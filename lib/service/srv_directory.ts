/**
 * The brokers that DNS has named for the domains of a configuration.
 *
 * @module
 */

import type { BrokerAddress, SrvResolver } from "../mqtt/srv.ts";
import { targetOf } from "../mqtt/srv.ts";
import type { SrvTargets } from "./grants.ts";

/** A name that has more brokers in the time of one configuration is not one of brokers. */
const MOST_TARGETS = 64;

/** Looks up SRV records, and remembers where they have pointed. */
export class SrvDirectory {
  readonly #resolve: SrvResolver;
  #targets = new Map<string, readonly BrokerAddress[]>();

  /** Knows nothing yet. */
  constructor(resolve: SrvResolver) {
    this.#resolve = resolve;
  }

  /** All targets that were seen: DNS may answer with others each time. */
  get targets(): SrvTargets {
    return this.#targets;
  }

  /**
   * Asks DNS.
   *
   * @throws what the resolver throws.
   */
  async lookUp(name: string): Promise<readonly Deno.SrvRecord[]> {
    const records = await this.#resolve(name);
    const known = this.#targets.get(name) ?? [];
    const isKnown = (target: BrokerAddress) =>
      known.some(({ host, port }) => host === target.host && port === target.port);
    const added = records.map(targetOf).filter((target) => !isKnown(target));
    if (known.length + added.length <= MOST_TARGETS) {
      this.#targets.set(name, [...known, ...added]);
    }
    return records;
  }

  /** Asks for all of these names, and forgets all others; what DNS does not know stays unknown. */
  async lookUpAll(names: ReadonlySet<string>): Promise<void> {
    for (const name of this.#targets.keys()) {
      if (!names.has(name)) this.#targets.delete(name);
    }
    await Promise.allSettled([...names].map((name) => this.lookUp(name)));
  }
}
