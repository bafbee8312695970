/**
 * How much the commands of a topic may do, however much they are permitted.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { TokenBucket } from "../queue/token_bucket.ts";
import type { RejectionReason } from "./contract.ts";

/** The limits of a topic. */
export interface Limits {
  /** Commands a minute; 0 is no limit. */
  readonly rateLimit: number;
  /** Commands at once before that counts. */
  readonly rateBurst?: number | undefined;
  /** Commands under way at once. */
  readonly maxConcurrent: number;
  /** Calls within 24 hours; 0 is no limit. */
  readonly maxCallsPerDay: number;
}

/** A limit that is reached. */
export interface LimitReached {
  /** For the sender. */
  readonly reason: Extract<RejectionReason, "rate_limited" | "busy" | "call_limit">;
  /** For the log. */
  readonly fault: string;
  /** Whether it was not reached for a while before. */
  readonly isNews: boolean;
}

/** A limit that was not reached for so long is news again. */
const NEWS_AFTER_MS = 60_000;

/** Keeps the limits of one topic. */
export class CommandLimits {
  readonly #clock: Pick<Clock, "now">;
  #limits: Limits;
  #bucket: TokenBucket | undefined;
  #running = 0;
  readonly #reachedAt = new Map<string, number>();

  /** Limits that nothing has used yet. */
  constructor(limits: Limits, clock: Pick<Clock, "now">) {
    this.#limits = limits;
    this.#clock = clock;
    this.#bucket = this.#newBucket();
  }

  /** Commands under way. */
  get running(): number {
    return this.#running;
  }

  /** Takes other limits; what is under way counts on. */
  configure(limits: Limits): void {
    const { rateLimit, rateBurst } = this.#limits;
    this.#limits = limits;
    if (rateLimit === limits.rateLimit && rateBurst === limits.rateBurst) return;
    this.#bucket = this.#newBucket();
  }

  /**
   * The limit that keeps a command from running now, if one does.
   *
   * @param callsInADay How many calls the topic has started within 24 hours, if this one would be
   * another.
   */
  reached(callsInADay: number | undefined): LimitReached | undefined {
    const { rateLimit, maxConcurrent, maxCallsPerDay } = this.#limits;
    if (maxCallsPerDay > 0 && callsInADay !== undefined && callsInADay >= maxCallsPerDay) {
      return this.#tell("call_limit", `max_calls_per_day of ${maxCallsPerDay} is reached`);
    }
    if (this.#running >= maxConcurrent) {
      return this.#tell("busy", `max_concurrent of ${maxConcurrent} is reached`);
    }
    if (this.#bucket !== undefined && this.#bucket.waitMs > 0) {
      return this.#tell("rate_limited", `rate_limit of ${rateLimit} a minute is reached`);
    }
    return undefined;
  }

  /** A command begins. To be called where no limit is reached. */
  begin(): void {
    this.#running++;
    this.#bucket?.take();
  }

  /** A command has ended. */
  end(): void {
    this.#running--;
  }

  #tell(reason: LimitReached["reason"], fault: string): LimitReached {
    const now = this.#clock.now();
    const before = this.#reachedAt.get(reason);
    this.#reachedAt.set(reason, now);
    return { reason, fault, isNews: before === undefined || now - before > NEWS_AFTER_MS };
  }

  #newBucket(): TokenBucket | undefined {
    const { rateLimit, rateBurst } = this.#limits;
    if (rateLimit === 0) return undefined;
    return new TokenBucket({ rate: rateLimit / 60, burst: rateBurst ?? rateLimit }, this.#clock);
  }
}
