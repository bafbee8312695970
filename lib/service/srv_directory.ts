/**
 * The brokers that DNS has named for the domains of a configuration.
 *
 * @module
 */

import type { BrokerAddress, SrvResolver } from "../mqtt/srv.ts";
import { targetOf } from "../mqtt/srv.ts";
import type { SrvTargets } from "./grants.ts";

/** So many brokers of a name are known at a time, the last ones. */
const MOST_TARGETS = 64;
/** RFC 1123, with the underscore that some have; and addresses. A target of "." is none (RFC 2782). */
const HOST = /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$|^[0-9a-f:.]+$/i;

/** Looks up SRV records, and remembers where they have pointed. */
export class SrvDirectory {
  readonly #resolve: SrvResolver;
  #targets = new Map<string, readonly BrokerAddress[]>();

  /** Knows nothing yet. */
  constructor(resolve: SrvResolver) {
    this.#resolve = resolve;
  }

  /** The targets since the last look-up of all: DNS may answer with others each time. */
  get targets(): SrvTargets {
    return this.#targets;
  }

  /**
   * Asks DNS.
   *
   * @throws what the resolver throws.
   */
  async lookUp(name: string): Promise<readonly Deno.SrvRecord[]> {
    const records = (await this.#resolve(name)).filter((record) =>
      HOST.test(targetOf(record).host)
    );
    const seen = [...records.map(targetOf), ...this.#targets.get(name) ?? []];
    this.#targets.set(name, distinct(seen).slice(0, MOST_TARGETS));
    return records;
  }

  /** Asks for all of these names, and forgets all that is not in the answers. */
  async lookUpAll(names: ReadonlySet<string>): Promise<void> {
    for (const name of this.#targets.keys()) {
      if (!names.has(name)) this.#targets.delete(name);
    }
    await Promise.allSettled([...names].map(async (name) => {
      const before = this.#targets.get(name) ?? [];
      this.#targets.delete(name);
      try {
        await this.lookUp(name);
      } catch {
        // Where DNS is away, what it said last is the best that is known.
        this.#targets.set(name, before);
      }
    }));
  }
}

function distinct(targets: readonly BrokerAddress[]): BrokerAddress[] {
  return [...Map.groupBy(targets, ({ host, port }) => `${host}:${port}`).values()]
    .flatMap(([first]) => first ?? []);
}
