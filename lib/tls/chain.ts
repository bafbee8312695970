/**
 * Verifies a broker's chain of certificates by its signatures.
 *
 * Deno's `node:tls` (2.9.6, ext/node/ops/tls_wrap.rs) goes by names alone where a certificate is of
 * X.509 version 1, or is badly encoded, and does not ask for the private key then: whoever knows
 * the name of a CA could pass for the broker (denoland/deno pull request 36248). What it rejects
 * stays rejected; this looks at what it accepts.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import { certificateKind, sameBytes } from "./der.ts";
import { TlsError } from "./errors.ts";

/** So many certificates of a broker are looked at. */
const MAX_CERTIFICATES = 10;

/** A certificate as `node:tls` hands it out, with the next one of the chain. */
export interface PeerCertificate {
  /** It in DER. */
  readonly raw?: Uint8Array | undefined;
  /** The one that should have signed it; itself at the end of the chain. */
  readonly issuerCertificate?: PeerCertificate | undefined;
}

/**
 * Why the broker is not to be trusted, or `undefined` if each certificate is signed by the next, up
 * to one that is trusted.
 *
 * @param leaf The broker's certificate.
 * @param trusted PEM blocks of one certificate each.
 * @param now The time.
 */
export function chainFault(
  leaf: PeerCertificate,
  trusted: readonly string[],
  now: number = Date.now(),
): TlsError | undefined {
  try {
    const search: Search = {
      trusted: trusted.map((pem) => new X509Certificate(pem)),
      sent: collect(leaf),
      now,
      seen: [],
      fault: undefined,
    };
    if (leadsToTrust(search, new X509Certificate(leaf.raw ?? new Uint8Array()))) return undefined;
    const text = "no trusted certificate has signed it";
    return search.fault ?? new TlsError(text, { code: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY" });
  } catch {
    return new TlsError("it cannot be read", { code: "CERT_REJECTED" });
  }
}

/** What is at hand for one broker. */
interface Search {
  readonly trusted: readonly X509Certificate[];
  /** What the broker sent, its own certificate first. */
  readonly sent: readonly X509Certificate[];
  readonly now: number;
  /** Those of {@linkcode sent} that were looked at: none is worth a second look. */
  readonly seen: X509Certificate[];
  /** The first thing that was in the way. */
  fault: TlsError | undefined;
}

/** What is sent and can be read. */
function collect(leaf: PeerCertificate): X509Certificate[] {
  const sent: X509Certificate[] = [];
  let next: PeerCertificate | undefined = leaf;
  for (let count = 0; count < MAX_CERTIFICATES && next?.raw !== undefined; count++) {
    try {
      sent.push(new X509Certificate(next.raw));
    } catch {
      // It may be that nothing depends on it.
    }
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return sent;
}

/** Whether a certificate leads to one that is trusted, perhaps by others that were sent. */
function leadsToTrust(search: Search, current: X509Certificate): boolean {
  const fault = faultOf(current, search.now);
  if (fault !== undefined) {
    search.fault ??= fault;
    return false;
  }
  if (search.trusted.some((each) => sameBytes(each.raw, current.raw))) return true;
  if (search.trusted.some((each) => maySign(each) && hasSigned(search, each, current))) return true;
  search.seen.push(current);
  // Brokers repeat certificates, and send them in any order.
  return search.sent.some((each) =>
    each.ca && !search.seen.some(({ raw }) => sameBytes(raw, each.raw)) &&
    hasSigned(search, each, current) && leadsToTrust(search, each)
  );
}

function faultOf(
  { raw, validFrom, validTo }: X509Certificate,
  now: number,
): TlsError | undefined {
  // A time that cannot be read is none at which it is valid.
  if (!(now <= Date.parse(validTo))) {
    return new TlsError("it has expired", { code: "CERT_HAS_EXPIRED" });
  }
  if (!(now >= Date.parse(validFrom))) {
    return new TlsError("it is not valid yet", { code: "CERT_NOT_YET_VALID" });
  }
  // Deno does not ask for the private key of others.
  const kind = certificateKind(raw);
  if (kind === "version 3") return undefined;
  const what = kind === "old" ? "of X.509 version 1" : "oddly encoded";
  const text = `it is ${what}, so that Deno's TLS cannot verify it: give the broker another, or ` +
    "name ciphers in `opts_ciphers` (with `advanced_options`) to use OpenSSL";
  return new TlsError(text, { code: "CERT_REJECTED" });
}

/** A root of version 1 does not say that it may; to be trusted is enough for it. */
function maySign(certificate: X509Certificate): boolean {
  return certificate.ca || certificateKind(certificate.raw) === "old";
}

function hasSigned(search: Search, issuer: X509Certificate, issued: X509Certificate): boolean {
  if (!issued.checkIssued(issuer)) return false;
  try {
    return issued.verify(issuer.publicKey);
  } catch {
    search.fault ??= new TlsError(
      "Deno cannot verify its kind of signature: name ciphers in `opts_ciphers` (with " +
        "`advanced_options`) to use OpenSSL",
      { code: "CERT_REJECTED" },
    );
    return false;
  }
}
