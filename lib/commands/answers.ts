/**
 * Answers to commands: what they say, and where they go.
 *
 * @module
 */

import type { JobOutcome } from "../esl/jobs.ts";
import { isFailure } from "../esl/errors.ts";
import { foreignTopicFault } from "../protocol/mqtt_topics.ts";
import type { CommandState, RejectionReason, ReplyDocument } from "./contract.ts";
import type { Request } from "./request.ts";
import type { CommandMessage, Rejection } from "./screening.ts";

/** Where a topic's commands may be answered. */
export interface AnswerRules {
  /** The topic, complete, under which a sender may choose where. */
  readonly responsePrefix?: string | undefined;
  /** The topic, complete, for those who choose none. */
  readonly responsePattern?: string | undefined;
}

/** Where an answer goes; `undefined` where none is asked for; or why it must not go there. */
export type AnswerPlace = string | undefined | { readonly fault: string };

/** In UTF-16 units; what comes on top is left out. As JSON it may take six times as many bytes. */
const MAX_TEXT_LENGTH = 128 * 1024;

/**
 * Where a message is to be answered.
 *
 * @param takesCommands Whether commands are taken from a topic: an answer there would be one more.
 */
export function answerPlace(
  { responseTopic }: CommandMessage,
  { responsePrefix, responsePattern }: AnswerRules,
  takesCommands: (topic: string) => boolean,
): AnswerPlace {
  if (responseTopic === undefined) return responsePattern;
  if (responsePrefix === undefined) return responsePattern;
  const isUnder = responseTopic === responsePrefix ||
    responseTopic.startsWith(`${responsePrefix.replace(/\/$/, "")}/`);
  if (!isUnder || foreignTopicFault(responseTopic) !== undefined) {
    return { fault: `its response topic is not one under response_prefix, "${responsePrefix}"` };
  }
  return takesCommands(responseTopic)
    ? { fault: "its response topic is one that commands are taken from" }
    : responseTopic;
}

/**
 * Whether a message is answered at all. One that is no command may be an answer that came back, and
 * answering that would not end.
 */
export function asksForAnswer(message: CommandMessage, request: Request | Rejection): boolean {
  return message.responseTopic !== undefined || request.id !== undefined || !("fault" in request);
}

/** How a job ended, or that it has not within `command_timeout`. */
export type Ending = JobOutcome | { readonly kind: "timed_out" };

/** What an answer says beside whose it is. */
export type AnswerText = Omit<ReplyDocument, "id" | "switchname" | "time">;

/** The answer that nothing was begun. */
export function rejected(reason: RejectionReason): AnswerText {
  return { state: "rejected", reason };
}

/** The answer that FreeSWITCH has begun it. */
export function accepted(job: string): AnswerText {
  return { state: "accepted", job };
}

/** The answer to how a job ended. */
export function ended(outcome: Ending, job: string, isOriginate: boolean): AnswerText {
  if (outcome.kind !== "finished") return { state: outcome.kind, job };
  const state: CommandState = isFailure(outcome.text) ? "failed" : "succeeded";
  return { state, job, ...saying(outcome.text), ...causeOf(outcome.text, isOriginate) };
}

/** The answer that FreeSWITCH would not begin it. */
export function refusedByFreeswitch(text: string): AnswerText {
  return { state: "failed", ...saying(text) };
}

function saying(text: string): Pick<ReplyDocument, "text" | "truncated"> {
  if (text.length <= MAX_TEXT_LENGTH) return { text };
  return { text: text.slice(0, MAX_TEXT_LENGTH), truncated: true };
}

function causeOf(text: string, isOriginate: boolean): Pick<ReplyDocument, "cause"> {
  const [, cause] = /^-ERR ([A-Z][A-Z0-9_]+)\s*$/.exec(text) ?? [];
  return cause === undefined || !isOriginate ? {} : { cause };
}
