/**
 * What was measured, for people.
 *
 * @module
 */

import { type Contender, CONTENDERS, LABELS } from "../rig/contenders.ts";
import type { Suite } from "../suites/suite.ts";
import type { Figures } from "./figures.ts";
import { metric } from "./metrics.ts";
import { withSpread } from "./numbers.ts";

/** What a column takes at least. */
const LEAST_WIDTH = 9;
const GAP = 2;

/** The table of a suite, or nothing if none of it was measured. */
export function table(suite: Suite, figures: Figures): string {
  const measured = [...figures].filter(({ suite: name }) => name === suite.name);
  if (measured.length === 0) return "";
  const cases = [...new Set(measured.map((each) => each.case))];
  const contenders = (name: string) =>
    CONTENDERS.filter((contender) =>
      measured.some((each) => each.case === name && each.contender === contender)
    );
  const cells = (name: string, contender: Contender) =>
    suite.columns.map((column) =>
      withSpread(
        figures.samples({ suite: suite.name, case: name, contender, metric: column }),
        metric(column),
      )
    );
  // One contender needs no line for itself.
  const isAlone = new Set(measured.map(({ contender }) => contender)).size === 1;
  const lines = cases.flatMap((name): string[][] =>
    isAlone ? contenders(name).map((contender) => [name, ...cells(name, contender)]) : [
      [name],
      ...contenders(name).map((contender) => [`  ${LABELS[contender]}`, ...cells(name, contender)]),
    ]
  );
  const headings = ["", ...suite.columns.map((column) => metric(column).heading)];
  return [suite.title, "", ...aligned([headings, ...lines])].join("\n");
}

/** Lines of cells as text, the first of each to the left and the others to the right. */
export function aligned(lines: readonly (readonly string[])[]): string[] {
  const columns = Math.max(...lines.map(({ length }) => length));
  const widths = Array.from({ length: columns }, (_, i) => {
    const longest = Math.max(...lines.map((line) => line.length === 1 ? 0 : line[i]?.length ?? 0));
    return i === 0 ? longest : Math.max(LEAST_WIDTH, longest) + GAP;
  });
  return lines.map((line) =>
    line.map((cell, i) => i === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[i] ?? 0))
      .join("").trimEnd()
  );
}
