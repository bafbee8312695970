/**
 * Runs the long forms of the fault harness, and shows what became of the events.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { ExitCode } from "../lib/exit_code.ts";
import { type Outcome, summary } from "../tests/faults/outcome.ts";
import type { Row } from "../tests/faults/row.ts";
import { ROWS } from "../tests/faults/rows.ts";

const USAGE = `deno task soak [--minutes N] [--row R]... [--seed S] [--short]

  --minutes N  how long the load of row 11 lasts (60); the other rows take what they need
  --row R      only this row; may be given again
  --seed S     where all randomness begins
  --short      the short forms, as the tests run them

Rows
${ROWS.map(({ number, title }) => `${number}`.padStart(4) + `  ${title}`).join("\n")}`;

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

function options() {
  try {
    return parseArgs({
      options: {
        minutes: { type: "string", default: "60" },
        row: { type: "string", multiple: true, default: [] },
        seed: { type: "string" },
        short: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    // Node's advice for a value that begins with a dash helps nobody here: no number may.
    const [why = ""] = (error as Error).message.split("\n");
    return refuse(why.replace("argument is ambiguous.", "needs a number above 0"));
  }
}

function number(text: string, name: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  return refuse(`--${name} needs a number above 0, not "${text}"`);
}

/** The rows of these numbers, or all. */
function chosen(wanted: readonly string[]): readonly Row[] {
  const numbers = ROWS.map((row) => row.number);
  for (const text of wanted) {
    if (numbers.includes(Number(text))) continue;
    refuse(`There is no row ${text}; there are ${Math.min(...numbers)} to ${Math.max(...numbers)}`);
  }
  return ROWS.filter((row) => wanted.length === 0 || wanted.map(Number).includes(row.number));
}

function refuse(why: string): never {
  console.error(`${why}\n\n${USAGE}`);
  Deno.exit(ExitCode.USAGE);
}

const values = options();
if (values.help) {
  console.log(USAGE);
  Deno.exit(ExitCode.OK);
}
const minutes = number(values.minutes, "minutes");
const seed = values.seed === undefined
  ? 1 + Math.floor(Math.random() * 1_000_000)
  : number(values.seed, "seed");
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
