/**
 * Runs suites.
 *
 * @module
 */

import { Figures } from "./results/figures.ts";
import { metric, type MetricName } from "./results/metrics.ts";
import { text } from "./results/numbers.ts";
import { LABELS } from "./rig/contenders.ts";
import type { Plan } from "./rig/plan.ts";
import type { Suite, Trial } from "./suites/suite.ts";

/** What is run. */
export interface Order {
  /** The suites. */
  readonly suites: readonly Suite[];
  /** How often. */
  readonly runs: number;
  /** How much. */
  readonly plan: Plan;
  /** Which trials of them. */
  readonly isWanted: (trial: Trial) => boolean;
  /** Told of each trial. */
  readonly onProgress: (line: string) => void;
}

/**
 * Runs all trials of a suite one after the other, then again: what else the machine does in that time
 * hits all of them.
 */
export async function measure(order: Order): Promise<Figures> {
  const { suites, runs, plan, isWanted, onProgress } = order;
  const figures = new Figures();
  for (const suite of suites) {
    const trials = suite.trials(plan).filter(isWanted);
    for (let run = 1; run <= runs; run++) {
      for (const trial of trials) {
        const name = `${suite.name} ${run}/${runs}  ${trial.name}  ${LABELS[trial.contender]}`;
        try {
          for (const row of await trial.run()) {
            figures.take(suite.name, trial.contender, row);
            onProgress(`${name}  ${rowText(suite, row.figures)}`);
          }
        } catch (error) {
          throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
        }
      }
    }
  }
  return figures;
}

function rowText(suite: Suite, figures: Readonly<Partial<Record<MetricName, number>>>): string {
  return suite.columns.flatMap((column) => {
    const { heading, scale = 1, digits } = metric(column);
    const value = figures[column];
    return value === undefined ? [] : `${heading} ${text(value / scale, digits)}`;
  }).join(", ");
}
