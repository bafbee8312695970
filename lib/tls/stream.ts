/**
 * A TLS stream to a broker, by whichever TLS can do as asked.
 *
 * @module
 */

import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { connectByDeno, explainRejection } from "./deno_stream.ts";
import { readTlsFiles, type TlsFiles } from "./files.ts";
import { OpenSslEngine } from "./openssl/engine.ts";
import { OpenSslStream } from "./openssl/stream.ts";
import { needsOpenSsl, type TlsSettings } from "./settings.ts";
import type { TcpOptions } from "./tcp.ts";

/** A stream that was secured, or is going to be; a `tls.TLSSocket` is one. */
export interface TlsStream extends Duplex {
  /** Plain bytes written so far, those still waiting included. */
  readonly bytesWritten: number;
  /** The negotiated version, such as `TLSv1.3`. */
  getProtocol(): string | null;
  /** The negotiated cipher by OpenSSL's name. */
  getCipher(): { readonly name: string };
}

/** A stream, and what it was made with. */
export interface TlsConnection {
  /** The stream. */
  readonly stream: TlsStream;
  /** Tells whether the files that were read have changed since: {@linkcode TlsFiles.digest}. */
  readonly filesDigest: string;
  /** Finds out more about an error of the stream, where there is more to find out. */
  explain(error: Error): Promise<Error> | undefined;
}

/**
 * Starts connecting. Nothing is sent in clear, and nothing but the handshake before the broker is
 * known to be who it should be.
 *
 * @throws {TlsRefusal} if a setting, or a file that it names, cannot be honoured.
 */
export function connectTls(tcp: TcpOptions, settings: TlsSettings): TlsConnection {
  const files = readTlsFiles(settings);
  const filesDigest = files.digest;
  return needsOpenSsl(settings) === undefined
    ? {
      stream: connectByDeno(tcp, settings, files),
      filesDigest,
      explain: (error) => explainRejection(error, tcp, settings, files),
    }
    : { stream: connectByOpenSsl(tcp, settings, files), filesDigest, explain: () => undefined };
}

function connectByOpenSsl(tcp: TcpOptions, settings: TlsSettings, files: TlsFiles): TlsStream {
  // First of all: what it refuses is not to have made a connection.
  const engine = new OpenSslEngine(tcp.host, settings, files);
  try {
    return new OpenSslStream(connect(tcp), engine);
  } catch (error) {
    engine.free();
    throw error;
  }
}
