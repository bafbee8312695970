/**
 * Every setting of `<tls>` against real brokers. OpenSSL is used where a pre-shared key, a cipher
 * list or an old version is asked for, Deno's own TLS everywhere else; what both can do, both do.
 */

import assert from "node:assert/strict";
import { mosquittoTest, sharedByMosquittoTests } from "../support/broker.ts";
import { latin1Bytes } from "../support/esl_client.ts";
import { Watcher } from "../support/watcher.ts";
import { assertNothingInClear, WireTap } from "../support/wire.ts";
import { TlsBrokers } from "./tls_brokers.ts";
import { EC_FORMS, IDENTITY, KEY_PASSWORD, keyFile, PSK, RSA_FORMS } from "./tls_certificates.ts";
import { BY, type Row, SAYINGS, see, type TlsParameters } from "./tls_row.ts";

const brokers = sharedByMosquittoTests(() => TlsBrokers.start());

const CERTIFICATE = { support: "certificate", cafile: "root.pem" } as const;
const ADVANCED = { ...CERTIFICATE, advanced_options: true } as const;
const PRE_SHARED = { support: "psk", psk: PSK, identity: IDENTITY } as const;

const TLS_1_3 = { version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384" } as const;
const TLS_1_2 = { version: "TLSv1.2" } as const;

const UNKNOWN_CA = { refused: /unknown CA/ } as const;
const FORGED = { refused: /certificate|CA/ } as const;
const ANOTHER_NAME = { refused: /broker\.example.*localhost/ } as const;

/** Rows that both kinds of TLS are to pass. */
const COMMON: readonly Row[] = [
  // The broker's certificate.
  { shows: "a CA file", at: "localhost", tls: CERTIFICATE, outcome: TLS_1_3 },
  {
    shows: "a CA file with several CAs",
    at: "localhost",
    tls: { support: "certificate", cafile: "roots.pem" },
    outcome: TLS_1_3,
  },
  {
    shows: "a CA folder with other files in it, by whatever names",
    at: "localhost",
    tls: { support: "certificate", capath: "roots" },
    outcome: TLS_1_3,
  },
  {
    shows: "a CA folder beside a CA file",
    at: "localhost",
    tls: { support: "certificate", cafile: "foreign-root.pem", capath: "roots" },
    outcome: TLS_1_3,
  },
  { shows: "an RSA certificate", at: "an RSA key", tls: CERTIFICATE, outcome: TLS_1_3 },
  {
    shows: "an intermediate that the broker sends",
    at: "an intermediate",
    tls: CERTIFICATE,
    outcome: TLS_1_3,
  },
  {
    shows: "a self-signed certificate that is its own CA file",
    at: "a certificate signed by itself",
    tls: { support: "certificate", cafile: "self-signed.pem" },
    outcome: TLS_1_3,
  },
  {
    shows: "a self-signed certificate that is its own CA file, but no authority's",
    at: "a certificate signed by itself, not an authority's",
    tls: { support: "certificate", cafile: "self-signed-leaf.pem" },
    outcome: TLS_1_3,
  },
  {
    shows: "a CA file that has only the intermediate",
    at: "an intermediate",
    tls: { support: "certificate", cafile: "intermediate.pem" },
    outcome: TLS_1_3,
  },
  {
    shows: "a CA file that has only the broker's own certificate",
    at: "localhost",
    tls: { support: "certificate", cafile: "localhost.pem" },
    outcome: { refused: /no CA's certificate/, isHeardOf: false },
  },
  {
    shows: "a wrong CA file",
    at: "localhost",
    tls: { support: "certificate", cafile: "foreign-root.pem" },
    outcome: UNKNOWN_CA,
  },
  {
    shows: "a CA folder without the right CA",
    at: "localhost",
    tls: { support: "certificate", capath: "foreign-roots" },
    outcome: UNKNOWN_CA,
  },
  {
    shows: "a broker of another CA",
    at: "another authority",
    tls: CERTIFICATE,
    outcome: UNKNOWN_CA,
  },
  {
    shows: "a self-signed certificate",
    at: "a certificate signed by itself",
    tls: CERTIFICATE,
    outcome: { refused: /unknown CA|self-signed/ },
  },
  {
    shows: "an expired certificate",
    at: "an expired certificate",
    tls: CERTIFICATE,
    outcome: { refused: /expired/ },
  },
  {
    shows: "a certificate of the future",
    at: "a certificate of the future",
    tls: CERTIFICATE,
    outcome: { refused: /not valid yet/ },
  },
  // Forgeries, for which nobody needs the key of a CA.
  {
    shows: "a CA of the same name",
    at: "a certificate of a forger",
    tls: CERTIFICATE,
    outcome: FORGED,
  },
  {
    shows: "a CA of the same name whose intermediate is of X.509 version 1",
    at: "a forger's intermediate of version 1",
    tls: CERTIFICATE,
    outcome: FORGED,
  },
  {
    shows: "a certificate that a client has signed",
    at: "a certificate that a client has signed",
    tls: CERTIFICATE,
    outcome: FORGED,
  },
  {
    shows: "a certificate of X.509 version 1 that a client has signed",
    at: "a certificate of version 1 that a client has signed",
    tls: CERTIFICATE,
    outcome: FORGED,
  },
  // Its name.
  { shows: "another name", at: "broker.example", tls: CERTIFICATE, outcome: ANOTHER_NAME },
  {
    shows: "a name that is only the CN",
    at: "localhost by CN only",
    tls: CERTIFICATE,
    outcome: TLS_1_3,
  },
  {
    shows: "an address that the certificate has",
    at: "127.0.0.1",
    host: "127.0.0.1",
    tls: CERTIFICATE,
    outcome: { ...TLS_1_3, helloLacks: "127.0.0.1" },
  },
  {
    shows: "an address that the certificate has not",
    at: "localhost",
    host: "127.0.0.1",
    tls: CERTIFICATE,
    outcome: { refused: /localhost.*127\.0\.0\.1/ },
  },
  {
    shows: "a name where the certificate has an address",
    at: "127.0.0.1",
    tls: CERTIFICATE,
    outcome: { refused: /127\.0\.0\.1.*localhost/ },
  },
  {
    shows: "the right servername",
    at: "broker.example",
    tls: { ...CERTIFICATE, servername: "mqtt.example" },
    outcome: { ...TLS_1_3, helloHas: "\0\x0cmqtt.example" },
  },
  {
    shows: "the right servername for an address",
    at: "broker.example",
    host: "127.0.0.1",
    tls: { ...CERTIFICATE, servername: "broker.example" },
    outcome: TLS_1_3,
  },
  {
    shows: "a wrong servername, though the host is right",
    at: "localhost",
    tls: { ...CERTIFICATE, servername: "other.example" },
    outcome: { refused: /localhost.*other\.example/ },
  },
  // This side's certificate.
  ...clientRows(),
  // Verification switched off.
  {
    shows: "an unknown CA with SSL_VERIFY_NONE",
    at: "another authority",
    tls: { ...ADVANCED, cert_reqs: "SSL_VERIFY_NONE" },
    outcome: TLS_1_3,
  },
  {
    shows: "another name with SSL_VERIFY_NONE",
    at: "broker.example",
    tls: { ...ADVANCED, cert_reqs: "SSL_VERIFY_NONE" },
    outcome: TLS_1_3,
  },
  {
    shows: "an expired certificate with SSL_VERIFY_NONE",
    at: "an expired certificate",
    tls: { ...ADVANCED, cert_reqs: "SSL_VERIFY_NONE" },
    outcome: TLS_1_3,
  },
  {
    shows: "an unknown CA with SSL_VERIFY_PEER",
    at: "another authority",
    tls: { ...ADVANCED, cert_reqs: "SSL_VERIFY_PEER" },
    outcome: UNKNOWN_CA,
  },
  {
    shows: "an unknown CA with an empty cert_reqs",
    at: "another authority",
    tls: { ...ADVANCED, cert_reqs: "" },
    outcome: UNKNOWN_CA,
  },
  {
    shows: "another name with an empty cert_reqs",
    at: "broker.example",
    tls: { ...ADVANCED, cert_reqs: "" },
    outcome: ANOTHER_NAME,
  },
  // Versions.
  {
    shows: "TLS 1.2 alone where the broker has more",
    at: "localhost",
    tls: { ...ADVANCED, version: "tlsv1.2" },
    outcome: TLS_1_2,
  },
  {
    shows: "TLS 1.2 alone where the broker has only that",
    at: "TLS 1.2 only",
    tls: { ...ADVANCED, version: "tlsv1.2" },
    outcome: TLS_1_2,
  },
  {
    shows: "TLS 1.2 alone where the broker has only 1.3",
    at: "TLS 1.3 only",
    tls: { ...ADVANCED, version: "tlsv1.2" },
    outcome: { refused: /does not speak TLS 1\.2/ },
  },
  {
    shows: "TLS 1.3 alone where the broker has more",
    at: "localhost",
    tls: { ...ADVANCED, version: "tlsv1.3" },
    outcome: TLS_1_3,
  },
  {
    shows: "TLS 1.3 alone where the broker has only that",
    at: "TLS 1.3 only",
    tls: { ...ADVANCED, version: "tlsv1.3" },
    outcome: TLS_1_3,
  },
  {
    shows: "TLS 1.3 alone where the broker has only 1.2",
    at: "TLS 1.2 only",
    tls: { ...ADVANCED, version: "tlsv1.3" },
    outcome: { refused: /does not speak TLS 1\.3/ },
  },
  {
    shows: "no version where the broker has only 1.2",
    at: "TLS 1.2 only",
    tls: CERTIFICATE,
    outcome: TLS_1_2,
  },
  {
    shows: "no version where the broker has only 1.3",
    at: "TLS 1.3 only",
    tls: CERTIFICATE,
    outcome: TLS_1_3,
  },
  {
    shows: "no version where the broker has only 1.1",
    at: "TLS 1.1 only",
    tls: CERTIFICATE,
    outcome: { refused: /does not speak TLS 1\.2 or later/ },
  },
  // No TLS.
  {
    shows: "a plain port of mosquitto",
    at: "plain MQTT",
    tls: CERTIFICATE,
    outcome: { refused: /TLS/, state: "waiting" },
  },
  {
    shows: "a port that ends the connection without a word",
    at: "ends without a word",
    tls: CERTIFICATE,
    outcome: { refused: /TLS/, state: "waiting" },
  },
  {
    shows: "a port that answers in HTTP",
    at: "answers in HTTP",
    tls: CERTIFICATE,
    outcome: { refused: /does not speak TLS/ },
  },
  // Protocol names.
  {
    shows: "protocol names that the broker has no use for",
    at: "localhost",
    tls: { ...CERTIFICATE, alpn: "x-amzn-mqtt-ca, mqtt" },
    outcome: { ...TLS_1_3, helloHas: "\x0ex-amzn-mqtt-ca\x04mqtt" },
  },
];

function clientRows(): Row[] {
  const at = "wants a client certificate";
  const client = (certificate: string, keyfile: string, more: TlsParameters = {}) => ({
    at,
    tls: { ...CERTIFICATE, certfile: `${certificate}.pem`, keyfile, ...more },
  } as const);
  const open = { keyfile_password: KEY_PASSWORD };
  const inForms = (kind: string, forms: typeof RSA_FORMS | typeof EC_FORMS) =>
    forms.map((form): Row => ({
      shows: `a client's ${kind} key as ${form}`,
      ...client(
        `client-${kind}`,
        keyFile(`client-${kind}`, form),
        form.includes(" ") ? open : {},
      ),
      outcome: TLS_1_3,
    }));
  const encrypted = keyFile("client-P-256", "PKCS#8 aes256");
  const traditional = keyFile("client-P-256", "SEC1 aes256");
  return [
    ...inForms("RSA", RSA_FORMS),
    ...inForms("P-256", EC_FORMS),
    ...["P-384", "P-521", "Ed25519"].map((kind): Row => ({
      shows: `a client's ${kind} key`,
      ...client(`client-${kind}`, `client-${kind}.key`),
      outcome: TLS_1_3,
    })),
    {
      shows: "a key whose password is in a file",
      ...client("client-P-256", encrypted, { keyfile_password_file: "key-password" }),
      outcome: TLS_1_3,
    },
    {
      shows: "a client certificate in TLS 1.2",
      ...client("client-RSA", "rsa.key", { advanced_options: true, version: "tlsv1.2" }),
      outcome: TLS_1_2,
    },
    {
      shows: "a client certificate with its intermediate",
      ...client("client-chain", "client-leaf.key"),
      outcome: TLS_1_3,
    },
    {
      shows: "no client certificate where the broker wants one, in TLS 1.3",
      at,
      tls: CERTIFICATE,
      outcome: { refused: /wants a client certificate/ },
    },
    {
      shows: "no client certificate where the broker wants one, in TLS 1.2",
      at,
      tls: { ...ADVANCED, version: "tlsv1.2" },
      outcome: { refused: /want.* a client certificate/ },
    },
    {
      shows: "a client certificate of another CA, in TLS 1.3",
      ...client("client-foreign", "client-foreign.key"),
      outcome: { refused: /client certificate/ },
    },
    {
      shows: "a client certificate of another CA, in TLS 1.2",
      ...client("client-foreign", "client-foreign.key", {
        advanced_options: true,
        version: "tlsv1.2",
      }),
      outcome: { refused: /client certificate/ },
    },
    {
      shows: "a client certificate without its intermediate",
      ...client("client-leaf", "client-leaf.key"),
      outcome: { refused: /client certificate/ },
    },
    {
      shows: "an expired client certificate",
      ...client("client-expired", "client-expired.key"),
      outcome: { refused: /client certificate.*expired/ },
    },
    {
      shows: "a key of another certificate",
      ...client("client-P-256", "client-P-384.key"),
      outcome: { refused: /key/, isHeardOf: false },
    },
    {
      shows: "a wrong password of a PKCS#8 key",
      ...client("client-P-256", encrypted, { keyfile_password: "opens-another" }),
      outcome: { refused: /password/, isHeardOf: false },
    },
    {
      shows: "no password of a PKCS#8 key",
      ...client("client-P-256", encrypted),
      outcome: { refused: /password/, isHeardOf: false },
    },
    {
      shows: "a wrong password of a traditional key",
      ...client("client-P-256", traditional, { keyfile_password: "opens-another" }),
      outcome: { refused: /password/, isHeardOf: false },
    },
    {
      shows: "no password of a traditional key",
      ...client("client-P-256", traditional),
      outcome: { refused: /password/, isHeardOf: false },
    },
  ];
}

/** Certificates of X.509 version 1, which Deno's TLS takes from anybody. */
const OF_VERSION_1: readonly (Omit<Row, "outcome"> & Record<keyof typeof BY, Row["outcome"]>)[] = [
  {
    shows: "a certificate of X.509 version 1",
    at: "a certificate of version 1",
    tls: CERTIFICATE,
    Deno: { refused: /version 1\b.*`opts_ciphers`/ },
    OpenSSL: TLS_1_3,
  },
  {
    shows: "a CA of the same name, and a certificate of X.509 version 1",
    at: "a forger's certificate of version 1",
    tls: CERTIFICATE,
    Deno: { refused: /version 1\b/ },
    OpenSSL: FORGED,
  },
];

/** What counts only with `advanced_options`, without it: Deno's own TLS has to do with it alone. */
const NOT_ADVANCED: readonly Row[] = [
  {
    shows: "SSL_VERIFY_NONE without advanced_options",
    at: "another authority",
    tls: { ...CERTIFICATE, cert_reqs: "SSL_VERIFY_NONE" },
    outcome: UNKNOWN_CA,
  },
  {
    shows: "a version without advanced_options",
    at: "localhost",
    tls: { ...CERTIFICATE, version: "tlsv1.2" },
    outcome: TLS_1_3,
  },
  {
    shows: "a cipher list without advanced_options",
    at: "localhost",
    tls: { ...CERTIFICATE, opts_ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" },
    outcome: TLS_1_3,
  },
  {
    shows: "the broker's choice of a TLS 1.3 cipher",
    at: "AES-128 only",
    tls: CERTIFICATE,
    outcome: { version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256" },
  },
  {
    shows: "the broker's choice of a TLS 1.2 cipher",
    at: "AES-128 only",
    tls: { ...ADVANCED, version: "tlsv1.2" },
    outcome: { version: "TLSv1.2", cipher: "ECDHE-ECDSA-AES128-GCM-SHA256" },
  },
];

/** Old versions are had with OpenSSL only, and only where they are asked for. */
const OLD_VERSIONS: readonly Row[] = [
  {
    shows: "TLS 1.0 alone where the broker has only that",
    at: "TLS 1.0 only",
    tls: { ...ADVANCED, version: "tlsv1" },
    outcome: { version: "TLSv1" },
  },
  {
    shows: "TLS 1.0 alone where the broker has it not",
    at: "localhost",
    tls: { ...ADVANCED, version: "tlsv1" },
    outcome: { refused: /does not speak TLS 1\.0/ },
  },
  {
    shows: "TLS 1.1 alone where the broker has only that",
    at: "TLS 1.1 only",
    tls: { ...ADVANCED, version: "tlsv1.1" },
    outcome: { version: "TLSv1.1" },
  },
  {
    shows: "TLS 1.1 alone where the broker has only 1.2",
    at: "TLS 1.2 only",
    tls: { ...ADVANCED, version: "tlsv1.1" },
    outcome: { refused: /does not speak TLS 1\.1/ },
  },
  {
    // It would speak TLS 1.1, but has no cipher or signature left for it, and does not say so.
    shows: "TLS 1.1 alone where mosquitto is as it comes",
    at: "localhost",
    tls: { ...ADVANCED, version: "tlsv1.1" },
    outcome: { refused: /does not speak TLS 1\.1/ },
  },
  {
    shows: "TLS 1.1 alone where the broker has only 1.0",
    at: "TLS 1.0 only",
    tls: { ...ADVANCED, version: "tlsv1.1" },
    outcome: { refused: /does not speak TLS 1\.1/ },
  },
  {
    shows: "a wrong CA in TLS 1.1",
    at: "TLS 1.1 only",
    tls: { ...ADVANCED, version: "tlsv1.1", cafile: "foreign-root.pem" },
    outcome: UNKNOWN_CA,
  },
  {
    shows: "another name in TLS 1.0",
    at: "TLS 1.0 only",
    tls: { ...ADVANCED, version: "tlsv1", servername: "broker.example" },
    outcome: { refused: /localhost.*broker\.example/ },
  },
];

const ciphers = (opts_ciphers: string, more: TlsParameters = {}): TlsParameters => ({
  ...ADVANCED,
  opts_ciphers,
  ...more,
});

/** Cipher lists, which both sides are held to. */
const CIPHER_LISTS: readonly Row[] = [
  {
    shows: "one cipher of TLS 1.2",
    at: "localhost",
    tls: ciphers("ECDHE-ECDSA-AES128-GCM-SHA256"),
    outcome: { version: "TLSv1.2", cipher: "ECDHE-ECDSA-AES128-GCM-SHA256" },
  },
  {
    shows: "one cipher of TLS 1.3",
    at: "localhost",
    tls: ciphers("TLS_AES_128_GCM_SHA256"),
    outcome: { version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256" },
  },
  {
    shows: "one cipher of TLS 1.3 with that version",
    at: "localhost",
    tls: ciphers("TLS_CHACHA20_POLY1305_SHA256", { version: "tlsv1.3" }),
    outcome: { version: "TLSv1.3", cipher: "TLS_CHACHA20_POLY1305_SHA256" },
  },
  {
    shows: "ciphers of both with version 1.2",
    at: "localhost",
    tls: ciphers("TLS_AES_256_GCM_SHA384:ECDHE-ECDSA-CHACHA20-POLY1305", { version: "tlsv1.2" }),
    outcome: { version: "TLSv1.2", cipher: "ECDHE-ECDSA-CHACHA20-POLY1305" },
  },
  {
    shows: "two ciphers of TLS 1.2, of which the broker has the second",
    at: "AES-128 only",
    tls: ciphers("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256"),
    outcome: { version: "TLSv1.2", cipher: "ECDHE-ECDSA-AES128-GCM-SHA256" },
  },
  {
    shows: "two ciphers of TLS 1.3, of which the broker has the second",
    at: "AES-128 only",
    tls: ciphers("TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256"),
    outcome: { version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256" },
  },
  {
    shows: "a cipher of TLS 1.2 that the broker has not",
    at: "AES-128 only",
    tls: ciphers("ECDHE-ECDSA-AES256-GCM-SHA384"),
    outcome: { refused: /cipher/ },
  },
  {
    shows: "a cipher of TLS 1.3 that the broker has not",
    at: "AES-128 only",
    tls: ciphers("TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"),
    outcome: { refused: /cipher/ },
  },
  {
    shows: "a cipher of TLS 1.2 where the broker has only 1.3",
    at: "TLS 1.3 only",
    tls: ciphers("ECDHE-ECDSA-AES256-GCM-SHA384"),
    outcome: { refused: /does not speak TLS 1\.2/ },
  },
  {
    shows: "a cipher of TLS 1.3 where the broker has only 1.2",
    at: "TLS 1.2 only",
    tls: ciphers("TLS_AES_256_GCM_SHA384"),
    outcome: { refused: /does not speak TLS 1\.3/ },
  },
  {
    shows: "two ciphers of TLS 1.3, of which the first is excluded again",
    at: "localhost",
    tls: ciphers("TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:!TLS_AES_256_GCM_SHA384"),
    outcome: { version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256" },
  },
  {
    shows: "a cipher of TLS 1.2 by IANA's name and by OpenSSL's",
    at: "localhost",
    tls: ciphers("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:ECDHE-ECDSA-AES256-GCM-SHA384"),
    outcome: { version: "TLSv1.2", cipher: "ECDHE-ECDSA-AES256-GCM-SHA384" },
  },
  {
    shows: "a cipher of TLS 1.2 by IANA's name alone",
    at: "localhost",
    tls: ciphers("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    outcome: { refused: /cipher/, isHeardOf: false },
  },
  {
    shows: "a cipher that nobody knows",
    at: "localhost",
    tls: ciphers("ROT-13"),
    outcome: { refused: /cipher/, isHeardOf: false },
  },
  {
    shows: "a cipher of TLS 1.3 that nobody knows",
    at: "localhost",
    tls: ciphers("TLS_ROT_13"),
    outcome: { refused: /cipher/, isHeardOf: false },
  },
  {
    shows: "a list of no ciphers at all",
    at: "localhost",
    tls: ciphers("ALL:!ALL"),
    outcome: { refused: /cipher/, isHeardOf: false },
  },
  ...["NULL", "eNULL:@SECLEVEL=0", "ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0"].map((list): Row => ({
    shows: `ciphers that do not encrypt (${list})`,
    at: "no encryption",
    tls: ciphers(list),
    outcome: { refused: /cipher/, isHeardOf: false },
  })),
  {
    shows: "a cipher that does not encrypt, among others",
    at: "no encryption",
    tls: ciphers("ECDHE-ECDSA-NULL-SHA:ECDHE-ECDSA-AES256-GCM-SHA384:@SECLEVEL=0"),
    outcome: { refused: /cipher/ },
  },
  ...["aNULL", "aNULL:@SECLEVEL=0", "ADH-AES256-GCM-SHA384:@SECLEVEL=0"].map((list): Row => ({
    shows: `ciphers of a broker that is nobody (${list})`,
    at: "no authentication",
    tls: ciphers(list),
    outcome: { refused: /cipher/, isHeardOf: false },
  })),
  {
    shows: "ciphers of a broker that is nobody, with SSL_VERIFY_NONE",
    at: "no authentication",
    tls: ciphers("aNULL:@SECLEVEL=0", { cert_reqs: "SSL_VERIFY_NONE" }),
    outcome: { refused: /cipher/, isHeardOf: false },
  },
  {
    shows: "a cipher of a broker that is nobody, among others",
    at: "no authentication",
    tls: ciphers("ADH-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384:@SECLEVEL=0"),
    outcome: { refused: /cipher/ },
  },
];

const WRONG_KEY = PSK.replaceAll("e", "d");
const BAD_KEY = { refused: /pre-shared key|identity/ } as const;

/** Pre-shared keys, in both versions that there are. */
const PRE_SHARED_KEYS: readonly Row[] = [
  {
    shows: "a pre-shared key",
    at: "a pre-shared key",
    tls: PRE_SHARED,
    outcome: { version: "TLSv1.3" },
  },
  ...(["tlsv1.2", "tlsv1.3"] as const).flatMap((version): Row[] => {
    const name = version === "tlsv1.2" ? "TLS 1.2" : "TLS 1.3";
    const pinned = { ...PRE_SHARED, advanced_options: true, version };
    return [
      {
        shows: `a pre-shared key in ${name}`,
        at: "a pre-shared key",
        tls: pinned,
        outcome: { version: version.replace("tls", "TLS") },
      },
      {
        shows: `a wrong pre-shared key in ${name}`,
        at: "a pre-shared key",
        tls: { ...pinned, psk: WRONG_KEY },
        outcome: BAD_KEY,
      },
      {
        shows: `an unknown identity in ${name}`,
        at: "a pre-shared key",
        tls: { ...pinned, identity: "pbx-two" },
        outcome: BAD_KEY,
      },
      {
        shows: `a pre-shared key where the broker has a certificate, in ${name}`,
        at: "localhost",
        tls: pinned,
        outcome: { refused: /pre-shared key|cipher/ },
      },
      {
        shows: `a certificate where the broker has a pre-shared key, in ${name}`,
        at: "a pre-shared key",
        tls: { ...ADVANCED, version },
        outcome: { refused: /cipher/ },
      },
      {
        shows: `a pre-shared key where the broker has a certificate too, in ${name}`,
        at: "a pre-shared key or a certificate",
        tls: pinned,
        outcome: { version: version.replace("tls", "TLS") },
      },
      {
        shows: `a pre-shared key where the broker has a certificate too, and only ${name}`,
        at: `a pre-shared key or a certificate, ${name} only`,
        tls: PRE_SHARED,
        outcome: { version: version.replace("tls", "TLS") },
      },
    ];
  }),
  {
    shows: "a pre-shared key where the broker has a certificate too",
    at: "a pre-shared key or a certificate",
    tls: PRE_SHARED,
    outcome: { version: "TLSv1.3" },
  },
  {
    shows: "a pre-shared key where the broker has a certificate",
    at: "localhost",
    tls: PRE_SHARED,
    outcome: { refused: /pre-shared key|cipher/ },
  },
  {
    shows: "a pre-shared key where the broker has a certificate, with SSL_VERIFY_NONE",
    at: "localhost",
    tls: { ...PRE_SHARED, advanced_options: true, cert_reqs: "SSL_VERIFY_NONE" },
    outcome: { refused: /pre-shared key|cipher/ },
  },
  {
    shows: "a pre-shared key with a list for TLS 1.2",
    at: "a pre-shared key",
    tls: { ...PRE_SHARED, psk_ciphers: "PSK-AES256-GCM-SHA384" },
    outcome: { version: "TLSv1.2", cipher: "PSK-AES256-GCM-SHA384" },
  },
  {
    shows: "a pre-shared key with a list for TLS 1.3",
    at: "a pre-shared key",
    tls: { ...PRE_SHARED, psk_ciphers: "TLS_AES_128_GCM_SHA256" },
    outcome: { version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256" },
  },
  {
    shows: "a pre-shared key with a list that needs a certificate too",
    at: "localhost",
    tls: { ...PRE_SHARED, psk_ciphers: "ECDHE-ECDSA-AES256-GCM-SHA384" },
    outcome: { refused: /cipher/, isHeardOf: false },
  },
  {
    // Such a key goes with SHA-256 (RFC 8446, section 4.2.11).
    shows: "a pre-shared key with a cipher of TLS 1.3 that has SHA-384",
    at: "a pre-shared key",
    tls: { ...PRE_SHARED, psk_ciphers: "TLS_AES_256_GCM_SHA384" },
    outcome: { refused: /cipher/, isHeardOf: false },
  },
  {
    shows: "a pre-shared key with a cipher that nobody knows",
    at: "a pre-shared key",
    tls: { ...PRE_SHARED, psk_ciphers: "PSK-ROT-13" },
    outcome: { refused: /cipher/, isHeardOf: false },
  },
  {
    shows: "a pre-shared key with a cipher that does not encrypt",
    at: "a pre-shared key without encryption",
    tls: { ...PRE_SHARED, psk_ciphers: "PSK-NULL-SHA256:@SECLEVEL=0" },
    outcome: { refused: /cipher/, isHeardOf: false },
  },
  {
    shows: "a pre-shared key on a plain port",
    at: "plain MQTT",
    tls: PRE_SHARED,
    outcome: { refused: /TLS/, state: "waiting" },
  },
];

mosquittoTest("what goes in clear is seen on the wire", async () => {
  await using wire = await brokers().record("plain MQTT");
  await using _ = await Watcher.start(wire.port);
  assert.throws(() => assertNothingInClear(wire.connections, []), /no TLS record/);
  const tap = new WireTap();
  tap.take("sent", latin1Bytes("\x16\x03\x03\0\x05hello\x17\x03\x03\0\x0ethe-client-id!"));
  assert.throws(() => assertNothingInClear([tap], SAYINGS), /"the-client-id" went in clear/);
  tap.take("sent", latin1Bytes("\x10\x0e\0\x04MQTT"));
  assert.throws(() => assertNothingInClear([tap], []), /no TLS record/);
});

function declare(row: Row, by: keyof typeof BY): void {
  const outcome = "refused" in row.outcome ? "is refused" : `connects by ${row.outcome.version}`;
  mosquittoTest(`${row.shows}: ${outcome} (${by})`, async () => {
    const before = await brokers().users();
    await see(brokers(), row);
    const connected = (await brokers().users()).length - before.length;
    assert.equal(connected, "refused" in row.outcome ? 0 : 1);
  });
}

for (const row of COMMON) {
  declare(row, "Deno");
  declare({ ...row, tls: { ...row.tls, ...BY.OpenSSL } }, "OpenSSL");
}
for (const { Deno: byDeno, OpenSSL: byOpenSsl, ...row } of OF_VERSION_1) {
  declare({ ...row, outcome: byDeno }, "Deno");
  declare({ ...row, tls: { ...row.tls, ...BY.OpenSSL }, outcome: byOpenSsl }, "OpenSSL");
}
for (const row of NOT_ADVANCED) declare(row, "Deno");
for (const row of [...OLD_VERSIONS, ...CIPHER_LISTS, ...PRE_SHARED_KEYS]) declare(row, "OpenSSL");
