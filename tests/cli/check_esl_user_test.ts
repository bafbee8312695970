import assert from "node:assert/strict";
import { configurationXml, params } from "../agent/running_agent.ts";
import { cli, withFile } from "./process_helper.ts";

const good = configurationXml(8021, {
  settings: params({ "esl-user": "mqtt@pbx" }),
  connections: { c: params({ password: "s3cret", username: "u" }) },
  published: { beat: params({ connection_name: "c", event: "NAT", pattern: "beat" }) },
  subscribed: { cmd: params({ connection_name: "c", pattern: "cmd", originate_authorized: true }) },
});

Deno.test("check prints an entry for FreeSWITCH's directory, and findings beside it", async () => {
  await withFile(good, async (file) => {
    const { code, out, err } = await cli("check", "--config", file, "--esl-user");
    assert.equal(code, 0);
    assert.match(out, /^<!--[^]*<include>\n {2}<user id="mqtt">[^]*<\/include>\n$/);
    assert.match(out, /"esl-allowed-events" value="HEARTBEAT BACKGROUND_JOB NAT"/);
    assert.doesNotMatch(out + err, /s3cret|ClueCon(?!\.)/);
    assert.match(
      err,
      /^[^\n]*: warning: whoever may publish to "cmd" .* \[commands-authorized\]\n$/,
    );
  });
});

Deno.test("check prints no entry for a configuration with an error", async () => {
  await withFile(good.replace('"beat"/>', '"a/#"/>'), async (file) => {
    const { code, out, err } = await cli("check", "--config", file, "--esl-user");
    assert.deepEqual([code, out], [78, ""]);
    assert.match(err, /: error: .*wildcard/);
  });
});

Deno.test("an entry and findings as JSON are not to be had together", async () => {
  await withFile(good, async (file) => {
    const { code, out, err } = await cli("check", "--config", file, "--esl-user", "--json");
    assert.deepEqual([code, out], [64, ""]);
    assert.match(err, /^fsmqtt check: --json and --esl-user cannot be given together\nUsage: /);
  });
});
