/**
 * TLS by OpenSSL without a socket: encrypted bytes go in and out by hand.
 *
 * @module
 */

import { isIP } from "node:net";
import { TlsError, TlsRefusal } from "../errors.ts";
import type { TlsFiles } from "../files.ts";
import { expectedName, type TlsSettings } from "../settings.ts";
import { TlsContext } from "./context.ts";
import { cString, type OpenSsl, textAt } from "./library.ts";

// openssl/ssl.h, openssl/tls1.h, openssl/x509v3.h and openssl/x509_vfy.h of OpenSSL 3.0.
const SSL_CTRL_SET_TLSEXT_HOSTNAME = 55;
const SSL_ERROR_WANT_READ = 2;
const SSL_ERROR_ZERO_RETURN = 6;
const X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS = 0x4;
const X509_V_FLAG_PARTIAL_CHAIN = 0x80000n;

/** An error of OpenSSL holds its reason in these bits (openssl/err.h). */
const REASON_BITS = 0x7fffffn;
/** The reason of an alert from the other side is its number (RFC 8446, section 6) and this. */
const ALERT_REASONS = 1000;

/** `X509_V_ERR_…` of openssl/x509_vfy.h by the names that Node.js gives them. */
const REJECTIONS: Readonly<Record<number, string>> = {
  2: "UNABLE_TO_GET_ISSUER_CERT",
  9: "CERT_NOT_YET_VALID",
  10: "CERT_HAS_EXPIRED",
  18: "DEPTH_ZERO_SELF_SIGNED_CERT",
  19: "SELF_SIGNED_CERT_IN_CHAIN",
  20: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  21: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  62: "ERR_TLS_CERT_ALTNAME_INVALID",
  64: "ERR_TLS_CERT_ALTNAME_INVALID",
};

/** A record of TLS holds at most so many plain bytes (RFC 8446, section 5.1). */
const RECORD_BYTES = 16 * 1024;
/** Plain bytes are collected here before they are handed on, in either direction. */
const scratch = new Uint8Array(4 * RECORD_BYTES);
/** A buffer for encrypted bytes that is longer is not kept. */
const MOST_KEPT_BYTES = 256 * 1024;

/** One TLS connection, as a client. After {@linkcode OpenSslEngine.free} it says and takes nothing. */
export class OpenSslEngine {
  readonly #ssl: OpenSsl;
  readonly #context: TlsContext;
  readonly #connection: Deno.PointerValue;
  readonly #incoming: Deno.PointerValue;
  readonly #outgoing: Deno.PointerValue;
  /** Reused: a fresh buffer for each write would cost a quarter of the throughput. */
  #encrypted = new Uint8Array(0);
  #isFree = false;

  /**
   * Makes a connection that has not said anything yet.
   *
   * @param host The broker's host as it is connected to.
   * @throws {TlsRefusal} if a setting cannot be honoured, or OpenSSL cannot be had.
   */
  constructor(host: string, settings: TlsSettings, files: TlsFiles) {
    this.#context = new TlsContext(settings, files);
    const ssl = this.#ssl = this.#context.ssl;
    this.#connection = ssl.SSL_new(this.#context.pointer);
    this.#incoming = ssl.BIO_new(ssl.BIO_s_mem());
    this.#outgoing = ssl.BIO_new(ssl.BIO_s_mem());
    ssl.SSL_set_bio(this.#connection, this.#incoming, this.#outgoing);
    ssl.SSL_set_connect_state(this.#connection);
    if (this.#expect(expectedName(host, settings))) return;
    this.free();
    throw new TlsRefusal(
      "servername",
      `no certificate can be for "${expectedName(host, settings)}"`,
    );
  }

  /** The negotiated version, such as `TLSv1.3`. */
  get version(): string {
    return this.#isFree ? "" : textAt(this.#ssl.SSL_get_version(this.#connection));
  }

  /** The negotiated cipher by OpenSSL's name. */
  get cipher(): string {
    if (this.#isFree) return "";
    const cipher = this.#ssl.SSL_get_current_cipher(this.#connection);
    return cipher === null ? "" : textAt(this.#ssl.SSL_CIPHER_get_name(cipher));
  }

  /**
   * Goes on with the handshake as far as it can. Returns whether it is done.
   *
   * @throws {TlsError} if it failed.
   */
  handshake(): boolean {
    if (this.#isFree) return false;
    this.#ssl.ERR_clear_error();
    const result = this.#ssl.SSL_do_handshake(this.#connection);
    if (result === 1) return true;
    this.#wantsMore(result);
    return false;
  }

  /** Takes in encrypted bytes from the network. */
  feed(bytes: Uint8Array): void {
    if (this.#isFree) return;
    this.#ssl.BIO_write(this.#incoming, bytes as Uint8Array<ArrayBuffer>, bytes.length);
  }

  /** The encrypted bytes that are to go to the network, if there are any. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    return this.#take((size) => new Uint8Array(size));
  }

  /**
   * Plain bytes that have come: some, `undefined` if there are none at present, or `"end"`.
   *
   * @throws {TlsError} if the other side said that something is wrong.
   */
  read(): Uint8Array<ArrayBuffer> | "end" | undefined {
    if (this.#isFree) return "end";
    let length = 0;
    while (length < scratch.length) {
      this.#ssl.ERR_clear_error();
      const count = this.#ssl.SSL_read(
        this.#connection,
        scratch.subarray(length),
        scratch.length - length,
      );
      if (count > 0) {
        length += count;
        continue;
      }
      // What came before an error or the end is handed on first; the next call meets it again.
      if (length === 0 && !this.#wantsMore(count)) return "end";
      break;
    }
    return length === 0 ? undefined : scratch.slice(0, length);
  }

  /**
   * Encrypts plain bytes, after the handshake. Returns what is to go to the network, which is good
   * until the next call.
   *
   * @throws {TlsError} if OpenSSL cannot.
   */
  encrypt(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> | undefined {
    let length = 0;
    for (const chunk of chunks) {
      const isLong = chunk.length > RECORD_BYTES;
      if (isLong || length + chunk.length > scratch.length) {
        this.#write(scratch.subarray(0, length));
        length = 0;
      }
      if (isLong) {
        this.#write(chunk);
        continue;
      }
      scratch.set(chunk, length);
      length += chunk.length;
    }
    this.#write(scratch.subarray(0, length));
    return this.#take((size) => {
      if (size > MOST_KEPT_BYTES) return new Uint8Array(size);
      if (size > this.#encrypted.length) this.#encrypted = new Uint8Array(size * 2);
      return this.#encrypted.subarray(0, size);
    });
  }

  /** Says goodbye; the encrypted bytes of that are to be taken. */
  shutdown(): void {
    if (this.#isFree) return;
    this.#ssl.ERR_clear_error();
    this.#ssl.SSL_shutdown(this.#connection);
  }

  /** Frees what OpenSSL holds. */
  free(): void {
    if (this.#isFree) return;
    this.#isFree = true;
    this.#ssl.SSL_free(this.#connection);
    this.#context.free();
  }

  #write(bytes: Uint8Array): void {
    if (this.#isFree || bytes.length === 0) return;
    this.#ssl.ERR_clear_error();
    const plain = bytes as Uint8Array<ArrayBuffer>;
    const count = this.#ssl.SSL_write(this.#connection, plain, plain.length);
    // It writes all or nothing: its own output is memory.
    if (count !== plain.length) throw this.#error();
  }

  #take(
    buffer: (size: number) => Uint8Array<ArrayBuffer>,
  ): Uint8Array<ArrayBuffer> | undefined {
    if (this.#isFree) return undefined;
    const size = Number(this.#ssl.BIO_ctrl_pending(this.#outgoing));
    if (size === 0) return undefined;
    const bytes = buffer(size);
    this.#ssl.BIO_read(this.#outgoing, bytes, size);
    return bytes;
  }

  /** Says whose certificate it must be; returns whether OpenSSL knows what is meant. */
  #expect(name: string): boolean {
    const ssl = this.#ssl;
    const verification = ssl.SSL_get0_param(this.#connection);
    // What the owner has in cafile is trusted, a root or not, as by Deno's TLS.
    ssl.X509_VERIFY_PARAM_set_flags(verification, X509_V_FLAG_PARTIAL_CHAIN);
    if (isIP(name) !== 0) {
      // RFC 6066, section 3: an address is not sent as a server name.
      return ssl.X509_VERIFY_PARAM_set1_ip_asc(verification, cString(name)) === 1;
    }
    if (name === "") return false;
    ssl.X509_VERIFY_PARAM_set_hostflags(verification, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return ssl.X509_VERIFY_PARAM_set1_host(verification, cString(name), 0n) === 1 &&
      ssl.SSL_ctrl(this.#connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, 0n, cString(name)) === 1n;
  }

  /** Whether bytes from the network are all that is wanted; `false` at the end. Throws otherwise. */
  #wantsMore(result: number): boolean {
    const error = this.#ssl.SSL_get_error(this.#connection, result);
    if (error === SSL_ERROR_WANT_READ) return true;
    if (error === SSL_ERROR_ZERO_RETURN) return false;
    throw this.#error();
  }

  #error(): TlsError {
    const { rejected } = this.#context;
    if (rejected !== undefined) {
      const { error, certificate } = rejected;
      const text = textAt(this.#ssl.X509_verify_cert_error_string(BigInt(error)));
      return new TlsError(text, { code: REJECTIONS[error] ?? "CERT_REJECTED", certificate });
    }
    const error = this.#ssl.ERR_get_error();
    const reason = Number(error & REASON_BITS);
    const text = textAt(this.#ssl.ERR_reason_error_string(error)) || "TLS failed";
    const alert = reason - ALERT_REASONS;
    const isChosen = this.#ssl.SSL_get_pending_cipher(this.#connection) !== null;
    return new TlsError(text, {
      code: `ERR_SSL_${text.toUpperCase().replaceAll(/[^A-Z0-9]+/g, "_")}`,
      ...(alert >= 0 && alert <= 255 ? { alert } : {}),
      isCipherChosen: isChosen,
    });
  }
}
