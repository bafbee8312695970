/** Log files: made, appended to, rotated, and not writable. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { Logs } from "../../lib/log/logs.ts";
import { FileSink } from "../../lib/log/sink.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { Lines, linesOf, logTo, temporaryFolder } from "./helper.ts";

function logsTo(dir: string, file?: string) {
  const console = new Lines();
  const whole = logTo(dir, file === undefined ? {} : { file });
  const logs = new Logs({ whole, profiles: new Map() }, new ManualClock(), console);
  return { logs, console: console.lines, [Symbol.dispose]: () => logs.reopen() };
}

Deno.test("a file is made with its folders at the first line, not before", async () => {
  await using folder = await temporaryFolder();
  using own = logsTo(join(folder.path, "a", "b"));
  assert.deepEqual(await Array.fromAsync(Deno.readDir(folder.path)), []);
  own.logs.whole.info("Zoë");
  assert.deepEqual(linesOf(join(folder.path, "a", "b", "fsmqtt.log")), ["[INFO] Zoë"]);
  assert.deepEqual(own.console, ["[INFO] Zoë"]);
});

Deno.test("a file is appended to, and not readable by everybody", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "fsmqtt.log");
  for (const text of ["first", "second"]) {
    using own = logsTo(folder.path);
    own.logs.whole.info(text);
  }
  assert.deepEqual(linesOf(path), ["[INFO] first", "[INFO] second"]);
  assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o007, 0);
});

Deno.test("a whole path as the file's name ignores the folder", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "elsewhere.log");
  using own = logsTo("/nowhere/at/all", path);
  own.logs.whole.info("x");
  assert.deepEqual(linesOf(path), ["[INFO] x"]);
});

Deno.test("rotated: until it is told, lines follow the renamed file; then a new one begins", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "fsmqtt.log");
  using own = logsTo(folder.path);
  own.logs.whole.info("1");
  await Deno.rename(path, `${path}.1`);
  own.logs.whole.info("2");
  own.logs.reopen();
  own.logs.whole.info("3");
  assert.deepEqual(linesOf(`${path}.1`), ["[INFO] 1", "[INFO] 2"]);
  assert.deepEqual(linesOf(path), ["[INFO] 3"]);
});

Deno.test("a file that cannot be written is said once to the console, and nothing throws", async () => {
  await using folder = await temporaryFolder();
  // A folder of that name: not even root can write to it.
  const path = join(folder.path, "fsmqtt.log");
  await Deno.mkdir(path);
  using own = logsTo(folder.path);
  own.logs.whole.info("1");
  own.logs.whole.info("2");
  own.logs.reopen();
  own.logs.whole.info("3");
  const complaints = own.console.filter((line) =>
    line.includes(`Cannot write the log file ${path}`)
  );
  assert.equal(complaints.length, 1);
  assert.match(complaints[0] ?? "", /^\[WARNING\] /);
  assert.deepEqual(own.console.filter((line) => line.startsWith("[INFO]")), [
    "[INFO] 1",
    "[INFO] 2",
    "[INFO] 3",
  ]);
});

Deno.test("when it can be written again that is said once, and a new failure is said again", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "fsmqtt.log");
  const complaints: string[] = [];
  const sink = new FileSink(path, (text) => complaints.push(text));
  const said = () => complaints.splice(0).map((text) => text.replace(/:.*/, ""));
  await Deno.mkdir(path);
  sink.write("1");
  sink.write("2");
  assert.deepEqual(said(), [`Cannot write the log file ${path}`]);
  await Deno.remove(path);
  sink.write("3");
  sink.write("4");
  assert.deepEqual(said(), [`The log file ${path} can be written again`]);
  sink.close();
  assert.deepEqual(linesOf(path), ["3", "4"]);
  await Deno.remove(path);
  await Deno.mkdir(path);
  sink.write("5");
  assert.deepEqual(said(), [`Cannot write the log file ${path}`]);
});

Deno.test("a disk that is full costs the line and nothing else", () => {
  const complaints: string[] = [];
  const sink = new FileSink("/dev/full", (text) => complaints.push(text));
  sink.write("1");
  sink.write("2");
  sink.close();
  assert.equal(complaints.length, 1);
  assert.match(complaints[0] ?? "", /No space left/);
});

Deno.test("closed twice, or before it was opened, a file is just closed", async () => {
  await using folder = await temporaryFolder();
  const sink = new FileSink(join(folder.path, "x.log"), assert.fail);
  sink.close();
  sink.write("1");
  sink.close();
  sink.close();
  sink.write("2");
  sink.close();
  assert.deepEqual(linesOf(sink.path), ["1", "2"]);
});
