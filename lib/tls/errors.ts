/**
 * Why TLS was not begun, or ended.
 *
 * @module
 */

/** A setting, or a file that it names, that cannot be honoured; TLS is refused, not weakened. */
export class TlsRefusal extends Error {
  /** Its name, for logs. */
  override readonly name: string = "TlsRefusal";
  /** The parameter of `<tls>` that is at fault. */
  readonly parameter: string;

  /** A refusal because of one parameter. */
  constructor(parameter: string, message: string) {
    super(message);
    this.parameter = parameter;
  }
}

/** What is told of a certificate that was rejected; what cannot be read is left out. */
export interface RejectedCertificate {
  /** Who issued it. */
  readonly issuer?: string | undefined;
  /** Its common name. */
  readonly commonName?: string | undefined;
  /** Its alternative names, as Node.js writes them: `DNS:a, IP Address:b`. */
  readonly names?: string | undefined;
  /** The moment from which on it is valid. */
  readonly validFrom?: Date | undefined;
  /** The moment after which it is not. */
  readonly validTo?: Date | undefined;
}

/** What is known of a failure of TLS. */
export interface TlsErrorDetails {
  /** The code that Node.js has for it. */
  readonly code: string;
  /** The number of the broker's alert (RFC 8446, section 6). */
  readonly alert?: number | undefined;
  /** The certificate that was rejected. */
  readonly certificate?: RejectedCertificate | undefined;
  /** Whether the broker had agreed to a version and a cipher before. */
  readonly isCipherChosen?: boolean | undefined;
}

/** A failure of TLS itself, found by OpenSSL or by us. */
export class TlsError extends Error implements TlsErrorDetails {
  /** Its name, for logs. */
  override readonly name: string = "TlsError";
  /** See {@linkcode TlsErrorDetails.code}. */
  readonly code: string;
  /** See {@linkcode TlsErrorDetails.alert}. */
  readonly alert: number | undefined;
  /** See {@linkcode TlsErrorDetails.certificate}. */
  readonly certificate: RejectedCertificate | undefined;
  /** See {@linkcode TlsErrorDetails.isCipherChosen}. */
  readonly isCipherChosen: boolean;

  /** An error with its details. */
  constructor(message: string, details: TlsErrorDetails) {
    super(message);
    this.code = details.code;
    this.alert = details.alert;
    this.certificate = details.certificate;
    this.isCipherChosen = details.isCipherChosen ?? false;
  }
}
