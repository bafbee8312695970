import assert from "node:assert/strict";
import { join } from "node:path";
import { EVENT_NAMES } from "../../lib/protocol/event_names.ts";
import { configurationXml, params } from "../agent/running_agent.ts";
import { AgentProcess } from "../support/agent_process.ts";
import { freePort } from "../support/broker.ts";
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

/** A connection whose client certificate, signed by itself, is in files of this folder. */
const overTls = (folder: string, more: Record<string, string> = {}) =>
  configurationXml(freePort(), {
    connections: {
      c: `${params({ status_topic: "s" })}<tls>${
        params({
          ...{ enable: true, support: "certificate", cafile: `${folder}/c.pem` },
          ...{ certfile: `${folder}/c.pem`, keyfile: `${folder}/c.key`, ...more },
        })
      }</tls>`,
    },
  });

async function certify(folder: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", {
    args: [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
      ...["-keyout", `${folder}/c.key`, "-out", `${folder}/c.pem`, "-days", "90", "-subj", "/CN=c"],
    ],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
}

Deno.test("check opens the files of TLS; notes are no trouble", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/mosquitto.conf.xml`;
    await Deno.writeTextFile(file, overTls(folder));
    const missing = await cli("check", "--config", file);
    assert.equal(missing.code, 78);
    assert.match(missing.out, /: error: cannot read cafile .*: no such file .* \[tls-file\]\n/);
    assert.equal(missing.err, `${file}: 3 errors, no warnings\n`);
    await certify(folder);
    const good = await cli("check", "--config", file);
    assert.equal(good.code, 0);
    assert.match(
      good.out,
      new RegExp(`^${file}:.*: note: .* is good until .* \\[tls-expires\\]\n$`),
    );
    assert.equal(good.err, `${file}: no errors, no warnings\n`);
    const { code, out } = await cli("check", "--config", file, "--json");
    assert.deepEqual([code, JSON.parse(out)[0].severity], [0, "note"]);
  });
});

Deno.test("run starts without the files of TLS and says so, at the start and at a reload", async () => {
  const settings = { advanced_options: "true", cert_reqs: "SSL_VERIFY_NONE" };
  await using agent = await AgentProcess.start(overTls("{folder}", settings));
  const { reason } = await agent.until("it is refused", ({ profiles: [profile] }) => {
    return profile?.connections[0]?.state === "refused";
  }).then(() => agent.connection("c"));
  assert.match(reason ?? "", /cannot read cafile .*: no such file or directory$/);
  await agent.logs(/\[WARNING\] .*:\d+: cannot read cafile .* \[tls-file\]$/);
  await agent.logs(/\[WARNING\] .*does not verify its broker.* \[tls-not-verified\]$/);

  const folder = join(agent.configFile, "..");
  await certify(folder);
  await Deno.copyFile(`${folder}/c.pem`, `${folder}/c.key`);
  const { code, err } = await cli("reload", "--control", agent.control);
  assert.equal(code, 1);
  assert.match(err, /is in force\np\/c: cannot use keyfile .*: it holds a certificate/);
  await agent.logs(
    /\[WARNING\] .*: cannot use keyfile .*: it holds a certificate, .* \[tls-key\]$/,
  );
  assert.doesNotMatch(agent.log, /note: |is good until/);
});
