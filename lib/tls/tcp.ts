/**
 * The TCP connection under a TLS stream.
 *
 * @module
 */

/** How to connect by TCP. */
export interface TcpOptions {
  /** Host name or address. */
  readonly host: string;
  /** Port. */
  readonly port: number;
  /** Whether small writes are sent at once. */
  readonly noDelay: boolean;
  /** The local address to connect from. */
  readonly localAddress?: string;
}
