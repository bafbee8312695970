/**
 * What a message would do, as far as the message and its topic say: without what has come before.
 *
 * @module
 */

import { lineFault } from "../esl/line_fault.ts";
import { type AnswerPlace, answerPlace, type AnswerRules } from "./answers.ts";
import { decide, type Permissions, type Permitted } from "./policy.ts";
import type { Request } from "./request.ts";
import { type CommandMessage, type Rejection, screen, type ScreeningRules } from "./screening.ts";

/** What a message is judged by. */
export interface JudgementRules {
  /** The parameters of the topic that it came to. */
  readonly rules: Permissions & ScreeningRules;
  /** Where that topic's commands are answered. */
  readonly answers: AnswerRules;
  /** Whether commands are taken from a topic. */
  readonly takesCommands: (topic: string) => boolean;
  /** The wall clock, in milliseconds since 1970. */
  readonly now: number;
}

/** A command that may run, and what its sender says of it. */
export interface Allowed extends Permitted {
  /** What is asked for. */
  readonly request: Request;
}

/** What a message would do. */
export interface Judgement {
  /** What it asks for, as far as it was understood. */
  readonly request: Request | Rejection;
  /** Where it is answered. */
  readonly place: AnswerPlace;
  /** What may run for it, or why nothing may. */
  readonly verdict: Allowed | Rejection;
}

/** Judges a message. */
export function judge(message: CommandMessage, by: JudgementRules): Judgement {
  const place = answerPlace(message, by.answers, by.takesCommands);
  const request = screen(message, by.rules, by.now);
  if ("fault" in request) return { request, place, verdict: request };
  return { request, place, verdict: verdictOf(request, place, by.rules) };
}

function verdictOf(request: Request, place: AnswerPlace, rules: Permissions): Allowed | Rejection {
  if (typeof place === "object") return notAllowed(place.fault);
  const decision = decide(request.command, rules);
  if ("fault" in decision) return notAllowed(decision.fault);
  const headers = request.job === undefined ? [] : [`Job-UUID: ${request.job}`];
  const fault = lineFault(`bgapi ${decision.line}`, ...headers);
  return fault === undefined ? { request, ...decision } : notAllowed(`it ${fault}`);
}

function notAllowed(fault: string): Rejection {
  return { reason: "not_allowed", fault };
}
