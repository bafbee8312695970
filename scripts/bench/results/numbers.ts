/**
 * Numbers for people.
 *
 * @module
 */

import { type Spread, spreadOf } from "../../measure/spread.ts";
import type { Metric } from "./metrics.ts";

/** A number with so many digits behind the point, and commas between thousands. */
export function text(value: number, digits = 0): string {
  return value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/**
 * The median of some values, with half the way from the least to the most as a share of it; nothing
 * of none.
 */
export function withSpread(samples: readonly number[], { scale = 1, digits = 0 }: Metric): string {
  const spread = spreadOf(samples);
  if (spread === undefined) return "";
  const median = text(spread.median / scale, digits);
  return spread.least === spread.most ? median : `${median} ±${halfRange(spread)}%`;
}

function halfRange({ median, least, most }: Spread): string {
  return median === 0 ? "∞" : text(50 * (most - least) / median);
}
