/**
 * The rows as tests.
 *
 * @module
 */

import assert from "node:assert/strict";
import { mosquittoTest } from "../support/broker.ts";
import { summary } from "./outcome.ts";
import type { Row } from "./row.ts";

/** Where the randomness of the tests begins. @default one that differs from run to run */
const SEED = Number(Deno.env.get("FSMQTT_TEST_SEED") ?? Math.floor(Math.random() * 1_000_000));

/** Declares the short form of a row as a test; a failure shows its lines and the seed. */
export function rowTest(row: Row): void {
  mosquittoTest(`row ${row.number}: ${row.title}, in short`, async () => {
    const outcomes = await row.short(SEED);
    const lines = outcomes.map(summary).join("\n");
    assert(outcomes.length > 0);
    assert(
      outcomes.every(({ failures }) => failures.length === 0),
      `FSMQTT_TEST_SEED=${SEED}\n${lines}`,
    );
  });
}
