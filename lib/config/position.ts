/**
 * Places in configuration files, and what was found there.
 *
 * @module
 */

/** A place in a file; line and column count from 1. */
export interface Position {
  /** The file's path, as it was given or included. */
  readonly file: string;
  /** The line, from 1. */
  readonly line: number;
  /** The column in characters, from 1. */
  readonly column: number;
}

/** Something to tell about a configuration. An error keeps it from being used; a note is no trouble. */
export interface Finding {
  /** Where it is. */
  readonly at: Position;
  /** How bad it is. */
  readonly severity: "error" | "warning" | "note";
  /** A stable word for the kind of finding, such as `unknown-parameter`. */
  readonly code: string;
  /** What is wrong and what would be right, without the place. */
  readonly text: string;
}

/** A finding as one line: `file:line:column: error: text [code]`. */
export function formatFinding({ severity, text, ...rest }: Finding): string {
  return formatPlain({ ...rest, text: `${severity}: ${text}` });
}

/** A finding as a line of a log, which has a severity already: `file:line:column: text [code]`. */
export function formatPlain({ at, text, code }: Omit<Finding, "severity">): string {
  return `${at.file}:${at.line}:${at.column}: ${text} [${code}]`;
}
