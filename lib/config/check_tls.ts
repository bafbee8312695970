/**
 * Rules of `<tls>` that need neither network nor files.
 *
 * @module
 */

import { isIP } from "node:net";
import { TlsRefusal } from "../tls/errors.ts";
import { alpnProtocols, isObsolete, tlsRange } from "../tls/settings.ts";
import type { ConnectionConfig, TlsConfig } from "./config.ts";
import type { Findings } from "./findings.ts";
import { tlsParameters, valueOf } from "./parameters.ts";
import type { Position } from "./position.ts";

/** Parameters that count only with `advanced_options`. */
const ADVANCED = ["cert_reqs", "version", "opts_ciphers"] as const;
/** Parameters that count only with the one or the other `support`. */
const ONLY_WITH = {
  certificate: [
    ...["cafile", "capath", "certfile", "keyfile", "keyfile_password"] as const,
    ...["cert_reqs", "opts_ciphers"] as const,
  ],
  psk: ["psk", "identity", "psk_ciphers"],
} as const;

/** OpenSSL's PSK_MAX_PSK_LEN. */
const MAX_PSK_BYTES = 512;
/** OpenSSL's PSK_MAX_IDENTITY_LEN. */
const MAX_IDENTITY_BYTES = 256;
/** RFC 1035, section 2.3.4, as text. */
const MAX_NAME_LENGTH = 253;
/** RFC 7301, section 3.1. */
const MAX_ALPN_BYTES = 255;

/** Checks the `<tls>` of a connection. */
export function checkTls({ name, tls }: ConnectionConfig, findings: Findings): void {
  if (!tls.enable) return checkForgotten(name, tls, findings);
  if (tls.support === undefined) {
    const text = `connection "${name}" asks for TLS without \`support\`: certificate or psk`;
    findings.error(placeIn(tls, "enable"), "tls-without-support", text);
  }
  if (tls.support !== "psk") checkKeyPair(tls, findings);
  if (tls.support === "certificate") checkVerification(name, tls, findings);
  if (tls.support === "psk") checkPsk(name, tls, findings);
  checkEffect(tls, findings);
  checkVersion(tls, findings);
  checkCiphers(tls, findings);
  checkNames(tls, findings);
}

/** Where a parameter of `<tls>` stands; where `<tls>` does, if it is not given. */
export function placeIn({ source: { given, at } }: TlsConfig, parameter: string): Position {
  return given.get(parameter) ?? at;
}

function checkForgotten(name: string, { source }: TlsConfig, findings: Findings): void {
  if (source.given.size === 0 || source.given.has("enable")) return;
  const text =
    `connection "${name}" goes in clear: its <tls> has settings but no \`enable\`; add ` +
    '<param name="enable" value="true"/>, or "false" to mean it';
  findings.warn(source.at, "tls-not-enabled", text);
}

function checkKeyPair(tls: TlsConfig, findings: Findings): void {
  const { certfile, keyfile } = tls;
  if ((certfile === undefined) === (keyfile === undefined)) return;
  const [there, missing] = keyfile === undefined
    ? ["certfile", "keyfile"]
    : ["keyfile", "certfile"];
  const text = `\`${there}\` needs \`${missing}\` beside it`;
  findings.error(placeIn(tls, there), "tls-half-a-key", text);
}

function checkVerification(name: string, tls: TlsConfig, findings: Findings): void {
  if (tls.cafile === undefined && tls.capath === undefined) {
    const text = `connection "${name}" needs \`cafile\` or \`capath\` to verify the broker with`;
    findings.error(placeIn(tls, "support"), "tls-without-ca", text);
  }
  if (tls.advancedOptions && tls.certReqs === "SSL_VERIFY_NONE") {
    const text = `connection "${name}" does not verify its broker: anyone between can read and ` +
      "change what passes";
    findings.warn(placeIn(tls, "cert_reqs"), "tls-not-verified", text);
  }
}

function checkPsk(name: string, tls: TlsConfig, findings: Findings): void {
  const { psk, identity } = tls;
  for (const [parameter, value] of Object.entries({ psk, identity })) {
    if (value !== undefined) continue;
    const text = `connection "${name}" needs \`${parameter}\` for TLS with a pre-shared key`;
    findings.error(placeIn(tls, "support"), "tls-psk", text);
  }
  const fault = psk === undefined ? undefined : keyFault(psk.reveal());
  if (fault !== undefined) {
    const file = tls.source.secretFiles?.get("psk");
    const what = file === undefined ? "`psk`" : `the key in psk_file ${file}`;
    const text = `${what} of connection "${name}" ${fault}`;
    findings.error(placeIn(tls, "psk"), "tls-psk", text);
  }
  if (bytesIn(identity ?? "") > MAX_IDENTITY_BYTES) {
    const text =
      `the \`identity\` of connection "${name}" is longer than ${MAX_IDENTITY_BYTES} bytes`;
    findings.error(placeIn(tls, "identity"), "tls-psk", text);
  }
}

/** What is wrong with a pre-shared key, without showing any of it. */
function keyFault(key: string): string | undefined {
  if (/^0x/i.test(key)) return "must not begin with 0x";
  if (/^[^:]+:[0-9a-f]+$/i.test(key)) {
    return "must be the hex digits alone: mosquitto's own psk_file has the identity before them";
  }
  if (!/^[0-9a-f]+$/i.test(key)) return "must be hex digits and nothing else";
  if (key.length % 2 !== 0) return `has ${key.length} hex digits, and they must come in pairs`;
  return key.length / 2 > MAX_PSK_BYTES ? `is longer than ${MAX_PSK_BYTES} bytes` : undefined;
}

function checkEffect(tls: TlsConfig, findings: Findings): void {
  const others = tls.support === "psk" ? "certificate" : "psk";
  const idle: readonly string[] = tls.support === undefined ? [] : ONLY_WITH[others];
  for (const parameter of idle) {
    if (!isSet(tls, parameter)) continue;
    const text = `\`${parameter}\` has no effect with \`support\` ${tls.support}`;
    findings.warn(placeIn(tls, parameter), "tls-no-effect", text);
  }
  if (tls.support !== "psk" && tls.keyfile === undefined && isSet(tls, "keyfile_password")) {
    const text = "`keyfile_password` has no effect without `keyfile`";
    findings.warn(placeIn(tls, "keyfile_password"), "tls-no-effect", text);
  }
  if (tls.advancedOptions) return;
  for (const parameter of ADVANCED) {
    if (!isSet(tls, parameter) || idle.includes(parameter)) continue;
    const text = `\`${parameter}\` has no effect without \`advanced_options\``;
    findings.warn(placeIn(tls, parameter), "tls-advanced-options", text);
  }
}

/** Whether a parameter is given as something other than its default. */
function isSet(tls: TlsConfig, parameter: string): boolean {
  const { fallback } = tlsParameters[parameter as keyof typeof tlsParameters];
  return tls.source.given.has(parameter) && valueOf(tls, parameter) !== fallback;
}

function checkVersion(tls: TlsConfig, findings: Findings): void {
  if (!tls.advancedOptions || !isObsolete(tls.version)) return;
  const text = `\`version\` ${tls.version} is obsolete (RFC 8996) and no longer secure: ` +
    "use tlsv1.2 or tlsv1.3 as soon as the broker can";
  findings.warn(placeIn(tls, "version"), "tls-obsolete", text);
}

function checkCiphers(tls: TlsConfig, findings: Findings): void {
  try {
    tlsRange(tls);
  } catch (error) {
    if (!(error instanceof TlsRefusal)) throw error;
    findings.error(placeIn(tls, error.parameter), "tls-ciphers", error.message);
  }
}

function checkNames(tls: TlsConfig, findings: Findings): void {
  if (isIP((tls.servername ?? "").replace(/^\[(.*)\]$/, "$1")) !== 0) {
    const text =
      "`servername` must be a name: an address cannot be told to the broker (RFC 6066, " +
      "section 3); to verify the broker by its address, give that as `host` alone";
    findings.error(placeIn(tls, "servername"), "tls-servername", text);
  }
  if ((tls.servername ?? "").length > MAX_NAME_LENGTH) {
    const text = `\`servername\` is longer than any host name: ${MAX_NAME_LENGTH} characters`;
    findings.error(placeIn(tls, "servername"), "tls-servername", text);
  }
  if (tls.alpn === undefined) return;
  const protocols = alpnProtocols(tls);
  const tooLong = protocols.find((protocol) => bytesIn(protocol) > MAX_ALPN_BYTES);
  if (protocols.length > 0 && tooLong === undefined) return;
  const text = tooLong === undefined
    ? "`alpn` names no protocol"
    : `\`alpn\` has a name of more than ${MAX_ALPN_BYTES} bytes: ${tooLong.slice(0, 20)}…`;
  findings.error(placeIn(tls, "alpn"), "tls-alpn", text);
}

function bytesIn(text: string): number {
  return new TextEncoder().encode(text).length;
}
