/**
 * What `<tls>` needs of this machine: files of certificates and keys, and OpenSSL.
 *
 * @module
 */

import {
  type Certificate,
  dayOf,
  readCertificates,
  readFolder,
  timeFault,
} from "../tls/certificates.ts";
import { TlsRefusal } from "../tls/errors.ts";
import { readClient, readTlsFiles, readTrusted, type TlsFiles } from "../tls/files.ts";
import { cipherFault } from "../tls/openssl/ciphers.ts";
import { openKey } from "../tls/private_key.ts";
import { cipherList, needsOpenSsl, tlsRange, verifiesBroker } from "../tls/settings.ts";
import { checkTls, placeIn } from "./check_tls.ts";
import type { FindingCode } from "./codes.ts";
import type { Config, ConnectionConfig, TlsConfig } from "./config.ts";
import { WITHHELD } from "./credentials.ts";
import { Findings } from "./findings.ts";
import { fileForm, valueOf } from "./parameters.ts";
import type { Finding } from "./position.ts";

/** How {@linkcode checkTlsFiles} works. */
export interface CheckTlsFilesOptions {
  /**
   * The time that certificates are held against.
   * @default the present
   */
  readonly now?: Date;
}

/** A certificate that is good for less is warned of. */
const WARN_DAYS = 30;
const DAY_MS = 86_400_000;
/** The right of others to read, in a file's mode. */
const OTHERS_READ = 0o004;

/**
 * Opens all that the enabled connections' `<tls>` names. An error is what the connection would be
 * refused for at this moment.
 */
export function checkTlsFiles(config: Config, options: CheckTlsFilesOptions = {}): Finding[] {
  const findings = new Findings();
  const now = (options.now ?? new Date()).getTime();
  for (const profile of config.profiles) {
    for (const connection of profile.connections) {
      const isUsed = profile.enable && connection.enable && connection.tls.enable;
      if (isUsed && !isWrong(connection)) new Check(connection.tls, now, findings).run();
    }
  }
  return findings.sorted();
}

/** Whether {@linkcode checkTls} says already why the connection would be refused. */
function isWrong(connection: ConnectionConfig): boolean {
  const findings = new Findings();
  checkTls(connection, findings);
  return findings.firstError !== undefined;
}

/** The check of one `<tls>`. */
class Check {
  readonly #tls: TlsConfig;
  readonly #now: number;
  readonly #findings: Findings;

  constructor(tls: TlsConfig, now: number, findings: Findings) {
    this.#tls = tls;
    this.#now = now;
    this.#findings = findings;
  }

  run(): void {
    for (const [secret, path] of this.#tls.source.secretFiles ?? []) {
      if (valueOf(this.#tls, secret) === WITHHELD) continue;
      this.#checkRights(secret, `${fileForm(secret)} ${path}`, path);
    }
    if (this.#tls.support === "certificate") {
      this.#checkAuthorities();
      this.#checkClient();
    }
    if (needsOpenSsl(this.#tls) !== undefined) this.#checkOpenSsl();
  }

  #checkOpenSsl(): void {
    const files = this.#usableFiles();
    const fault = this.#attempt("tls-openssl", () => ({ text: cipherFault(this.#tls, files) }));
    const parameter = cipherList(this.#tls)?.parameter;
    if (fault === undefined || parameter === undefined) return;
    if (fault.text !== undefined) this.#warn(parameter, "tls-ciphers", fault.text);
    const isPinned = this.#tls.advancedOptions && this.#tls.version !== undefined;
    if (isPinned || tlsRange(this.#tls).highest === undefined) return;
    const text = `\`${parameter}\` names no cipher of TLS 1.3, which is not used then; add some ` +
      "of `openssl ciphers -s -tls1_3`, or set `version` to tlsv1.2 with `advanced_options`";
    this.#warn(parameter, "tls-ciphers", text);
  }

  /** What a connection would read; what is wrong with it is told elsewhere. */
  #usableFiles(): TlsFiles | undefined {
    try {
      return readTlsFiles(this.#tls, this.#now);
    } catch {
      return undefined;
    }
  }

  #checkAuthorities(): void {
    const { cafile, capath } = this.#tls;
    const now = this.#now;
    const inFile = cafile === undefined
      ? []
      : this.#attempt("tls-file", () => readCertificates("cafile", cafile, now));
    const inFolder = capath === undefined
      ? []
      : this.#attempt("tls-file", () => readFolder(capath, now));
    if (inFile === undefined || inFolder === undefined || !verifiesBroker(this.#tls)) return;
    const isUsable = [...inFile, ...inFolder].some(({ isAuthority }) => isAuthority);
    const code = isUsable ? "tls-expired" : "tls-file";
    if (this.#attempt(code, () => readTrusted(this.#tls, now)) === undefined) return;
    for (const each of inFile) this.#checkAuthority(each);
    if (capath !== undefined && inFolder.length === 0) {
      this.#warn("capath", "tls-file", `capath ${capath} gives no certificate`);
    }
  }

  /** In capath there may be anything; cafile was made for this. */
  #checkAuthority(certificate: Certificate): void {
    const what = `the certificate ${certificate.subject} in cafile ${this.#tls.cafile}`;
    const fault = timeFault(certificate, this.#now);
    if (!certificate.isAuthority) {
      const text = `${what} is not a CA's: no broker is verified with it`;
      this.#warn("cafile", "tls-file", text);
    } else if (fault !== undefined) {
      const text = `${what} ${fault}; no broker is verified with it`;
      this.#warn("cafile", "tls-expired", text);
    }
  }

  #checkClient(): void {
    const { certfile, keyfile, keyfilePassword } = this.#tls;
    if (certfile === undefined || keyfile === undefined) return;
    const now = this.#now;
    const chain = this.#attempt("tls-file", () => readCertificates("certfile", certfile, now));
    const key = this.#key(keyfile, chain !== undefined);
    if (key?.wasEncrypted === false && keyfilePassword !== undefined) {
      const text =
        `\`keyfile_password\` has no effect: the key in keyfile ${keyfile} is not encrypted`;
      this.#warn("keyfile_password", "tls-no-effect", text);
    }
    if (key !== undefined) this.#checkRights("keyfile", `keyfile ${keyfile}`, keyfile);
    const [own, ...above] = chain ?? [];
    if (own !== undefined) this.#checkOwn(own);
    for (const each of above) {
      const fault = timeFault(each, now);
      if (fault === undefined) continue;
      const text = `the certificate ${each.subject} in certfile ${certfile} ${fault}`;
      this.#warn("certfile", "tls-expired", text);
    }
  }

  /** The client's key, which has to fit to its certificate; none without the password to it. */
  #key(keyfile: string, hasCertificate: boolean): ReturnType<typeof openKey> | undefined {
    const { keyfilePassword } = this.#tls;
    if (keyfilePassword === WITHHELD) return undefined;
    return hasCertificate
      ? this.#attempt("tls-key", () => readClient(this.#tls, this.#now))?.key
      : this.#attempt("tls-key", () => openKey(keyfile, keyfilePassword));
  }

  #checkOwn(certificate: Certificate): void {
    const at = placeIn(this.#tls, "certfile");
    const what = `the certificate ${certificate.subject} in certfile ${this.#tls.certfile}`;
    const fault = timeFault(certificate, this.#now);
    if (fault !== undefined) {
      this.#findings.error(at, "tls-expired", `${what} ${fault}`);
      return;
    }
    const days = Math.floor((certificate.validTo.getTime() - this.#now) / DAY_MS);
    const left = days === 0 ? "less than a day" : `another ${days} day${days === 1 ? "" : "s"}`;
    const text = `${what} is good until ${dayOf(certificate.validTo)}, for ${left}`;
    if (days < WARN_DAYS) this.#findings.warn(at, "tls-expires", text);
    else this.#findings.note(at, "tls-expires", text);
  }

  #checkRights(parameter: string, what: string, path: string): void {
    const { mode } = Deno.statSync(path);
    if (mode === null || (mode & OTHERS_READ) === 0) return;
    const text = `${what} can be read by every user of this machine: chmod o= takes that away`;
    this.#warn(parameter, "readable-secret", text);
  }

  /** What `read` gives, unless TLS would be refused for it, which is an error then. */
  #attempt<T>(code: FindingCode, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof TlsRefusal)) throw error;
      this.#findings.error(placeIn(this.#tls, error.parameter), code, error.message);
      return undefined;
    }
  }

  #warn(parameter: string, code: FindingCode, text: string): void {
    this.#findings.warn(placeIn(this.#tls, parameter), code, text);
  }
}
