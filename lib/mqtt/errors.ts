/**
 * Why a broker connection failed, in words for a person.
 *
 * @module
 */

import { tlsCause } from "../tls/causes.ts";
import type { TlsSettings } from "../tls/settings.ts";

/** The end of a connection, or of an attempt at one. */
export interface BrokerFailure {
  /** What happened, without the broker's name. */
  readonly reason: string;
  /** Whether only a person can mend it: the broker or TLS said no. */
  readonly refused: boolean;
  /** Whether fsmqtt ended it, since nothing came any more. */
  readonly silent?: boolean;
}

/**
 * CONNACK codes that the same CONNECT will get again: MQTT 3.1.1, section 3.2.2.3, and MQTT 5.0,
 * section 3.2.2.2.
 */
const REFUSALS: Readonly<Record<number, string>> = {
  1: "the broker does not speak this protocol_version",
  2: "the broker does not accept this client_id",
  4: "the broker refused username or password",
  5: "the broker does not authorise this client: check `username` and `password`",
  132: "the broker does not speak this protocol_version",
  133: "the broker does not accept this client_id",
  134: "the broker refused username or password",
  135: "the broker does not authorise this client: check `username` and `password`",
  138: "the broker has banned this client",
  140: "the broker wants another way of authentication",
  144: "the broker does not accept the topic of the will",
  149: "the broker takes no packet as long as this CONNECT",
  153: "the broker does not accept the payload of the will",
  154: "the broker does not store messages, as the will is to be",
  155: "the broker does not take the QoS of the will",
  156: "the broker says to use another server",
  157: "the broker has moved to another server",
};

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens on that port",
  ECONNRESET: "the broker reset the connection",
  EPIPE: "the broker closed the connection",
  ENOTFOUND: "the host name cannot be resolved",
  EAI_AGAIN: "the host name cannot be resolved at present",
  ETIMEDOUT: "nothing answers at that address",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the network cannot be reached",
};

/** An error of the socket or of MQTT.js, with what it may carry. */
export type ConnectionError = Error & { readonly code?: unknown; readonly syscall?: unknown };

/** What was tried, and how far it came. */
export interface Attempt {
  /** The broker's host as it was connected to. */
  readonly host: string;
  /** TLS, where it was asked for. */
  readonly tls?: TlsSettings | undefined;
  /** Whether the TCP connection was made. */
  readonly isReached: boolean;
}

/** What an error of the socket, of TLS or of MQTT.js means. */
export function describeFailure(
  error: ConnectionError,
  { host, tls, isReached }: Attempt,
): BrokerFailure {
  const cause = tls === undefined ? undefined : tlsCause(error, { host, settings: tls });
  if (cause !== undefined) return { reason: `TLS: ${cause}`, refused: true };
  const { code, message, syscall } = error;
  if (syscall === "bind") {
    return { reason: `cannot connect from bind_address: ${String(code)}`, refused: false };
  }
  if (typeof code === "number") {
    const refusal = REFUSALS[code];
    if (refusal !== undefined) return { reason: refusal, refused: true };
  }
  if (typeof code === "string") {
    if (code === "ECONNRESET" && tls !== undefined && /before secure TLS/.test(message)) {
      return {
        reason:
          "TLS: the broker hung up in the handshake: does that port speak TLS? It is often 8883",
        refused: false,
      };
    }
    const known = SYSTEM_ERRORS[code];
    if (known !== undefined) return { reason: known, refused: false };
  }
  if (message === "connack timeout") {
    const reason = isReached
      ? "the port accepts connections, but no broker answers"
      : "nothing answers at that address";
    return { reason, refused: false };
  }
  if (message === "Keepalive timeout") {
    const reason = "the broker gave no sign of life within keepalive";
    return { reason, refused: false, silent: true };
  }
  return { reason: message, refused: false };
}
