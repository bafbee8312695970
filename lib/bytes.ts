/**
 * Bytes among others.
 *
 * @module
 */

/** Whether these bytes stand at a place of others. */
export function holdsAt(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}
