import assert from "node:assert/strict";
import { loadAndCheck } from "../../lib/config/check.ts";
import { checkTlsFiles } from "../../lib/config/check_tls_files.ts";
import { Authority } from "../support/authority.ts";
import { configOf, configuration, params, SETTINGS, withFiles, withoutIdle } from "./helper.ts";

/** Times at which the certificates that are valid in 2096 are that, over, and not yet. */
const GOOD = new Date("2096-06-01T12:00:00Z");
const OVER = new Date("2098-01-01");
const BEFORE = new Date("2095-12-31");

type Tls = Readonly<Record<string, string>>;

/** A profile whose connection `c` has this `<tls>`. */
function content(tls: Tls, connection: Tls = {}, profile: Tls = {}): string {
  return `<profiles><profile name="p">${params(profile)}<connections><connection name="c">${
    params({ host: "b", ...connection })
  }\n<tls>\n${
    Object.entries({ enable: "true", support: "certificate", ...tls })
      .map(([name, value]) => params({ [name]: value })).join("\n")
  }</tls></connection></connections></profile></profiles>`;
}

/** `severity code at parameter: text` for what is found. */
function found(text: string, now?: Date): string[] {
  const config = configOf(text);
  const given = config.profiles[0]?.connections[0]?.tls.source.given ?? new Map();
  return checkTlsFiles(config, now === undefined ? {} : { now }).map((finding) => {
    const [parameter] = [...given].find(([, at]) => at.line === finding.at.line) ?? ["<tls>"];
    return `${finding.severity} ${finding.code} at ${parameter}: ${finding.text}`;
  });
}

/** An authority, and one of 2096 with a client that it certified. */
class Scene implements AsyncDisposable {
  private constructor(readonly certificates: Authority) {}

  static async start(): Promise<Scene> {
    const certificates = await Authority.start();
    await certificates.issue("ca", { isAuthority: true, valid: "later" });
    await certificates.issue("client", { valid: "later" });
    return new Scene(certificates);
  }

  path(name: string): string {
    return this.certificates.path(name);
  }

  get files(): { readonly cafile: string; readonly certfile: string; readonly keyfile: string } {
    return {
      cafile: this.path("ca.pem"),
      certfile: this.path("client.pem"),
      keyfile: this.path("client.key"),
    };
  }

  async join(name: string, ...names: readonly string[]): Promise<string> {
    const texts = await Promise.all(names.map((each) => Deno.readTextFile(this.path(each))));
    await Deno.writeTextFile(this.path(name), texts.join(""));
    return this.path(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.certificates[Symbol.asyncDispose]();
  }
}

Deno.test("a note says how long a certificate that can be used is good", async () => {
  await using scene = await Scene.start();
  const what = `at certfile: the certificate CN=client in certfile ${scene.files.certfile}`;
  for (
    const [now, expected] of [
      [GOOD, `note tls-expires ${what} is good until 2097-01-01, for another 213 days`],
      ["2096-12-02", `note tls-expires ${what} is good until 2097-01-01, for another 30 days`],
      [
        "2096-12-02T01:00Z",
        `warning tls-expires ${what} is good until 2097-01-01, for another 29 days`,
      ],
      ["2096-12-31", `warning tls-expires ${what} is good until 2097-01-01, for another 1 day`],
      [
        "2096-12-31T01:00Z",
        `warning tls-expires ${what} is good until 2097-01-01, for less than a day`,
      ],
    ] as const
  ) {
    assert.deepEqual(found(content(scene.files), new Date(now)), [expected]);
  }
});

Deno.test("a certificate out of its time is an error", async () => {
  await using scene = await Scene.start();
  const { certfile, keyfile } = scene.files;
  // Nothing is verified here, so that the authorities' time does not matter.
  const tls = {
    ...{ cafile: scene.path("root.pem"), certfile, keyfile },
    ...{ advanced_options: "true", cert_reqs: "SSL_VERIFY_NONE" },
  };
  const what = `error tls-expired at certfile: the certificate CN=client in certfile ${certfile}`;
  assert.deepEqual(found(content(tls), OVER), [`${what} expired on 2097-01-01`]);
  assert.deepEqual(found(content(tls), BEFORE), [
    `${what} is not valid before 2096-01-01: is this machine's clock right?`,
  ]);
});

Deno.test("an expired certificate above the client's is a warning", async () => {
  await using scene = await Scene.start();
  await scene.certificates.issue("above", { isAuthority: true, valid: "over" });
  const certfile = await scene.join("chain.pem", "client.pem", "above.pem");
  assert.deepEqual(found(content({ ...scene.files, certfile }), GOOD).slice(0, 2), [
    `note tls-expires at certfile: the certificate CN=client in certfile ${certfile} is good ` +
    "until 2097-01-01, for another 213 days",
    `warning tls-expired at certfile: the certificate CN=above in certfile ${certfile} ` +
    "expired on 2020-02-01",
  ]);
});

Deno.test("each file that cannot be used is an error at its parameter", async () => {
  await using scene = await Scene.start();
  const { cafile, certfile, keyfile } = scene.files;
  const none = scene.path("none");
  const good = "note tls-expires at certfile: ";
  const password = "hunter2";
  const encrypted = await scene.certificates.convert(keyfile, "PKCS#8 des3", "des3.key", password);
  const empty = scene.path("empty");
  await Deno.mkdir(empty);
  for (
    const [tls, ...expected] of [
      [{ cafile: none }, "error tls-file at cafile: cannot read cafile ", good],
      [{ cafile: keyfile }, "error tls-file at cafile: cannot use cafile ", good],
      [
        { cafile: certfile },
        `error tls-file at cafile: cafile ${certfile} gives no CA's`,
        good,
      ],
      [
        { cafile: scene.path("root.pem") },
        "error tls-expired at cafile: no certificate that ",
        good,
      ],
      [{ cafile: "", capath: none }, good, "error tls-file at capath: cannot read capath "],
      [{ cafile: "", capath: empty }, good, "error tls-file at capath: neither cafile nor capath "],
      [{ capath: empty }, good, `warning tls-file at capath: capath ${empty} gives no certificate`],
      [{ certfile: none }, "error tls-file at certfile: cannot read certfile "],
      [{ certfile: keyfile }, "error tls-file at certfile: cannot use certfile "],
      [{ keyfile: none }, good, "error tls-key at keyfile: cannot read keyfile "],
      [{ keyfile: certfile }, good, "error tls-key at keyfile: cannot use keyfile "],
      [{ keyfile: scene.path("ca.key") }, good, "error tls-key at keyfile: the key in keyfile "],
      [{ keyfile: encrypted }, good, "error tls-key at keyfile: cannot use keyfile "],
      [
        { keyfile: encrypted, keyfile_password: "hunter3" },
        good,
        `error tls-key at keyfile_password: \`keyfile_password\` does not open keyfile ${encrypted}`,
      ],
      [{ keyfile: encrypted, keyfile_password: password }, good],
      [
        { keyfile_password: password },
        good,
        "warning tls-no-effect at keyfile_password: `keyfile_password` has no effect: the key in ",
      ],
      [
        { certfile: none, keyfile: encrypted, keyfile_password: "hunter3" },
        "error tls-file at certfile: cannot read certfile ",
        "error tls-key at keyfile_password: `keyfile_password` does not open keyfile ",
      ],
    ] as const
  ) {
    const text = content({ cafile, certfile, keyfile, ...tls });
    const lines = found(text, GOOD);
    assert.deepEqual(lines.map((line, i) => line.slice(0, expected[i]?.length)), expected);
    assert.doesNotMatch(lines.join("\n"), /hunter/);
  }
});

Deno.test("without the credential that opens it a key is not opened, and all else is checked", async () => {
  await using scene = await Scene.start();
  const { cafile, certfile, keyfile: open } = scene.files;
  const keyfile = await scene.certificates.convert(open, "PKCS#8 des3", "des3.key", "hunter2");
  const tls = content({ cafile, certfile, keyfile, keyfile_password_file: "credential" });
  withFiles({ "f.xml": configuration(SETTINGS + tls) }, (folder) => {
    const { config, findings } = loadAndCheck(`${folder}/f.xml`, {
      env: () => undefined,
      withoutCredentials: true,
      writeFault: () => undefined,
      more: (config) => checkTlsFiles(config, { now: OVER }),
    });
    assert.equal(config, undefined);
    const codes = withoutIdle(findings).map(({ severity, code }) => `${severity} ${code}`);
    assert.deepEqual(codes, ["error tls-expired", "error tls-expired", "warning secret-file"]);
  });
});

Deno.test("of several authorities those that do not count are warnings", async () => {
  await using scene = await Scene.start();
  const cafile = await scene.join("cas.pem", "root.pem", "client.pem", "ca.pem");
  const what = (subject: string) => `the certificate ${subject} in cafile ${cafile}`;
  assert.deepEqual(found(content({ cafile }), BEFORE).length, 1);
  assert.deepEqual(
    found(content({ cafile }), GOOD).map((line) => line.replace(/on \d\S+;/, "on X;")),
    [
      `warning tls-expired at cafile: ${what("CN=root")} expired on X; ` +
      "no broker is verified with it",
      `warning tls-file at cafile: ${what("CN=client")} is not a CA's: no broker is verified ` +
      "with it",
    ],
  );
  const capath = scene.path("folder");
  await Deno.mkdir(capath);
  await Deno.rename(cafile, `${capath}/cas.pem`);
  assert.deepEqual(found(content({ capath }), GOOD), []);
});

Deno.test("files of what is not used are not opened", () => {
  const tls = { cafile: "/none" };
  assert.equal(found(content(tls)).length, 1);
  assert.deepEqual(found(content({ ...tls, enable: "false" })), []);
  assert.deepEqual(found(content(tls, { enable: "false" })), []);
  assert.deepEqual(found(content(tls, {}, { enable: "false" })), []);
  assert.deepEqual(found(content({ ...tls, support: "psk", psk: "c0ffee", identity: "i" })), []);
});

Deno.test("what is told without opening a file is not told again", () => {
  assert.deepEqual(found(content({ cafile: "/none", certfile: "/none" })), []);
  assert.deepEqual(found(content({ cafile: "/none", support: "" })), []);
  assert.deepEqual(found(content({ support: "psk", psk: "zz", identity: "i" })), []);
});

Deno.test("cipher lists are held against OpenSSL's", async () => {
  await using scene = await Scene.start();
  const tls = { cafile: scene.files.cafile, advanced_options: "true" };
  const known = "ECDHE-RSA-AES256-GCM-SHA384:TLS_AES_256_GCM_SHA384:!MD5:@STRENGTH";
  for (
    const [given, ...expected] of [
      [{ opts_ciphers: known }],
      [
        { opts_ciphers: `${known}:NO-SUCH:TLS_NO_SUCH` },
        "warning tls-ciphers at opts_ciphers: OpenSSL knows no NO-SUCH, TLS_NO_SUCH of `opts_ciphers`",
      ],
      [
        { opts_ciphers: "NO-SUCH" },
        "error tls-openssl at opts_ciphers: no cipher of `opts_ciphers` is left: OpenSSL knows no " +
        "NO-SUCH of `opts_ciphers`",
      ],
      [
        { opts_ciphers: "NULL" },
        "error tls-openssl at opts_ciphers: no cipher of `opts_ciphers` is left: NULL of " +
        "`opts_ciphers` is never used",
      ],
      [
        { opts_ciphers: `${known}:aNULL` },
        "warning tls-ciphers at opts_ciphers: aNULL of `opts_ciphers` is never used: it does not",
      ],
      [
        { opts_ciphers: "HIGH" },
        "warning tls-ciphers at opts_ciphers: `opts_ciphers` names no cipher of TLS 1.3",
      ],
      [{ opts_ciphers: "HIGH", version: "tlsv1.2" }],
      [{ version: "tlsv1" }],
      [{ support: "psk", psk: "c0ffee", identity: "i" }],
      [
        { support: "psk", psk: "c0ffee", identity: "i", psk_ciphers: "PSK:NO-SUCH" },
        "warning tls-ciphers at psk_ciphers: OpenSSL knows no NO-SUCH of `psk_ciphers`",
        "warning tls-ciphers at psk_ciphers: `psk_ciphers` names no cipher of TLS 1.3",
      ],
    ] as const
  ) {
    const lines = found(content({ ...tls, ...given }), GOOD);
    assert.deepEqual(lines.map((line, i) => line.slice(0, expected[i]?.length)), expected);
  }
});

Deno.test("a key or a secret that every user can read is a warning", async () => {
  await using scene = await Scene.start();
  const { keyfile } = scene.files;
  const pskFile = scene.path("psk");
  await Deno.writeTextFile(pskFile, "c0ffee");
  const psk = { support: "psk", identity: "i", psk_file: pskFile };
  for (const [mode, isTold] of [[0o600, false], [0o640, false], [0o644, true]] as const) {
    await Deno.chmod(keyfile, mode);
    await Deno.chmod(pskFile, mode);
    const told = [...found(content(scene.files), GOOD), ...found(content(psk))]
      .filter((line) => line.includes("readable-secret"));
    assert.deepEqual(
      told.map((line) => line.slice(0, line.indexOf(" can be read"))),
      isTold
        ? [
          `warning readable-secret at keyfile: keyfile ${keyfile}`,
          `warning readable-secret at psk: psk_file ${pskFile}`,
        ]
        : [],
    );
  }
});
