/**
 * The topics that commands come from.
 *
 * @module
 */

import type { AnswerRules } from "./answers.ts";
import type { RejectionReason } from "./contract.ts";
import type { CommandLimits, Limits } from "./limits.ts";
import type { Permissions } from "./policy.ts";
import type { ScreeningRules } from "./screening.ts";

/** What the parameters of a subscriber's topic say of its commands. */
export interface TopicRules extends Permissions, ScreeningRules, Limits {
  /** Its name, for the log. */
  readonly name: string;
  /** The QoS at which messages are wanted. */
  readonly qos: 0 | 1 | 2;
  /** How long an id is remembered, in seconds. */
  readonly replayWindow: number;
  /** How long a result is waited for, in seconds. */
  readonly commandTimeout: number;
  /** Whether `accepted` is left out of the answers. */
  readonly responseFinalOnly: boolean;
}

/** A subscribed topic that commands may come from. */
export interface CommandTopic extends AnswerRules {
  /** Its parameters. */
  readonly rules: TopicRules;
  /** Tells it from every other one, over restarts too. */
  readonly key: string;
  /** The topic filter, complete. */
  readonly filter: string;
  /** FreeSWITCH's name, for answers; `null` until it is known. */
  readonly switchname: string | null;
  /** How much its commands have used of its limits. */
  readonly limits: CommandLimits;
  /** What became of its messages. */
  readonly counter: CommandCounter;
}

/** What became of the messages of a topic. */
export interface CommandCounter {
  /** Commands that FreeSWITCH took on. */
  run: number;
  /** Messages of which nothing ran, as far as is known. */
  refused: number;
  /** Of these, how many for which reason. */
  readonly refusedBy: Partial<Record<RejectionReason | "failed", number>>;
}
