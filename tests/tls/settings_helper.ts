/**
 * TLS settings for tests.
 *
 * @module
 */

import type { TlsSettings } from "../../lib/tls/settings.ts";

/** Settings that ask for a certificate and nothing else. */
export function tlsSettings(changed: Partial<TlsSettings> = {}): TlsSettings {
  return {
    support: "certificate",
    cafile: undefined,
    capath: undefined,
    certfile: undefined,
    keyfile: undefined,
    keyfilePassword: undefined,
    advancedOptions: false,
    certReqs: "SSL_VERIFY_PEER",
    version: undefined,
    optsCiphers: undefined,
    psk: undefined,
    identity: undefined,
    pskCiphers: undefined,
    alpn: undefined,
    servername: undefined,
    ...changed,
  };
}
