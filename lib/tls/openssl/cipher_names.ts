/**
 * Which names of a cipher list count for nothing.
 *
 * @module
 */

import { tlsRange, type TlsSettings } from "../settings.ts";
import { cString, type OpenSsl } from "./library.ts";

/** Ciphers that do not encrypt, or with anybody: no TLS to speak of. */
export const NEVER = ["!eNULL", "!aNULL"] as const;

/** Names that count for nothing; a list is used without them, as long as others are left. */
export interface IdleCiphers {
  /** Those that OpenSSL does not know; it passes over them. */
  readonly unknown: readonly string[];
  /** Those of {@linkcode NEVER}. */
  readonly unsafe: readonly string[];
}

/** Looks at each name of the cipher list in use by itself. */
export function idleCiphers(ssl: OpenSsl, settings: TlsSettings): IdleCiphers {
  const { ciphers = "", suites = "" } = tlsRange(settings);
  const context = ssl.SSL_CTX_new(ssl.TLS_client_method());
  const isSuite = (name: string) => ssl.SSL_CTX_set_ciphersuites(context, cString(name)) === 1;
  const isList = (list: string) => ssl.SSL_CTX_set_cipher_list(context, cString(list)) === 1;
  // `!X`, `-X` and `+X` take away or move; `@X` is a command.
  const names = ciphers.split(":").filter((name) => /^[A-Za-z0-9]/.test(name));
  const known = names.filter(isList);
  const idle = {
    unknown: [
      ...names.filter((name) => !known.includes(name)),
      ...suites.split(":").filter((name) => name !== "" && !isSuite(name)),
    ],
    unsafe: known.filter((name) => !isList([name, ...NEVER].join(":"))),
  };
  ssl.ERR_clear_error();
  ssl.SSL_CTX_free(context);
  return idle;
}

/** What is idle in a list, in words; empty if nothing is. */
export function idleText({ unknown, unsafe }: IdleCiphers, parameter: string): string {
  return [
    ...(unknown.length === 0 ? [] : [`OpenSSL knows no ${unknown.join(", ")} of \`${parameter}\``]),
    ...(unsafe.length === 0 ? [] : [
      `${
        unsafe.join(", ")
      } of \`${parameter}\` is never used: it does not encrypt, or with anybody`,
    ]),
  ].join("; ");
}
