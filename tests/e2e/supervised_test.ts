/** What becomes of fsmqtt as the service of a real systemd when it dies or hangs. */

import assert from "node:assert/strict";
import { eventually, isReady } from "../support/agent_process.ts";
import { startBroker } from "../support/broker.ts";
import { machineTests, type SystemdMachine } from "../support/systemd.ts";
import { Watcher } from "../support/watcher.ts";
import { numberOf, Switch } from "./setup.ts";
import { fire, numbers, range, spooled } from "./supervised.ts";

/** From a death, or from the end of the watchdog's time, to an agent that can be asked. */
const BACK_WITHIN_MS = 5_000;
const COUNT = 300;

const { machineTest } = machineTests();

/**
 * Lets events gather on disk while the broker is away, does something to the agent, and looks
 * whether it is back in time, and all of them come.
 */
async function survives(
  machine: SystemdMachine,
  harm: (pid: string) => Promise<{ backWithinMs: number }>,
): Promise<void> {
  await using freeswitch = await Switch.start();
  await using broker = await startBroker();
  // The broker keeps what comes before it has connected again.
  await using watcher = await Watcher.start(broker.port, { clientId: "watcher" });
  await machine.start(spooled({ esl: freeswitch.target, broker: broker.port }));
  await machine.until("all is connected", isReady);
  await broker.stop();
  await fire(freeswitch, 0, COUNT);
  await machine.until("all are on disk", ({ profiles: [profile] }) => {
    const [connection] = profile?.connections ?? [];
    return connection?.spool?.messages === COUNT;
  });

  const pid = await machine.property("MainPID");
  const { backWithinMs } = await harm(pid);
  const harmedAtMs = performance.now();
  await eventually("another agent runs", async () => {
    const now = await machine.property("MainPID");
    return now !== pid && now !== "0" && await machine.status() !== undefined ? now : undefined;
  });
  const tookMs = performance.now() - harmedAtMs;
  assert.ok(tookMs < backWithinMs, `it took ${tookMs} ms:\n${await machine.log()}`);
  assert.equal(await machine.property("NRestarts"), "1");
  await machine.until("FreeSWITCH is heard", (status) => status.freeswitch.state === "connected");

  await broker.start();
  await fire(freeswitch, COUNT, COUNT + 1);
  await watcher.until("events", "the last event", (payload) => numberOf(payload) === COUNT);
  assert.deepEqual(numbers(watcher), range(COUNT + 1));
}

machineTest("after kill -9 it is back, and nothing of the spool is lost", async (machine) => {
  await survives(machine, async (pid) => {
    await machine.run("kill", "-KILL", pid);
    return { backWithinMs: BACK_WITHIN_MS };
  });
});

machineTest("after a SIGTERM that is not systemctl's it is back", async (machine) => {
  await survives(machine, async (pid) => {
    await machine.run("kill", "-TERM", pid);
    return { backWithinMs: BACK_WITHIN_MS };
  });
});

const WATCHDOG_SECONDS = 4;

/** The watchdog of conf/fsmqtt.service would have each test wait for longer. */
async function shortenWatchdog(machine: SystemdMachine): Promise<void> {
  await machine.override(`WatchdogSec=${WATCHDOG_SECONDS}`);
}

const WATCHED_WITHIN_MS = WATCHDOG_SECONDS * 1_000 + BACK_WITHIN_MS;

machineTest("stopped by SIGSTOP, it is replaced after the watchdog's time", async (machine) => {
  await shortenWatchdog(machine);
  await survives(machine, async (pid) => {
    await machine.run("kill", "-STOP", pid);
    return { backWithinMs: WATCHED_WITHIN_MS };
  });
  assert.match(await machine.log(), /Watchdog timeout/);
});

machineTest("when the loop that moves events hangs, it is replaced", async (machine) => {
  await shortenWatchdog(machine);
  await machine.implant(
    "lib/service/agent_thread.ts",
    'Deno.addSignalListener("SIGUSR2", () => { for (;;); });',
  );
  await survives(machine, async (pid) => {
    await machine.run("kill", "-USR2", pid);
    return { backWithinMs: WATCHED_WITHIN_MS };
  });
  assert.match(await machine.log(), /Watchdog timeout/);
});

machineTest(
  "an error that nobody catches in its thread ends it, and it is back",
  async (machine) => {
    await machine.implant(
      "lib/service/agent_thread.ts",
      'Deno.addSignalListener("SIGUSR2", () => { throw new Error("thrown on purpose"); });',
    );
    await survives(machine, async (pid) => {
      await machine.run("kill", "-USR2", pid);
      return { backWithinMs: BACK_WITHIN_MS };
    });
    assert.match(await machine.log(), /please report it: .*thrown on purpose/);
  },
);

machineTest("a configuration that is wrong ends it, and it is not tried again", async (machine) => {
  await assert.rejects(machine.start("<configuration>"));
  assert.equal(await machine.property("ExecMainStatus"), "78");
  assert.equal(await machine.property("ActiveState"), "failed");
  assert.equal(await machine.property("NRestarts"), "0");
});
