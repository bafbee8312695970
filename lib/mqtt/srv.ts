/**
 * Finds a broker by DNS SRV records (RFC 2782).
 *
 * @module
 */

/** Where a broker listens. */
export interface BrokerAddress {
  /** Host name or address. */
  readonly host: string;
  /** TCP port. */
  readonly port: number;
}

/** Asks DNS; `Deno.resolveDns` outside tests. */
export type SrvResolver = (name: string) => Promise<readonly Deno.SrvRecord[]>;

/** Asks DNS. */
export const resolveByDns: SrvResolver = (name: string): Promise<Deno.SrvRecord[]> =>
  Deno.resolveDns(name, "SRV");

/** The name whose SRV records say where the brokers of a domain are: libmosquitto's service names. */
export function srvName(domain: string, tls: boolean): string {
  return `${tls ? "_secure-mqtt" : "_mqtt"}._tcp.${domain}`;
}

/** Where an SRV record points. */
export function targetOf({ target, port }: Deno.SrvRecord): BrokerAddress {
  return { host: target.replace(/\.$/, ""), port };
}

/**
 * The brokers that the SRV records of a domain name, in the order in which to try them: by
 * priority, and among equals at random by weight.
 *
 * @throws if DNS knows no such records.
 */
export async function resolveBrokers(
  domain: string,
  options: { tls: boolean; random?: () => number; resolve?: SrvResolver },
): Promise<BrokerAddress[]> {
  const { tls, random = Math.random, resolve = resolveByDns } = options;
  const name = srvName(domain, tls);
  let records: readonly Deno.SrvRecord[];
  try {
    records = await resolve(name);
  } catch (error) {
    throw new Error(`no SRV record of ${name} was found: ${(error as Error).message}`);
  }
  // RFC 2782: a target of "." says that the service is not offered.
  const offered = records.filter(({ target }) => target !== "." && target !== "");
  if (offered.length === 0) throw new Error(`the SRV records of ${name} offer no broker`);
  return inOrder(offered, random).map(targetOf);
}

function inOrder(records: readonly Deno.SrvRecord[], random: () => number): Deno.SrvRecord[] {
  const ordered: Deno.SrvRecord[] = [];
  const priorities = [...new Set(records.map(({ priority }) => priority))].sort((a, b) => a - b);
  for (const priority of priorities) {
    const equals = records.filter((record) => record.priority === priority);
    while (equals.length > 0) {
      const total = equals.reduce((sum, { weight }) => sum + weight, 0);
      let left = random() * total;
      const picked = equals.findIndex(({ weight }) => (left -= weight) <= 0);
      ordered.push(...equals.splice(Math.max(picked, 0), 1));
    }
  }
  return ordered;
}
