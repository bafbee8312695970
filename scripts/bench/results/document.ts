/**
 * What was measured, for programs: a file that a later run can be compared with.
 *
 * @module
 */

import { spreadOf } from "../../measure/spread.ts";
import { type Figure, Figures } from "./figures.ts";
import type { Machine } from "./machine.ts";
import { metric } from "./metrics.ts";
import type { Verdict } from "./targets.ts";

/** How it was measured; figures of other settings are not compared. */
export interface Settings {
  /** The form of fsmqtt. */
  readonly form: string;
  /** How many events at full speed. */
  readonly events: number;
  /** Which part of the seconds that measurements take by themselves. */
  readonly patience: number;
}

/** Its format. */
const FORMAT = 1;

/** What a file holds. */
interface Document {
  readonly format: typeof FORMAT;
  readonly at: string;
  readonly machine: Machine;
  readonly settings: Settings;
  readonly figures: readonly Figure[];
}

/** The text of a file. */
export function documentText(
  figures: Figures,
  judged: readonly Verdict[],
  settings: Settings,
  machine: Machine,
): string {
  const rows = [...figures].map((figure) => {
    const { unit, better } = metric(figure.metric);
    return { ...figure, unit, better, ...spreadOf(figure.samples) };
  });
  const targets = judged.map(({ name, wanted, goal, measured, isMet }) => ({
    ...{ name, wanted, goal, measured, met: isMet },
  }));
  const at = new Date().toISOString();
  const whole = { format: FORMAT, at, machine, settings, figures: rows, targets };
  return `${JSON.stringify(whole, null, 1)}\n`;
}

/** What was measured earlier. */
export interface Earlier {
  /** How. */
  readonly settings: Settings;
  /** On what. */
  readonly machine: Machine;
  /** What. */
  readonly figures: Figures;
}

/**
 * Reads the text of a file.
 *
 * @throws {Error} if it is none.
 */
export function readDocument(text: string): Earlier {
  const { format, settings, machine, figures } = JSON.parse(text) as Partial<Document>;
  if (format !== FORMAT || !settings || !machine || !figures) {
    throw new Error("it holds no results of a benchmark");
  }
  return { settings, machine, figures: new Figures(figures) };
}

/** Whether two runs can be compared. */
export function isSame(a: Settings, b: Settings): boolean {
  return a.form === b.form && a.events === b.events && a.patience === b.patience;
}
