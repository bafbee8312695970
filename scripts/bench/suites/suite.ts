/**
 * What a set of measurements is.
 *
 * @module
 */

import type { MetricName } from "../results/metrics.ts";
import type { Contender } from "../rig/contenders.ts";
import type { Plan } from "../rig/plan.ts";

/** Figures of one kind of load. */
export interface Row {
  /** The load. */
  readonly case: string;
  /** What came of it. */
  readonly figures: Readonly<Partial<Record<MetricName, number>>>;
}

/** What is done with one contender, again in each run. */
export interface Trial {
  /** The loads, or one that stands for all. */
  readonly name: string;
  /** Who is measured. */
  readonly contender: Contender;
  /** Measures. */
  run(): Promise<readonly Row[]>;
}

/** A set of measurements, which makes one table. */
export interface Suite {
  /** Its name on the command line and in the JSON. */
  readonly name: string;
  /** What stands above its table. */
  readonly title: string;
  /** The columns of its table. */
  readonly columns: readonly MetricName[];
  /** What is done in each run, in this order. */
  trials(plan: Plan): readonly Trial[];
}
