/**
 * Checksums of what is in a spool: SQLite notices a page that makes no sense, not one whose content
 * has changed.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { Delivery } from "../../mqtt/outbox.ts";
import type { Row } from "./rows.ts";

const scratch = new DataView(new ArrayBuffer(40));
const scratchBytes = new Uint8Array(scratch.buffer);

/** The CRC-32 of a row, without its delivery. */
export function rowChecksum(
  { row, offeredAt, topic, payload, qos, retain, counter }: Omit<Row, "delivery">,
): number {
  // The lengths keep a byte from moving from one field to the next unnoticed.
  const head = [row, offeredAt, payload.length, topic.length, qos * 2 + Number(retain)];
  let sum = numbersChecksum(head);
  sum = crc32(topic, sum);
  sum = crc32(counter, sum);
  return crc32(payload, sum);
}

/** The CRC-32 of a delivery that belongs to this row. */
export function deliveryChecksum(row: number, { packetId, released }: Delivery): number {
  return numbersChecksum([row, packetId, Number(released)]);
}

/** The CRC-32 of at most five numbers. */
export function numbersChecksum(numbers: readonly number[]): number {
  numbers.forEach((number, index) => scratch.setFloat64(index * 8, number));
  return crc32(scratchBytes.subarray(0, numbers.length * 8));
}
