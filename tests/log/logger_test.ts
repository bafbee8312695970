/** What a line says, and which lines there are. */

import assert from "node:assert/strict";
import { Logger, type LogSettings, printable } from "../../lib/log/logger.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { Lines } from "./helper.ts";

function logger(settings: Partial<LogSettings> = {}, scope = "") {
  const lines = new Lines();
  const all: LogSettings = { level: "debug", details: false, sinks: [lines], ...settings };
  return { log: new Logger(all, new ManualClock(), scope), lines: lines.lines, settings: all };
}

Deno.test("a line has the local time, the level and the text", () => {
  const written: string[] = [];
  const settings: LogSettings = {
    level: "debug",
    details: false,
    sinks: [{ write: (line) => written.push(line) }],
  };
  const date = new Date(2026, 0, 2, 3, 4, 5, 6);
  const clock = { now: () => 0, date: () => date, after: () => () => {} };
  new Logger(settings, clock).warning("here");
  assert.deepEqual(written, ["2026-01-02 03:04:05.006 [WARNING] here"]);
});

Deno.test("each method writes its own level", () => {
  const { log, lines } = logger();
  for (const level of ["alert", "error", "warning", "notice", "info", "debug"] as const) {
    log[level](`a ${level}`);
  }
  assert.deepEqual(lines, [
    "[ALERT] a alert",
    "[ERROR] a error",
    "[WARNING] a warning",
    "[NOTICE] a notice",
    "[INFO] a info",
    "[DEBUG] a debug",
  ]);
});

Deno.test("less severe than the log's level is not written, from the moment it is set", () => {
  const { log, lines, settings } = logger({ level: "warning" });
  log.error("1");
  log.warning("2");
  log.notice("3");
  settings.level = "notice";
  log.notice("4");
  log.info("5");
  assert.deepEqual(lines, ["[ERROR] 1", "[WARNING] 2", "[NOTICE] 4"]);
});

Deno.test("the scope stands before the text, and grows inwards", () => {
  const { log, lines } = logger();
  log.info("whole");
  log.within("profile").info("p");
  log.within("profile").within("connection").info("c");
  assert.deepEqual(lines, ["[INFO] whole", "[INFO] profile: p", "[INFO] profile/connection: c"]);
});

Deno.test("every sink gets the line; details are asked of the settings", () => {
  const [one, two] = [new Lines(), new Lines()];
  const { log, settings } = logger({ sinks: [one, two] });
  log.info("x");
  assert.deepEqual([one.lines, two.lines], [["[INFO] x"], ["[INFO] x"]]);
  assert.equal(log.details, false);
  settings.details = true;
  assert.equal(log.within("x").details, true);
});

Deno.test("a text from outside cannot forge a line, a scope neither", () => {
  const { log, lines } = logger({}, "pro\nfile");
  log.info("a\n2026-01-01 00:00:00.000 [ALERT] forged\r\x1b[2J\0\x7f\x85\u2028\u2029");
  assert.deepEqual(lines, [
    "[INFO] pro\\x0afile: a\\x0a2026-01-01 00:00:00.000 [ALERT] forged" +
    "\\x0d\\x1b[2J\\x00\\x7f\\x85\\u2028\\u2029",
  ]);
});

Deno.test("every control character becomes visible, every other character stays", () => {
  for (let code = 0; code < 0x3000; code++) {
    const character = String.fromCharCode(code);
    const hidden = code < 0x20 || (code >= 0x7f && code < 0xa0) || code === 0x61c ||
      (code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
      (code >= 0x2066 && code <= 0x2069);
    const shown = printable(character);
    if (hidden) assert.match(shown, /^\\(x[0-9a-f]{2}|u[0-9a-f]{4})$/);
    else assert.equal(shown, character);
  }
  assert.equal(printable("Zoë € 📞 \\n"), "Zoë € 📞 \\n");
});
