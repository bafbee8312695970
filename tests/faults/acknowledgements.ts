/**
 * Hears on the wire which events a broker acknowledged.
 *
 * @module
 */

import { type Packet, parser } from "mqtt-packet";
import type { FaultProxy } from "./proxy.ts";
import { type Place, placeOf } from "./ledger.ts";

/** What a link has told so far. */
interface Hearing {
  readonly sent: ReturnType<typeof parser>;
  readonly received: ReturnType<typeof parser>;
}

/** Tells of each event that the broker behind the proxy acknowledged. MQTT 3.1.1. */
export function hearAcknowledgements(proxy: FaultProxy, told: (place: Place) => void): void {
  const links = new WeakMap<object, Hearing>();
  // Packet identifiers outlive a link where the session does.
  const unacknowledged = new Map<number, Place>();
  const hear = (): Hearing => {
    const [sent, received] = [parser(), parser()];
    sent.on("packet", (packet: Packet) => {
      if (packet.cmd !== "publish" || packet.messageId === undefined) return;
      const payload = packet.payload as Uint8Array;
      unacknowledged.set(packet.messageId, placeOf(payload));
    });
    received.on("packet", (packet: Packet) => {
      if (packet.cmd !== "puback" && packet.cmd !== "pubrec") return;
      const place = unacknowledged.get(packet.messageId ?? 0);
      if (place !== undefined) told(place);
    });
    return { sent, received };
  };
  proxy.watch = (link, direction, chunk) => {
    const hearing = links.get(link) ?? hear();
    links.set(link, hearing);
    hearing[direction].parse(chunk as never);
  };
}
