/**
 * What a message has to be like before it is asked what it wants: in time, signed where that is
 * wanted, and a command.
 *
 * @module
 */

import type { Secret } from "../secret.ts";
import type { RejectionReason } from "./contract.ts";
import { decodePayload, type NoCommand, parseRequest, type Request } from "./request.ts";
import { isSigned, verifySigned } from "./signature.ts";

/** A message, with what the transport knows of it. */
export interface CommandMessage {
  /** The topic that it was published to. */
  readonly topic: string;
  /** Its payload. */
  readonly payload: Uint8Array;
  /** It was stored, and comes because of a new subscription, or it was to be stored. */
  readonly retained: boolean;
  /** It came before, or may have come before. */
  readonly repeated: boolean;
  /** Where an answer is asked for. */
  readonly responseTopic?: string;
  /** What the sender knows its request by. */
  readonly correlationData?: Uint8Array;
  /** Seconds from its arrival on for which it is good. */
  readonly expirySeconds?: number;
}

/** What a subscriber topic asks of a message: its parameters of the same names. */
export interface ScreeningRules {
  /** How long it may be, in bytes. */
  readonly maxCommandBytes: number;
  /** How far its `issued_at` may lie in the past, or in the future, in seconds. */
  readonly maxCommandAge: number;
  /** Whether it needs one. */
  readonly requireIssuedAt: boolean;
  /** The key that it has to be signed with. */
  readonly hmacKey: Secret | undefined;
}

/** A message of which nothing runs. */
export interface Rejection {
  /** For the sender. */
  readonly reason: RejectionReason;
  /** For the owner alone. */
  readonly fault: string;
  /** The id that it has nevertheless. */
  readonly id?: string;
  /**
   * Whether it has to be told at all.
   * @default true
   */
  readonly isNews?: boolean;
}

/** Nobody means a time that is so far ahead. */
const LIFETIME_SECONDS = 100 * 366 * 86_400;

/** The request of a message, if it is one that can be looked at. `now` is the wall clock in ms. */
export function screen(
  message: CommandMessage,
  rules: ScreeningRules,
  now: number,
): Request | Rejection {
  const { payload, retained, repeated, expirySeconds } = message;
  if (retained) {
    return { reason: "retained", fault: "it is retained, and retained messages never run" };
  }
  // A broker takes the time away that it had the message; what has none left was late.
  if (expirySeconds === 0) return { reason: "expired", fault: "its time was over when it came" };
  if (payload.length > rules.maxCommandBytes) {
    const fault = `it is longer than max_command_bytes, ${rules.maxCommandBytes}`;
    return { reason: "too_large", fault };
  }
  const request = read(message, rules.hmacKey);
  if ("fault" in request) return request;
  // What has an id is known again by that; how long for, only what says when it was asked for tells.
  const isKnownAgain = request.id !== undefined && request.issuedAt !== undefined;
  if (repeated && !isKnownAgain) {
    const fault = "it is a repeated delivery and may have run already";
    return withId({ reason: "repeated", fault }, request);
  }
  const fault = ageFault(request, rules, now);
  return fault === undefined ? request : withId({ reason: "stale", fault }, request);
}

function read({ payload, topic }: CommandMessage, key: Secret | undefined): Request | Rejection {
  const text = decodePayload(payload);
  if (text === undefined) return { reason: "malformed", fault: "it is not valid UTF-8" };
  if (key === undefined) {
    const request = rejectFaulty(parseRequest(text));
    return "fault" in request && isSigned(text)
      ? { reason: "malformed", fault: "it is signed, and this topic has no hmac_key" }
      : request;
  }
  const verified = verifySigned(text, topic, key);
  if ("fault" in verified) return { reason: "unsigned", ...verified };
  const request = rejectFaulty(parseRequest(verified.text));
  if ("fault" in request || request.id !== undefined) return request;
  return { reason: "unsigned", fault: "what is signed has no `id`, so that it could be repeated" };
}

function rejectFaulty(request: Request | NoCommand): Request | Rejection {
  return "fault" in request ? { reason: "malformed", ...request } : request;
}

function ageFault(
  { issuedAt }: Request,
  { maxCommandAge, requireIssuedAt, hmacKey }: ScreeningRules,
  now: number,
): string | undefined {
  if (issuedAt === undefined) {
    return requireIssuedAt || hmacKey !== undefined ? "it has no `issued_at`" : undefined;
  }
  const ageSeconds = (now - issuedAt) / 1000;
  if (Math.abs(ageSeconds) <= maxCommandAge) return undefined;
  const when = `${Math.round(Math.abs(ageSeconds))} s in the ${ageSeconds > 0 ? "past" : "future"}`;
  const hint = ageSeconds < -LIFETIME_SECONDS
    ? "it is in milliseconds, and seconds are wanted"
    : "it is old, or the clocks differ";
  return `its \`issued_at\` is ${when}, more than max_command_age, ${maxCommandAge}: ${hint}`;
}

function withId(rejection: Rejection, { id }: Request): Rejection {
  return id === undefined ? rejection : { ...rejection, id };
}
