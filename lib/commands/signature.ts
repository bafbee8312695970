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

/** Of the envelope, with room to say what is wrong in it. */
const MAX_DEPTH = 3;
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
  const { signed, signature, ...rest } = envelopeOf(text);
  if (signed === undefined || signature === undefined) return { fault: NOT_SIGNED };
  if (typeof signed !== "string") {
    return { fault: "its `signed` is no text: it is the JSON as one" };
  }
  if (typeof signature !== "string" || !SIGNATURE.test(signature)) {
    return { fault: "its `signature` is not 64 hexadecimal digits" };
  }
  if (Object.keys(rest).length > 0) {
    return { fault: "it has a field beside `signed` and `signature`: nothing would vouch for it" };
  }
  // Several such texts would be the same bytes.
  if (!signed.isWellFormed()) return { fault: "what is signed is no valid Unicode" };
  const expected = sign(signed, topic, key);
  const isValid = timingSafeEqual(
    new TextEncoder().encode(expected),
    new TextEncoder().encode(signature.toLowerCase()),
  );
  return isValid
    ? { text: signed }
    : { fault: `its signature is not valid: the key, the topic "${topic}" or the text is another` };
}

/** Whether a message is meant to be signed. */
export function isSigned(text: string): boolean {
  const { signed, signature } = envelopeOf(text);
  return signed !== undefined && signature !== undefined;
}

/** The fields of a document; none if it is no such. */
function envelopeOf(text: string): Record<string, unknown> {
  try {
    const value = parseStrictJson(text, MAX_DEPTH);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** The signature of a command for a topic, in hexadecimal digits. */
export function sign(signed: string, topic: string, key: Secret): string {
  return createHmac("sha256", key.reveal())
    .update(SIGNATURE_PREFIX + topic + "\n" + signed)
    .digest("hex");
}
