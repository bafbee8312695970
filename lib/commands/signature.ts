/**
 * Signed commands: who has the key has sent it, as it is, to this topic.
 *
 * @module
 */

import { createHmac, timingSafeEqual } from "node:crypto";
import type { Secret } from "../secret.ts";
import { SIGNATURE_PREFIX } from "./contract.ts";
import { parseStrictJson } from "./strict_json.ts";

/** The bytes of an HMAC-SHA256 in hexadecimal digits. */
const SIGNATURE = /^[0-9a-f]{64}$/i;

/** What a message should look like is no secret; whether a signature is valid says nothing more. */
const NOT_SIGNED = 'it has no signature: {"signed": "…", "signature": "…"} is wanted';

/**
 * The text of a signed command (see `contract.ts`), or why it is not to be relied on. A signature
 * is compared in a time that does not depend on where it differs.
 */
export function verifySigned(
  text: string,
  topic: string,
  key: Secret,
): { readonly text: string } | { readonly fault: string } {
  let document: unknown;
  try {
    document = parseStrictJson(text, 1);
  } catch {
    return { fault: NOT_SIGNED };
  }
  if (typeof document !== "object" || document === null) return { fault: NOT_SIGNED };
  const { signed, signature, ...rest } = document as Record<string, unknown>;
  if (typeof signed !== "string" || typeof signature !== "string") return { fault: NOT_SIGNED };
  if (Object.keys(rest).length > 0 || !SIGNATURE.test(signature)) return { fault: NOT_SIGNED };
  // Several such texts would be the same bytes.
  if (!signed.isWellFormed()) return { fault: "what is signed is no valid Unicode" };
  const expected = sign(signed, topic, key);
  const isValid = timingSafeEqual(
    new TextEncoder().encode(expected),
    new TextEncoder().encode(signature.toLowerCase()),
  );
  return isValid ? { text: signed } : { fault: "its signature is not valid" };
}

/** The signature of a command for a topic, in hexadecimal digits. */
export function sign(signed: string, topic: string, key: Secret): string {
  return createHmac("sha256", key.reveal())
    .update(SIGNATURE_PREFIX + topic + "\n" + signed)
    .digest("hex");
}
