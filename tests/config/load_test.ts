import assert from "node:assert/strict";
import { join } from "node:path";
import { formatFinding } from "../../lib/config/position.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { configuration, load, loaded, params, SETTINGS, withFiles } from "./helper.ts";

const EXAMPLE = new URL("../fixtures/config/example.mosquitto.conf.xml", import.meta.url).pathname;
const SAMPLE = new URL("../../conf/mosquitto.conf.xml", import.meta.url).pathname;

function withConfiguration(content: string, use: (file: string, folder: string) => void): void {
  withFiles(
    { "mosquitto.conf.xml": configuration(content) },
    (folder) => use(join(folder, "mosquitto.conf.xml"), folder),
  );
}

Deno.test("the example of mod_mosquitto keeps its meaning, with a warning for its mistake", () => {
  const { config, findings } = load(EXAMPLE);
  assert.ok(config);
  assert.deepEqual(findings.map(({ severity, code, at }) => [severity, code, at.line]), [
    ["warning", "default-esl-password", 2],
    ["warning", "misspelling", 50],
  ]);
  const [profile] = config.profiles;
  const [broker1, broker2] = profile?.connections ?? [];
  assert.equal(config.settings.logLevel, "debug");
  assert.equal(profile?.logFile, undefined);
  assert.equal(broker1?.tls.enable, true);
  assert.equal(broker1?.tls.support, "certificate");
  assert.equal(broker1?.tls.port, 8883);
  assert.equal(broker1?.tls.certReqs, "SSL_VERIFY_PEER");
  assert.equal(broker1?.sendMaximum, 20);
  assert.equal(broker1?.reconnectExponentialBackoff, false);
  assert.equal(broker1?.will.payload, "broker1 connection has been closed");
  assert.equal(broker1?.password?.reveal(), "[REDACTED]");
  assert.equal(broker2?.sendMaximum, 10, "the default under <connections>");
  assert.equal(broker2?.bindAddress, undefined, "an empty value means unset");
  const topics = profile?.publishers[0]?.topics;
  assert.deepEqual(topics?.map(({ name, enable, event }) => [name, enable, event.length]), [
    ["Background Job", true, 1],
    ["Multiple", false, 2],
  ]);
  assert.deepEqual(
    profile?.subscribers[0]?.topics.map(({ pattern, bgapiAuthorized }) => [
      pattern,
      bgapiAuthorized,
    ]),
    [["FreeSWITCH/command", false], ["FreeSWITCH/test", false]],
  );
});

Deno.test("the example loads with white space before its root", () => {
  const text = ` \n${Deno.readTextFileSync(EXAMPLE)}`;
  withFiles({ "mosquitto.conf.xml": text }, (folder) => {
    assert.equal(loaded(join(folder, "mosquitto.conf.xml")).profiles.length, 1);
  });
});

Deno.test("the annotated sample loads with no error", () => {
  const { config, findings } = load(SAMPLE);
  assert.ok(config);
  assert.deepEqual(findings.map(({ code }) => code), ["default-esl-password"]);
});

Deno.test("the misspelt names of mod_mosquitto's documentation are understood", () => {
  const content = `${SETTINGS}<profiles><profile name="p"><connections><connection name="c">
    <param name="reconnect_exponsntial_backoff" value="false"/>
    <tls><param name="support" value="pks"/><param name="pks" value="c0ffee"/></tls>
  </connection></connections></profile></profiles>`;
  withConfiguration(content, (file) => {
    const { config, findings } = load(file);
    const connection = config?.profiles[0]?.connections[0];
    assert.equal(connection?.reconnectExponentialBackoff, false);
    assert.equal(connection?.tls.support, "psk");
    assert.equal(connection?.tls.psk?.reveal(), "c0ffee");
    assert.deepEqual(findings.map(({ code, severity }) => `${severity} ${code}`), [
      "warning misspelling",
      "warning misspelling",
      "warning misspelling",
    ]);
  });
});

Deno.test("enable-* settings are the defaults of what does not say it itself", () => {
  const content = `<settings>${
    params({
      "esl-password": "x",
      "enable-profiles": "false",
      "enable-connections": "false",
      "enable-publishers": "false",
      "enable-subscribers": "false",
      "enable-topics": "false",
    })
  }</settings><profiles><profile name="p">
    <connections><connection name="c"/><connection name="d">${params({ enable: "true" })}
    </connection></connections>
    <publishers><publisher name="a"><topics>
      <topic name="t">${params({ connection_name: "c", pattern: "x" })}</topic>
    </topics></publisher></publishers>
    <subscribers><subscriber name="b"/></subscribers>
  </profile></profiles>`;
  withConfiguration(content, (file) => {
    const [profile] = loaded(file).profiles;
    assert.equal(profile?.enable, false);
    assert.deepEqual(profile?.connections.map(({ enable }) => enable), [false, true]);
    assert.equal(profile?.publishers[0]?.enable, false);
    assert.equal(profile?.publishers[0]?.topics[0]?.enable, false);
    assert.equal(profile?.subscribers[0]?.enable, false);
  });
});

Deno.test("a profile's log settings fall back to the global ones, but for the file", () => {
  const settings = params({
    "esl-password": "x",
    "log-enable": "true",
    "log-dir": "/logs",
    "log-file": "all.log",
    "log-level": "notice",
  });
  const content = `<settings>${settings}</settings><profiles>
    <profile name="a"/><profile name="b">${params({ "log-level": "ERR" })}</profile></profiles>`;
  withConfiguration(content, (file) => {
    const [a, b] = loaded(file).profiles;
    assert.deepEqual([a?.logEnable, a?.logDir, a?.logFile, a?.logLevel], [
      true,
      "/logs",
      undefined,
      "notice",
    ]);
    assert.equal(b?.logLevel, "error");
  });
});

Deno.test("truth is what FreeSWITCH takes for it", () => {
  const truths = {
    ...{ yes: true, On: true, TRUE: true, t: true, enabled: true, active: true, allow: true },
    ...{ "1": true, "-1": true, no: false, "0": false, disabled: false },
  };
  for (const [text, expected] of Object.entries(truths)) {
    withConfiguration(
      `<settings>${params({ "esl-password": "x", "log-enable": text })}</settings>`,
      (file) => {
        const { config, findings } = load(file);
        assert.equal(config?.settings.logEnable, expected, text);
        assert.deepEqual(findings, []);
      },
    );
  }
  withConfiguration(
    `<settings>${params({ "esl-password": "x", "log-enable": "enable" })}</settings>`,
    (file) => {
      const { config, findings } = load(file);
      assert.equal(config?.settings.logEnable, false);
      assert.deepEqual(findings.map(({ code }) => code), ["doubtful-value"]);
    },
  );
});

Deno.test("the last of a repeated parameter counts, with a warning", () => {
  const content = '<settings><param name="esl-password" value="x"/>' +
    '<param name="esl-port" value="1"/><param name="esl-port" value="2"/></settings>';
  withConfiguration(content, (file) => {
    const { config, findings } = load(file);
    assert.equal(config?.settings.eslPort, 2);
    assert.deepEqual(findings.map(({ code }) => code), ["repeated-parameter"]);
  });
});

Deno.test("templates may stand at the start of a pattern", () => {
  const topic = params({ connection_name: "c", pattern: "${hostname}/${switchname}" });
  const content = `${SETTINGS}<profiles><profile name="p"><publishers><publisher name="a"><topics>
    <topic name="t">${topic}</topic></topics></publisher></publishers></profile></profiles>`;
  withConfiguration(content, (file) => {
    const [profile] = loaded(file).profiles;
    assert.equal(profile?.publishers[0]?.topics[0]?.pattern, "${hostname}/${switchname}");
  });
});

Deno.test("sections of a kind may be split, as includes do", () => {
  const profile = (name: string) => `<profiles><profile name="${name}"/></profiles>`;
  withConfiguration(SETTINGS + profile("a") + profile("b"), (file) => {
    assert.deepEqual(loaded(file).profiles.map(({ name }) => name), ["a", "b"]);
  });
});

Deno.test("the root may be wrapped as FreeSWITCH's whole configuration is", () => {
  const wrapped = [
    `<include>${configuration(SETTINGS)}</include>`,
    `<document type="freeswitch/xml"><section name="configuration">
      <configuration name="other.conf"/>${configuration(SETTINGS)}</section></document>`,
  ];
  for (const text of wrapped) {
    withFiles({ "f.xml": text }, (folder) => {
      assert.deepEqual(load(join(folder, "f.xml")).lines, []);
    });
  }
});

Deno.test("a root of another name is a warning", () => {
  withFiles({ "f.xml": `<configuration>${SETTINGS}</configuration>` }, (folder) => {
    const { config, findings } = load(join(folder, "f.xml"));
    assert.ok(config);
    assert.deepEqual(findings.map(({ code }) => code), ["wrong-root"]);
  });
});

Deno.test("the process's own environment and name are the defaults", () => {
  const content = `<settings>${
    params({ "esl-password": "x", "esl-host": "$${hostname}" })
  }</settings>`;
  withConfiguration(content, (file) => {
    const { config, findings } = loadConfig(file);
    assert.equal(config?.settings.eslHost, Deno.hostname(), findings.map(formatFinding).join());
  });
});

Deno.test("files and folders of <tls> count from where the configuration is", () => {
  const given = { cafile: "ca.pem", capath: "ca", certfile: "tls/c.pem", keyfile: "/etc/c.key" };
  const content = `<profiles><profile name="p"><connections><connection name="c"><tls>${
    params(given)
  }</tls></connection></connections></profile></profiles>`;
  withConfiguration(SETTINGS + content, (file, folder) => {
    const read = (credentials?: string) => {
      const env = (name: string) => name === "CREDENTIALS_DIRECTORY" ? credentials : undefined;
      const tls = loaded(file, { env }).profiles[0]?.connections[0]?.tls;
      return [tls?.cafile, tls?.capath, tls?.certfile, tls?.keyfile];
    };
    const beside = [join(folder, "ca"), join(folder, "tls/c.pem"), "/etc/c.key"];
    assert.deepEqual(read(), [join(folder, "ca.pem"), ...beside]);
    assert.deepEqual(read("/run/creds"), ["/run/creds/ca.pem", ...beside]);
  });
});
