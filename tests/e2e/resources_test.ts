/**
 * What a running fsmqtt holds: nobody else's control socket, and no more files than it needs. A form
 * that never lets go of a file or of a lock shows here.
 */

import assert from "node:assert/strict";
import { ask } from "../../lib/control/client.ts";
import { AgentProcess, eventually, fsmqtt } from "../support/agent_process.ts";
import { startBroker, type TestBroker } from "../support/broker.ts";
import { configuration, param, Switch } from "./setup.ts";

/** Far more than it takes, and far less than for ever. */
const AT_ONCE_MS = 20_000;
const RELOADS = 50;

Deno.test("a second agent on the same control socket is refused at once", async () => {
  await using freeswitch = await Switch.start();
  await using broker = await startBroker();
  const same = configuration({ esl: freeswitch.target, broker: broker.port });
  await using agent = await AgentProcess.start(same);
  await agent.ready();
  const other = `${agent.folder}/other.xml`;
  await Deno.writeTextFile(other, same.replaceAll("{folder}", `${agent.folder}/other`));
  const { code, err } = await endOf("run", "--config", other, "--control", agent.control);
  assert.equal(code, 1, err);
  assert.match(err, /Cannot open the control socket .*: an agent answers on it already; /);
  await agent.ready();
});

Deno.test("reloads and writes of the state leave no file open", async () => {
  await using freeswitch = await Switch.start();
  await using broker = await startBroker();
  // Each name of a connection is given a client id of its own, which is written down.
  await using agent = await AgentProcess.start(named("c0", freeswitch, broker));
  await agent.ready();
  await reload(agent, named("c1", freeswitch, broker));
  await agent.ready();
  const before = openFiles(agent.pid);
  const known = await idsIn(agent);
  for (let i = 1; i <= RELOADS; i++) {
    await reload(agent, named(`c${i + 1}`, freeswitch, broker));
  }
  await agent.ready();
  assert.equal(await idsIn(agent), known + RELOADS);
  // What served the last connections may go a little later.
  await eventually(
    `as few files are open as before, ${before.length}`,
    () => openFiles(agent.pid).length <= before.length ? true : undefined,
    AT_ONCE_MS,
  ).catch((error) => {
    throw new Error(`${error.message}\n${openFiles(agent.pid).join("\n")}`);
  });
});

/** A configuration whose connection has this name and a client id that fsmqtt makes. */
function named(name: string, freeswitch: Switch, broker: TestBroker): string {
  const connection = [param("client_id", "FreeSWITCH-Hostname-Unique")];
  return configuration({ esl: freeswitch.target, broker: broker.port, connection })
    .replaceAll('"main"', `"${name}"`);
}

async function reload(agent: AgentProcess, text: string): Promise<void> {
  await Deno.writeTextFile(agent.configFile, text.replaceAll("{folder}", agent.folder));
  const reply = await ask(agent.control, { do: "reload" });
  assert.equal(reply.kind, "done", JSON.stringify(reply));
}

/** How many client ids it has made. */
async function idsIn(agent: AgentProcess): Promise<number> {
  const state = JSON.parse(await Deno.readTextFile(`${agent.folder}/state/state.json`));
  return Object.keys(state.unique).length;
}

/** What a process has open. */
function openFiles(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return [...Deno.readDirSync(folder)].map(({ name }) => {
    try {
      return Deno.readLinkSync(`${folder}/${name}`);
    } catch {
      return "closed meanwhile";
    }
  }).sort();
}

/** Runs fsmqtt; what does not end soon is killed. */
async function endOf(...args: string[]): Promise<{ code: number; err: string }> {
  const child = fsmqtt(...args).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), AT_ONCE_MS);
  const { code, stderr } = await child.output();
  clearTimeout(timer);
  return { code, err: new TextDecoder().decode(stderr) };
}
