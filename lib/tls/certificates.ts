/**
 * Certificates in PEM files, judged before any TLS sees them: Deno's ends the process at one that is
 * malformed.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { TlsRefusal } from "./errors.ts";
import {
  type FileState,
  fileState,
  fileStrangeness,
  type PemBlock,
  pemBlocks,
  readPem,
  unreadable,
  unusable,
  wrongContent,
} from "./pem.ts";

/** A certificate that can be read. */
export interface Certificate {
  /** It as a PEM block. */
  readonly pem: string;
  /** Whose it is: `CN=pbx1, O=Example`. */
  readonly subject: string;
  /** The moment from which on it is valid. */
  readonly validFrom: Date;
  /** The moment after which it is not. */
  readonly validTo: Date;
  /**
   * Whether others may be verified with it: it is an authority's, or signed by itself. Deno's TLS
   * would take any, so that the holder of a client's key could pass for the broker.
   */
  readonly isAuthority: boolean;
}

/** What a file has to give. */
interface Content {
  /** The certificates that can be read. */
  readonly certificates: readonly Certificate[];
  /** Why it cannot be used as a file of certificates, in words that follow its name. */
  readonly fault?: string;
}

/** Certificates of this run by the text of their blocks; systems have the same one several times. */
type Parsed = Map<string, Certificate | undefined>;

/** A change of a file within its time stamps' resolution would not show. */
const SETTLED_MS = 2_000;
/** `/etc/ssl/certs` has some 300 files. */
const MAX_CACHED = 1_000;

/**
 * What files held, by path: on a small machine `/etc/ssl/certs` takes a second to read, at each
 * attempt to connect. The oldest come first.
 */
const cache = new Map<string, { readonly stamp: string; readonly content: Content }>();

/**
 * The certificates of a file, in its order.
 *
 * @param now The time.
 * @throws {TlsRefusal} if it cannot be read, holds none, or one of them is malformed.
 */
export function readCertificates(
  parameter: string,
  path: string,
  now = Date.now(),
): readonly Certificate[] {
  let content: Content;
  try {
    content = contentOf(path, fileState(path), now, new Map());
  } catch (error) {
    throw unreadable(parameter, path, error);
  }
  if (content.fault !== undefined) throw unusable(parameter, path, content.fault);
  return content.certificates;
}

/**
 * The certificates of all files in a folder, each once. Whatever else it holds is passed over, as
 * are its folders.
 *
 * @param now The time.
 * @throws {TlsRefusal} if the folder cannot be read.
 */
export function readFolder(path: string, now = Date.now()): readonly Certificate[] {
  let names: string[];
  try {
    names = readdirSync(path).sort();
  } catch (error) {
    throw unreadable("capath", path, error);
  }
  const parsed: Parsed = new Map();
  return distinct(names.flatMap((name) => {
    try {
      const file = join(path, name);
      return contentOf(file, fileState(file), now, parsed).certificates;
    } catch {
      // A link to nowhere, or what this user may not read.
      return [];
    }
  }));
}

/** The certificates without those that came before. */
export function distinct(certificates: readonly Certificate[]): readonly Certificate[] {
  return [...new Map(certificates.map((each) => [each.pem, each])).values()];
}

/** Those with which a broker can be verified at this time. */
export function usableAuthorities(
  certificates: readonly Certificate[],
  now: number,
): readonly Certificate[] {
  // Deno's TLS does not look at an authority's dates.
  return certificates.filter((each) => each.isAuthority && validity(each, now) === "now");
}

/** Whether a certificate is valid at this time. */
export function validity(
  { validFrom, validTo }: Certificate,
  now: number,
): "now" | "over" | "later" {
  if (now > validTo.getTime()) return "over";
  return now < validFrom.getTime() ? "later" : "now";
}

/**
 * Why none of the certificates can be verified with.
 *
 * @param parameters What they come from, in words.
 */
export function noAuthority(
  parameter: string,
  certificates: readonly Certificate[],
  parameters: string,
  now: number,
): TlsRefusal {
  const authorities = certificates.filter(({ isAuthority }) => isAuthority);
  const [first] = authorities;
  if (first === undefined) {
    const named = certificates[0]?.subject;
    return new TlsRefusal(
      parameter,
      `${parameters} gives no CA's certificate: ${named} is none`,
    );
  }
  const text = `no certificate that ${parameters} gives is valid now: ${first.subject} ` +
    timeFault(first, now);
  return new TlsRefusal(parameter, text);
}

/** Why a certificate is of no use at this time, in words that follow it. */
export function timeFault(certificate: Certificate, now: number): string | undefined {
  switch (validity(certificate, now)) {
    case "now":
      return undefined;
    case "over":
      return `expired on ${dayOf(certificate.validTo)}`;
    case "later":
      return `is not valid before ${dayOf(certificate.validFrom)}: is this machine's clock right?`;
  }
}

/** A day as text. */
export function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function contentOf(path: string, state: FileState, now: number, parsed: Parsed): Content {
  const fault = fileStrangeness(state, "certificates");
  if (fault !== undefined) return { certificates: [], fault };
  const known = cache.get(path);
  if (known?.stamp === state.stamp) return known.content;
  const content = parseFile(readPem(path), parsed);
  cache.delete(path);
  if (now - state.changedMs > SETTLED_MS) {
    cache.set(path, { stamp: state.stamp, content });
    const [oldest] = cache.keys();
    if (cache.size > MAX_CACHED && oldest !== undefined) cache.delete(oldest);
  }
  return content;
}

function parseFile(text: string, parsed: Parsed): Content {
  const blocks = pemBlocks(text);
  // "X509 CERTIFICATE" is the name that OpenSSL gave it long ago.
  const ours = blocks.filter(({ label }) => /^(X509 )?CERTIFICATE$/.test(label));
  const trusted = blocks.find(({ label }) => label === "TRUSTED CERTIFICATE");
  const read = ours.map((block) => parse(block, parsed));
  const certificates = read.filter((each) => each !== undefined);
  const malformed = read.indexOf(undefined);
  if (malformed !== -1) {
    const fault = `certificate ${malformed + 1} of the ${read.length} in it is malformed`;
    return { certificates, fault };
  }
  if (trusted !== undefined) {
    const fault = "it holds a certificate in OpenSSL's own form, TRUSTED CERTIFICATE; " +
      "`openssl x509` makes a plain one of it";
    return { certificates, fault };
  }
  if (certificates.length > 0) return { certificates };
  return { certificates, fault: wrongContent(text, blocks, "a certificate") };
}

function parse({ body = "" }: PemBlock, parsed: Parsed): Certificate | undefined {
  if (parsed.has(body)) return parsed.get(body);
  const certificate = parseBody(body);
  parsed.set(body, certificate);
  return certificate;
}

function parseBody(body: string): Certificate | undefined {
  try {
    const certificate = new X509Certificate(Uint8Array.fromBase64(body));
    return {
      pem: certificate.toString(),
      subject: certificate.subject?.replaceAll("\n", ", ") || "a certificate without a subject",
      validFrom: new Date(certificate.validFrom),
      validTo: new Date(certificate.validTo),
      isAuthority: certificate.ca || isSelfSigned(certificate),
    };
  } catch {
    return undefined;
  }
}

/**
 * Each of the two leaves something out: the first, certificates that may not sign others; the
 * second, kinds of keys and signatures that Deno cannot verify.
 */
function isSelfSigned(certificate: X509Certificate): boolean {
  try {
    return certificate.checkIssued(certificate) || certificate.verify(certificate.publicKey);
  } catch {
    return false;
  }
}
