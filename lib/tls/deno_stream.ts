/**
 * A TLS stream by Deno's own TLS, for what that can do as asked.
 *
 * @module
 */

import { isIP } from "node:net";
import {
  checkServerIdentity,
  connect,
  type ConnectionOptions,
  type SecureVersion,
  type TLSSocket,
} from "node:tls";
import { chainFault } from "./chain.ts";
import { TlsError, TlsRefusal } from "./errors.ts";
import type { TlsFiles } from "./files.ts";
import {
  alpnProtocols,
  expectedName,
  tlsRange,
  type TlsSettings,
  type TlsVersion,
  verifiesBroker,
} from "./settings.ts";
import type { TcpOptions } from "./tcp.ts";

const VERSIONS: Readonly<Partial<Record<TlsVersion, SecureVersion>>> = {
  "tlsv1.2": "TLSv1.2",
  "tlsv1.3": "TLSv1.3",
};

/**
 * Starts connecting.
 *
 * @throws {TlsRefusal} if a setting cannot be honoured.
 */
export function connectByDeno(
  tcp: TcpOptions,
  settings: TlsSettings,
  { trusted, client }: TlsFiles,
): TLSSocket {
  const { lowest, highest = "tlsv1.3" } = tlsRange(settings);
  const [minVersion, maxVersion] = [VERSIONS[lowest], VERSIONS[highest]];
  if (minVersion === undefined || maxVersion === undefined) {
    throw new TlsRefusal("version", `Deno's TLS has no ${lowest}`);
  }
  const name = expectedName(tcp.host, settings);
  const protocols = alpnProtocols(settings);
  const stream = connecting({
    ...tcp,
    ca: [...trusted],
    minVersion,
    maxVersion,
    rejectUnauthorized: verifiesBroker(settings),
    // Called before anything that was written is sent.
    checkServerIdentity: (_, certificate) =>
      chainFault(certificate, trusted) ?? checkServerIdentity(name, certificate),
    // RFC 6066, section 3: an address is not sent as a server name.
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(protocols.length === 0 ? {} : { ALPNProtocols: protocols }),
    ...(client === undefined ? {} : { cert: client.chain.join("\n"), key: client.key }),
  });
  stream.setNoDelay(true);
  const peerCertificate = stream.getPeerCertificate.bind(stream) as (detailed?: boolean) => object;
  // Deno asks for it itself, where nobody catches what it throws at a certificate that it cannot
  // read: the process would end at whatever a broker shows.
  stream.getPeerCertificate = ((detailed?: boolean) => {
    try {
      return peerCertificate(detailed);
    } catch {
      return {};
    }
  }) as typeof stream.getPeerCertificate;
  return stream;
}

function connecting(options: ConnectionOptions): TLSSocket {
  try {
    return connect(options);
  } catch (error) {
    const text = `Deno's TLS does not take what \`<tls>\` says: ${(error as Error).message}`;
    throw new TlsRefusal("support", text);
  }
}

/** The explanation may take this long. */
const EXPLAIN_TIMEOUT_MS = 2_000;

/**
 * Finds out more about a certificate that was rejected: `node:tls` has one code of Deno for all
 * that is wrong with it, and `Deno.startTls` has words. So the handshake, as strict as before, is
 * tried again; nothing else is sent.
 *
 * @returns An error that tells more, or `undefined` if there is nothing to find out.
 */
export function explainRejection(
  error: Error & { readonly code?: unknown },
  tcp: TcpOptions,
  settings: TlsSettings,
  { trusted }: TlsFiles,
): Promise<Error> | undefined {
  // `Deno.connect` would not come from the local address.
  if (tcp.localAddress !== undefined || error.code !== "UNABLE_TO_VERIFY_LEAF_SIGNATURE") {
    return undefined;
  }
  return rejectionText(tcp, expectedName(tcp.host, settings), [...trusted]).then((text) => {
    const [, what, seconds] = /certificate is not valid (after|before) (\d+)/.exec(text) ?? [];
    if (what === undefined) return error;
    const moment = new Date(Number(seconds) * 1000);
    return new TlsError(
      error.message,
      what === "after"
        ? { code: "CERT_HAS_EXPIRED", certificate: { validTo: moment } }
        : { code: "CERT_NOT_YET_VALID", certificate: { validFrom: moment } },
    );
  });
}

async function rejectionText(
  { host, port }: TcpOptions,
  hostname: string,
  caCerts: string[],
): Promise<string> {
  let connection: Deno.Conn | undefined;
  const end = () => {
    try {
      connection?.close();
    } catch {
      // A handshake that failed has closed it.
    }
  };
  const timer = setTimeout(end, EXPLAIN_TIMEOUT_MS);
  try {
    const signal = AbortSignal.timeout(EXPLAIN_TIMEOUT_MS);
    const tcp = connection = await Deno.connect({ hostname: host, port, signal });
    const tls = connection = await Deno.startTls(tcp, { hostname, caCerts });
    await tls.handshake();
    return "";
  } catch (error) {
    return (error as Error).message;
  } finally {
    clearTimeout(timer);
    end();
  }
}
