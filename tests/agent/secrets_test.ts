import assert from "node:assert/strict";
import { statusText } from "../../lib/cli/status_text.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { configurationXml, params, RunningAgent } from "./running_agent.ts";

const ESL_PASSWORD = "esl-s3cret";
const PASSWORD = "broker-s3cret";
const FILE_PASSWORD = "file-s3cret";
const PSK = "c0ffee5ec3e7";

Deno.test("no secret is in the status, in the log or in a reply", async () => {
  await using simulator = await Simulator.start({ password: ESL_PASSWORD });
  const folder = await Deno.makeTempDir({ prefix: "fsmqtt-agent-test-" });
  await Deno.writeTextFile(`${folder}/password`, FILE_PASSWORD);
  const psk = params({ enable: true, support: "psk", psk: PSK, identity: "me" });
  const broker = { host: "127.0.0.1", port: 1, username: "u" };
  const xml = configurationXml(simulator.port, {
    settings: params({ "log-level": "debug", "log-details": true }),
    connections: {
      a: params({ ...broker, password: PASSWORD }) + `<tls>${psk}</tls>`,
      b: params({ ...broker, password_file: `${folder}/password` }),
    },
  }).replace('value="ClueCon"', `value="${ESL_PASSWORD}"`);
  await using running = await RunningAgent.start(xml, folder);
  await running.until("FreeSWITCH is there", ({ freeswitch }) => freeswitch.state === "connected");
  for (const name of ["a", "b"]) {
    await running.until(`${name} has failed`, () => running.connection(name).reason !== undefined);
  }
  const status = running.agent.status();
  const refused = await running.reload(xml.replace("<profiles>", "<profiles"));
  const shown = [
    JSON.stringify(status),
    statusText(status),
    JSON.stringify(refused),
    ...running.log,
  ].join("\n");
  for (const secret of [ESL_PASSWORD, PASSWORD, FILE_PASSWORD, PSK]) {
    assert(!shown.includes(secret), secret);
  }
  // They are known to be there.
  assert.equal(status.settings["esl-password"], "********");
  const { connections = [] } = status.profiles[0] ?? {};
  assert.deepEqual(connections.map(({ parameters }) => parameters["password"]), [
    "********",
    "********",
  ]);
  assert.deepEqual(connections.map(({ tls }) => tls["psk"]), ["********", null]);
});
