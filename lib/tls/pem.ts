/**
 * Files of PEM blocks (RFC 7468).
 *
 * @module
 */

import { readFileSync, statSync } from "node:fs";
import { fileFault } from "../file_fault.ts";
import { TlsRefusal } from "./errors.ts";

/** One block of a PEM file. */
export interface PemBlock {
  /** What it is, by its own first line: `CERTIFICATE`. */
  readonly label: string;
  /** What stands between its first and last line; `undefined` if it has no last line. */
  readonly body: string | undefined;
}

/** What is to be known of a file before it is read. */
export interface FileState {
  /** Whether it is a file, not a folder, pipe or device. */
  readonly isFile: boolean;
  /** Whether it is a folder. */
  readonly isFolder: boolean;
  /** Whether it is longer than any file of certificates or keys is. */
  readonly isTooLong: boolean;
  /** Tells apart what the path led to at one time and at another. */
  readonly stamp: string;
  /** When it last changed in any way, in milliseconds, rounded down to a second. */
  readonly changedMs: number;
}

/** The authorities of all the world are 0.3 MB. */
const MAX_BYTES = 8_000_000n;

/** Looks at a file without opening it. What it throws is a {@linkcode fileFault}. */
export function fileState(path: string): FileState {
  const found = statSync(path, { bigint: true });
  return {
    isFile: found.isFile(),
    isFolder: found.isDirectory(),
    isTooLong: found.size > MAX_BYTES,
    stamp: [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(),
    changedMs: Number(found.ctimeMs),
  };
}

/**
 * Why a file is not to be read, in words that follow its name. Reading a pipe or a device may never
 * end, and would find nothing at the next attempt.
 *
 * @param what What the file should hold.
 */
export function fileStrangeness(
  { isFile, isFolder, isTooLong }: FileState,
  what: string,
): string | undefined {
  if (isFolder) return "it is a folder";
  if (!isFile) return "it is not a file";
  return isTooLong ? `it is too long for a file of ${what}` : undefined;
}

/** A refusal because of a file: `cannot use cafile /a/b.pem: reason`. */
export function unusable(parameter: string, path: string, reason: string): TlsRefusal {
  return new TlsRefusal(parameter, `cannot use ${parameter} ${path}: ${reason}`);
}

/** A refusal because a file cannot be read. */
export function unreadable(parameter: string, path: string, error: unknown): TlsRefusal {
  return new TlsRefusal(parameter, `cannot read ${parameter} ${path}: ${fileFault(error)}`);
}

/** The bytes of a file as text. PEM is ASCII; whatever else is in the file does not matter. */
export function readPem(path: string): string {
  return readFileSync(path, "latin1");
}

/** The blocks of a PEM file. As in OpenSSL they begin and end at lines of their own. */
export function pemBlocks(text: string): PemBlock[] {
  const blocks: { label: string; body: string | undefined }[] = [];
  let lines: string[] | undefined;
  for (const line of text.split("\n")) {
    const [, kind, label = ""] = /^-----(BEGIN|END) ([A-Z0-9 ]+)-----\s*$/.exec(line) ?? [];
    const last = blocks.at(-1);
    if (kind === "BEGIN") {
      blocks.push({ label, body: undefined });
      lines = [];
    } else if (kind === "END" && lines !== undefined && last?.label === label) {
      last.body = lines.map((each) => `${each}\n`).join("");
      lines = undefined;
    } else {
      lines?.push(line);
    }
  }
  return blocks;
}

/** Why there is nothing of use in a file, in words that follow its name. */
export function wrongContent(text: string, blocks: readonly PemBlock[], wanted: string): string {
  const label = blocks[0]?.label;
  if (label !== undefined) return `it holds ${nameOf(label)}, not ${wanted}`;
  // DER, and PKCS#12 too, is one long sequence.
  if (/^\x30[\x80-\x84]/.test(text)) {
    const command = wanted === "a certificate" ? "x509" : "pkey";
    return `it is binary, not PEM: \`openssl ${command} -inform der -in FILE -out FILE.pem\` makes ` +
      "PEM of DER, `openssl pkcs12` of PKCS#12";
  }
  return text.trim() === "" ? "it is empty" : `it holds no PEM block, let alone ${wanted}`;
}

function nameOf(label: string): string {
  if (label.endsWith("PRIVATE KEY")) return "a private key";
  if (label.endsWith("CERTIFICATE")) return "a certificate";
  return `a block "${label}"`;
}
