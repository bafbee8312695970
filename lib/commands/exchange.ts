/**
 * One message and its answers.
 *
 * @module
 */

import type { EslError } from "../esl/errors.ts";
import type { Reply } from "../mqtt/replies.ts";
import {
  accepted,
  type AnswerPlace,
  type AnswerText,
  asksForAnswer,
  ended,
  type Ending,
  refusedByFreeswitch,
  rejected,
} from "./answers.ts";
import type { RejectionReason, ReplyDocument } from "./contract.ts";
import type { Permitted } from "./policy.ts";
import type { CommandRecord, RecorderDeps } from "./record.ts";
import type { Request } from "./request.ts";
import type { CommandMessage, Rejection } from "./screening.ts";
import type { CommandTopic } from "./topic.ts";

/** What an exchange speaks through. */
export interface ExchangeDeps extends RecorderDeps {
  /** Publishes an answer. */
  readonly reply: (reply: Reply) => void;
}

/** Nobody waits longer for an answer that the broker cannot take. */
const ANSWER_GOOD_FOR_MS = 300_000;

/**
 * One message on a topic of ours, from its arrival to its end: what is said of it to its sender, in
 * the counters, and to whoever writes it down.
 */
export class Exchange {
  readonly #deps: Pick<ExchangeDeps, "reply" | "clock">;
  readonly #record: CommandRecord;
  readonly #request: Request | Rejection;

  /** An exchange of which nothing was said yet. */
  constructor(
    /** The message. */
    readonly message: CommandMessage,
    /** The topic that it came to. */
    readonly topic: CommandTopic,
    /** Where it is answered. */
    readonly place: AnswerPlace,
    request: Request | Rejection,
    record: CommandRecord,
    deps: Pick<ExchangeDeps, "reply" | "clock">,
  ) {
    this.#request = request;
    this.#record = record;
    this.#deps = deps;
  }

  /** Nothing runs. */
  reject(rejection: Rejection): void {
    this.#count(rejection.reason);
    this.#record.refused(rejection);
    if (asksForAnswer(this.message, this.#request)) this.#answer(rejected(rejection.reason));
  }

  /** It is about to be handed to FreeSWITCH. */
  permitted(command: Permitted, job: string): void {
    this.#record.permitted(command, job);
  }

  /** FreeSWITCH has begun it. */
  begun(line: string, job: string): void {
    this.topic.counter.run++;
    this.#record.begun(line, job);
    if (!this.topic.rules.responseFinalOnly) this.#answer(accepted(job));
  }

  /** FreeSWITCH is done, or nobody can know. */
  ended(line: string, ending: Ending, job: string): void {
    this.#record.ended(line, job, ending);
    const isOriginate = "command" in this.#request && this.#request.command.kind === "originate";
    this.#answer(ended(ending, job, isOriginate));
  }

  /** It was not begun, or nobody can know. */
  failed(line: string, job: string, error: EslError): void {
    const { kind, message, answer } = error;
    this.#count(kind === "unreachable" ? "unavailable" : "failed");
    this.#record.failed(line, job, error);
    if (kind === "lost") this.#answer({ state: "unknown", job });
    else if (kind === "unreachable") this.#answer(rejected("unavailable"));
    else this.#answer(refusedByFreeswitch(answer ?? message));
  }

  #count(reason: RejectionReason | "failed"): void {
    const { counter } = this.topic;
    counter.refused++;
    counter.refusedBy[reason] = (counter.refusedBy[reason] ?? 0) + 1;
  }

  #answer(text: AnswerText): void {
    const { place, message, topic } = this;
    if (typeof place !== "string") return;
    const document: ReplyDocument = {
      id: this.#request.id ?? null,
      switchname: topic.switchname,
      ...text,
      time: this.#deps.clock.date().toISOString(),
    };
    const { correlationData } = message;
    this.#deps.reply({
      topic: place,
      payload: new TextEncoder().encode(JSON.stringify(document)),
      qos: topic.rules.qos === 0 ? 0 : 1,
      goodForMs: ANSWER_GOOD_FOR_MS,
      yields: text.state === "rejected",
      ...(correlationData === undefined ? {} : { correlationData }),
    });
  }
}
