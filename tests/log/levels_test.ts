/** The severities and their names. */

import assert from "node:assert/strict";
import { keepsLevel, LOG_LEVELS, parseLogLevel } from "../../lib/log/levels.ts";

Deno.test("every level is read by its name, in any case", () => {
  assert.equal(LOG_LEVELS.length, 8);
  for (const level of LOG_LEVELS) {
    assert.equal(parseLogLevel(level), level);
    assert.equal(parseLogLevel(level.toUpperCase()), level);
  }
});

Deno.test("FreeSWITCH's short forms are read too", () => {
  assert.equal(parseLogLevel("CRIT"), "critical");
  assert.equal(parseLogLevel("err"), "error");
});

Deno.test("what is no level is none", () => {
  for (const text of ["", "warn", "information", "7", "toString", " info"]) {
    assert.equal(parseLogLevel(text), undefined, text);
  }
});

const BY_SEVERITY = [
  "console",
  "alert",
  "critical",
  "error",
  "warning",
  "notice",
  "info",
  "debug",
] as const;

Deno.test("a log keeps its own level and the more severe ones, in FreeSWITCH's order", () => {
  for (const [i, limit] of BY_SEVERITY.entries()) {
    const kept = BY_SEVERITY.filter((level) => keepsLevel(limit, level));
    assert.deepEqual(kept, BY_SEVERITY.slice(0, i + 1));
  }
});
