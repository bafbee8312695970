/**
 * Collects findings while a configuration is read and checked.
 *
 * @module
 */

import type { FindingCode } from "./codes.ts";
import type { Finding, Position } from "./position.ts";

/** A list of findings that grows. */
export class Findings {
  readonly #list: Finding[] = [];

  /** Adds what keeps the configuration from being used. */
  error(at: Position, code: FindingCode, text: string): void {
    this.#list.push({ at, severity: "error", code, text });
  }

  /** Adds what should be known but stops nothing. */
  warn(at: Position, code: FindingCode, text: string): void {
    this.#list.push({ at, severity: "warning", code, text });
  }

  /** Adds what is good to know. */
  note(at: Position, code: FindingCode, text: string): void {
    this.#list.push({ at, severity: "note", code, text });
  }

  /** The first error. */
  get firstError(): Finding | undefined {
    return this.#list.find((finding) => finding.severity === "error");
  }

  /** All findings by place; files come in the order in which something was first found there. */
  sorted(): Finding[] {
    return sortFindings(this.#list);
  }
}

/** Sorts findings by place; files keep the order in which they first appear. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  const files = [...new Set(findings.map((finding) => finding.at.file))];
  return findings.toSorted(({ at: a }, { at: b }) =>
    files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column
  );
}

/** A place as text, for findings that point at another one: `file:line`. */
export function place({ file, line }: Position): string {
  return `${file}:${line}`;
}
