/**
 * What was measured: of each contender, under each load, one value a run.
 *
 * @module
 */

import type { Contender } from "../rig/contenders.ts";
import type { Row } from "../suites/suite.ts";
import type { MetricName } from "./metrics.ts";

/** Where a figure belongs. */
export interface Place {
  /** The name of its suite. */
  readonly suite: string;
  /** The load. */
  readonly case: string;
  /** Who was measured. */
  readonly contender: Contender;
  /** What. */
  readonly metric: MetricName;
}

/** A figure: one value for each run, in their order. */
export interface Figure extends Place {
  /** The values. */
  readonly samples: readonly number[];
}

/** All figures, in the order in which they came. */
export class Figures {
  readonly #samples = new Map<string, { readonly place: Place; readonly samples: number[] }>();

  /** The figures, such as those of a file. */
  constructor(figures: Iterable<Figure> = []) {
    for (const { suite, case: load, contender, metric, samples } of figures) {
      for (const sample of samples) this.#add({ suite, case: load, contender, metric }, sample);
    }
  }

  /** Takes what a trial came to. */
  take(suite: string, contender: Contender, row: Row): void {
    for (const [name, sample] of Object.entries(row.figures)) {
      const metric = name as MetricName;
      this.#add({ suite, case: row.case, contender, metric }, sample);
    }
  }

  /** The values of a figure; none if it was not measured. */
  samples({ suite, case: load, contender, metric }: Place): readonly number[] {
    return this.#samples.get(keyOf({ suite, case: load, contender, metric }))?.samples ?? [];
  }

  /** All. */
  [Symbol.iterator](): IteratorObject<Figure> {
    return this.#samples.values().map(({ place, samples }) => ({ ...place, samples }));
  }

  #add(place: Place, sample: number): void {
    const key = keyOf(place);
    const known = this.#samples.get(key);
    if (known === undefined) this.#samples.set(key, { place, samples: [sample] });
    else known.samples.push(sample);
  }
}

/** How many times the second the first is, run by run, so that what the machine did hits both. */
export function ratios(first: readonly number[], second: readonly number[]): number[] {
  return first.flatMap((value, run) => {
    const other = second[run];
    return other === undefined ? [] : value / other;
  });
}

function keyOf({ suite, case: load, contender, metric }: Place): string {
  return JSON.stringify([suite, load, contender, metric]);
}
