import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { AgentProcess } from "../support/agent_process.ts";
import { configuration } from "../e2e/setup.ts";

const script = fileURLToPath(new URL("../../conf/mosquitto-console", import.meta.url));
const nowhere = configuration({
  esl: { hostname: "127.0.0.1", port: 1, password: "x" },
  broker: 1,
});

/** Runs the script as FreeSWITCH runs it, with the stack that its packages' unit leaves. */
async function say(control: string, ...words: string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", 'ulimit -s 244; exec "$0" "$@"', script, ...words],
    env: { FSMQTT_CONTROL: control },
  }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout);
}

Deno.test({
  name: "FreeSWITCH's console gets what a terminal shows",
  ignore: !existsSync("/usr/bin/curl"),
  async fn() {
    await using agent = await AgentProcess.start(nowhere);
    assert.match(await say(agent.control, "status"), /^degraded: .*\nfsmqtt /);
    assert.equal(
      await say(agent.control, "disable", "profile", "test", "connection", "main"),
      "connection main of profile test is disabled\n",
    );
    assert.match(
      await say(agent.control, "enable", "profile", "nope"),
      /^There is no profile "nope"/,
    );
    assert.match(await say(agent.control, "bgapi", "status"), /^FreeSWITCH is not connected/);
    assert.match(await say(agent.control, "loglevel", "debug"), /debug\n$/);
    assert.match(await say(agent.control, "status", "--watch"), /does not end by itself/);
    assert.match(await say(agent.control, "run"), /there is no command "run"/);
    for (const words of [[], ["help"]]) {
      assert.match(await say(agent.control, ...words), /Steer the running agent:\n {2}status/);
    }
  },
});

Deno.test({
  name: "without an agent the console says so",
  ignore: !existsSync("/usr/bin/curl"),
  async fn() {
    assert.match(await say("/nonexistent/control.sock", "status"), /^curl: .*\n$/);
  },
});
