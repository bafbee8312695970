import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { Secret } from "../../lib/secret.ts";
import { readCertificates, readFolder } from "../../lib/tls/certificates.ts";
import { readTlsFiles } from "../../lib/tls/files.ts";
import type { TlsSettings } from "../../lib/tls/settings.ts";
import { Authority } from "../support/authority.ts";
import { refusal } from "./refusal.ts";
import { tlsSettings as settings } from "./settings_helper.ts";

/** Within the time of the certificates that are valid later. */
const LATER = Date.UTC(2096, 5);

const MALFORMED = "-----BEGIN CERTIFICATE-----\nMIIBgTCB\n-----END CERTIFICATE-----\n";

async function run(command: string, ...args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  assert(success, new TextDecoder().decode(stderr));
}

/** Writes several PEM files into one. */
async function join(certificates: Authority, ...files: readonly string[]): Promise<string> {
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(file)));
  const path = certificates.path(`${crypto.randomUUID()}.pem`);
  await Deno.writeTextFile(path, texts.join(""));
  return path;
}

/** Whose certificates these are. */
function subjects(blocks: readonly string[]): string[] {
  return blocks.map((pem) => new X509Certificate(pem).subject);
}

function digestOf(changed: Partial<TlsSettings>): string {
  return readTlsFiles(settings(changed)).digest;
}

Deno.test("cafile and capath give each authority once, as a block of its own", async () => {
  await using certificates = await Authority.start();
  const { root } = certificates;
  const { certfile: second } = await certificates.issue("second", { isAuthority: true });
  const cafile = certificates.path("ca.pem");
  const pem = await Deno.readTextFile(root.certfile);
  const old = (await Deno.readTextFile(second)).replaceAll(" CERT", " X509 CERT");
  await Deno.writeTextFile(cafile, `# Root\n${pem}${old}${pem}`);
  const capath = certificates.path("ca");
  await Deno.mkdir(capath);
  const windows = (await Deno.readTextFile(second)).replaceAll("\n", "\r\n");
  await Deno.writeTextFile(`${capath}/windows.crt`, `Bag Attributes\r\n${windows}`);

  for (const given of [{ cafile }, { cafile, capath }]) {
    const { trusted } = readTlsFiles(settings(given));
    assert.deepEqual(subjects(trusted), ["CN=root", "CN=second"]);
    for (const pem of trusted) {
      assert.match(pem, /^-----BEGIN CERTIFICATE-----\n[^-]+\n-----END CERTIFICATE-----\n$/);
    }
  }
  assert.deepEqual(subjects(readTlsFiles(settings({ capath })).trusted), ["CN=second"]);
});

Deno.test("a folder may hold anything beside certificates", async () => {
  await using certificates = await Authority.start();
  const { root } = certificates;
  const folder = certificates.path("ca");
  await Deno.mkdir(`${folder}/private`, { recursive: true });
  await Deno.copyFile(root.keyfile, `${folder}/private/root.key`);
  await Deno.copyFile(root.keyfile, `${folder}/root.key`);
  await Deno.symlink("/nowhere", `${folder}/0a1b2c3d.0`);
  await Deno.symlink("/dev/zero", `${folder}/zero.pem`);
  await run("mkfifo", `${folder}/pipe.pem`);
  await Deno.writeTextFile(`${folder}/README`, "-----BEGIN CERTIFICATE-----");
  await Deno.writeTextFile(`${folder}/cut.pem`, MALFORMED.slice(0, 30));
  await Deno.writeFile(`${folder}/binary.der`, crypto.getRandomValues(new Uint8Array(999)));
  const { certfile: buried } = await certificates.issue("buried", { isAuthority: true });
  await Deno.rename(buried, `${folder}/long.pem`);
  await Deno.truncate(`${folder}/long.pem`, 1e7);
  const mixed = MALFORMED + await Deno.readTextFile(root.certfile);
  await Deno.writeTextFile(`${folder}/mixed.pem`, mixed);
  assert.deepEqual(readFolder(folder).map(({ subject }) => subject), ["CN=root"]);
});

Deno.test("a file of certificates is judged as a whole, and its fault is named", async () => {
  await using certificates = await Authority.start();
  const { certfile, keyfile } = certificates.root;
  const pem = await Deno.readTextFile(certfile);
  const { raw } = new X509Certificate(pem);
  const trusted = certificates.path("trusted");
  await run("openssl", "x509", "-in", certfile, "-trustout", "-out", trusted);
  const path = certificates.path("x.pem");
  for (
    const [content, fault] of [
      ["", "it is empty"],
      ["hello\n", "it holds no PEM block, let alone a certificate"],
      [await Deno.readTextFile(keyfile), "it holds a private key, not a certificate"],
      [pem.replaceAll("CERTIFICATE", "X509 CRL"), 'it holds a block "X509 CRL", not a certificate'],
      [pem.replaceAll(/^/gm, "# "), "it holds no PEM block, let alone a certificate"],
      [pem + MALFORMED + pem, "certificate 2 of the 3 in it is malformed"],
      [pem + pem.slice(0, 200), "certificate 2 of the 2 in it is malformed"],
      [pem.replace(/^M/m, "*"), "certificate 1 of the 1 in it is malformed"],
      [raw, /^it is binary, not PEM: `openssl x509 -inform der/],
      [await Deno.readTextFile(trusted), /TRUSTED CERTIFICATE; `openssl x509` makes a plain one/],
    ] as const
  ) {
    if (typeof content === "string") await Deno.writeTextFile(path, content);
    else await Deno.writeFile(path, content);
    for (const parameter of ["cafile", "certfile"]) {
      const [found, message] = refusal(() => readCertificates(parameter, path));
      assert.equal(found, parameter);
      const start = `cannot use ${parameter} ${path}: `;
      assert.equal(message.slice(0, start.length), start);
      if (typeof fault === "string") assert.equal(message.slice(start.length), fault);
      else assert.match(message.slice(start.length), fault);
    }
  }
});

Deno.test("files that cannot be read are named with the cause", async () => {
  await using certificates = await Authority.start();
  const { certfile, keyfile } = certificates.root;
  const none = certificates.path("none");
  const { folder } = certificates;
  for (
    const [changed, parameter, message] of [
      [{ cafile: none }, "cafile", `cannot read cafile ${none}: no such file or directory`],
      [{ capath: none }, "capath", `cannot read capath ${none}: no such file or directory`],
      [{ capath: certfile }, "capath", `cannot read capath ${certfile}: not a directory`],
      [{ cafile: folder }, "cafile", `cannot use cafile ${folder}: it is a folder`],
      [{ cafile: "/dev/zero" }, "cafile", "cannot use cafile /dev/zero: it is not a file"],
      [
        { certfile: `${certfile}/x`, keyfile },
        "certfile",
        `cannot read certfile ${certfile}/x: not a directory`,
      ],
      [
        { certfile, keyfile: none },
        "keyfile",
        `cannot read keyfile ${none}: no such file or directory`,
      ],
      [{ certfile, keyfile: folder }, "keyfile", `cannot use keyfile ${folder}: it is a folder`],
      [{ certfile }, "certfile", "certfile and keyfile must be given together"],
      [{ keyfile }, "keyfile", "certfile and keyfile must be given together"],
    ] as const
  ) {
    const given = settings({ cafile: certfile, ...changed });
    assert.deepEqual(refusal(() => readTlsFiles(given)), [parameter, message]);
  }
});

Deno.test("without an authority no broker is verified, so none is needed to verify none", async () => {
  await using certificates = await Authority.start();
  const empty = certificates.path("empty");
  await Deno.mkdir(empty);
  const nothing = "neither cafile nor capath gives a certificate to verify with";
  const unverified = { advancedOptions: true, certReqs: "SSL_VERIFY_NONE" } as const;
  for (const [given, parameter] of [[{}, "cafile"], [{ capath: empty }, "capath"]] as const) {
    assert.deepEqual(refusal(() => readTlsFiles(settings(given))), [parameter, nothing]);
    assert.deepEqual(readTlsFiles(settings({ ...given, ...unverified })).trusted, []);
    const almost = settings({ ...given, ...unverified, advancedOptions: false });
    assert.equal(refusal(() => readTlsFiles(almost))[1], nothing);
  }
  const missing = settings({ cafile: certificates.path("none"), ...unverified });
  assert.equal(refusal(() => readTlsFiles(missing))[0], "cafile");
});

Deno.test("a client's certificate is no authority, wherever it lies", async () => {
  await using certificates = await Authority.start();
  const { certfile } = await certificates.issue("client");
  const cafile = await join(certificates, certfile, certificates.root.certfile);
  assert.deepEqual(subjects(readTlsFiles(settings({ cafile })).trusted), ["CN=root"]);
  const capath = certificates.path("ca");
  await Deno.mkdir(capath);
  await Deno.copyFile(certfile, `${capath}/client.crt`);
  assert.deepEqual(refusal(() => readTlsFiles(settings({ capath }))), [
    "capath",
    `capath ${capath} gives no CA's certificate: CN=client is none`,
  ]);
});

Deno.test("a broker's certificate that it signed itself can be trusted", async () => {
  await using certificates = await Authority.start();
  const { certfile: cafile } = await certificates.issue("broker", { by: "self" });
  assert.deepEqual(subjects(readTlsFiles(settings({ cafile })).trusted), ["CN=broker"]);
});

Deno.test("an authority counts in its time only", async () => {
  await using certificates = await Authority.start();
  const { certfile: past } = await certificates.issue("past", { isAuthority: true, valid: "over" });
  const { certfile: future } = await certificates.issue("future", {
    isAuthority: true,
    valid: "later",
  });
  const cafile = await join(certificates, past, certificates.root.certfile, future);
  assert.deepEqual(subjects(readTlsFiles(settings({ cafile })).trusted), ["CN=root"]);
  assert.deepEqual(subjects(readTlsFiles(settings({ cafile }), LATER).trusted), ["CN=future"]);
  assert.deepEqual(refusal(() => readTlsFiles(settings({ cafile: past }))), [
    "cafile",
    `no certificate that cafile ${past} gives is valid now: CN=past expired on 2020-02-01`,
  ]);
  assert.match(
    refusal(() => readTlsFiles(settings({ cafile: future })))[1],
    /: CN=future is not valid before 2096-01-01: is this machine's clock right\?$/,
  );
});

Deno.test("the client's certificates come in their order, with the key that fits", async () => {
  await using certificates = await Authority.start();
  const { root } = certificates;
  const between = await certificates.issue("between", { isAuthority: true });
  const { certfile: own, keyfile } = await certificates.issue("client", { by: between });
  const cafile = root.certfile;
  const certfile = await join(certificates, own, between.certfile, keyfile);
  const { client } = readTlsFiles(settings({ cafile, certfile, keyfile: certfile }));
  assert.deepEqual(subjects(client?.chain ?? []), ["CN=client", "CN=between"]);
  assert.equal(client?.key, await Deno.readTextFile(keyfile));

  const unfit = `the key in keyfile ${keyfile} does not fit the certificate in certfile `;
  const reversed = await join(certificates, between.certfile, own);
  for (
    const [certfile, hint] of [
      [root.certfile, ""],
      [reversed, "; it fits certificate 2, which must come first"],
    ] as const
  ) {
    const given = settings({ cafile, certfile, keyfile });
    assert.deepEqual(refusal(() => readTlsFiles(given)), ["keyfile", unfit + certfile + hint]);
  }
});

Deno.test("a kind of key that Deno's TLS does not take is named; OpenSSL may take it", async () => {
  await using certificates = await Authority.start();
  const cafile = certificates.root.certfile;
  const ciphers = { advancedOptions: true, optsCiphers: "HIGH" };
  for (
    const [kind, name] of [
      [["ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"], "EC, secp256k1"],
      [["rsa:1024"], "RSA, 1024 bits"],
      [["ed448"], "ED448"],
      [["rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"], "RSA-PSS, 2048 bits"],
    ] as const
  ) {
    const [certfile, keyfile] = [certificates.path("odd.pem"), certificates.path("odd.key")];
    await run("openssl", "req", "-x509", "-subj", "/CN=odd", ...[
      ...["-nodes", "-newkey", ...kind, "-keyout", keyfile, "-out", certfile],
    ]);
    const [parameter, message] = refusal(() =>
      readTlsFiles(settings({ cafile, certfile, keyfile }))
    );
    assert.equal(parameter, "keyfile");
    const start = `cannot use keyfile ${keyfile}: Deno's TLS takes no key of this kind (${name}), `;
    assert.equal(message.slice(0, start.length), start);
    const { client } = readTlsFiles(settings({ cafile, certfile, keyfile, ...ciphers }));
    assert.match(client?.key ?? "", /^-----BEGIN PRIVATE KEY-----/);
  }
});

Deno.test("with a pre-shared key no file is read, and without support nothing is", () => {
  const files = { cafile: "/none", capath: "/none", certfile: "/none", keyfile: "/none" };
  const { trusted, client } = readTlsFiles(settings({ support: "psk", ...files }));
  assert.deepEqual([trusted, client], [[], undefined]);
  assert.deepEqual(refusal(() => readTlsFiles(settings({ support: undefined, ...files }))), [
    "support",
    "TLS is enabled, but `support` does not say how",
  ]);
});

Deno.test("the digest tells when a certificate or a key is renewed, and only then", async () => {
  await using certificates = await Authority.start();
  const { certfile: ca } = certificates.root;
  const { certfile, keyfile } = await certificates.issue("client");
  const capath = certificates.path("ca");
  await Deno.mkdir(capath);
  const files = { cafile: ca, capath, certfile, keyfile, keyfilePassword: new Secret("x") };
  const digests = [digestOf(files)];
  await Deno.writeTextFile(`${capath}/README`, "This is no certificate");
  await Deno.writeTextFile(keyfile, `# Renewed\n${await Deno.readTextFile(keyfile)}`);
  assert.equal(digestOf(files), digests[0]);
  await certificates.issue("client", { key: keyfile });
  digests.push(digestOf(files));
  await certificates.issue("client");
  digests.push(digestOf(files));
  const { certfile: other } = await certificates.issue("other", { by: "self" });
  await Deno.copyFile(other, `${capath}/other.crt`);
  digests.push(digestOf(files));
  assert.equal(new Set(digests).size, digests.length);
  assert.match(digests.join(), /^[0-9a-f,]+$/);
});

Deno.test("a file that did not change is not read again, one that did is", async () => {
  await using certificates = await Authority.start();
  const path = certificates.path("ca.pem");
  const issue = async (name: string) =>
    await Deno.readTextFile((await certificates.issue(name, { by: "self" })).certfile);
  const read = (now: number) => readCertificates("cafile", path, now)[0];
  const soon = Date.now() + 60_000;
  const subjectsRead: unknown[] = [];
  for (const name of ["first", "other", "third"]) {
    await Deno.writeTextFile(path, (await issue(name)).padEnd(2_000));
    const certificate = read(soon);
    subjectsRead.push(certificate?.subject);
    assert.equal(read(soon), certificate);
  }
  assert.deepEqual(subjectsRead, ["CN=first", "CN=other", "CN=third"]);
});

Deno.test("a change too small for the time stamps does not go unseen", async () => {
  await using certificates = await Authority.start();
  const path = certificates.path("ca.pem");
  const { certfile } = await certificates.issue("other", { by: "self" });
  const at = new Date(2020, 1);
  const subjectsRead: unknown[] = [];
  for (const source of [certificates.root.certfile, certfile]) {
    await Deno.writeTextFile(path, (await Deno.readTextFile(source)).padEnd(2_000));
    // As `rsync -t` and `cp -p` do.
    await Deno.utime(path, at, at);
    subjectsRead.push(readCertificates("cafile", path)[0]?.subject);
  }
  assert.deepEqual(subjectsRead, ["CN=root", "CN=other"]);
});
