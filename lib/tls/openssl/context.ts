/**
 * What is to hold for a TLS connection, as OpenSSL keeps it: an `SSL_CTX`.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import { type RejectedCertificate, TlsRefusal } from "../errors.ts";
import type { TlsFiles } from "../files.ts";
import {
  alpnProtocols,
  cipherList,
  isObsolete,
  needsOpenSsl,
  tlsRange,
  type TlsSettings,
  type TlsVersion,
  verifiesBroker,
} from "../settings.ts";
import { idleCiphers, idleText, NEVER } from "./cipher_names.ts";
import { cString, type OpenSsl, openSsl, readPrivateKey, readText } from "./library.ts";

// openssl/ssl.h, openssl/tls1.h and openssl/x509_vfy.h of OpenSSL 3.0.
const SSL_CTRL_EXTRA_CHAIN_CERT = 14;
const SSL_CTRL_SET_MIN_PROTO_VERSION = 123;
const SSL_CTRL_SET_MAX_PROTO_VERSION = 124;
const SSL_OP_NO_RENEGOTIATION = 1n << 30n;
const SSL_VERIFY_NONE = 0;
const SSL_VERIFY_PEER = 1;
const VERSIONS: Readonly<Record<TlsVersion, number>> = {
  "tlsv1": 0x0301,
  "tlsv1.1": 0x0302,
  "tlsv1.2": 0x0303,
  "tlsv1.3": 0x0304,
};

/** What OpenSSL found wrong with the broker's certificate. */
export interface Rejection {
  /** An `X509_V_ERR_…` of openssl/x509_vfy.h. */
  readonly error: number;
  /** The certificate at fault: the broker's own, or one above it. */
  readonly certificate: RejectedCertificate;
}

/** An `SSL_CTX` with what OpenSSL calls back. */
export class TlsContext {
  /** OpenSSL. */
  readonly ssl: OpenSsl;
  /** The `SSL_CTX`. */
  readonly pointer: Deno.PointerValue;
  /** Why the broker's certificate was rejected, once it was. */
  rejected: Rejection | undefined;
  readonly #callbacks: { close(): void }[] = [];

  /**
   * Puts the settings in force.
   *
   * @throws {TlsRefusal} if one cannot be had, or OpenSSL cannot.
   */
  constructor(settings: TlsSettings, files: TlsFiles) {
    const limiting = cipherList(settings)?.parameter ?? "version";
    const ssl = this.ssl = openSsl(
      needsOpenSsl(settings) ?? "this",
      settings.support === "psk" ? "support" : limiting,
    );
    this.pointer = ssl.SSL_CTX_new(ssl.TLS_client_method());
    try {
      ssl.SSL_CTX_set_options(this.pointer, SSL_OP_NO_RENEGOTIATION);
      this.#limitVersions(settings);
      this.#limitCiphers(settings);
      this.#offerProtocols(settings);
      this.#verify(settings, files);
      if (settings.support === "psk") this.#usePsk(settings);
      if (files.client !== undefined) this.#useCertificate(files.client);
      if (this.#countCiphers() === 0) throw this.#noCipher(settings);
    } catch (error) {
      this.free();
      throw error;
    }
  }

  /** Frees everything; an `SSL` made from it must be freed before. */
  free(): void {
    this.ssl.SSL_CTX_free(this.pointer);
    for (const callback of this.#callbacks.splice(0)) callback.close();
  }

  #limitVersions(settings: TlsSettings): void {
    const { lowest, highest } = tlsRange(settings);
    const set = (control: number, version: TlsVersion) =>
      this.ssl.SSL_CTX_ctrl(this.pointer, control, BigInt(VERSIONS[version]), null) === 1n;
    if (
      !set(SSL_CTRL_SET_MIN_PROTO_VERSION, lowest) ||
      (highest !== undefined && !set(SSL_CTRL_SET_MAX_PROTO_VERSION, highest))
    ) {
      throw new TlsRefusal("version", `this machine's OpenSSL has no ${highest ?? lowest}`);
    }
  }

  #limitCiphers(settings: TlsSettings): void {
    const { lowest, ciphers, suites } = tlsRange(settings);
    const list = [
      ciphers ?? (settings.support === "psk" ? "PSK" : "DEFAULT"),
      ...NEVER,
      // With a pre-shared key no certificate is trusted, so one is not asked for either.
      ...(settings.support === "psk" ? ["!aRSA", "!aECDSA", "!aDSS"] : []),
      // OpenSSL 3 has TLS 1.0 and 1.1 on its lowest security level only.
      ...(isObsolete(lowest) ? ["@SECLEVEL=0"] : []),
    ].join(":");
    const { SSL_CTX_set_cipher_list: setList, SSL_CTX_set_ciphersuites: setSuites } = this.ssl;
    const isList = setList(this.pointer, cString(list)) === 1;
    const areSuites = suites === undefined || setSuites(this.pointer, cString(suites)) === 1;
    if (!isList || !areSuites) throw this.#noCipher(settings);
  }

  /** Of those that are listed, the ones that the versions in use have, and this OpenSSL allows. */
  #countCiphers(): number {
    const connection = this.ssl.SSL_new(this.pointer);
    const ciphers = this.ssl.SSL_get1_supported_ciphers(connection);
    const count = this.ssl.OPENSSL_sk_num(ciphers);
    this.ssl.OPENSSL_sk_free(ciphers);
    this.ssl.SSL_free(connection);
    return Math.max(count, 0);
  }

  #noCipher(settings: TlsSettings): TlsRefusal {
    const parameter = cipherList(settings)?.parameter ?? "version";
    const idle = idleText(idleCiphers(this.ssl, settings), parameter);
    const none = parameter === "psk_ciphers"
      ? "none of them uses a pre-shared key, in a version that may be used"
      : "the versions that may be used have none of them";
    const why = idle === "" ? none : idle;
    return new TlsRefusal(parameter, `no cipher of \`${parameter}\` is left: ${why}`);
  }

  #offerProtocols(settings: TlsSettings): void {
    const names = alpnProtocols(settings);
    if (names.length === 0) return;
    // RFC 7301, section 3.1: each name behind its length.
    const encoded = Uint8Array.from(names.flatMap((name) => {
      const bytes = new TextEncoder().encode(name);
      return [bytes.length, ...bytes];
    }));
    if (this.ssl.SSL_CTX_set_alpn_protos(this.pointer, encoded, encoded.length) !== 0) {
      throw new TlsRefusal("alpn", "OpenSSL does not take the names in `alpn`");
    }
  }

  /** With a pre-shared key no certificate is trusted: only who has the key can be the broker. */
  #verify(settings: TlsSettings, files: TlsFiles): void {
    const ssl = this.ssl;
    if (settings.support === "certificate" && !verifiesBroker(settings)) {
      ssl.SSL_CTX_set_verify(this.pointer, SSL_VERIFY_NONE, null);
      return;
    }
    const store = ssl.SSL_CTX_get_cert_store(this.pointer);
    for (const pem of files.trusted) {
      this.#withCertificate(pem, (certificate) => ssl.X509_STORE_add_cert(store, certificate));
    }
    const callback = new Deno.UnsafeCallback(
      { parameters: ["i32", "pointer"], result: "i32" },
      (isGood, verification) => {
        if (isGood !== 1) this.#noteRejected(verification);
        return isGood;
      },
    );
    this.#callbacks.push(callback);
    ssl.SSL_CTX_set_verify(this.pointer, SSL_VERIFY_PEER, callback.pointer);
  }

  #noteRejected(verification: Deno.PointerValue): void {
    const ssl = this.ssl;
    const error = ssl.X509_STORE_CTX_get_error(verification);
    const certificate = describe(ssl, ssl.X509_STORE_CTX_get_current_cert(verification));
    this.rejected ??= { error, certificate };
  }

  #usePsk({ psk, identity }: TlsSettings): void {
    const key = attempt(() => Uint8Array.fromHex(psk?.reveal() ?? ""));
    const name = new TextEncoder().encode(identity ?? "");
    if (key === undefined || key.length === 0) {
      throw new TlsRefusal("psk", "`psk` is not a key in hex digits");
    }
    const callback = new Deno.UnsafeCallback({
      parameters: ["pointer", "pointer", "pointer", "u32", "pointer", "u32"],
      result: "u32",
    }, (_ssl, _hint, identityAt, identitySize, keyAt, keySize) => {
      if (identityAt === null || keyAt === null) return 0;
      if (name.length > identitySize || key.length > keySize) return 0;
      // OpenSSL has filled the room with zeros, which end the name.
      memory(identityAt, identitySize).set(name);
      memory(keyAt, keySize).set(key);
      return key.length;
    });
    this.#callbacks.push(callback);
    this.ssl.SSL_CTX_set_psk_client_callback(this.pointer, callback.pointer);
  }

  #useCertificate({ chain, key }: NonNullable<TlsFiles["client"]>): void {
    const ssl = this.ssl;
    const [own = "", ...above] = chain;
    this.#withCertificate(own, (certificate) => {
      if (ssl.SSL_CTX_use_certificate(this.pointer, certificate) === 1) return;
      throw new TlsRefusal(
        "certfile",
        "OpenSSL does not take the certificate in certfile: it may " +
          "be signed in a way that is too weak",
      );
    });
    for (const pem of above) {
      const certificate = readCertificate(ssl, pem);
      const isAdded = certificate !== null &&
        ssl.SSL_CTX_ctrl(this.pointer, SSL_CTRL_EXTRA_CHAIN_CERT, 0n, certificate) === 1n;
      if (isAdded) continue;
      if (certificate !== null) ssl.X509_free(certificate);
      throw new TlsRefusal("certfile", "OpenSSL does not take every certificate in certfile");
    }
    const parsed = readPrivateKey(ssl, key, "");
    const isTaken = ssl.SSL_CTX_use_PrivateKey(this.pointer, parsed) === 1;
    ssl.EVP_PKEY_free(parsed);
    if (!isTaken) throw new TlsRefusal("keyfile", "OpenSSL does not take the key in keyfile");
  }

  #withCertificate(pem: string, use: (certificate: Deno.PointerValue) => void): void {
    const certificate = readCertificate(this.ssl, pem);
    try {
      use(certificate);
    } finally {
      this.ssl.X509_free(certificate);
    }
  }
}

function readCertificate(ssl: OpenSsl, pem: string): Deno.PointerValue {
  return readText(ssl, pem, (input) => ssl.PEM_read_bio_X509(input, null, null, null));
}

/**
 * What a certificate says. It may be anybody's: what Deno cannot read of it is left out, and nothing
 * is thrown into OpenSSL, which calls from within its handshake.
 */
function describe(ssl: OpenSsl, certificate: Deno.PointerValue): RejectedCertificate {
  const parsed = attempt(() => {
    const der = new Uint8Array(ssl.i2d_X509(certificate, null));
    const at = new BigUint64Array([BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(der)))]);
    ssl.i2d_X509(certificate, new Uint8Array(at.buffer));
    return new X509Certificate(der);
  });
  if (parsed === undefined) return {};
  return {
    issuer: attempt(() => parsed.issuer.replaceAll("\n", ", ")),
    commonName: attempt(() => /CN=(.*)/.exec(parsed.subject)?.[1]),
    names: attempt(() => parsed.subjectAltName),
    validFrom: attempt(() => new Date(parsed.validFrom)),
    validTo: attempt(() => new Date(parsed.validTo)),
  };
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function memory(pointer: Deno.PointerObject, size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, size));
}
