import assert from "node:assert/strict";
import { join } from "node:path";
import { loadAndCheck } from "../../lib/config/check.ts";
import { checkTlsFiles } from "../../lib/config/check_tls_files.ts";
import { WITHHELD } from "../../lib/config/credentials.ts";
import { effectiveXml } from "../../lib/config/effective.ts";
import type { Finding } from "../../lib/config/position.ts";
import { configuration, load, loaded, params, withFiles } from "./helper.ts";

const settings = (values: Record<string, string>) =>
  configuration(`<settings>${params(values)}</settings>`);

const eventSocket = (values: Record<string, string>) =>
  `<configuration name="event_socket.conf"><settings>${params(values)}</settings></configuration>`;

Deno.test("a secret's file is looked up beside the configuration, without its last newline", () => {
  const files = { "f.xml": settings({ "esl-password-file": "sub/pw" }), "sub/pw": "a b\n\n" };
  withFiles(files, (folder) => {
    const { settings, eslPasswordSource } = loaded(join(folder, "f.xml"));
    assert.equal(settings.eslPassword?.reveal(), "a b\n");
    assert.equal(eslPasswordSource, `esl-password-file ${folder}/sub/pw`);
    assert.equal(settings.source.secretFiles?.get("esl-password"), join(folder, "sub/pw"));
  });
});

Deno.test("a bare name is looked up in systemd's credentials folder where there is one", () => {
  const files = { "f.xml": settings({ "esl-password-file": "pw" }), "pw": "no", "creds/pw": "yes" };
  withFiles(files, (folder) => {
    const env = (name: string) =>
      name === "CREDENTIALS_DIRECTORY" ? join(folder, "creds") : undefined;
    const reveal = (env?: (name: string) => string | undefined) =>
      loaded(join(folder, "f.xml"), env ? { env } : {}).settings.eslPassword?.reveal();
    assert.equal(reveal(env), "yes");
    assert.equal(reveal(), "no");
  });
});

/** A configuration with a credential wherever one can be, and nothing else to complain of. */
const CREDENTIALS = configuration(
  `<settings>${params({ "esl-password-file": "esl" })}</settings>
  <profiles><profile name="p"><connections><connection name="c">
    ${params({ host: "b", username: "u", password_file: "broker" })}
    <tls>${params({ enable: "true", support: "psk", identity: "i", psk_file: "key" })}</tls>
  </connection></connections><subscribers><subscriber name="s"><topics><topic name="t">
    ${params({ connection_name: "c", pattern: "x", bgapi_authorized: "true" })}
    ${params({ bgapi_allow: "status", hmac_key_file: "sign" })}
  </topic></topics></subscriber></subscribers></profile></profiles>`,
);

/** What is found, as `severity code`, and by which text. */
const told = (findings: readonly Finding[]) =>
  findings.map(({ severity, code, text }) => `${severity} ${code}: ${text}`);

Deno.test("who only looks at a configuration may do without its credentials, and is told", () => {
  withFiles({ "f.xml": CREDENTIALS }, (folder) => {
    const { config, findings } = loadAndCheck(join(folder, "f.xml"), {
      env: () => undefined,
      withoutCredentials: true,
      writeFault: () => undefined,
      more: checkTlsFiles,
    });
    const lacking = (form: string, name: string) =>
      `warning secret-file: there is no ${folder}/${name}: \`${form}\` is taken for a credential, ` +
      "which only the service is given: not looked at";
    const [esl, broker, key, authorized, sign, ...rest] = told(findings);
    assert.deepEqual([esl, broker, key, sign, ...rest], [
      lacking("esl-password-file", "esl"),
      lacking("password_file", "broker"),
      lacking("psk_file", "key"),
      lacking("hmac_key_file", "sign"),
    ]);
    assert.match(authorized ?? "", /^warning commands-authorized: /);
    const xml = effectiveXml(config ?? assert.fail());
    assert.match(xml, /name="psk_file" value="key"/);
    assert.doesNotMatch(xml, new RegExp(WITHHELD.reveal()));
  });
});

Deno.test("a credential that lacks is an error for who needs it, which tells how to hand it over", () => {
  const files = { "f.xml": settings({ "esl-password-file": "pw" }), "creds/other": "x" };
  withFiles(files, (folder) => {
    const credentials = join(folder, "creds");
    const lacking = (where: string) =>
      `error secret-file: Cannot read \`esl-password\` from ${where}/pw: No such file or directory` +
      "; hand it over with LoadCredential=pw:/path (docs/service.md)";
    for (
      const [given, withoutCredentials, where] of [
        [undefined, false, folder],
        [credentials, false, credentials],
        // Whoever was given credentials has all that there are.
        [credentials, true, credentials],
      ] as const
    ) {
      const env = (name: string) => name === "CREDENTIALS_DIRECTORY" ? given : undefined;
      const { config, findings } = load(join(folder, "f.xml"), { env, withoutCredentials });
      assert.deepEqual([config, told(findings)], [undefined, [lacking(where)]]);
    }
  });
});

Deno.test("a file that is missing is no credential", () => {
  withFiles({ "f.xml": settings({ "esl-password-file": "./pw" }) }, (folder) => {
    const { findings } = load(join(folder, "f.xml"), { withoutCredentials: true });
    assert.deepEqual(told(findings), [
      `error secret-file: Cannot read \`esl-password\` from ${folder}/pw: No such file or directory`,
    ]);
  });
});

Deno.test("a credential beside the configuration is read", () => {
  withFiles({ "f.xml": settings({ "esl-password-file": "pw" }), "pw": "x\n" }, (folder) => {
    const config = loaded(join(folder, "f.xml"), { withoutCredentials: true });
    assert.equal(config.settings.eslPassword?.reveal(), "x");
  });
});

Deno.test("an empty secret file is an error", () => {
  withFiles({ "f.xml": settings({ "esl-password-file": "pw" }), "pw": "\n" }, (folder) => {
    const { config, findings } = load(join(folder, "f.xml"));
    assert.equal(config, undefined);
    assert.deepEqual(findings.map(({ code }) => code), ["secret-file"]);
  });
});

Deno.test("the ESL password of the file wins, and its place is told", () => {
  const files = {
    "f.xml": settings({ "esl-password": "mine" }),
    "event_socket.conf.xml": eventSocket({ password: "theirs" }),
  };
  withFiles(files, (folder) => {
    const { settings, eslPasswordSource } = loaded(join(folder, "f.xml"));
    assert.equal(settings.eslPassword?.reveal(), "mine");
    assert.equal(eslPasswordSource, `esl-password in ${folder}/f.xml:1`);
  });
});

Deno.test("password and address come from event_socket.conf.xml where they are not given", () => {
  const values = { "listen-ip": "::", "listen-port": "8022", password: "$${secret}" };
  const files = {
    "vars.xml": '<include><X-PRE-PROCESS cmd="set" data="secret=theirs"/></include>',
    "autoload_configs/f.xml": settings({ "esl-port": "8023" }),
    "autoload_configs/event_socket.conf.xml": eventSocket(values),
  };
  withFiles(files, (folder) => {
    const file = join(folder, "autoload_configs/f.xml");
    const { settings, eslPasswordSource } = loaded(file);
    assert.deepEqual([settings.eslHost, settings.eslPort], ["127.0.0.1", 8023]);
    assert.equal(settings.eslPassword?.reveal(), "theirs");
    assert.equal(eslPasswordSource, `event_socket.conf.xml in ${folder}/autoload_configs`);
    assert.deepEqual(load(file).findings, []);
  });
});

const addresses = { "0.0.0.0": "127.0.0.1", "10.0.0.1": "10.0.0.1", "some-name": "127.0.0.1" };
for (const [listen, expected] of Object.entries(addresses)) {
  Deno.test(`an event socket that listens on ${listen} is reached at ${expected}`, () => {
    const files = {
      "f.xml": settings({}),
      "event_socket.conf.xml": eventSocket({ "listen-ip": listen, password: "x" }),
    };
    withFiles(files, (folder) => {
      assert.equal(loaded(join(folder, "f.xml")).settings.eslHost, expected);
    });
  });
}

Deno.test("without any password FreeSWITCH's default is used, with a warning", () => {
  withFiles({ "f.xml": settings({}), "event_socket.conf.xml": "<broken" }, (folder) => {
    const file = join(folder, "f.xml");
    const { settings, eslPasswordSource } = loaded(file);
    assert.equal(settings.eslPassword?.reveal(), "ClueCon");
    assert.equal(eslPasswordSource, "FreeSWITCH's default");
    assert.deepEqual(load(file).findings.map(({ code, severity }) => `${severity} ${code}`), [
      "warning unusable-freeswitch-file",
      "warning default-esl-password",
    ]);
  });
});
