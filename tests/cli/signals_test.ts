import assert from "node:assert/strict";
import { join } from "node:path";
import { ask } from "../../lib/control/client.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { configurationXml, params } from "../agent/running_agent.ts";
import { AgentProcess, eventually } from "../support/agent_process.ts";
import { freePort, startBroker } from "../support/broker.ts";
import { lines, spawn, withFolder } from "./process_helper.ts";

const published = {
  beat: params({ connection_name: "c", event: "HEARTBEAT", pattern: "beat", qos: 1 }),
};

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal} ends the agent with 0 and removes its socket`, async () => {
    await using simulator = await Simulator.start();
    await using broker = await startBroker();
    const connections = { c: params({ host: "127.0.0.1", port: broker.port }) };
    await using agent = await AgentProcess.start(
      configurationXml(simulator.port, { connections, published }),
    );
    await agent.ready();
    assert.equal(await agent.stop(signal), 0);
    await assert.rejects(Deno.lstat(agent.control), Deno.errors.NotFound);
    assert.match(agent.log, /\[NOTICE\] stopped$/);
  });
}

Deno.test("with everything away, and a silent client, SIGTERM still ends it", async () => {
  const connections = { c: params({ host: "127.0.0.1", port: freePort() }) };
  await using agent = await AgentProcess.start(
    configurationXml(freePort(), { connections, published }),
  );
  using _silent = await Deno.connect({ transport: "unix", path: agent.control });
  await agent.logs(/cannot connect/);
  assert.equal(await agent.stop(), 0);
});

Deno.test("SIGHUP takes up the configuration, and opens the log files anew in any case", async () => {
  await using simulator = await Simulator.start();
  await withFolder(async (folder) => {
    const file = join(folder, "mosquitto.conf.xml");
    const logFile = join(folder, "log", "mosquitto.log");
    const xml = configurationXml(simulator.port, {
      settings: params({ "log-enable": true, "log-dir": join(folder, "log") }),
      connections: { c: params({ host: "127.0.0.1", enable: false, status_topic: "s" }) },
    }).replaceAll("{folder}", folder);
    await Deno.writeTextFile(file, xml);
    const process = spawn(["run", "--config", file, "--control", join(folder, "control.sock")]);
    const log = lines(process.stderr)[Symbol.asyncIterator]();
    const logs = async (pattern: RegExp) => {
      for (;;) {
        const { value, done } = await log.next();
        assert(done !== true, `${pattern} was never logged`);
        if (pattern.test(value)) return;
      }
    };
    const logsToFile = (pattern: RegExp) =>
      eventually(`the log file has ${pattern}`, async () => {
        const text = await Deno.readTextFile(logFile).catch(() => "");
        return pattern.test(text) || undefined;
      });
    await logsToFile(/connected to FreeSWITCH/);

    await Deno.rename(logFile, `${logFile}.1`);
    process.kill("SIGHUP");
    await logsToFile(/^[^\n]* is in force\n$/);

    await Deno.rename(logFile, `${logFile}.2`);
    await Deno.writeTextFile(file, "<configuration>");
    process.kill("SIGHUP");
    await logsToFile(/\[ERROR\] [^\n]*\n[^\n]*the present one goes on\n$/);

    process.kill("SIGTERM");
    await logs(/stopped$/);
    await process.stdout.cancel();
    assert.equal((await process.status).code, 0);
  });
});

Deno.test("a reader of standard error that stands still does not hold up the agent", async () => {
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  await withFolder(async (folder) => {
    const file = join(folder, "mosquitto.conf.xml");
    const xml = configurationXml(simulator.port, {
      settings: params({ "log-details": true }),
      connections: { c: params({ host: "127.0.0.1", port: freePort() }) },
      published,
    });
    await Deno.writeTextFile(file, xml.replaceAll("{folder}", folder));
    const control = join(folder, "control.sock");
    // Nobody reads its standard error.
    const agent = spawn(["run", "--config", file, "--control", control]);
    await simulator.waitForSubscription("HEARTBEAT");
    for (let i = 0; i < 3_000; i++) simulator.fireHeartbeat();
    await eventually("the agent has read them all", async () => {
      const reply = await ask(control, { do: "status" });
      return reply.kind === "status" && reply.status.freeswitch.events_received >= 3_000 ||
        undefined;
    });
    agent.kill("SIGTERM");
    assert.equal((await agent.status).code, 0);
    await agent.stdout.cancel();
    await agent.stderr.cancel();
  });
});
