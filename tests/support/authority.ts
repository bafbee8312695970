/**
 * Certificates for tests, made with the `openssl` command in a folder of their own.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";

/** A certificate and its private key, as paths of PEM files. */
export interface Certificate {
  /** The certificate. */
  readonly certfile: string;
  /** The key. */
  readonly keyfile: string;
}

/** A kind of private key. */
export type KeyKind = "RSA" | "P-256" | "P-384" | "P-521" | "Ed25519";

/** What a certificate is to say. */
export interface CertificateOptions {
  /** Who signs it; `self` is the certificate's own key. @default the authority's root */
  readonly by?: Certificate | "self";
  /** Whether it may sign others. @default {false} */
  readonly isAuthority?: boolean;
  /** The subject's common name. @default the file's name */
  readonly commonName?: string;
  /** Alternative names, such as `DNS:localhost` or `IP:127.0.0.1`. @default none */
  readonly names?: readonly string[];
  /** When it is valid. @default now */
  readonly valid?: "now" | "over" | "later";
  /** A key to use again, or the kind of the one to make. @default P-256 */
  readonly key?: string | { readonly kind: KeyKind };
  /** The version of X.509; one of version 1 has no extensions, so no names either. @default 3 */
  readonly version?: 1 | 3;
}

/** The forms that a key comes in, and the `openssl` commands that bring it into them. */
const FORMS = {
  "PKCS#1": ["rsa", "-traditional"],
  "PKCS#1 aes256": ["rsa", "-traditional", "-aes256"],
  "PKCS#1 des3": ["rsa", "-traditional", "-des3"],
  "SEC1": ["ec"],
  "SEC1 aes256": ["ec", "-aes256"],
  "SEC1 des3": ["ec", "-des3"],
  "PKCS#8": ["pkcs8", "-topk8", "-nocrypt"],
  "PKCS#8 aes256": ["pkcs8", "-topk8", "-v2", "aes-256-cbc"],
  "PKCS#8 des3": ["pkcs8", "-topk8", "-v2", "des3"],
  "PKCS#8 aes256, SHA-1": [
    ...["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA1"],
  ],
  "PKCS#8 scrypt": ["pkcs8", "-topk8", "-scrypt"],
  "PKCS#8 PBES1": ["pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES"],
} as const;

/** A form that a private key comes in. */
export type KeyForm = keyof typeof FORMS;

const NEW_KEY: Readonly<Record<KeyKind, readonly string[]>> = {
  "RSA": ["rsa:2048"],
  "P-256": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
  "P-384": ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
  "P-521": ["ec", "-pkeyopt", "ec_paramgen_curve:P-521"],
  "Ed25519": ["ed25519"],
};

/** First and last moment of what is valid at other times; of OpenSSL 3.0 only `ca` takes them. */
const TIMES = {
  over: ["20200101000000Z", "20200201000000Z"],
  later: ["20960101000000Z", "20970101000000Z"],
} as const;

/** Stands in for the machine's own configuration, which may say anything. */
const CONFIG = `[req]
distinguished_name = subject
prompt = no
[subject]
[ca]
default_ca = authority
[authority]
database = $ENV::OPENSSL_DATABASE
policy = any
rand_serial = yes
default_md = sha256
copy_extensions = copy
[any]
commonName = supplied
[signs]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign, digitalSignature
subjectKeyIdentifier = hash
[signs_not]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature, keyEncipherment
`;

/** An authority with a root certificate, and the folder of all that it issues. */
export class Authority implements AsyncDisposable {
  /** Where everything is. */
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Makes one; its root is `root.pem`. */
  static async start(): Promise<Authority> {
    const authority = new Authority(await Deno.makeTempDir({ prefix: "fsmqtt-tls-" }));
    await Deno.writeTextFile(authority.#config, CONFIG);
    await authority.issue("root", { by: "self", isAuthority: true });
    return authority;
  }

  /** The path of a file in the folder. */
  path(name: string): string {
    return join(this.folder, name);
  }

  /** The certificate that all others are signed with by default. */
  get root(): Certificate {
    return this.#files("root");
  }

  /** Issues a certificate, as `name`.pem and, with a new key, `name`.key. */
  async issue(name: string, options: CertificateOptions = {}): Promise<Certificate> {
    const { key, isAuthority = false, names = [], commonName = name } = options;
    const made = this.#files(name);
    const issued = typeof key === "string" ? { ...made, keyfile: key } : made;
    const request = [
      ...["req", "-config", this.#config, "-subj", `/CN=${commonName}`],
      ...(names.length === 0 ? [] : ["-addext", `subjectAltName=${names.join(",")}`]),
      ...(typeof key === "string"
        ? ["-key", key]
        : ["-newkey", ...NEW_KEY[key?.kind ?? "P-256"], "-nodes", "-keyout", made.keyfile]),
    ];
    const { by = this.root, valid = "now", version = 3 } = options;
    const extensions = version === 1
      ? await this.#version1()
      : ["-extensions", isAuthority ? "signs" : "signs_not"];
    if (valid === "now") {
      const signer = by === "self" ? [] : ["-CA", by.certfile, "-CAkey", by.keyfile];
      const days = ["-days", "2", "-out", made.certfile];
      await this.#openssl([...request, ...extensions, "-x509", ...signer, ...days]);
    } else {
      assert(by !== "self", "only what another signs can be valid at another time");
      const csr = this.path(`${name}.csr`);
      await this.#openssl([...request, "-new", "-out", csr]);
      await this.#sign(csr, made.certfile, by, TIMES[valid], extensions);
    }
    return issued;
  }

  /** Brings a key into a form, under that name; a form that is encrypted takes the password. */
  async convert(keyfile: string, form: KeyForm, name: string, password = ""): Promise<string> {
    const out = this.path(name);
    const isOpen = form === "PKCS#1" || form === "SEC1" || form === "PKCS#8";
    const passout = isOpen ? [] : ["-passout", `pass:${password}`];
    await this.#openssl([...FORMS[form], "-in", keyfile, "-out", out, ...passout]);
    return out;
  }

  /** Writes files of the folder into one. */
  async bundle(name: string, ...files: readonly string[]): Promise<string> {
    const texts = await Promise.all(files.map((file) => Deno.readTextFile(this.path(file))));
    await Deno.writeTextFile(this.path(name), texts.join(""));
    return this.path(name);
  }

  /** Removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }

  get #config(): string {
    return this.path("openssl.cnf");
  }

  #files(name: string): Certificate {
    return { certfile: this.path(`${name}.pem`), keyfile: this.path(`${name}.key`) };
  }

  /** OpenSSL 3.0 makes version 1 of what has no extensions, later ones only when they are told. */
  async #version1(): Promise<string[]> {
    const { stderr } = await new Deno.Command("openssl", { args: ["req", "-help"] }).output();
    return new TextDecoder().decode(stderr).includes("-x509v1") ? ["-x509v1"] : [];
  }

  async #sign(
    csr: string,
    out: string,
    by: Certificate,
    [first, last]: readonly [string, string],
    extensions: readonly string[],
  ): Promise<void> {
    // One for each, since several may be signed at once.
    const database = `${csr}.index`;
    await Deno.writeTextFile(database, "");
    await this.#openssl([
      ...["ca", "-config", this.#config, "-batch", "-notext", "-outdir", this.folder],
      ...["-cert", by.certfile, "-keyfile", by.keyfile, "-in", csr, "-out", out],
      ...["-startdate", first, "-enddate", last, ...extensions],
    ], { OPENSSL_DATABASE: database });
  }

  async #openssl(args: readonly string[], env: Record<string, string> = {}): Promise<void> {
    const { success, stderr } = await new Deno.Command("openssl", {
      args: [...args],
      env: { OPENSSL_DATABASE: "", ...env },
      stdin: "null",
    }).output();
    assert(success, `openssl ${args.join(" ")}\n${new TextDecoder().decode(stderr)}`);
  }
}
