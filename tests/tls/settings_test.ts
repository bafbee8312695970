import assert from "node:assert/strict";
import { TlsRefusal } from "../../lib/tls/errors.ts";
import {
  alpnProtocols,
  expectedName,
  needsOpenSsl,
  tlsRange,
  type TlsSettings,
  verifiesBroker,
} from "../../lib/tls/settings.ts";
import { tlsSettings } from "./settings_helper.ts";

const advanced = (changed: Partial<TlsSettings>) =>
  tlsSettings({ advancedOptions: true, ...changed });

const ranges: [string, TlsSettings, ReturnType<typeof tlsRange>][] = [
  ["nothing said", tlsSettings(), { lowest: "tlsv1.2" }],
  ["a version", advanced({ version: "tlsv1.1" }), { lowest: "tlsv1.1", highest: "tlsv1.1" }],
  ["a version without advanced_options", tlsSettings({ version: "tlsv1" }), { lowest: "tlsv1.2" }],
  [
    "ciphers without advanced_options",
    tlsSettings({ optsCiphers: "AES128-SHA" }),
    { lowest: "tlsv1.2" },
  ],
  [
    "ciphers of TLS 1.2 alone",
    advanced({ optsCiphers: "AES128-SHA:AES256-SHA" }),
    { lowest: "tlsv1.2", highest: "tlsv1.2", ciphers: "AES128-SHA:AES256-SHA" },
  ],
  [
    "ciphers of TLS 1.3 alone",
    advanced({ optsCiphers: "TLS_AES_128_GCM_SHA256" }),
    { lowest: "tlsv1.3", suites: "TLS_AES_128_GCM_SHA256" },
  ],
  [
    "ciphers of both, with other separators",
    advanced({ optsCiphers: "AES128-SHA, TLS_AES_128_GCM_SHA256 AES256-SHA" }),
    { lowest: "tlsv1.2", ciphers: "AES128-SHA:AES256-SHA", suites: "TLS_AES_128_GCM_SHA256" },
  ],
  [
    "ciphers of both and a version",
    advanced({ version: "tlsv1.2", optsCiphers: "TLS_AES_128_GCM_SHA256:AES128-SHA" }),
    { lowest: "tlsv1.2", highest: "tlsv1.2", ciphers: "AES128-SHA" },
  ],
  [
    "psk_ciphers, which need no advanced_options",
    tlsSettings({ support: "psk", pskCiphers: "PSK-AES128-CBC-SHA", optsCiphers: "AES128-SHA" }),
    { lowest: "tlsv1.2", highest: "tlsv1.2", ciphers: "PSK-AES128-CBC-SHA" },
  ],
  [
    "psk_ciphers without psk",
    tlsSettings({ pskCiphers: "PSK-AES128-CBC-SHA" }),
    { lowest: "tlsv1.2" },
  ],
];

for (const [what, settings, expected] of ranges) {
  Deno.test(`versions and ciphers in use: ${what}`, () => {
    assert.deepEqual(tlsRange(settings), expected);
  });
}

Deno.test("a version of which the cipher list names none is refused by name", () => {
  const none13 = advanced({ version: "tlsv1.3", optsCiphers: "AES128-SHA" });
  assert.throws(() => tlsRange(none13), (error) => {
    assert(error instanceof TlsRefusal);
    assert.equal(error.parameter, "opts_ciphers");
    assert.match(error.message, /`opts_ciphers` names no cipher of TLS 1\.3/);
    return true;
  });
  const none12 = advanced({
    support: "psk",
    version: "tlsv1.2",
    pskCiphers: "TLS_AES_128_GCM_SHA256",
  });
  assert.throws(() => tlsRange(none12), /`psk_ciphers` names no cipher of `version` tlsv1\.2/);
});

Deno.test("OpenSSL is needed for what Deno's TLS cannot do, and for that only", () => {
  const needs = (changed: Partial<TlsSettings>) => needsOpenSsl(tlsSettings(changed));
  assert.equal(needs({}), undefined);
  assert.equal(needs({ version: "tlsv1", optsCiphers: "AES128-SHA" }), undefined);
  assert.equal(needs({ advancedOptions: true, version: "tlsv1.2" }), undefined);
  assert.equal(needs({ advancedOptions: true, version: "tlsv1.3" }), undefined);
  assert.equal(needs({ advancedOptions: true, certReqs: "SSL_VERIFY_NONE" }), undefined);
  assert.match(needs({ support: "psk" }) ?? "", /pre-shared key/);
  assert.match(needs({ advancedOptions: true, optsCiphers: "AES128-SHA" }) ?? "", /opts_ciphers/);
  for (const version of ["tlsv1", "tlsv1.1"] as const) {
    assert.equal(needs({ advancedOptions: true, version }), `\`version\` ${version}`);
  }
});

Deno.test("only SSL_VERIFY_NONE with advanced_options goes without verification", () => {
  assert.equal(verifiesBroker(tlsSettings()), true);
  assert.equal(verifiesBroker(tlsSettings({ certReqs: "SSL_VERIFY_NONE" })), true);
  assert.equal(verifiesBroker(advanced({})), true);
  assert.equal(verifiesBroker(advanced({ certReqs: "SSL_VERIFY_NONE" })), false);
});

Deno.test("the name in the certificate is servername, else the host", () => {
  assert.equal(
    expectedName("broker.example", {
      servername: undefined,
    }),
    "broker.example",
  );
  assert.equal(expectedName("broker.example.", { servername: undefined }), "broker.example");
  for (const [host, address] of [["::1%1", "::1"], ["fe80::A%eth0.1", "fe80::A"]] as const) {
    assert.equal(expectedName(host, { servername: undefined }), address);
  }
  assert.equal(expectedName("192.0.2.1", { servername: "broker.example" }), "broker.example");
});

Deno.test("alpn is a list", () => {
  assert.deepEqual(alpnProtocols({ alpn: undefined }), []);
  assert.deepEqual(alpnProtocols({ alpn: "mqtt" }), ["mqtt"]);
  assert.deepEqual(alpnProtocols({ alpn: " mqtt, x-amzn-mqtt-ca," }), ["mqtt", "x-amzn-mqtt-ca"]);
});
