/**
 * What is asked of TLS, by the names of `<tls>` in `mosquitto.conf.xml`, and what that comes to.
 *
 * @module
 */

import type { Secret } from "../secret.ts";
import { TlsRefusal } from "./errors.ts";

/** A version of TLS, as mod_mosquitto names it. */
export type TlsVersion = "tlsv1" | "tlsv1.1" | "tlsv1.2" | "tlsv1.3";

/** What is asked for; a loaded `<tls>` is such. */
export interface TlsSettings {
  /** How the two sides know each other. */
  readonly support: "certificate" | "psk" | undefined;
  /** PEM file of trusted CA certificates. */
  readonly cafile: string | undefined;
  /** Folder of such files. */
  readonly capath: string | undefined;
  /** PEM file of this client's certificate, and those between it and a CA. */
  readonly certfile: string | undefined;
  /** PEM file of this client's private key. */
  readonly keyfile: string | undefined;
  /** What the private key is encrypted with. */
  readonly keyfilePassword: Secret | undefined;
  /** Whether `certReqs`, `version` and `optsCiphers` count. */
  readonly advancedOptions: boolean;
  /** Whether the broker's certificate is verified. */
  readonly certReqs: "SSL_VERIFY_PEER" | "SSL_VERIFY_NONE";
  /** The one version to use. */
  readonly version: TlsVersion | undefined;
  /** Ciphers to use with certificates. */
  readonly optsCiphers: string | undefined;
  /** The pre-shared key in hex digits. */
  readonly psk: Secret | undefined;
  /** The name that goes with the pre-shared key. */
  readonly identity: string | undefined;
  /** Ciphers to use with a pre-shared key. */
  readonly pskCiphers: string | undefined;
  /** Names of application protocols to offer (RFC 7301), separated by commas. */
  readonly alpn: string | undefined;
  /** The name that the broker's certificate must have, in place of its host. */
  readonly servername: string | undefined;
}

/** Which versions and ciphers may be used. */
export interface TlsRange {
  /** The lowest version. */
  readonly lowest: TlsVersion;
  /** The highest version; the newest there is if it is left out. */
  readonly highest?: TlsVersion;
  /** OpenSSL's list of ciphers for TLS 1.2 and older; its own default if it is left out. */
  readonly ciphers?: string;
  /** Cipher suites of TLS 1.3; all if it is left out. */
  readonly suites?: string;
}

/** Where the CAs come from, each as its parameter and its path. */
export function authoritySources(
  { cafile, capath }: Pick<TlsSettings, "cafile" | "capath">,
): string[] {
  return Object.entries({ cafile, capath })
    .flatMap(([parameter, path]) => path === undefined ? [] : [`${parameter} ${path}`]);
}

/** Whether the broker's certificate is verified. */
export function verifiesBroker({ advancedOptions, certReqs }: TlsSettings): boolean {
  return !(advancedOptions && certReqs === "SSL_VERIFY_NONE");
}

/**
 * Why these settings need OpenSSL, in words that follow "OpenSSL is needed for"; `undefined` if
 * Deno's own TLS can do as asked.
 */
export function needsOpenSsl(settings: TlsSettings): string | undefined {
  const { support, advancedOptions, optsCiphers, version } = settings;
  if (support === "psk") return "a pre-shared key (`support` psk)";
  if (!advancedOptions) return undefined;
  if (optsCiphers !== undefined) return "a cipher list (`opts_ciphers`)";
  return isObsolete(version) ? `\`version\` ${version}` : undefined;
}

/** Whether a version is one that RFC 8996 says not to use. */
export function isObsolete(version: TlsVersion | undefined): boolean {
  return version === "tlsv1" || version === "tlsv1.1";
}

/** The parameter that gives the cipher list in use, and the list. */
export function cipherList(
  settings: TlsSettings,
): { readonly parameter: "opts_ciphers" | "psk_ciphers"; readonly list: string } | undefined {
  const { support, advancedOptions, optsCiphers, pskCiphers } = settings;
  const [parameter, list] = support === "psk"
    ? ["psk_ciphers", pskCiphers] as const
    : ["opts_ciphers", advancedOptions ? optsCiphers : undefined] as const;
  return list === undefined ? undefined : { parameter, list };
}

/** The suites of TLS 1.3. Other names with `TLS_` are IANA's for ciphers of older versions. */
const SUITE = /^TLS_(AES|CHACHA20|SM4)_/;

/**
 * The versions and ciphers that may be used.
 *
 * OpenSSL keeps the ciphers of TLS 1.3 apart from its cipher list, which alone would leave them all
 * in use. As in Node.js (lib/internal/tls/secure-context.js) one list names both, and a version of
 * which the list names none is not used.
 *
 * A pre-shared key goes with those suites of TLS 1.3 alone that use SHA-256 (OpenSSL,
 * SSL_CTX_set_psk_client_callback): others would be agreed upon without it.
 *
 * @throws {TlsRefusal} if the list names no cipher of the one version to use.
 */
export function tlsRange(settings: TlsSettings): TlsRange {
  const version = settings.advancedOptions ? settings.version : undefined;
  const range = version === undefined
    ? { lowest: "tlsv1.2" } as const
    : { lowest: version, highest: version };
  const given = cipherList(settings);
  if (given === undefined) {
    return settings.support === "psk" ? { ...range, suites: PSK_SUITES } : range;
  }
  const names = cipherNames(given.list);
  const removed = names.filter((name) => /^[!-]/.test(name)).map((name) => name.slice(1));
  const suites = names.filter((name) => SUITE.test(name) && !removed.includes(name))
    .filter((name) => settings.support !== "psk" || PSK_SUITES.includes(name)).join(":");
  const ciphers = names.filter((name) => !SUITE.test(name.replace(/^[!-]/, ""))).join(":");
  if (version === "tlsv1.3") {
    if (suites !== "") return { ...range, suites };
    throw noCipherOf(given.parameter, "TLS 1.3: their names begin with TLS_");
  }
  if (version !== undefined) {
    if (ciphers !== "") return { ...range, ciphers };
    throw noCipherOf(given.parameter, `\`version\` ${version}`);
  }
  if (suites === "") return { lowest: "tlsv1.2", highest: "tlsv1.2", ciphers };
  return ciphers === "" ? { lowest: "tlsv1.3", suites } : { ...range, ciphers, suites };
}

const PSK_SUITES = "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256";

/** The names in a cipher list (openssl-ciphers(1)), signs before them included. */
export function cipherNames(list: string): string[] {
  return list.split(/[:;,\s]+/).filter((name) => name !== "");
}

function noCipherOf(parameter: string, what: string): TlsRefusal {
  return new TlsRefusal(parameter, `\`${parameter}\` names no cipher of ${what}`);
}

/** The names of application protocols to offer, in the order of preference. */
export function alpnProtocols({ alpn }: Pick<TlsSettings, "alpn">): string[] {
  return (alpn ?? "").split(/[\s,]+/).filter((name) => name !== "");
}

/** The name or address that the broker's certificate must have. */
export function expectedName(
  host: string,
  { servername }: Pick<TlsSettings, "servername">,
): string {
  // The zone of an address (RFC 4007) means something on this machine only.
  return servername ?? host.replace(/\.$/, "").replace(/^([0-9a-f:.]*:[0-9a-f:.]*)%.*$/i, "$1");
}
