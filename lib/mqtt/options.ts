/**
 * What a broker connection is made from.
 *
 * @module
 */

import type { Secret } from "../secret.ts";
import type { TlsSettings } from "../tls/settings.ts";

/** What is published when the connection ends, orderly or not. */
export interface Will {
  /** Topic name. */
  readonly topic: string;
  /** Payload. */
  readonly payload: string;
  /** Quality of Service. */
  readonly qos: 0 | 1 | 2;
  /** Whether the broker keeps it. */
  readonly retain: boolean;
}

/** Everything about one broker connection; names and defaults are those of the configuration. */
export interface BrokerOptions {
  /** Host name or address; with `srv` the name whose SRV records tell. */
  readonly host: string;
  /** TCP port. */
  readonly port: number;
  /** Local address to connect from. */
  readonly bindAddress?: string | undefined;
  /** Whether to look for the broker in DNS SRV records. */
  readonly srv: boolean;
  /** MQTT 3.1, 3.1.1 or 5. */
  readonly protocolVersion: "V31" | "V311" | "V5";
  /** Seconds; 0 is never. */
  readonly keepalive: number;
  /** User name at the broker. */
  readonly username?: string | undefined;
  /** Password at the broker. */
  readonly password?: Secret | undefined;
  /** Client id, complete. */
  readonly clientId: string;
  /** Whether the broker forgets the session between connections. */
  readonly cleanSession: boolean;
  /** QoS 1 and 2 messages on their way to the broker at once. */
  readonly sendMaximum: number;
  /** QoS 1 and 2 messages on their way from the broker at once. */
  readonly receiveMaximum: number;
  /** Attempts before the trouble is called lasting; 0 is never. */
  readonly retries: number;
  /** Seconds before the first reconnect. */
  readonly reconnectDelay: number;
  /** Longest wait between reconnects, in seconds. */
  readonly reconnectDelayMax: number;
  /** Whether the wait doubles each time. */
  readonly reconnectExponentialBackoff: boolean;
  /** TLS, where it is asked for. */
  readonly tls?: TlsSettings | undefined;
  /** The will, where there is one. */
  readonly will?: Will | undefined;
  /**
   * What announcements end with: published at an orderly end, and the will of the connection where
   * there is no other.
   */
  readonly offline?: Will | undefined;
}
