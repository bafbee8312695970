/**
 * What a row of the fault harness is.
 *
 * @module
 */

import type { Outcome } from "./outcome.ts";

/** What may be chosen for the long form of a row. */
export interface LongOptions {
  /** Where all randomness begins. */
  readonly seed: number;
  /** How long a row lasts that lasts as long as it is told to. */
  readonly minutes: number;
}

/** One row of what the delivery of events must show. */
export interface Row {
  /** Its number. */
  readonly number: number;
  /** What happens in it. */
  readonly title: string;
  /** Some seconds of it, for the tests. */
  short(seed: number): Promise<Outcome[]>;
  /** All of it. */
  long(options: LongOptions): Promise<Outcome[]>;
}
