/**
 * The certificates and keys of the end-to-end tests of TLS, in one folder.
 *
 * @module
 */

import { Authority, type Certificate, type KeyForm } from "../support/authority.ts";

/** The password of all encrypted keys. */
export const KEY_PASSWORD = "opens-the-key";
/** The pre-shared key. */
export const PSK = "5ec2e7c0ffee5ec2e7c0ffee5ec2e7c05ec2e7c0ffee5ec2e7c0ffee5ec2e7c0";
/** The identity that goes with it. */
export const IDENTITY = "pbx-one";

/** The forms of the RSA key of `client-RSA`. */
export const RSA_FORMS = [
  "PKCS#1",
  "PKCS#1 aes256",
  "PKCS#1 des3",
  "PKCS#8",
  "PKCS#8 aes256",
  "PKCS#8 des3",
  "PKCS#8 PBES1",
] as const;

/** The forms of the key of `client-P-256`. */
export const EC_FORMS = ["SEC1", "SEC1 aes256", "PKCS#8", "PKCS#8 aes256"] as const;

/** The file that has the key of a client in a form. */
export function keyFile(client: string, form: KeyForm): string {
  return `${client} ${form}.key`.replaceAll(/[ #]/g, "-");
}

/** Makes them all. The folder has the files of a broker too that are no certificates. */
export async function makeCertificates(): Promise<Authority> {
  const authority = await Authority.start();
  await Promise.all([
    ...issueForBrokers(authority),
    ...issueForClients(authority),
    Deno.writeTextFile(authority.path("psk"), `${IDENTITY}:${PSK}\n`),
    Deno.writeTextFile(authority.path("key-password"), `${KEY_PASSWORD}\n`),
  ]);
  await fillFolder(authority, "roots", "foreign-root.pem", "root.pem");
  await fillFolder(authority, "foreign-roots", "foreign-root.pem");
  await authority.bundle("roots.pem", "foreign-root.pem", "root.pem");
  return authority;
}

function issueForBrokers(authority: Authority): Promise<unknown>[] {
  const names = ["DNS:localhost"];
  const behindIntermediate = async () => {
    const by = await authority.issue("intermediate", { isAuthority: true });
    await authority.issue("leaf", { by, names });
    await authority.issue("client-leaf", { by });
    await authority.bundle("chain.pem", "leaf.pem", "intermediate.pem");
    await authority.bundle("client-chain.pem", "client-leaf.pem", "intermediate.pem");
  };
  const byAnother = async () => {
    const by = await authority.issue("foreign-root", { by: "self", isAuthority: true });
    await authority.issue("foreign", { by, names });
    await authority.issue("client-foreign", { by });
  };
  const byForgers = async () => {
    // All of it is had by whoever knows the name of the CA, or has a client's key.
    const forger = await authority.issue("forger", {
      by: "self",
      isAuthority: true,
      commonName: "root",
    });
    await authority.issue("forged", { by: forger, names });
    await authority.issue("forged-v1", { by: forger, commonName: "localhost", version: 1 });
    const between = await authority.issue("forged-intermediate", { by: forger, version: 1 });
    await authority.issue("forged-leaf", { by: between, names });
    await authority.bundle("forged-chain.pem", "forged-leaf.pem", "forged-intermediate.pem");
    const client = await authority.issue("client");
    await authority.issue("clients-leaf", { by: client, names });
    await authority.issue("clients-v1", { by: client, commonName: "localhost", version: 1 });
    await authority.bundle("clients-chain.pem", "clients-leaf.pem", "client.pem");
    await authority.bundle("clients-v1-chain.pem", "clients-v1.pem", "client.pem");
  };
  return [
    authority.issue("localhost", { names }),
    authority.issue("address", { names: ["IP:127.0.0.1"] }),
    authority.issue("elsewhere", { names: ["DNS:broker.example", "DNS:mqtt.example"] }),
    authority.issue("common-name", { commonName: "localhost" }),
    // As `openssl req -x509` makes it, and as others do.
    authority.issue("self-signed", { by: "self", isAuthority: true, names }),
    authority.issue("self-signed-leaf", { by: "self", names }),
    authority.issue("expired", { names, valid: "over" }),
    authority.issue("future", { names, valid: "later" }),
    authority.issue("version-1", { commonName: "localhost", version: 1 }),
    behindIntermediate(),
    byAnother(),
    byForgers(),
  ];
}

function issueForClients(authority: Authority): Promise<unknown>[] {
  const inForms = async ({ keyfile }: Certificate, client: string, forms: readonly KeyForm[]) => {
    await Promise.all(
      forms.map((form) => authority.convert(keyfile, form, keyFile(client, form), KEY_PASSWORD)),
    );
  };
  const withRsaKey = async () => {
    // RSA keys take long to make: there is only one.
    const rsa = await authority.issue("rsa", { names: ["DNS:localhost"], key: { kind: "RSA" } });
    await authority.issue("client-RSA", { key: rsa.keyfile });
    await inForms(rsa, "client-RSA", RSA_FORMS);
  };
  const withEcKey = async () => {
    await inForms(await authority.issue("client-P-256"), "client-P-256", EC_FORMS);
  };
  return [
    withRsaKey(),
    withEcKey(),
    authority.issue("client-P-384", { key: { kind: "P-384" } }),
    authority.issue("client-P-521", { key: { kind: "P-521" } }),
    authority.issue("client-Ed25519", { key: { kind: "Ed25519" } }),
    authority.issue("client-expired", { valid: "over" }),
  ];
}

/** A folder of authorities without the names that `openssl rehash` gives, and with more in it. */
async function fillFolder(
  authority: Authority,
  name: string,
  ...roots: readonly string[]
): Promise<void> {
  await Deno.mkdir(authority.path(`${name}/older`), { recursive: true });
  await Deno.writeTextFile(authority.path(`${name}/README`), "Ask Bob before changing this.\n");
  for (const root of roots) {
    await Deno.copyFile(authority.path(root), authority.path(`${name}/${root}`));
  }
}
