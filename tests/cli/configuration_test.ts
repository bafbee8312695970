import assert from "node:assert/strict";
import { EVENT_NAMES } from "../../lib/protocol/event_names.ts";
import { configurationXml, params } from "../agent/running_agent.ts";
import { cli, filesIn, withFile, withFolder } from "./process_helper.ts";

const good = configurationXml(8021, {
  connections: { c: params({ password: "s3cret", username: "u" }) },
  published: { beat: params({ connection_name: "c", event: "HEARTBEAT", pattern: "beat" }) },
});
const warned = good.replace('"HEARTBEAT"', '"HEARTBEAT"/><param name="event" value="HEARTBEAT"');
const bad = good.replace('"beat"/>', '"a/#"/>');

Deno.test("check of a good configuration ends with 0 and says so on stderr", async () => {
  await withFile(good, async (file) => {
    assert.deepEqual(await cli("check", "--config", file), {
      code: 0,
      out: "",
      err: `${file}: no errors, no warnings\n`,
    });
  });
});

Deno.test("warnings go to stdout and leave the exit code at 0", async () => {
  await withFile(warned, async (file) => {
    const { code, out, err } = await cli("check", "--config", file);
    assert.equal(code, 0);
    assert.match(out, new RegExp(`^${file}:\\d+:\\d+: warning: .* \\[repeated-event\\]\\n$`));
    assert.equal(err, `${file}: no errors, 1 warning\n`);
  });
});

Deno.test("errors make it 78", async () => {
  await withFile(bad, async (file) => {
    const { code, out, err } = await cli("check", "--config", file);
    assert.equal(code, 78);
    assert.match(out, new RegExp(`^${file}:\\d+:\\d+: error: .*wildcard.*\\n$`));
    assert.equal(err, `${file}: 1 error, no warnings\n`);
  });
});

Deno.test("check --json gives each finding with its place", async () => {
  await withFile(bad, async (file) => {
    const { code, out, err } = await cli("check", "--config", file, "--json");
    assert.deepEqual([code, err], [78, ""]);
    const findings = JSON.parse(out);
    assert.equal(findings.length, 1);
    const { line, column, text, ...rest } = findings[0];
    assert.deepEqual(rest, { file, severity: "error", code: rest.code });
    assert(line > 1 && column > 0 && text.includes("wildcard"));
  });
  await withFile(good, async (file) => {
    const { code, out } = await cli("check", "--config", file, "--json");
    assert.deepEqual([code, JSON.parse(out)], [0, []]);
  });
});

Deno.test("a file that is not there is a finding", async () => {
  await withFolder(async (folder) => {
    const { code, out } = await cli("check", "--config", `${folder}/none.xml`);
    assert.equal(code, 78);
    assert.match(out, new RegExp(`^${folder}/none.xml:1:1: error: `));
  });
});

Deno.test("config prints the configuration in force, which loads again, without secrets", async () => {
  await withFile(good, async (file) => {
    const { code, out } = await cli("config", "--config", file);
    assert.equal(code, 0);
    assert.match(out, /<param name="keepalive" value="60"\/>/);
    assert.doesNotMatch(out, /s3cret|ClueCon/);
    await withFile(out, async (again) => {
      assert.equal((await cli("check", "--config", again)).code, 0);
    });
  });
});

Deno.test("config of a bad file prints nothing but the findings", async () => {
  await withFile(bad, async (file) => {
    const { code, out, err } = await cli("config", "--config", file);
    assert.deepEqual([code, out], [78, ""]);
    assert.match(err, new RegExp(`^${file}:\\d+:\\d+: error: `));
  });
});

Deno.test("events lists ALL and every event of FreeSWITCH, a name a line", async () => {
  const { code, out } = await cli("events");
  assert.equal(code, 0);
  assert.deepEqual(out.trimEnd().split("\n"), ["ALL", ...EVENT_NAMES]);
});

Deno.test("run with a bad configuration starts nothing", async () => {
  await withFile(bad, async (file, folder) => {
    const control = `${folder}/control.sock`;
    const { code, out, err } = await cli("run", "--config", file, "--control", control);
    assert.deepEqual([code, out], [78, ""]);
    assert.match(err, new RegExp(`error: .*\\nfsmqtt is not started: ${file} has errors\\n$`));
    assert.deepEqual(filesIn(folder), ["mosquitto.conf.xml"]);
  });
});
