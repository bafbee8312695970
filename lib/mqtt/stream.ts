/**
 * The byte stream to a broker: TCP, or TLS over it.
 *
 * @module
 */

import { connect } from "node:net";
import type { Duplex } from "node:stream";
import type { TlsSettings } from "../tls/settings.ts";
import { connectTls, type TlsConnection } from "../tls/stream.ts";
import type { BrokerAddress } from "./srv.ts";

/** How to reach a broker. */
export interface StreamOptions {
  /** The local address to connect from. */
  readonly bindAddress?: string | undefined;
  /** TLS, where it is asked for. */
  readonly tls?: TlsSettings | undefined;
}

/** A stream that is going to be connected, which it tells by `connect`. */
export interface BrokerStream {
  /** The stream itself. */
  readonly stream: Duplex & {
    /** Bytes written so far, those still waiting included. */
    readonly bytesWritten: number;
  };
  /** The same stream with what TLS tells of it, where that was asked for. */
  readonly tls?: TlsConnection;
}

/**
 * Starts connecting.
 *
 * @throws {TlsRefusal} if TLS cannot be had as it is asked for. It never falls back.
 */
export function openStream({ host, port }: BrokerAddress, options: StreamOptions): BrokerStream {
  const tcp = {
    host,
    port,
    // Nagle's algorithm would hold small messages back for 12 ms and more.
    noDelay: true,
    ...(options.bindAddress === undefined ? {} : { localAddress: options.bindAddress }),
  };
  if (options.tls === undefined) return { stream: connect(tcp) };
  const tls = connectTls(tcp, options.tls);
  return { stream: tls.stream, tls };
}
