/**
 * Why TLS failed, in words for a person, whichever TLS it was.
 *
 * @module
 */

import { dayOf } from "./certificates.ts";
import { type RejectedCertificate, TlsRefusal } from "./errors.ts";
import {
  authoritySources,
  expectedName,
  isObsolete,
  tlsRange,
  type TlsSettings,
} from "./settings.ts";

/** What was tried. */
export interface TlsAttempt {
  /** The broker's host as it was connected to. */
  readonly host: string;
  /** What was asked for. */
  readonly settings: TlsSettings;
}

/** An error of a TLS stream, with what it may carry. */
export type StreamError = Error & {
  /** The code that Node.js has for it. */
  readonly code?: unknown;
  /** See {@linkcode TlsError.alert}. */
  readonly alert?: number | undefined;
  /** See {@linkcode TlsError.certificate}. */
  readonly certificate?: RejectedCertificate | undefined;
  /** See {@linkcode TlsError.isCipherChosen}. */
  readonly isCipherChosen?: boolean;
  /** What Deno's TLS tells of a certificate with another name. */
  readonly cert?: { readonly subjectaltname?: string | undefined } | undefined;
};

/**
 * Alerts that a broker may send by the names of RFC 8446, section 6, which Node.js has in its codes
 * (`ERR_SSL_TLSV1_ALERT_UNKNOWN_CA`).
 */
const ALERTS: Readonly<Record<string, number>> = {
  BAD_RECORD_MAC: 20,
  DECRYPTION_FAILED: 21,
  HANDSHAKE_FAILURE: 40,
  BAD_CERTIFICATE: 42,
  UNSUPPORTED_CERTIFICATE: 43,
  CERTIFICATE_REVOKED: 44,
  CERTIFICATE_EXPIRED: 45,
  CERTIFICATE_UNKNOWN: 46,
  ILLEGAL_PARAMETER: 47,
  UNKNOWN_CA: 48,
  ACCESS_DENIED: 49,
  DECRYPT_ERROR: 51,
  PROTOCOL_VERSION: 70,
  INSUFFICIENT_SECURITY: 71,
  INTERNAL_ERROR: 80,
  UNRECOGNIZED_NAME: 112,
  UNKNOWN_PSK_IDENTITY: 115,
  CERTIFICATE_REQUIRED: 116,
  NO_APPLICATION_PROTOCOL: 120,
};

const CLIENT_CERTIFICATE_FAULTS: Readonly<Record<number, string>> = {
  42: "it cannot make sense of it",
  43: "it is of a kind that the broker does not support",
  44: "it is revoked",
  45: "it has expired",
  46: "it is not acceptable",
  48: "the broker does not know its CA, or `certfile` lacks the certificates between",
  49: "it gives no access",
  51: "its key does not fit",
};

const NO_CIPHER = "the broker shares no cipher with this connection";

/** The cause of a failure, or `undefined` if TLS has nothing to do with it. */
export function tlsCause(error: StreamError, attempt: TlsAttempt): string | undefined {
  if (error instanceof TlsRefusal) return error.message;
  const { code } = error;
  if (typeof code !== "string") return undefined;
  const alert = error.alert ?? alertOf(error, code);
  if (alert !== undefined) {
    return alertCause(alert, attempt, error.isCipherChosen === true) ?? error.message;
  }
  const { support } = attempt.settings;
  if (support === "psk" && isCertificateFault(code)) {
    return "the broker shows a certificate, not a pre-shared key: it has none for this " +
      "`identity`, or another port for it";
  }
  return certificateCause(error, code, attempt) ?? otherCause(error, code, attempt);
}

/** Deno's TLS has codes of alerts for what it finds itself, too. */
function alertOf({ message }: StreamError, code: string): number | undefined {
  if (!message.startsWith("received fatal alert")) return undefined;
  return ALERTS[/^ERR_SSL_[^_]+_ALERT_(.+)$/.exec(code)?.[1] ?? ""];
}

function isCertificateFault(code: string): boolean {
  return /CERT|UNABLE_TO/.test(code) && !code.startsWith("ERR_SSL_");
}

function certificateCause(
  error: StreamError,
  code: string,
  { host, settings }: TlsAttempt,
): string | undefined {
  const { certificate } = error;
  const sources = authoritySources(settings).join(" or ");
  switch (code) {
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return `the broker's certificate is self-signed, and not in ${sources}`;
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE": {
      const issuer = certificate?.issuer === undefined ? "" : `, ${certificate.issuer}`;
      return `the broker's certificate is of an unknown CA${issuer}: that is not in ${sources}, ` +
        "or the broker does not send the certificates between";
    }
    case "ERR_TLS_CERT_ALTNAME_INVALID": {
      const names = error.cert?.subjectaltname ?? certificate?.names;
      const found = certificateNames(names) || commonName(error.message, certificate) || "no name";
      return `the broker's certificate is for ${found}, not for ${expectedName(host, settings)}`;
    }
    case "CERT_HAS_EXPIRED":
      return `the broker's certificate, or its CA's, expired${day("on", error)}, by this ` +
        "machine's clock";
    case "CERT_NOT_YET_VALID":
      return `the broker's certificate is not valid yet${
        day("before", error)
      }: is this machine's ` +
        "clock right?";
    default:
      return isCertificateFault(code)
        ? `the broker's certificate is not accepted: ${error.message}`
        : undefined;
  }
}

/** The day at which a certificate's time ends or begins, in words, if it is known. */
function day(preposition: "on" | "before", { code, certificate }: StreamError): string {
  const moment = code === "CERT_HAS_EXPIRED" ? certificate?.validTo : certificate?.validFrom;
  return moment === undefined ? "" : ` ${preposition} ${dayOf(moment)}`;
}

/** What the broker says is wrong. */
function alertCause(
  alert: number,
  { host, settings }: TlsAttempt,
  isCipherChosen: boolean,
): string | undefined {
  if (settings.support === "psk") {
    if (alert === 115) return "the broker does not know this `identity`";
    if ([20, 21, 47, 51].includes(alert)) {
      return "`psk` is not the pre-shared key that the broker has for this `identity`";
    }
    if (alert === 40) {
      return "the broker has no pre-shared key for this `identity`, or shares no cipher";
    }
  } else if (settings.certfile !== undefined) {
    const fault = CLIENT_CERTIFICATE_FAULTS[alert];
    if (fault !== undefined) return `the broker refuses the client certificate: ${fault}`;
  } else if (alert === 116 || (alert === 40 && isCipherChosen)) {
    return "the broker wants a client certificate: give `certfile` and `keyfile`";
  }
  switch (alert) {
    case 40:
      return `${NO_CIPHER}: it may want one named in \`opts_ciphers\` (with \`advanced_options\`)` +
        (settings.certfile === undefined
          ? ", a client certificate (`certfile`, `keyfile`), or a pre-shared key (`support` psk)"
          : ", or a pre-shared key (`support` psk)");
    // OpenSSL's server meets an old version on its usual security level with an internal error.
    case 80:
      return isObsolete(tlsRange(settings).lowest)
        ? `the broker does not speak ${versionText(settings)}`
        : undefined;
    case 70:
      return `the broker does not speak ${versionText(settings)}`;
    case 71:
      return "the broker wants stronger ciphers";
    case 112:
      return `the broker does not know the name ${expectedName(host, settings)}`;
    case 120:
      return "the broker takes none of the protocols in `alpn`";
  }
  return undefined;
}

function otherCause(
  error: StreamError,
  code: string,
  { settings }: TlsAttempt,
): string | undefined {
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|RECORD_LAYER/.test(code)) {
    return "what answers at that port does not speak TLS";
  }
  const isVersion = /UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|UNSUPPORTED_SSL_VERSION/.test(code);
  if (isVersion || /^peer is incompatible: .*Tls1/.test(error.message)) {
    return `the broker does not speak ${versionText(settings)}`;
  }
  if (code.includes("NO_CIPHERS_AVAILABLE")) {
    return "no cipher that may be used is of a TLS version that may be used";
  }
  if (/WRONG_CIPHER|UNKNOWN_CIPHER/.test(code)) {
    return NO_CIPHER;
  }
  return /^ERR_(TLS|SSL)_/.test(code) ? error.message : undefined;
}

function versionText(settings: TlsSettings): string {
  const { lowest, highest } = tlsRange(settings);
  const name = (version: string) => `TLS ${version.replace(/^tlsv/, "").replace(/^1$/, "1.0")}`;
  return highest === undefined && lowest !== "tlsv1.3" ? `${name(lowest)} or later` : name(lowest);
}

/** `DNS:a, IP Address:b` as `a, b`. */
function certificateNames(names: string | undefined): string {
  return (names ?? "").replaceAll(/(?:DNS|IP Address|IP):/g, "");
}

/** The common name of a certificate that has no other; Deno's TLS tells it in its message. */
function commonName(message: string, certificate: RejectedCertificate | undefined): string {
  return /is not cert's CN: (.*)$/.exec(message)?.[1] ?? certificate?.commonName ?? "";
}
