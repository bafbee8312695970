/**
 * What a cipher list comes to, for a check without a connection.
 *
 * @module
 */

import { tlsRange, type TlsSettings } from "../settings.ts";
import { TlsContext } from "./context.ts";
import { cString, type OpenSsl } from "./library.ts";

/** What is wrong with a cipher list that can be used all the same. */
export interface CipherFaults {
  /** Names that OpenSSL does not know; it passes over them. */
  readonly unknown: readonly string[];
}

/**
 * Looks at the cipher list in use.
 *
 * @throws {TlsRefusal} if no cipher is left, if `version` cannot be had, or if OpenSSL cannot.
 */
export function cipherFaults(settings: TlsSettings): CipherFaults {
  const context = new TlsContext(settings, { trusted: [], digest: "" });
  try {
    return { unknown: unknownCiphers(context.ssl, settings) };
  } finally {
    context.free();
  }
}

function unknownCiphers(ssl: OpenSsl, settings: TlsSettings): string[] {
  const { ciphers = "", suites = "" } = tlsRange(settings);
  const context = ssl.SSL_CTX_new(ssl.TLS_client_method());
  const isKnown = (name: string) =>
    name.startsWith("TLS_")
      ? ssl.SSL_CTX_set_ciphersuites(context, cString(name)) === 1
      : ssl.SSL_CTX_set_cipher_list(context, cString(name)) === 1;
  const unknown = [...ciphers.split(":"), ...suites.split(":")]
    // `!X`, `-X` and `+X` take away or move; `@X` is a command.
    .filter((name) => /^[A-Za-z0-9]/.test(name) && !isKnown(name));
  ssl.ERR_clear_error();
  ssl.SSL_CTX_free(context);
  return unknown;
}
