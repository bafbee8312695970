/**
 * What a configuration needs to be granted: the network that the agent reaches and the files that it
 * touches, and nothing else.
 *
 * @module
 */

import { resolve } from "node:path";
import { logsOptions } from "../agent/logs_options.ts";
import { auditFiles } from "../commands/audit.ts";
import { brokerPort } from "../config/broker.ts";
import type { Config, ConnectionConfig } from "../config/config.ts";
import { logPath } from "../log/logs.ts";
import { type BrokerAddress, srvName } from "../mqtt/srv.ts";
import { keyNeedsOpenSsl } from "../tls/private_key.ts";
import { needsOpenSsl } from "../tls/settings.ts";

/** The kinds of permission that an agent may need; none else is ever granted. */
export type GrantKind = "net" | "read" | "write" | "sys" | "ffi";

/** One thing that is granted. */
export interface Grant {
  /** The kind of permission. */
  readonly kind: GrantKind;
  /** `host:port`, a path, or the name of what is asked of the system. */
  readonly what: string;
  /** Who needs it, in words. */
  readonly why: string;
}

/** Where the brokers are that SRV records name, by the name of the records. */
export type SrvTargets = ReadonlyMap<string, readonly BrokerAddress[]>;

/** What foreign code is granted for; with it, nothing confines the process any more. */
const OPENSSL = "OpenSSL";

/**
 * What an agent needs for a configuration, whose paths are absolute (`withPaths`). What it does not
 * name is not granted: other addresses, subprocesses, the environment.
 */
export function grantsOf(config: Config, srv: SrvTargets = new Map()): Grant[] {
  const { settings, profiles } = config;
  const { eslHost, eslPort, stateDir = "", auditLog } = settings;
  const grants: Grant[] = [
    { kind: "net", what: addressOf({ host: eslHost, port: eslPort }), why: "FreeSWITCH" },
    ...bothWays(stateDir, "state folder, with the spools"),
    ...(auditLog === undefined ? [] : auditFiles(auditLog))
      .flatMap((path) => bothWays(path, "audit log")),
    ...logGrants(config),
    // Room on the disk of the spools.
    { kind: "sys", what: "statfs", why: "room for the spools" },
  ];
  for (const profile of profiles) {
    for (const connection of profile.connections) {
      const why = `connection ${profile.name}/${connection.name}`;
      grants.push(...connectionGrants(connection, srv).map((grant) => ({ ...grant, why })));
    }
  }
  return distinct(grants);
}

function bothWays(what: string, why: string): Grant[] {
  return [{ kind: "read", what, why }, { kind: "write", what, why }];
}

function logGrants(config: Config): Grant[] {
  const { whole, profiles } = logsOptions(config);
  return [whole, ...profiles.values()].filter(({ enable }) => enable)
    .map((options) => ({ kind: "write", what: logPath(options), why: "log" }));
}

function connectionGrants(
  connection: ConnectionConfig,
  srv: SrvTargets,
): Omit<Grant, "why">[] {
  const { host, tls, bindAddress } = connection;
  const brokers = connection.srv
    ? srv.get(srvName(host, tls.enable)) ?? []
    : [{ host, port: brokerPort(connection) }];
  const files = [tls.cafile, tls.capath, tls.certfile, tls.keyfile]
    .filter((path) => path !== undefined).map((path) => resolve(path));
  return [
    ...brokers.map((broker) => ({ kind: "net", what: addressOf(broker) } as const)),
    // To come from an address is no more than to listen on no port of it.
    ...(bindAddress === undefined
      ? []
      : [{ kind: "net", what: addressOf({ host: bindAddress, port: 0 }) } as const]),
    ...(tls.enable ? files : []).map((what) => ({ kind: "read", what } as const)),
    ...(tls.enable && usesOpenSsl(tls) ? [{ kind: "ffi", what: OPENSSL } as const] : []),
  ];
}

function usesOpenSsl(tls: ConnectionConfig["tls"]): boolean {
  return needsOpenSsl(tls) !== undefined ||
    tls.keyfile !== undefined && keyNeedsOpenSsl(tls.keyfile);
}

/** `host:port`, as permissions have it. */
export function addressOf({ host, port }: BrokerAddress): string {
  const name = host.toLowerCase();
  return `${name.includes(":") ? `[${name}]` : name}:${port}`;
}

/** Each thing once, with all who need it. */
function distinct(grants: readonly Grant[]): Grant[] {
  const byThing = Map.groupBy(grants, keyOf);
  return [...byThing.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    return [{ ...first, why: [...new Set(same.map(({ why }) => why))].join(", ") }];
  });
}

function keyOf({ kind, what }: Grant): string {
  return `${kind} ${what}`;
}

/** The grants of `wanted` that are not among those of `held`. */
export function missingGrants(held: readonly Grant[], wanted: readonly Grant[]): Grant[] {
  const keys = new Set(held.map(keyOf));
  return wanted.filter((grant) => !keys.has(keyOf(grant)));
}

/**
 * Whether to give up the one would touch the other: Deno takes with a path all that it lies in.
 */
export function overlaps(one: Grant, other: Grant): boolean {
  if (one.kind !== other.kind) return false;
  const [a, b] = [one, other].map(({ what }) => what.endsWith("/") ? what : `${what}/`);
  return a !== undefined && b !== undefined && (a.startsWith(b) || b.startsWith(a));
}

/** The grants as a worker's permissions. Whatever they do not name is refused. */
export function permissionsOf(grants: readonly Grant[]): Deno.PermissionOptionsObject {
  const of = (kind: GrantKind) =>
    grants.filter((grant) => grant.kind === kind).map(({ what }) => what);
  return {
    net: of("net"),
    read: of("read"),
    write: of("write"),
    sys: of("sys") as Deno.PermissionOptionsObject["sys"] & string[],
    // A grant for OpenSSL's two libraries alone would not do: callbacks and pointers need the whole.
    ffi: of("ffi").length > 0,
    env: false,
    run: false,
    import: false,
  };
}

/** The names of the SRV records that a configuration asks for. */
export function srvNames({ profiles }: Config): Set<string> {
  const connections = profiles.flatMap(({ connections }) => connections);
  return new Set(
    connections.filter(({ srv }) => srv).map(({ host, tls }) => srvName(host, tls.enable)),
  );
}

/** Whether nothing confines an agent of these grants, since foreign code can do anything. */
export function liftsConfinement(grants: readonly Grant[]): boolean {
  return grants.some(({ kind }) => kind === "ffi");
}

/** What the thread needs that keeps the spools. */
export function spoolPermissions({ settings }: Config): Deno.PermissionOptionsObject {
  const { stateDir = "" } = settings;
  return permissionsOf([
    ...bothWays(stateDir, "spools"),
    { kind: "sys", what: "statfs", why: "room for the spools" },
  ]);
}
