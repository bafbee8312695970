/**
 * The byte stream to a broker: TCP, or TLS over it.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { join } from "node:path";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import type { TlsConfig } from "../config/config.ts";
import { RefusedSettingError } from "./errors.ts";
import type { BrokerAddress } from "./srv.ts";

/** How to reach a broker. */
export interface StreamOptions {
  /** The local address to connect from. */
  readonly bindAddress?: string | undefined;
  /** TLS, where it is asked for. */
  readonly tls?: TlsConfig | undefined;
}

/**
 * Starts connecting.
 *
 * @throws {RefusedSettingError} if TLS cannot be had as it is asked for. It never falls back.
 */
export function openStream({ host, port }: BrokerAddress, options: StreamOptions): Socket {
  const tcp = {
    host,
    port,
    // Nagle's algorithm would hold small messages back for 12 ms and more.
    noDelay: true,
    ...(options.bindAddress === undefined ? {} : { localAddress: options.bindAddress }),
  };
  if (options.tls === undefined) return connectTcp(tcp);
  const stream = connectTls({ ...tcp, ...tlsOptions(host, options.tls) });
  stream.setNoDelay(true);
  return stream;
}

/** What Deno's own TLS can do as asked. */
function tlsOptions(host: string, tls: TlsConfig): ConnectionOptions {
  if (tls.support !== "certificate") {
    throw new RefusedSettingError(
      tls.support === "psk"
        ? "TLS with a pre-shared key (support=psk) is not available in this version"
        : "TLS is enabled, but `support` does not say how",
    );
  }
  const trusted = [
    ...(tls.cafile === undefined ? [] : [readPem("cafile", tls.cafile)]),
    ...(tls.capath === undefined ? [] : readFolder(tls.capath)),
  ];
  // An empty list would mean the public authorities.
  if (trusted.length === 0) {
    throw new RefusedSettingError("neither cafile nor capath gives a certificate to verify with");
  }
  if ((tls.certfile === undefined) !== (tls.keyfile === undefined)) {
    throw new RefusedSettingError("certfile and keyfile must be given together");
  }
  const base: ConnectionOptions = {
    ca: trusted,
    minVersion: "TLSv1.2",
    rejectUnauthorized: true,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(tls.certfile === undefined ? {} : { cert: readPem("certfile", tls.certfile) }),
    ...(tls.keyfile === undefined ? {} : { key: readPem("keyfile", tls.keyfile) }),
  };
  return tls.advancedOptions ? { ...base, ...advancedOptions(tls) } : base;
}

function advancedOptions(tls: TlsConfig): ConnectionOptions {
  if (tls.optsCiphers !== undefined) {
    throw new RefusedSettingError("a cipher list (opts_ciphers) is not available in this version");
  }
  const verify = { rejectUnauthorized: tls.certReqs !== "SSL_VERIFY_NONE" };
  switch (tls.version) {
    case undefined:
      return verify;
    case "tlsv1.2":
      return { ...verify, minVersion: "TLSv1.2", maxVersion: "TLSv1.2" };
    case "tlsv1.3":
      return { ...verify, minVersion: "TLSv1.3", maxVersion: "TLSv1.3" };
    default:
      throw new RefusedSettingError(`TLS ${tls.version} is not available in this version`);
  }
}

function readPem(parameter: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new RefusedSettingError(`cannot read ${parameter} ${path}: ${(error as Error).message}`);
  }
}

function readFolder(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => readFileSync(join(path, name), "utf8"))
      .filter((pem) => pem.includes("-----BEGIN CERTIFICATE-----"));
  } catch (error) {
    throw new RefusedSettingError(`cannot read capath ${path}: ${(error as Error).message}`);
  }
}
