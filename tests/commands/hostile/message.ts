/**
 * Messages of the tests that try to get round the policy of commands.
 *
 * @module
 */

import { sign } from "../../../lib/commands/signature.ts";
import { Secret } from "../../../lib/secret.ts";

/** The key of the topic that wants signed commands. */
export const KEY = "hostile tests have a key of 32 bytes";
/** Where the tests send commands, and where answers may go. */
export const TOPICS = {
  /** Allows `bgapi status`, and an originate to `user/1000` that runs `park`. */
  narrow: "pbx/cmd/narrow",
  /** The same, signed. */
  signed: "pbx/signed",
  /** The same, below the topic that answers go to. */
  amongReplies: "pbx/replies/cmd",
  /** Where answers may go. */
  replies: "pbx/replies",
} as const;

/** How a message comes, where that matters. */
export interface Transport {
  /** Of {@linkcode TOPICS}; the narrow one if it is left out. */
  readonly topic?: string;
  /** It is to be stored by the broker. */
  readonly retain?: true;
  /** Seconds for which it is good. */
  readonly expirySeconds?: number;
  /** Where an answer is asked for. */
  readonly responseTopic?: string;
  /** What its sender knows it by. */
  readonly correlationData?: Uint8Array;
}

/** UTF-8. */
export function text(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** JSON in UTF-8. */
export function json(value: unknown): Uint8Array {
  return text(JSON.stringify(value));
}

/** A command with its signature. */
export function signed(
  command: string,
  { topic = TOPICS.signed, key = KEY }: { topic?: string; key?: string } = {},
): Uint8Array {
  return json({ signed: command, signature: sign(command, topic, new Secret(key)) });
}

/** Bytes one after the other. */
export function joined(...parts: readonly (string | readonly number[] | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => typeof part === "string" ? [...text(part)] : [...part]),
  );
}
