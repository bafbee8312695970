/**
 * The certificates and keys that `<tls>` names, read from disk and judged anew at each call, since
 * they are renewed while the agent runs.
 *
 * @module
 */

import { createHash, type KeyObject, X509Certificate } from "node:crypto";
import {
  type Certificate,
  distinct,
  noAuthority,
  readCertificates,
  readFolder,
  timeFault,
  usableAuthorities,
} from "./certificates.ts";
import { TlsRefusal } from "./errors.ts";
import { openKey, type PrivateKey } from "./private_key.ts";
import { authoritySources, needsOpenSsl, type TlsSettings, verifiesBroker } from "./settings.ts";

/** What TLS is given. */
export interface TlsFiles {
  /** The authorities to verify the broker with: PEM blocks of one certificate each, no repeats. */
  readonly trusted: readonly string[];
  /** The client's own certificate, where it has one. */
  readonly client?: {
    /** PEM blocks of one certificate each, the client's own first. */
    readonly chain: readonly string[];
    /** Its private key: PEM, PKCS#8, not encrypted. */
    readonly key: string;
    /** Why brokers will not take the certificate at this time. */
    readonly outOfTime?: string;
  };
  /** Another one if the certificates or the key are others. */
  readonly digest: string;
}

/** What is read where no file is named. */
export const NO_FILES: TlsFiles = { trusted: [], digest: "" };

/** The client's certificate and key, as its files have them. */
export interface ClientIdentity {
  /** The certificate, and those between it and an authority. */
  readonly chain: readonly Certificate[];
  /** The key of the first of them. */
  readonly key: PrivateKey;
}

/**
 * Reads all that the settings name.
 *
 * @param now The time.
 * @throws {TlsRefusal} if anything cannot be used.
 */
export function readTlsFiles(settings: TlsSettings, now: number = Date.now()): TlsFiles {
  if (settings.support === "psk") return NO_FILES;
  if (settings.support === undefined) {
    throw new TlsRefusal("support", "TLS is enabled, but `support` does not say how");
  }
  const trusted = readTrusted(settings, now).map(({ pem }) => pem);
  const identity = readClient(settings, now);
  const [own] = identity?.chain ?? [];
  const fault = own && timeFault(own, now);
  const client = identity && {
    chain: identity.chain.map(({ pem }) => pem),
    key: identity.key.pem,
    ...(fault === undefined
      ? {}
      : { outOfTime: `the certificate in certfile ${settings.certfile} ${fault}` }),
  };
  const digest = createHash("sha256").update(JSON.stringify([trusted, client?.chain, client?.key]))
    .digest("hex");
  return client === undefined ? { trusted, digest } : { trusted, client, digest };
}

/**
 * The authorities of cafile and capath that are valid now.
 *
 * @param now The time.
 * @throws {TlsRefusal} if a file cannot be used, or if none is left to verify the broker with.
 */
export function readTrusted(settings: TlsSettings, now: number): readonly Certificate[] {
  const { cafile, capath } = settings;
  const given = distinct([
    ...(cafile === undefined ? [] : readCertificates("cafile", cafile, now)),
    ...(capath === undefined ? [] : readFolder(capath, now)),
  ]);
  const trusted = usableAuthorities(given, now);
  // None at all would mean the public authorities to some.
  if (trusted.length > 0 || !verifiesBroker(settings)) return trusted;
  if (given.length === 0) {
    const parameter = cafile === undefined && capath !== undefined ? "capath" : "cafile";
    const text = "neither cafile nor capath gives a certificate to verify with";
    throw new TlsRefusal(parameter, text);
  }
  const sources = authoritySources(settings).join(" or ");
  throw noAuthority(cafile === undefined ? "capath" : "cafile", given, sources, now);
}

/**
 * The client's certificate and key, `undefined` if the settings name none.
 *
 * @param now The time.
 * @throws {TlsRefusal} if a file cannot be used, or if the two do not fit.
 */
export function readClient(
  settings: TlsSettings,
  now: number = Date.now(),
): ClientIdentity | undefined {
  const { certfile, keyfile, keyfilePassword } = settings;
  if (certfile === undefined && keyfile === undefined) return undefined;
  if (certfile === undefined || keyfile === undefined) {
    const parameter = certfile === undefined ? "keyfile" : "certfile";
    throw new TlsRefusal(parameter, "certfile and keyfile must be given together");
  }
  const chain = readCertificates("certfile", certfile, now);
  const key = openKey(keyfile, keyfilePassword);
  const fitting = chain.findIndex(({ pem }) => fits(pem, key.key));
  if (fitting !== 0) {
    const hint = fitting === -1
      ? ""
      : `; it fits certificate ${fitting + 1}, which must come first`;
    const text =
      `the key in keyfile ${keyfile} does not fit the certificate in certfile ${certfile}`;
    throw new TlsRefusal("keyfile", text + hint);
  }
  if (needsOpenSsl(settings) === undefined && !isUsedByDeno(key.key)) {
    const text = `cannot use keyfile ${keyfile}: Deno's TLS takes no key of this kind ` +
      `(${
        kindOf(key.key)
      }), but RSA of 2048 bits or more, EC of P-256, P-384 or P-521, and Ed25519`;
    throw new TlsRefusal("keyfile", text);
  }
  return { chain, key };
}

function fits(pem: string, key: KeyObject): boolean {
  try {
    return new X509Certificate(pem).checkPrivateKey(key);
  } catch {
    // A certificate for a kind of key that Deno does not know.
    return false;
  }
}

const CURVES: readonly unknown[] = ["prime256v1", "secp384r1", "secp521r1"];

/** At others Deno throws, or ends the connection as if the broker had no protocol in common. */
function isUsedByDeno({ asymmetricKeyType: type, asymmetricKeyDetails: details = {} }: KeyObject) {
  if (type === "rsa") return (details.modulusLength ?? 0) >= 2048;
  return type === "ed25519" || (type === "ec" && CURVES.includes(details.namedCurve));
}

function kindOf(
  { asymmetricKeyType: type, asymmetricKeyDetails: details = {} }: KeyObject,
): string {
  const { namedCurve, modulusLength } = details;
  const size = namedCurve ?? (modulusLength === undefined ? undefined : `${modulusLength} bits`);
  return [type?.toUpperCase(), size].filter((word) => word !== undefined).join(", ");
}
