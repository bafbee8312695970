/** The whole's log and the profiles', and how they are changed while they run. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { type LogOptions, Logs } from "../../lib/log/logs.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { Lines, linesOf, logTo, temporaryFolder } from "./helper.ts";

function start(whole: LogOptions, profiles: Readonly<Record<string, LogOptions>> = {}) {
  const console = new Lines();
  const options = (to: LogOptions, of: Readonly<Record<string, LogOptions>>) => ({
    whole: to,
    profiles: new Map(Object.entries(of)),
  });
  const logs = new Logs(options(whole, profiles), new ManualClock(), console);
  return {
    logs,
    console: console.lines,
    configure: (to: LogOptions, of: Readonly<Record<string, LogOptions>> = {}) =>
      logs.configure(options(to, of)),
    [Symbol.dispose]: () => logs.reopen(),
  };
}

Deno.test("a profile's lines go to the console, to the whole's file and to its own", async () => {
  await using folder = await temporaryFolder();
  const dir = folder.path;
  using own = start(logTo(dir), {
    a: logTo(dir, { file: "a.log" }),
    b: logTo(dir, { file: "b.log" }),
  });
  own.logs.whole.info("0");
  own.logs.profile("a").info("1");
  own.logs.profile("b").within("broker").info("2");
  const all = ["[INFO] 0", "[INFO] a: 1", "[INFO] b/broker: 2"];
  assert.deepEqual(own.console, all);
  assert.deepEqual(linesOf(join(dir, "fsmqtt.log")), all);
  assert.deepEqual(linesOf(join(dir, "a.log")), ["[INFO] a: 1"]);
  assert.deepEqual(linesOf(join(dir, "b.log")), ["[INFO] b/broker: 2"]);
});

Deno.test("a profile's own level holds for the profile, wherever its lines go", async () => {
  await using folder = await temporaryFolder();
  using own = start(logTo(folder.path, { level: "warning" }), {
    loud: logTo(folder.path, { level: "debug", enable: false }),
    quiet: logTo(folder.path, { level: "error", enable: false }),
  });
  own.logs.whole.info("no");
  own.logs.profile("loud").debug("yes");
  own.logs.profile("quiet").warning("no");
  own.logs.profile("quiet").error("yes");
  const lines = ["[DEBUG] loud: yes", "[ERROR] quiet: yes"];
  assert.deepEqual(own.console, lines);
  assert.deepEqual(linesOf(join(folder.path, "fsmqtt.log")), lines);
});

Deno.test("without files the console has everything", () => {
  using own = start(logTo("/nowhere", { enable: false }), {
    a: logTo("/nowhere", { enable: false }),
  });
  own.logs.whole.info("0");
  own.logs.profile("a").info("1");
  assert.deepEqual(own.console, ["[INFO] 0", "[INFO] a: 1"]);
});

Deno.test("two logs that name the same file share it, each line stands in it once", async () => {
  await using folder = await temporaryFolder();
  const dir = folder.path;
  using own = start(logTo(dir), {
    a: logTo("/nowhere", { file: `${dir}/../${dir.split("/").at(-1)}/./fsmqtt.log` }),
  });
  own.logs.profile("a").info("1");
  own.logs.whole.info("2");
  assert.deepEqual(linesOf(join(dir, "fsmqtt.log")), ["[INFO] a: 1", "[INFO] 2"]);
});

Deno.test("a profile that is not configured logs as the whole does", async () => {
  await using folder = await temporaryFolder();
  using own = start(logTo(folder.path, { level: "notice", details: true }));
  const log = own.logs.profile("unknown");
  log.info("no");
  log.notice("yes");
  assert.equal(log.details, true);
  assert.deepEqual(linesOf(join(folder.path, "fsmqtt.log")), ["[NOTICE] unknown: yes"]);
});

Deno.test("setLevel holds for the whole and every profile, also for those already in use", () => {
  using own = start(logTo("/x", { enable: false }), {
    a: logTo("/x", { enable: false, level: "error" }),
  });
  const log = own.logs.profile("a").within("broker");
  own.logs.setLevel("debug");
  assert.equal(own.logs.level, "debug");
  own.logs.whole.debug("0");
  log.debug("1");
  own.logs.setLevel("alert");
  own.logs.whole.error("no");
  log.error("no");
  assert.deepEqual(own.console, ["[DEBUG] 0", "[DEBUG] a/broker: 1"]);
});

Deno.test("configured anew, loggers in use follow: level, details and files", async () => {
  await using folder = await temporaryFolder();
  const dir = folder.path;
  using own = start(logTo(dir, { file: "old.log" }), { a: logTo(dir, { file: "a-old.log" }) });
  const log = own.logs.profile("a").within("broker");
  log.info("1");
  own.logs.setLevel("alert");
  own.configure(logTo(dir, { file: "new.log", level: "notice" }), {
    a: logTo(dir, { file: "a-new.log", level: "debug", details: true }),
  });
  assert.equal(own.logs.level, "notice");
  assert.equal(log.details, true);
  log.debug("2");
  own.logs.whole.info("no");
  own.logs.whole.notice("3");
  assert.deepEqual(linesOf(join(dir, "old.log")), ["[INFO] a/broker: 1"]);
  assert.deepEqual(linesOf(join(dir, "a-old.log")), ["[INFO] a/broker: 1"]);
  assert.deepEqual(linesOf(join(dir, "new.log")), ["[DEBUG] a/broker: 2", "[NOTICE] 3"]);
  assert.deepEqual(linesOf(join(dir, "a-new.log")), ["[DEBUG] a/broker: 2"]);
});

Deno.test("a profile that is gone logs as the whole does, and opens no file of its own", async () => {
  await using folder = await temporaryFolder();
  const dir = folder.path;
  using own = start(logTo(dir), { a: logTo(dir, { file: "a.log", level: "debug" }) });
  const log = own.logs.profile("a");
  log.debug("1");
  own.configure(logTo(dir));
  log.debug("no");
  log.info("2");
  assert.deepEqual(linesOf(join(dir, "a.log")), ["[DEBUG] a: 1"]);
  assert.deepEqual(linesOf(join(dir, "fsmqtt.log")), ["[DEBUG] a: 1", "[INFO] a: 2"]);
});

Deno.test({
  name: "configured anew, it lets go of the files that it had",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using folder = await temporaryFolder();
    const dir = folder.path;
    using own = start(logTo(dir), { a: logTo(dir, { file: "a.log" }) });
    own.logs.profile("a").info("1");
    assert.equal(await openFilesIn(dir), 2);
    own.configure(logTo(dir, { enable: false }));
    own.logs.profile("a").info("2");
    assert.equal(await openFilesIn(dir), 0);
  },
});

async function openFilesIn(dir: string): Promise<number> {
  const files = await Array.fromAsync(
    Deno.readDir("/proc/self/fd"),
    // The listing's own descriptor is closed by then.
    ({ name }) => Deno.readLink(`/proc/self/fd/${name}`).catch(() => ""),
  );
  return files.filter((file) => file.startsWith(dir)).length;
}
