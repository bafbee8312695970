/**
 * What was measured, for people and for programs.
 *
 * @module
 */

import { type Form, type MissingForm, REFERENCE } from "./forms.ts";
import type { Memory } from "../measure/memory.ts";
import type { Start } from "./rig.ts";
import { type Spread, spreadOf } from "../measure/spread.ts";

/** A form, and what its starts came to. */
export interface Row {
  /** The form, or why there is none. */
  readonly form: Form | MissingForm;
  /** Starts that found nothing compiled by earlier ones. */
  readonly cold: readonly Start[];
  /** Starts that did. */
  readonly warm: readonly Start[];
}

/** What the starts of a form came to. */
interface Figures {
  readonly connackMs: Spread | undefined;
  readonly rss: Spread | undefined;
  readonly pss: Spread | undefined;
  readonly private: Spread | undefined;
}

/** The first CONNACK comes no later. */
const MOST_CONNACK_MS = 250;
/** The resident memory, as a multiple of what MQTT.js alone takes. */
const MOST_RSS_RATIO = 1.25;
const MB = 2 ** 20;

/** The columns of the table: heading, width, and what stands there. */
const COLUMNS: readonly (readonly [
  string,
  number,
  (form: Form, cold: Figures, warm: Figures, reference: number) => string,
])[] = [
  ["program", 9, ({ programBytes }) => megabytes(programBytes)],
  ["on disk", 9, ({ diskBytes }) => megabytes(diskBytes)],
  ["cold ms", 9, (_, { connackMs }) => whole(connackMs?.median)],
  ["warm ms", 9, (_, __, { connackMs }) => whole(connackMs?.median)],
  ["", 10, (_, __, { connackMs }) => range(connackMs, whole)],
  ["cold RSS", 10, (_, { rss }) => megabytes(rss?.median)],
  ["warm RSS", 10, (_, __, { rss }) => megabytes(rss?.median)],
  ["", 13, (_, __, { rss }) => range(rss, megabytes)],
  ["PSS", 8, (_, __, { pss }) => megabytes(pss?.median)],
  ["private", 9, (_, __, { private: own }) => megabytes(own?.median)],
  ["ratio", 7, (_, __, { rss }, reference) => (rss === undefined ? "" : ratio(rss, reference))],
];

/** The rows as a table, and what the targets came to. */
export function table(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ form }) => form.name.length));
  const reference = referenceRss(rows);
  const heading = COLUMNS.map(([text, width]) => text.padStart(width)).join("");
  const lines = rows.map(({ form, cold, warm }) => {
    const name = form.name.padEnd(width);
    if ("missing" in form) return `${name}  ${form.missing}`;
    const cells = COLUMNS.map(([, width, cell]) =>
      cell(form, figures(cold), figures(warm), reference).padStart(width)
    );
    return `${name}${cells.join("")}`;
  });
  return [
    `${"".padEnd(width)}${heading}`,
    ...lines,
    "",
    "MB; medians, (least-most). ms: from the start of the process to the first CONNACK. Cold: Deno",
    `has compiled nothing before. Private: written to, and nobody else's. Ratio: RSS to ${REFERENCE}.`,
    `Targets: warm within ${MOST_CONNACK_MS} ms, ratio at most ${MOST_RSS_RATIO}. ${verdict(rows)}`,
  ].join("\n");
}

/** The rows for programs: bytes and milliseconds. */
export function document(rows: readonly Row[]): unknown {
  return rows.map(({ form, cold, warm }) =>
    "missing" in form ? { name: form.name, missing: form.missing } : {
      name: form.name,
      program_bytes: form.programBytes,
      disk_bytes: form.diskBytes,
      cold: numbers(cold),
      warm: numbers(warm),
    }
  );
}

/** Which targets fsmqtt's forms miss. */
export function missed(rows: readonly Row[]): readonly string[] {
  const reference = referenceRss(rows);
  return rows.flatMap(({ form, warm }) => {
    if ("missing" in form || !form.isFsmqtt) return [];
    const { connackMs, rss } = figures(warm);
    return [
      ...(connackMs !== undefined && connackMs.median > MOST_CONNACK_MS
        ? [`${form.name}: ${whole(connackMs.median)} ms`]
        : []),
      ...(rss !== undefined && rss.median > MOST_RSS_RATIO * reference
        ? [`${form.name}: ${ratio(rss, reference)}`]
        : []),
    ];
  });
}

function verdict(rows: readonly Row[]): string {
  const faults = missed(rows);
  return faults.length === 0 ? "All are met." : `Missed: ${faults.join("; ")}.`;
}

function referenceRss(rows: readonly Row[]): number {
  const warm = rows.find(({ form }) => form.name === REFERENCE)?.warm ?? [];
  return figures(warm).rss?.median ?? NaN;
}

function figures(starts: readonly Start[]): Figures {
  const memory = (of: keyof Memory) => spreadOf(starts.map(({ memory }) => memory[of]));
  return {
    connackMs: spreadOf(starts.flatMap(({ connackMs = [] }) => connackMs)),
    rss: memory("rss"),
    pss: memory("pss"),
    private: memory("private"),
  };
}

function numbers(starts: readonly Start[]) {
  const { connackMs, rss, pss, private: own } = figures(starts);
  return { connack_ms: connackMs, rss_bytes: rss, pss_bytes: pss, private_bytes: own };
}

function whole(number: number | undefined): string {
  return number === undefined ? "" : `${Math.round(number)}`;
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? "" : (bytes / MB).toFixed(1);
}

function ratio({ median }: Spread, reference: number): string {
  return Number.isNaN(reference) ? "" : `x ${(median / reference).toFixed(2)}`;
}

function range(spread: Spread | undefined, text: (number: number) => string): string {
  return spread === undefined ? "" : `(${text(spread.least)}-${text(spread.most)})`;
}
