/**
 * What a PUBLISH packet of MQTT 5 carries for requests and replies beside topic and payload.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** What a sender says of its request. */
export interface RequestProperties {
  /** Where an answer is asked for (MQTT 5.0, section 3.3.2.3.5). */
  readonly responseTopic?: string;
  /** What the sender knows its request by (section 3.3.2.3.6). */
  readonly correlationData?: Uint8Array;
  /** Seconds from its arrival on for which it is good (section 3.3.2.3.3); absent: for ever. */
  readonly expirySeconds?: number;
}

/** What a reply says of itself, by MQTT.js's names. */
export interface ReplyProperties {
  /** What the sender of the request knows it by. */
  readonly correlationData?: Buffer;
  /** Seconds for which it is good. */
  readonly messageExpiryInterval?: number;
}

/** The longest binary data, in bytes (section 1.5.6). */
export const MAX_BINARY_BYTES = 65_535;

/** The longest expiry interval, in seconds. */
const MAX_EXPIRY_SECONDS = 0xffff_ffff;

/**
 * Reads what MQTT.js has parsed. Whether a response topic is one that can be published to is not
 * looked at.
 *
 * @returns `undefined` if one of them is cut short or comes twice, which MQTT.js lets through: what
 * such a message asks for, nobody can say.
 */
export function requestProperties(
  parsed: Readonly<Record<string, unknown>> = {},
): RequestProperties | undefined {
  const { responseTopic, correlationData, messageExpiryInterval: expirySeconds } = parsed;
  if (responseTopic !== undefined && typeof responseTopic !== "string") return undefined;
  if (correlationData !== undefined && !(correlationData instanceof Uint8Array)) return undefined;
  if (expirySeconds !== undefined && !isCount(expirySeconds)) return undefined;
  return {
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData }),
    ...(expirySeconds === undefined ? {} : { expirySeconds }),
  };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}

/** The properties of a reply that is good for so many ms more. */
export function replyProperties(
  correlationData: Uint8Array | undefined,
  goodForMs: number,
): ReplyProperties {
  const seconds = Math.max(1, Math.ceil(goodForMs / 1000));
  return {
    ...(correlationData === undefined ? {} : { correlationData: Buffer.from(correlationData) }),
    ...(seconds > MAX_EXPIRY_SECONDS ? {} : { messageExpiryInterval: seconds }),
  };
}

/** What the PUBLISH packet of a message takes in MQTT 5 (section 3.3), in bytes. */
export function packetSize(
  { topic, payload }: { readonly topic: string; readonly payload: Uint8Array },
  qos: number,
  { correlationData, messageExpiryInterval }: ReplyProperties = {},
): number {
  const identifier = qos > 0 ? 2 : 0;
  const properties = (correlationData === undefined ? 0 : 3 + correlationData.length) +
    (messageExpiryInterval === undefined ? 0 : 5);
  const remaining = 2 + Buffer.byteLength(topic) + identifier + lengthBytes(properties) +
    properties + payload.length;
  return 1 + lengthBytes(remaining) + remaining;
}

/** What a length takes as a variable byte integer (section 1.5.5). */
function lengthBytes(length: number): number {
  return 1 + [0x7f, 0x3fff, 0x1f_ffff].filter((most) => length > most).length;
}
