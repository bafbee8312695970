/**
 * Rules of `<tls>` that need neither network nor files.
 *
 * @module
 */

import type { ConnectionConfig, TlsConfig } from "./config.ts";
import type { Findings } from "./findings.ts";
import { tlsParameters, valueOf } from "./parameters.ts";

/** Parameters that count only with `advanced_options`. */
const ADVANCED = ["cert_reqs", "version", "opts_ciphers"] as const;

/** Checks the `<tls>` of a connection. */
export function checkTls({ name, tls }: ConnectionConfig, findings: Findings): void {
  if (!tls.enable) return checkForgotten(name, tls, findings);
  const at = tls.source.given.get("enable") ?? tls.source.at;
  if (tls.support === undefined) {
    const text = `connection "${name}" asks for TLS without \`support\`: certificate or psk`;
    findings.error(at, "tls-without-support", text);
  }
  checkKeyPair(tls, findings);
  if (tls.support === "certificate") checkVerification(name, tls, findings);
  if (tls.support === "psk") checkPsk(name, tls, findings);
  if (tls.advancedOptions) return;
  for (const parameter of ADVANCED) {
    const given = tls.source.given.get(parameter);
    const { fallback } = tlsParameters[parameter];
    if (given === undefined || valueOf(tls, parameter) === fallback) continue;
    const text = `\`${parameter}\` has no effect without \`advanced_options\``;
    findings.warn(given, "tls-advanced-options", text);
  }
}

function checkForgotten(name: string, { source }: TlsConfig, findings: Findings): void {
  if (source.given.size === 0 || source.given.has("enable")) return;
  const text = `connection "${name}" goes in clear: its <tls> has settings but no \`enable\``;
  findings.warn(source.at, "tls-not-enabled", text);
}

function checkKeyPair({ certfile, keyfile, source }: TlsConfig, findings: Findings): void {
  if ((certfile === undefined) === (keyfile === undefined)) return;
  const [there, missing] = keyfile === undefined
    ? ["certfile", "keyfile"]
    : ["keyfile", "certfile"];
  const at = source.given.get(there) ?? source.at;
  findings.error(at, "tls-half-a-key", `\`${there}\` needs \`${missing}\` beside it`);
}

function checkVerification(name: string, tls: TlsConfig, findings: Findings): void {
  const { given, at } = tls.source;
  if (tls.cafile === undefined && tls.capath === undefined) {
    const text = `connection "${name}" needs \`cafile\` or \`capath\` to verify the broker with`;
    findings.error(given.get("support") ?? at, "tls-without-ca", text);
  }
  if (tls.advancedOptions && tls.certReqs === "SSL_VERIFY_NONE") {
    const text = `connection "${name}" does not verify its broker: anyone between can read and ` +
      "change what passes";
    findings.warn(given.get("cert_reqs") ?? at, "tls-not-verified", text);
  }
}

function checkPsk(name: string, { psk, identity, source }: TlsConfig, findings: Findings): void {
  const at = source.given.get("support") ?? source.at;
  for (const [parameter, value] of Object.entries({ psk, identity })) {
    if (value !== undefined) continue;
    const text = `connection "${name}" needs \`${parameter}\` for TLS with a pre-shared key`;
    findings.error(at, "tls-psk", text);
  }
  if (psk !== undefined && !/^([0-9a-f]{2})+$/i.test(psk.reveal())) {
    const text = `the \`psk\` of connection "${name}" must be pairs of hex digits, without 0x`;
    findings.error(source.given.get("psk") ?? at, "tls-psk", text);
  }
}
