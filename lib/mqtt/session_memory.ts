/**
 * What MQTT remembers between the connections of one session.
 *
 * @module
 */

import { type Clock, systemClock } from "../clock.ts";
import { DeliveryMemory } from "./deliveries.ts";
import { InFlightStore } from "./in_flight.ts";
import { IncomingStore } from "./incoming.ts";
import type { BrokerOptions } from "./options.ts";
import type { Outbox } from "./outbox.ts";

/** The memory of one session: it outlives the connections, and whoever makes them. */
export class SessionMemory {
  /** Messages on their way to the broker. */
  readonly outgoing: InFlightStore;
  /** QoS 2 messages from the broker that it has not released yet. */
  readonly incoming: IncomingStore;
  /** QoS 1 deliveries of the broker. */
  readonly deliveries = new DeliveryMemory();
  /** Whether it has seen the session that the broker may resume. */
  isSessionKnown = false;
  readonly #identity: string | undefined;

  /** The memory of the session that a connection of these options has. */
  constructor(options: BrokerOptions, outbox: Outbox, clock: Clock = systemClock) {
    this.#identity = sessionIdentity(options);
    this.incoming = new IncomingStore(clock);
    this.outgoing = new InFlightStore(outbox, { remembers: this.#identity !== undefined });
  }

  /** Whether a connection of these options has the same session. */
  serves(options: BrokerOptions): boolean {
    return this.#identity !== undefined && this.#identity === sessionIdentity(options);
  }
}

/** Tells a session from others; `undefined` for one that ends with its connection. */
export function sessionIdentity(options: BrokerOptions): string | undefined {
  const { cleanSession, host, port, srv, clientId, protocolVersion } = options;
  if (cleanSession) return undefined;
  return `${protocolVersion} ${clientId} at ${host}${srv ? " (srv)" : `:${port}`}`;
}
