/**
 * Which broker a connection goes to.
 *
 * @module
 */

import type { ConnectionConfig } from "./config.ts";

/** What names the broker of a connection. */
export type BrokerAddress = Pick<ConnectionConfig, "host" | "port" | "srv"> & {
  /** Its `<tls>`. */
  readonly tls: Pick<ConnectionConfig["tls"], "enable" | "port">;
};

/** The port of the broker: that of TLS, that of the connection, or the usual one. */
export function brokerPort({ port, tls }: BrokerAddress): number {
  return tls.enable ? tls.port ?? port ?? 8883 : port ?? 1883;
}

/** The broker as text, the same for all connections to the same one: `host:port`. */
export function brokerName(connection: BrokerAddress): string {
  const host = connection.host.toLowerCase();
  if (connection.srv) return `the SRV records of ${host}`;
  return `${host.includes(":") ? `[${host}]` : host}:${brokerPort(connection)}`;
}
