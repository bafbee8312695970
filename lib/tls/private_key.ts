/**
 * Opens private keys in PEM files. Nothing of what such a file holds is kept or told.
 *
 * @module
 */

import { createPrivateKey, type KeyObject } from "node:crypto";
import type { Secret } from "../secret.ts";
import { TlsRefusal } from "./errors.ts";
import { decryptKey } from "./openssl/keys.ts";
import {
  fileState,
  fileStrangeness,
  type PemBlock,
  pemBlocks,
  readPem,
  unreadable,
  unusable,
  wrongContent,
} from "./pem.ts";

/** A private key that is open. */
export interface PrivateKey {
  /** The key. */
  readonly key: KeyObject;
  /** It as a PEM block in PKCS#8, not encrypted. */
  readonly pem: string;
  /** Whether it was encrypted. */
  readonly wasEncrypted: boolean;
}

const UNKNOWN_KIND = "its key is malformed, or of a kind that is not known here";

/**
 * Opens the first private key of a file. A password that it does not need is passed over.
 *
 * @throws {TlsRefusal} if there is none, or it does not open.
 */
export function openKey(path: string, password: Secret | undefined): PrivateKey {
  const block = readKeyBlock(path);
  if (!isEncrypted(block)) return open(path, block);
  if (password === undefined) {
    throw unusable("keyfile", path, "its key is encrypted; give `keyfile_password`");
  }
  return { ...openEncrypted(path, block, password), wasEncrypted: true };
}

/** Whether a key is encrypted in a form that OpenSSL has to open; not if it cannot be read. */
export function keyNeedsOpenSsl(path: string): boolean {
  try {
    const block = readKeyBlock(path);
    return isEncrypted(block) && !isOpenedByDeno(path, block);
  } catch {
    return false;
  }
}

function readKeyBlock(path: string): PemBlock {
  let text: string;
  try {
    const fault = fileStrangeness(fileState(path), "keys");
    if (fault !== undefined) throw unusable("keyfile", path, fault);
    text = readPem(path);
  } catch (error) {
    throw error instanceof TlsRefusal ? error : unreadable("keyfile", path, error);
  }
  const blocks = pemBlocks(text);
  const block = blocks.find(({ label }) => label.endsWith("PRIVATE KEY"));
  if (block === undefined) {
    throw unusable("keyfile", path, wrongContent(text, blocks, "a private key"));
  }
  if (block.label === "OPENSSH PRIVATE KEY") {
    const reason = "its key is in OpenSSH's own form; `ssh-keygen -p -m PKCS8 -f` rewrites it";
    throw unusable("keyfile", path, reason);
  }
  return block;
}

/** The block as PEM. Of other blocks before it, as `EC PARAMETERS`, Deno opens nothing. */
function pemOf({ label, body }: PemBlock): string {
  return `-----BEGIN ${label}-----\n${body ?? ""}-----END ${label}-----\n`;
}

function isEncrypted({ label, body = "" }: PemBlock): boolean {
  return label === "ENCRYPTED PRIVATE KEY" || /^Proc-Type: *4, *ENCRYPTED/m.test(body);
}

function open(path: string, block: PemBlock): PrivateKey {
  try {
    const key = createPrivateKey({ key: pemOf(block), format: "pem" });
    // Deno cannot write each kind of key that it reads.
    const pem = block.label === "PRIVATE KEY" ? pemOf(block) : pkcs8(key);
    return { key, pem, wasEncrypted: false };
  } catch {
    // What Deno says may hold a byte of the key.
    throw unusable("keyfile", path, UNKNOWN_KIND);
  }
}

function pkcs8(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function openEncrypted(path: string, block: PemBlock, password: Secret): PrivateKey {
  if (!isOpenedByDeno(path, block)) {
    const opened = decryptKey(pemOf(block), password.reveal());
    const [plain] = pemBlocks(opened ?? "");
    if (plain === undefined) throw wrongPassword(path);
    return open(path, plain);
  }
  try {
    const passphrase = password.reveal();
    const key = createPrivateKey({ key: pemOf(block), format: "pem", passphrase });
    return { key, pem: pkcs8(key), wasEncrypted: true };
  } catch (error) {
    // Deno says this only when the password has opened the key.
    const isOpen = /named curve|PKCS#8 is not supported/.test((error as Error).message);
    throw isOpen ? unusable("keyfile", path, UNKNOWN_KIND) : wrongPassword(path);
  }
}

function wrongPassword(path: string): TlsRefusal {
  const text = `\`keyfile_password\` does not open keyfile ${path}`;
  return new TlsRefusal("keyfile_password", text);
}

/** In DER, as hex digits, the object identifiers of PBES2 (RFC 8018), */
const PBES2 = /06092a864886f70d01050d/;
/** of scrypt (RFC 7914) and HMAC with SHA-256, SHA-384 and SHA-512 (RFC 8018), */
const DERIVATION = /06092b06010401da47040b|06082a864886f70d02(?:09|0a|0b)/;
/** and of AES in CBC with 128, 192 and 256 bits. */
const AES_CBC = /06096086480165030401(?:02|16|2a)/;

/**
 * Whether Deno knows the way in which a key is encrypted. Of some that it does not know, as PBKDF2
 * with SHA-1, it says that the password is wrong.
 */
function isOpenedByDeno(path: string, { label, body = "" }: PemBlock): boolean {
  if (label !== "ENCRYPTED PRIVATE KEY") {
    return /^DEK-Info: *(?:AES-(?:128|192|256)-CBC|DES-EDE3-CBC) *,/m.test(body);
  }
  try {
    // The algorithm stands first; the key comes after it.
    const start = Uint8Array.fromBase64(body).subarray(0, 160).toHex();
    return [PBES2, DERIVATION, AES_CBC].every((identifier) => identifier.test(start));
  } catch {
    throw unusable("keyfile", path, UNKNOWN_KIND);
  }
}
