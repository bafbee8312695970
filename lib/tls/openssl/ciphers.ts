/**
 * What a cipher list comes to, for a check without a connection.
 *
 * @module
 */

import { NO_FILES, type TlsFiles } from "../files.ts";
import { cipherList, type TlsSettings } from "../settings.ts";
import { idleCiphers, idleText } from "./cipher_names.ts";
import { TlsContext } from "./context.ts";

/**
 * What of the cipher list in use counts for nothing, in words; `undefined` if all of it counts.
 *
 * @throws {TlsRefusal} if no cipher is left, if OpenSSL does not take `version` or the files, or if it
 * cannot be had.
 */
export function cipherFault(
  settings: TlsSettings,
  files: TlsFiles = NO_FILES,
): string | undefined {
  const context = new TlsContext(settings, files);
  const parameter = cipherList(settings)?.parameter;
  try {
    if (parameter === undefined) return undefined;
    return idleText(idleCiphers(context.ssl, settings), parameter) || undefined;
  } finally {
    context.free();
  }
}
