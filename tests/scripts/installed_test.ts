/** What the package says and does as dpkg installs it on a machine with systemd. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { VERSION } from "../../lib/version.ts";
import { machineTests, type SystemdMachine } from "../support/systemd.ts";
import { build, inFolder } from "./building.ts";

const CONFIGURATION = "/etc/fsmqtt/mosquitto.conf.xml";
const NOT_RUNNING = "fsmqtt does not run: see systemctl status fsmqtt, and fsmqtt check\n";
const NO_DENO = /^fsmqtt: there is no deno on the path, .*; put Deno [\d.]+ or later there/m;

/** Without the folder that Deno may have on this machine. */
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const { machineTest } = machineTests();

/** Makes the package in two versions and puts them where `install` finds them. */
async function havingPackages(
  machine: SystemdMachine,
  use: (install: (version: string) => Promise<string>) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    for (const version of [VERSION, `${VERSION}+later`]) {
      const { code, err } = await build("package.ts", ["--version", version, "--dist", folder]);
      assert.equal(code, 0, err);
      const name = `fsmqtt_${version}_all.deb`;
      await Deno.copyFile(join(folder, name), machine.path(`/root/${name}`));
    }
  });
  // Of Deno there is only what is in /usr/local/bin; and services may be restarted.
  await machine.run("rm", "-f", "/usr/bin/deno", "/usr/sbin/policy-rc.d");
  // The package brings its own.
  await machine.run("rm", "-rf", "/etc/systemd/system/fsmqtt.service", "/etc/fsmqtt");
  await use(async (version) => {
    const command = ["dpkg", "--install", `/root/fsmqtt_${version}_all.deb`];
    const { code, out, err } = await machine.try("env", `PATH=${PATH}`, ...command);
    assert.equal(code, 0, out + err);
    return out + err;
  });
}

machineTest("the package installs, and says what it lacks and what is next", async (machine) => {
  await havingPackages(machine, async (install) => {
    await machine.run("groupadd", "--force", "freeswitch");
    await machine.run("mv", "/usr/local/bin/deno", "/root/deno");
    const said = await install(VERSION);
    await machine.run("mv", "/root/deno", "/usr/local/bin/deno");
    assert.match(said, NO_DENO);
    assert.match(
      said,
      /^fsmqtt: configure it in \/etc\/fsmqtt\/mosquitto\.conf\.xml, then start /m,
    );
    assert.match(await machine.run("id", "-nG", "fsmqtt"), /\bfreeswitch\b/);

    await machine.run("systemctl", "start", "fsmqtt");
    const former = await machine.property("MainPID");
    const upgraded = await install(`${VERSION}+later`);
    assert.doesNotMatch(upgraded, NO_DENO);
    assert.doesNotMatch(upgraded, /does not run|FreeSWITCH's group|configure it/);
    assert.equal(await machine.property("ActiveState"), "active");
    assert.notEqual(await machine.property("MainPID"), former);

    // What the owner of the machine decided stays, and is told.
    await machine.run("gpasswd", "--delete", "fsmqtt", "freeswitch");
    const mistaken = (await machine.read(CONFIGURATION)).replace("<profiles>", "<profiles");
    await machine.write(CONFIGURATION, mistaken, 0o640);
    const again = await install(VERSION);
    assert.match(again, /usermod --append --groups freeswitch fsmqtt$/m);
    assert.doesNotMatch(await machine.run("id", "-nG", "fsmqtt"), /\bfreeswitch\b/);
    assert.ok(again.includes(NOT_RUNNING), again);
    assert.equal(await machine.property("ActiveState"), "failed");
  });
});
