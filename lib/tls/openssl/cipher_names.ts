/**
 * Which names of a cipher list count for nothing.
 *
 * @module
 */

import { cipherList, cipherNames, tlsRange, type TlsSettings } from "../settings.ts";
import { cString, type OpenSsl } from "./library.ts";

/** Ciphers that do not encrypt, or with anybody: no TLS to speak of. */
export const NEVER = ["!eNULL", "!aNULL"] as const;

/** Names that count for nothing; a list is used without them, as long as others are left. */
export interface IdleCiphers {
  /** Those that OpenSSL does not know; it passes over them. */
  readonly unknown: readonly string[];
  /** Those of {@linkcode NEVER}. */
  readonly unsafe: readonly string[];
  /** Suites of TLS 1.3 that the version, or a pre-shared key, does not go with. */
  readonly left: readonly string[];
}

/** Looks at each name of the cipher list in use by itself. */
export function idleCiphers(ssl: OpenSsl, settings: TlsSettings): IdleCiphers {
  const names = cipherNames(cipherList(settings)?.list ?? "")
    // `!X`, `-X` and `+X` take away or move; `@X` is a command.
    .filter((name) => /^[A-Za-z0-9]/.test(name));
  const { suites = "" } = tlsRange(settings);
  const context = ssl.SSL_CTX_new(ssl.TLS_client_method());
  const isSuite = (name: string) =>
    name.startsWith("TLS_") && ssl.SSL_CTX_set_ciphersuites(context, cString(name)) === 1;
  const isList = (list: string) => ssl.SSL_CTX_set_cipher_list(context, cString(list)) === 1;
  const known = names.filter(isList);
  const idle = {
    unknown: names.filter((name) => !known.includes(name) && !isSuite(name)),
    unsafe: known.filter((name) => !isList([name, ...NEVER].join(":"))),
    left: names.filter((name) => isSuite(name) && !suites.split(":").includes(name)),
  };
  ssl.ERR_clear_error();
  ssl.SSL_CTX_free(context);
  return idle;
}

/** What is idle in a list, in words; empty if nothing is. */
export function idleText({ unknown, unsafe, left }: IdleCiphers, parameter: string): string {
  const of = (names: readonly string[]) => `${names.join(", ")} of \`${parameter}\``;
  return [
    ...(unknown.length === 0 ? [] : [`OpenSSL knows no ${of(unknown)}`]),
    ...(unsafe.length === 0
      ? []
      : [`${of(unsafe)} is never used: it does not encrypt, or with anybody`]),
    ...(left.length === 0 ? [] : [
      parameter === "psk_ciphers"
        ? `${of(left)} is not used: a pre-shared key goes with those of SHA-256 only`
        : `${of(left)} is not used: it is taken away again, or of another \`version\``,
    ]),
  ].join("; ");
}
