import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { Secret } from "../../lib/secret.ts";
import { openKey } from "../../lib/tls/private_key.ts";
import { Authority, type KeyForm, type KeyKind } from "../support/authority.ts";
import { refusal } from "./refusal.ts";

const PASSWORD = "hunter2 ü";

const OPEN: readonly KeyForm[] = ["PKCS#8"];
const ENCRYPTED: readonly KeyForm[] = [
  ...["PKCS#8 aes256", "PKCS#8 des3", "PKCS#8 scrypt", "PKCS#8 PBES1"] as const,
  "PKCS#8 aes256, SHA-1",
];

/** The forms that each kind of key comes in. */
const forms: Readonly<Record<KeyKind, readonly KeyForm[]>> = {
  "RSA": [...OPEN, "PKCS#1", ...ENCRYPTED, "PKCS#1 aes256", "PKCS#1 des3"],
  "P-256": [...OPEN, "SEC1", ...ENCRYPTED, "SEC1 aes256", "SEC1 des3"],
  "P-384": [...OPEN, "SEC1", ...ENCRYPTED, "SEC1 aes256", "SEC1 des3"],
  "P-521": [...OPEN, "SEC1", ...ENCRYPTED, "SEC1 aes256", "SEC1 des3"],
  "Ed25519": [...OPEN, ...ENCRYPTED],
};

/** `openssl ecparam -genkey` puts such a block before the key. */
const EC_PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n" +
  "-----END EC PARAMETERS-----\n";

/** The public half of a private key, by which keys are told apart. */
function publicHalf(pem: string): string {
  return createPublicKey(createPrivateKey(pem)).export({ type: "spki", format: "pem" }).toString();
}

for (const kind of ["RSA", "P-256", "P-384", "P-521", "Ed25519"] as const) {
  Deno.test(`a key of ${kind} opens in each form, with the right password only`, async () => {
    await using certificates = await Authority.start();
    const { keyfile } = await certificates.issue("client", { key: { kind } });
    const expected = publicHalf(await Deno.readTextFile(keyfile));
    for (const form of forms[kind]) {
      const path = await certificates.convert(keyfile, form, "converted.key", PASSWORD);
      const original = await Deno.readTextFile(path);
      const isEncrypted = /ENCRYPTED/.test(original);
      assert.equal(isEncrypted, / /.test(form), form);
      const variants = [original, original.replaceAll("\n", "\r\n"), `Bag Attributes\n${original}`];
      if (form.startsWith("SEC1")) variants.push(EC_PARAMETERS + original);
      for (const text of variants) {
        await Deno.writeTextFile(path, text);
        const opened = openKey(path, new Secret(PASSWORD));
        assert.equal(publicHalf(opened.pem), expected, form);
        assert.match(opened.pem, /^-----BEGIN PRIVATE KEY-----\r?\n/, form);
        assert.equal(opened.wasEncrypted, isEncrypted, form);
      }
      if (!isEncrypted) {
        assert.equal(publicHalf(openKey(path, undefined).pem), expected, form);
        continue;
      }
      const wrong = ["keyfile_password", `\`keyfile_password\` does not open keyfile ${path}`];
      for (const password of ["hunter", "hunter22"]) {
        assert.deepEqual(refusal(() => openKey(path, new Secret(password))), wrong, form);
      }
      assert.deepEqual(
        refusal(() => openKey(path, undefined)),
        ["keyfile", `cannot use keyfile ${path}: its key is encrypted; give \`keyfile_password\``],
        form,
      );
    }
  });
}

Deno.test("a wrong password is called wrong even where it gives something by chance", async () => {
  await using certificates = await Authority.start();
  const { keyfile } = await certificates.issue("client", { key: { kind: "RSA" } });
  const path = await certificates.convert(keyfile, "PKCS#1 aes256", "converted.key", PASSWORD);
  // For one of 256 the padding is right.
  for (let number = 0; number < 2_000; number++) {
    const [parameter] = refusal(() => openKey(path, new Secret(String(number))));
    assert.equal(parameter, "keyfile_password");
  }
});

Deno.test("a file that gives no key is refused with what it holds instead", async () => {
  await using certificates = await Authority.start();
  const { certfile, keyfile } = certificates.root;
  const key = await Deno.readTextFile(keyfile);
  const aes = await certificates.convert(keyfile, "PKCS#8 aes256", "aes.key", PASSWORD);
  const encrypted = await Deno.readTextFile(aes);
  const unknown = "its key is malformed, or of a kind that is not known here";
  const path = certificates.path("x.key");
  for (
    const [content, fault] of [
      ["", "it is empty"],
      ["hunter2\n", "it holds no PEM block, let alone a private key"],
      [await Deno.readTextFile(certfile), "it holds a certificate, not a private key"],
      [EC_PARAMETERS, 'it holds a block "EC PARAMETERS", not a private key'],
      [
        key.replaceAll("PRIVATE KEY", "OPENSSH PRIVATE KEY"),
        /OpenSSH.*`ssh-keygen -p -m PKCS8 -f`/,
      ],
      [new Uint8Array([0x30, 0x82, 1, 2]), /^it is binary, not PEM: `openssl pkey -inform der/],
      [key.replace(/^M.{20}/m, ""), unknown],
      [key.slice(0, 60), unknown],
      [encrypted.replace(/^M/m, "*"), unknown],
    ] as const
  ) {
    if (typeof content === "string") await Deno.writeTextFile(path, content);
    else await Deno.writeFile(path, content);
    const [parameter, message] = refusal(() => openKey(path, new Secret(PASSWORD)));
    assert.equal(parameter, "keyfile");
    const start = `cannot use keyfile ${path}: `;
    assert.equal(message.slice(0, start.length), start);
    if (typeof fault === "string") assert.equal(message.slice(start.length), fault);
    else assert.match(message.slice(start.length), fault);
    assert.doesNotMatch(message, /hunter2/);
  }
});
