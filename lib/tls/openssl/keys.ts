/**
 * Opens private keys in the encrypted forms that Deno does not know.
 *
 * @module
 */

import { type OpenSsl, openSsl, readPrivateKey } from "./library.ts";

/**
 * The key of an encrypted PEM block as a PKCS#8 block that is not encrypted, or `undefined` if the
 * password does not open it.
 *
 * @throws {TlsRefusal} if OpenSSL cannot be had.
 */
export function decryptKey(pem: string, password: string): string | undefined {
  const ssl = openSsl("a key that is encrypted in this way (`keyfile`)", "keyfile");
  const key = readPrivateKey(ssl, pem, password);
  ssl.ERR_clear_error();
  if (key === null) return undefined;
  try {
    return writeKey(ssl, key);
  } finally {
    ssl.EVP_PKEY_free(key);
  }
}

function writeKey(ssl: OpenSsl, key: Deno.PointerValue): string {
  const output = ssl.BIO_new(ssl.BIO_s_mem());
  try {
    ssl.PEM_write_bio_PKCS8PrivateKey(output, key, null, null, 0, null, null);
    const bytes = new Uint8Array(Number(ssl.BIO_ctrl_pending(output)));
    ssl.BIO_read(output, bytes, bytes.length);
    return new TextDecoder().decode(bytes);
  } finally {
    ssl.BIO_free(output);
  }
}
