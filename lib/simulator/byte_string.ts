/**
 * Byte strings: one character, 0x00 to 0xFF, for each byte. FreeSWITCH copies header bytes as they
 * come, valid UTF-8 or not, so nothing between the socket and the event may decode them.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** The bytes as a byte string. (`TextDecoder("latin1")` is windows-1252 and would change some.) */
export function byteString(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** The bytes of a byte string. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** An ordinary string as the byte string of its UTF-8. */
export function encodeText(text: string): string {
  return byteString(new TextEncoder().encode(text));
}

/** The ordinary string whose UTF-8 a byte string holds; what is no UTF-8 becomes U+FFFD. */
export function decodeText(text: string): string {
  return new TextDecoder().decode(bytesOf(text));
}
