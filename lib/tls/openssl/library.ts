/**
 * The system's OpenSSL 3: which of its functions are used, and where the libraries are found.
 * Nothing is loaded until {@linkcode openSsl} is called.
 *
 * @module
 */

import { TlsRefusal } from "../errors.ts";

/** The functions of libssl (openssl/ssl.h). */
export const SSL_SYMBOLS = {
  TLS_client_method: { parameters: [], result: "pointer" },
  SSL_CTX_new: { parameters: ["pointer"], result: "pointer" },
  SSL_CTX_free: { parameters: ["pointer"], result: "void" },
  SSL_CTX_ctrl: { parameters: ["pointer", "i32", "i64", "pointer"], result: "i64" },
  SSL_CTX_set_options: { parameters: ["pointer", "u64"], result: "u64" },
  SSL_CTX_set_cipher_list: { parameters: ["pointer", "buffer"], result: "i32" },
  SSL_CTX_set_ciphersuites: { parameters: ["pointer", "buffer"], result: "i32" },
  SSL_CTX_set_alpn_protos: { parameters: ["pointer", "buffer", "u32"], result: "i32" },
  SSL_CTX_set_verify: { parameters: ["pointer", "i32", "pointer"], result: "void" },
  SSL_CTX_get_cert_store: { parameters: ["pointer"], result: "pointer" },
  SSL_CTX_use_certificate: { parameters: ["pointer", "pointer"], result: "i32" },
  SSL_CTX_use_PrivateKey: { parameters: ["pointer", "pointer"], result: "i32" },
  SSL_CTX_set_psk_client_callback: { parameters: ["pointer", "pointer"], result: "void" },
  SSL_new: { parameters: ["pointer"], result: "pointer" },
  SSL_free: { parameters: ["pointer"], result: "void" },
  SSL_ctrl: { parameters: ["pointer", "i32", "i64", "buffer"], result: "i64" },
  SSL_get0_param: { parameters: ["pointer"], result: "pointer" },
  SSL_get1_supported_ciphers: { parameters: ["pointer"], result: "pointer" },
  SSL_set_bio: { parameters: ["pointer", "pointer", "pointer"], result: "void" },
  SSL_set_connect_state: { parameters: ["pointer"], result: "void" },
  SSL_do_handshake: { parameters: ["pointer"], result: "i32" },
  SSL_read: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  SSL_write: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  SSL_shutdown: { parameters: ["pointer"], result: "i32" },
  SSL_get_error: { parameters: ["pointer", "i32"], result: "i32" },
  SSL_get_verify_result: { parameters: ["pointer"], result: "i64" },
  SSL_get_version: { parameters: ["pointer"], result: "pointer" },
  SSL_get_current_cipher: { parameters: ["pointer"], result: "pointer" },
  SSL_get_pending_cipher: { parameters: ["pointer"], result: "pointer" },
  SSL_CIPHER_get_name: { parameters: ["pointer"], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions of libcrypto (openssl/bio.h, pem.h, x509.h, x509_vfy.h, stack.h, err.h). */
export const CRYPTO_SYMBOLS = {
  BIO_s_mem: { parameters: [], result: "pointer" },
  BIO_new: { parameters: ["pointer"], result: "pointer" },
  BIO_new_mem_buf: { parameters: ["buffer", "i32"], result: "pointer" },
  BIO_free: { parameters: ["pointer"], result: "i32" },
  BIO_read: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  BIO_write: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  BIO_ctrl_pending: { parameters: ["pointer"], result: "usize" },
  PEM_read_bio_X509: {
    parameters: ["pointer", "pointer", "pointer", "pointer"],
    result: "pointer",
  },
  PEM_read_bio_PrivateKey: {
    parameters: ["pointer", "pointer", "pointer", "buffer"],
    result: "pointer",
  },
  PEM_write_bio_PKCS8PrivateKey: {
    parameters: ["pointer", "pointer", "pointer", "pointer", "i32", "pointer", "pointer"],
    result: "i32",
  },
  EVP_PKEY_free: { parameters: ["pointer"], result: "void" },
  X509_free: { parameters: ["pointer"], result: "void" },
  i2d_X509: { parameters: ["pointer", "buffer"], result: "i32" },
  X509_STORE_add_cert: { parameters: ["pointer", "pointer"], result: "i32" },
  X509_STORE_CTX_get_error: { parameters: ["pointer"], result: "i32" },
  X509_STORE_CTX_get_current_cert: { parameters: ["pointer"], result: "pointer" },
  X509_verify_cert_error_string: { parameters: ["i64"], result: "pointer" },
  X509_VERIFY_PARAM_set_flags: { parameters: ["pointer", "u64"], result: "i32" },
  X509_VERIFY_PARAM_set_hostflags: { parameters: ["pointer", "u32"], result: "void" },
  X509_VERIFY_PARAM_set1_host: { parameters: ["pointer", "buffer", "usize"], result: "i32" },
  X509_VERIFY_PARAM_set1_ip_asc: { parameters: ["pointer", "buffer"], result: "i32" },
  OPENSSL_sk_num: { parameters: ["pointer"], result: "i32" },
  OPENSSL_sk_free: { parameters: ["pointer"], result: "void" },
  ERR_get_error: { parameters: [], result: "u64" },
  ERR_clear_error: { parameters: [], result: "void" },
  ERR_reason_error_string: { parameters: ["u64"], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions of libssl and libcrypto that are used, by their own names. */
export type OpenSsl =
  & Deno.StaticForeignLibraryInterface<typeof SSL_SYMBOLS>
  & Deno.StaticForeignLibraryInterface<typeof CRYPTO_SYMBOLS>;

/** Where Linux systems keep their libraries: Debian and its kin by architecture, others not. */
export const LIBRARY_FOLDERS: readonly string[] = [
  `/usr/lib/${Deno.build.arch}-linux-gnu`,
  "/usr/lib64",
  "/usr/lib",
  "/usr/local/lib64",
  "/usr/local/lib",
];

let loaded: OpenSsl | undefined;

/**
 * OpenSSL, loaded at the first call.
 *
 * @param purpose What it is needed for, where it cannot be had.
 * @param parameter The parameter of `<tls>` that needs it.
 * @throws {TlsRefusal} if it is not installed, or this process may not load it.
 */
export function openSsl(purpose: string, parameter: string): OpenSsl {
  if (loaded !== undefined) return loaded;
  try {
    return loaded = loadOpenSsl(LIBRARY_FOLDERS);
  } catch (error) {
    throw new TlsRefusal(
      parameter,
      `OpenSSL 3 is needed for ${purpose}, and ${(error as Error).message}`,
    );
  }
}

/**
 * Loads OpenSSL from the first of these folders that has it.
 *
 * @throws if none has it, with a message that follows "and".
 */
export function loadOpenSsl(folders: readonly string[]): OpenSsl {
  // A grant for the two libraries alone would not do: callbacks and pointers need the whole.
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    throw new Error("this process may not load it: start it with --allow-ffi");
  }
  let fault: string | undefined;
  for (const folder of folders) {
    try {
      // Absolute paths: the loader's search would trust the environment.
      const crypto = Deno.dlopen(`${folder}/libcrypto.so.3`, CRYPTO_SYMBOLS);
      const ssl = Deno.dlopen(`${folder}/libssl.so.3`, SSL_SYMBOLS);
      return { ...crypto.symbols, ...ssl.symbols };
    } catch (error) {
      const { message } = error as Error;
      if (!message.includes("No such file")) {
        fault ??= message.replaceAll("Could not open library: ", "");
      }
    }
  }
  if (fault !== undefined) throw new Error(`it cannot be loaded: ${fault}`);
  throw new Error(
    `libssl.so.3 and libcrypto.so.3 are in none of ${folders.join(", ")}: install the package ` +
      "libssl3, or openssl-libs on Fedora and its kin",
  );
}

/** What a function of OpenSSL reads from a text, which it is given as a `BIO`. */
export function readText(
  ssl: OpenSsl,
  text: string,
  read: (input: Deno.PointerValue) => Deno.PointerValue,
): Deno.PointerValue {
  const bytes = new TextEncoder().encode(text);
  const input = ssl.BIO_new_mem_buf(bytes, bytes.length);
  const found = read(input);
  ssl.BIO_free(input);
  return found;
}

/** A private key in PEM, or null if the password does not open it. */
export function readPrivateKey(ssl: OpenSsl, pem: string, password: string): Deno.PointerValue {
  const given = cString(password);
  return readText(ssl, pem, (input) => ssl.PEM_read_bio_PrivateKey(input, null, null, given));
}

/** Text for a C function. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

/** A C function's text; empty where there is none. */
export function textAt(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}
