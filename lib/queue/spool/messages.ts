/**
 * What the agent and the worker that keeps the spools say to each other.
 *
 * @module
 */

import type { PackedBatch, PackedRows } from "./packed_rows.ts";
import type { Amount, Contents, Damage } from "./rows.ts";

/** What the agent asks for. Each is answered once, in the order of asking. */
export type SpoolRequest =
  | { readonly kind: "open"; readonly spool: number; readonly path: string }
  | {
    readonly kind: "write";
    readonly spool: number;
    readonly batch: PackedBatch;
    readonly durable: boolean;
  }
  | {
    readonly kind: "read";
    readonly spool: number;
    readonly after: number;
    readonly limit: Amount;
  }
  | { readonly kind: "close"; readonly spool: number };

/** What a spool holds, packed. */
export interface PackedContents extends Omit<Contents, "deliveries"> {
  /** The rows whose delivery has begun. */
  readonly deliveries: PackedRows;
}

/** Damage that was found while something was done. */
export interface DamageFound {
  /** What became of the file. */
  readonly damage: Damage;
  /** What the new file held, before what was asked for was done. */
  readonly contents: PackedContents;
}

/** What came of a request; an error is the text of a `SpoolError`. */
export type SpoolResult =
  | { readonly kind: "failed"; readonly error: string }
  | {
    readonly kind: "opened";
    readonly contents: PackedContents;
    readonly damage: Damage | undefined;
  }
  /** For each of the changes its error, or `undefined` if it is on disk. */
  | { readonly kind: "written"; readonly errors: readonly (string | undefined)[] }
  | { readonly kind: "rows"; readonly rows: PackedRows }
  | { readonly kind: "closed" };

/** An answer. */
export type SpoolAnswer = SpoolResult & {
  /** Whose it is. */
  readonly spool: number;
  /** Damage that was found on the way, in its order. */
  readonly found: readonly DamageFound[];
};
