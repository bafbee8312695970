import assert from "node:assert/strict";
import mqtt from "mqtt";
import { filesIn, lines, spawn, withFolder } from "./process_helper.ts";

/** A demo whose temporary folder is made where the test can see what is left of it. */
function demo(folder: string, ...args: string[]): Deno.ChildProcess {
  return spawn(["demo", ...args], { TMPDIR: folder });
}

function leftovers(folder: string): string[] {
  return filesIn(folder).filter((name) => name.startsWith("fsmqtt-"));
}

Deno.test("the demo shows events and a command's answer, ends by itself and leaves nothing", async () => {
  await withFolder(async (folder) => {
    const process = demo(folder, "--seconds", "3");
    const { code, stdout, stderr } = await process.output();
    const [out, err] = [new TextDecoder().decode(stdout), new TextDecoder().decode(stderr)];
    assert.equal(code, 0, err);
    assert.equal(err, "");
    for (
      const pattern of [
        /^\d\d:\d\d:\d\d {2}pbx\/demo\/heartbeat +HEARTBEAT +\d+ B {2}Event-Info=System Ready/m,
        /^\d\d:\d\d:\d\d {2}pbx\/demo\/calls +CHANNEL_CREATE /m,
        /^ {10}> publish "bgapi status" to pbx\/demo\/command$/m,
        /pbx\/demo\/jobs +BACKGROUND_JOB +\d+ B {2}Job-Command=status {2}Job-UUID=/,
        /^ {10}\| FreeSWITCH \(Version .* is ready$/m,
        /^The broker took (\d+) of \1 messages\./m,
      ]
    ) assert.match(out, pattern);
    assert.deepEqual(leftovers(folder), []);
  });
});

Deno.test("what anybody publishes is shown, and Ctrl-C ends the demo in order", async () => {
  await withFolder(async (folder) => {
    const process = demo(folder);
    let publisher: mqtt.MqttClient | undefined;
    const seen: string[] = [];
    for await (const line of lines(process.stdout)) {
      seen.push(line);
      const [, port] = /mosquitto_pub -p (\d+)/.exec(line) ?? [];
      if (port !== undefined) publisher = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
      if (/HEARTBEAT/.test(line)) {
        await publisher?.publishAsync("pbx/hello", "no \x1b[2Jevent");
        await publisher?.publishAsync("pbx/null", "null");
      }
      if (/pbx\/null/.test(line)) process.kill("SIGINT");
    }
    await publisher?.endAsync();
    await process.stderr.cancel();
    assert.equal((await process.status).code, 0);
    assert(seen.includes("          | no \\x1b[2Jevent"), seen.join("\n"));
    assert.deepEqual(leftovers(folder), []);
  });
});
