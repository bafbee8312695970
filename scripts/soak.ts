/**
 * Runs the long forms of the fault harness, and shows what became of the events.
 *
 * @module
 */

import { ExitCode } from "../lib/exit_code.ts";
import { type Outcome, summary } from "../tests/faults/outcome.ts";
import type { Row } from "../tests/faults/row.ts";
import { ROWS } from "../tests/faults/rows.ts";
import { Usage } from "./usage.ts";

const usage = new Usage(`deno task soak [--minutes N] [--row R]... [--seed S] [--short]

  --minutes N  how long rows 11 and 12 last (60); the other rows take what they need
  --row R      only this row; may be given again
  --seed S     where all randomness begins
  --short      the short forms, as the tests run them

Rows
${ROWS.map(({ number, title }) => `${number}`.padStart(4) + `  ${title}`).join("\n")}`);

/** The columns of the table: heading, width, and what stands there. */
const COLUMNS: readonly (readonly [string, number, (outcome: Outcome) => string])[] = [
  ["row", 4, ({ row }) => `${row}`],
  ["lane", 26, ({ lane }) => lane],
  ["fired", 10, ({ tally }) => `${tally.fired}`],
  ["received", 10, ({ tally }) => `${tally.received}`],
  ["lost", 9, ({ tally }) => `${tally.lost}`],
  ["excused", 9, ({ tally }) => `${sum(tally.excused)}`],
  ["dropped", 9, ({ books }) => `${sum(books?.dropped ?? {})}`],
  ["repeated", 10, ({ tally }) => `${tally.repeated}`],
  ["", 8, ({ failures }) => failures.length === 0 ? "ok" : "FAILED"],
];

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function table(outcomes: readonly Outcome[]): string {
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => {
      const [, width = 0] = COLUMNS[i] ?? [];
      return i === 1 || i === COLUMNS.length - 1 ? ` ${cell.padEnd(width)}` : cell.padStart(width);
    }).join("").trimEnd();
  return [
    line(COLUMNS.map(([heading]) => heading)),
    ...outcomes.map((outcome) => line(COLUMNS.map(([, , cell]) => cell(outcome)))),
  ].join("\n");
}

/** The rows of these numbers, or all. */
function chosen(wanted: readonly string[]): readonly Row[] {
  const numbers = ROWS.map((row) => row.number);
  for (const text of wanted) {
    if (numbers.includes(Number(text))) continue;
    usage.refuse(
      `There is no row ${text}; there are ${Math.min(...numbers)} to ${Math.max(...numbers)}`,
    );
  }
  return ROWS.filter((row) => wanted.length === 0 || wanted.map(Number).includes(row.number));
}

const values = usage.read({
  minutes: { type: "string", default: "60" },
  row: { type: "string", multiple: true, default: [] },
  seed: { type: "string" },
  short: { type: "boolean", default: false },
});
const minutes = usage.number(values.minutes, "minutes");
const seed = usage.seed(values.seed);
const rows = chosen(values.row);
console.log(`seed ${seed}\n`);

const outcomes: Outcome[] = [];
let failed = false;
for (const row of rows) {
  const startedAt = performance.now();
  console.log(`row ${row.number}: ${row.title}`);
  try {
    const results = await (values.short ? row.short(seed) : row.long({ seed, minutes }));
    outcomes.push(...results);
    for (const result of results) console.log(`  ${summary(result)}`);
    failed ||= results.some(({ failures }) => failures.length > 0);
  } catch (error) {
    failed = true;
    console.log(`  FAILED: ${(error as Error).message}`);
  }
  console.log(`  ${Math.round((performance.now() - startedAt) / 1000)} s\n`);
}
console.log(table(outcomes));
console.log(failed ? `\nFAILED; again with --seed ${seed}` : "\nall is well");
Deno.exit(failed ? ExitCode.FAILED : ExitCode.OK);
