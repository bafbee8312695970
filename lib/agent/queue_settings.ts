/**
 * How a connection's queue behaves, and how fast its topics may be published to, from the
 * configuration.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { ConnectionConfig, PublisherTopicConfig } from "../config/config.ts";
import type { QueueLimits, QueueSettings } from "../queue/event_queue.ts";
import type { RateLimit } from "../queue/holding.ts";
import { TokenBucket } from "../queue/token_bucket.ts";

/** A queue's settings; `limits` are those of memory. */
export function queueSettings(config: ConnectionConfig, limits: QueueLimits): QueueSettings {
  return {
    limits,
    spool: config.spool === "disk"
      ? {
        limits: { messages: config.spoolMaxMessages, bytes: config.spoolMaxBytes },
        commitMs: config.spoolCommitMs,
      }
      : undefined,
    full: config.queueFull,
    maxAgeMs: config.spoolMaxAge * 1000,
    drainRate: config.drainRate,
  };
}

/** The limit of a topic; `former` goes on where it means the same. */
export function rateLimit(
  config: PublisherTopicConfig,
  clock: Clock,
  former?: { readonly config: PublisherTopicConfig; readonly limit: RateLimit | undefined },
): RateLimit | undefined {
  const { maxRate, maxBurst, overRate, qos } = config;
  if (maxRate === 0) return undefined;
  const isSame = former?.config.maxRate === maxRate && former.config.maxBurst === maxBurst &&
    former.config.overRate === overRate && former.config.qos === qos;
  if (isSame && former.limit !== undefined) return former.limit;
  return { bucket: new TokenBucket({ rate: maxRate, burst: maxBurst }, clock), over: overRate };
}
