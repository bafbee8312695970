/**
 * What a row of the fault harness came to, in words.
 *
 * @module
 */

import type { ConnectionStatus } from "../../lib/control/status.ts";
import type { Tally } from "./ledger.ts";

/** What a lane of a row may do beside losing nothing. */
export interface Allowed {
  /**
   * Whether events may be given up: `counted` where as many are lost as the counters tell, `any`
   * where the counters do not begin before the loss.
   */
  readonly drops?: "counted" | "any";
  /** Whether what is published at QoS 2 may arrive twice. */
  readonly repeats?: boolean;
  /** Whether the books do not begin at nothing, as after a start on a filled spool. */
  readonly newBooks?: boolean;
}

/** One line of a row: what one connection of the agent delivered. */
export interface Outcome {
  /** The number of the row in the issue that asks for it. */
  readonly row: number;
  /** What tells it from the other lines of the row. */
  readonly lane: string;
  /** The comparison. */
  readonly tally: Tally;
  /** The books at the end. */
  readonly books: ConnectionStatus | undefined;
  /** What else was measured. */
  readonly notes: readonly string[];
  /** What should not be; empty if all is well. */
  readonly failures: readonly string[];
}

/** All that was given up. */
export function droppedTotal({ dropped }: ConnectionStatus): number {
  return Object.values(dropped).reduce((sum, count) => sum + count, 0);
}

/** Why the books do not balance, if they do not. */
export function imbalance(books: ConnectionStatus): string | undefined {
  const { offered, acknowledged, in_flight, queued } = books;
  const accounted = acknowledged + in_flight + queued + droppedTotal(books);
  return offered === accounted && in_flight >= 0 && queued >= 0
    ? undefined
    : `the books do not balance: ${booksText(books)}`;
}

/** What is wrong with a lane at its end. */
export function judge(
  qos: 0 | 1 | 2,
  tally: Tally,
  books: ConnectionStatus,
  allowed: Allowed,
): string[] {
  const failures: string[] = [];
  const expect = (holds: boolean, failure: string) => {
    if (!holds) failures.push(failure);
  };
  const excused = Object.values(tally.excused).reduce((sum, count) => sum + count, 0);
  const lost = tally.lost - excused;
  const dropped = droppedTotal(books);
  if (allowed.drops === "counted") {
    expect(lost === dropped, `${lost} events are lost, and ${dropped} are counted as dropped`);
  } else {
    expect(lost === 0, `${lost} events are lost`);
    const isFine = dropped === 0 || allowed.drops === "any";
    expect(isFine, `events were dropped: ${JSON.stringify(books.dropped)}`);
  }
  expect(tally.unknown === 0, `${tally.unknown} events came that were never fired`);
  if (qos !== 1 && allowed.repeats !== true) {
    expect(tally.repeated === 0, `${tally.repeated} events came again at QoS ${qos}`);
  }
  if (allowed.newBooks !== true) {
    expect(books.offered === tally.fired, `fired ${tally.fired}, but offered ${books.offered}`);
  }
  expect(books.queued === 0 && books.in_flight === 0, `not all is done: ${booksText(books)}`);
  return failures;
}

/** An outcome in one line. */
export function summary({ row, lane, tally, books, notes, failures }: Outcome): string {
  const { fired, received, lost, excused, repeated, resent, outOfOrder } = tally;
  const reasons = Object.entries(excused).map(([why, count]) => `${count} ${why}`);
  const parts = [
    `fired ${fired}`,
    `received ${received}`,
    `lost ${lost}${reasons.length === 0 ? "" : ` (${reasons.join(", ")})`}`,
    `repeated ${repeated}`,
    ...(resent === 0 ? [] : [`sent twice by the broker ${resent}`]),
    ...(outOfOrder === 0 ? [] : [`out of order ${outOfOrder}`]),
    ...(books === undefined ? [] : [booksText(books)]),
    ...notes,
    ...failures.map((failure) => `FAILED: ${failure}`),
  ];
  return `row ${row} ${lane}: ${parts.join(", ")}`;
}

function booksText(books: ConnectionStatus): string {
  const { offered, acknowledged, in_flight, queued, dropped } = books;
  const gone = Object.entries(dropped).filter(([, count]) => count > 0)
    .map(([reason, count]) => ` + dropped ${count} ${reason}`).join("");
  return `offered ${offered} = acknowledged ${acknowledged} + in flight ${in_flight}` +
    ` + queued ${queued}${gone}`;
}
