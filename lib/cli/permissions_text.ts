/**
 * What a configuration is granted, as a person reads it.
 *
 * @module
 */

import type { Config } from "../config/config.ts";
import { type GrantKind, grantsOf, liftsConfinement, srvNames } from "../service/grants.ts";
import { table } from "./table.ts";

const KINDS: Readonly<Record<GrantKind, string>> = {
  net: "connect to",
  read: "read",
  write: "write",
  sys: "ask the system for",
  ffi: "call",
};

/** The grants of a configuration, whose paths are absolute, one a line. */
export function permissionsText(config: Config): string {
  const grants = grantsOf(config);
  const rows = grants.map(({ kind, what, why }) => [`${KINDS[kind]} ${what}`, why] as const);
  const srv = [...srvNames(config)].map((name) =>
    [`connect to what the SRV records of ${name} name`, "looked up outside"] as const
  );
  return [
    "The part of fsmqtt that touches the network may",
    ...table([...rows, ...srv]),
    liftsConfinement(grants)
      ? "OpenSSL LIFTS ALL OF THESE LIMITS: foreign code may do whatever the process may. " +
        "Without pre-shared keys, cipher lists, TLS before 1.2 and keys that only OpenSSL opens " +
        "it is not needed"
      : "and nothing else: no other address and file, no subprocess, no environment, no foreign code",
  ].join("\n");
}
