import assert from "node:assert/strict";
import { type StreamError, tlsCause } from "../../lib/tls/causes.ts";
import { TlsError, TlsRefusal } from "../../lib/tls/errors.ts";
import type { TlsSettings } from "../../lib/tls/settings.ts";
import { tlsSettings } from "./settings_helper.ts";

/** What the broker's alert means with these settings, whichever TLS tells of it. */
function alert(
  number: number,
  name: string,
  settings: Partial<TlsSettings>,
  isCipherChosen = false,
): (string | undefined)[] {
  const attempt = { host: "broker.example", settings: tlsSettings(settings) };
  const byOpenSsl = new TlsError("alert", { code: "ERR_SSL_X", alert: number, isCipherChosen });
  const byDeno = failure(`ERR_SSL_TLSV1_ALERT_${name}`, `received fatal alert: ${name}`);
  return [tlsCause(byOpenSsl, attempt), tlsCause(byDeno, attempt)];
}

function failure(code: string, message: string): StreamError {
  return Object.assign(new Error(message), { code });
}

const CLIENT = { certfile: "client.pem", keyfile: "client.key" };
const PSK = { support: "psk" } as const;

const alerts: [number, string, Partial<TlsSettings>, RegExp][] = [
  [
    40,
    "HANDSHAKE_FAILURE",
    {},
    /shares no cipher.*`opts_ciphers`.*client certificate.* pre-shared key/,
  ],
  [
    40,
    "HANDSHAKE_FAILURE",
    CLIENT,
    /shares no cipher.*`opts_ciphers` \(with `advanced_options`\), or a pre-shared key/,
  ],
  [40, "HANDSHAKE_FAILURE", PSK, /no pre-shared key for this `identity`, or shares no cipher/],
  [45, "CERTIFICATE_EXPIRED", CLIENT, /refuses the client certificate: it has expired/],
  [48, "UNKNOWN_CA", CLIENT, /refuses the client certificate: .* does not know its CA/],
  [51, "DECRYPT_ERROR", PSK, /`psk` is not the pre-shared key/],
  [70, "PROTOCOL_VERSION", {}, /does not speak TLS 1\.2 or later/],
  [70, "PROTOCOL_VERSION", { advancedOptions: true, version: "tlsv1" }, /not speak TLS 1\.0$/],
  [71, "INSUFFICIENT_SECURITY", {}, /stronger ciphers/],
  [80, "INTERNAL_ERROR", { advancedOptions: true, version: "tlsv1.1" }, /not speak TLS 1\.1$/],
  [112, "UNRECOGNIZED_NAME", {}, /does not know the name broker\.example/],
  [112, "UNRECOGNIZED_NAME", { servername: "other.example" }, /the name other\.example/],
  [115, "UNKNOWN_PSK_IDENTITY", PSK, /does not know this `identity`/],
  [116, "CERTIFICATE_REQUIRED", {}, /wants a client certificate: give `certfile` and `keyfile`/],
  [120, "NO_APPLICATION_PROTOCOL", { alpn: "mqtt" }, /none of the protocols in `alpn`/],
];

for (const [number, name, settings, expected] of alerts) {
  Deno.test(`alert ${name} with ${JSON.stringify(settings)}`, () => {
    for (const cause of alert(number, name, settings)) assert.match(cause ?? "", expected);
  });
}

Deno.test("a handshake that fails after a cipher was chosen wants a client certificate", () => {
  const [cause] = alert(40, "HANDSHAKE_FAILURE", {}, true);
  assert.match(cause ?? "", /^the broker wants a client certificate/);
});

Deno.test("an alert without words of its own, and what TLS finds itself, is told as it is", () => {
  const attempt = { host: "broker.example", settings: tlsSettings() };
  const told = (code: string, message: string) => tlsCause(failure(code, message), attempt);
  assert.equal(
    told("ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR", "received fatal alert: InternalError"),
    "received fatal alert: InternalError",
  );
  // The code is that of an alert, which Deno's TLS gives to its own findings too.
  const code = "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE";
  assert.equal(told(code, "cannot decrypt peer's message"), "cannot decrypt peer's message");
  const old = told(code, "peer is incompatible: ServerDoesNotSupportTls12Or13");
  assert.equal(old, "the broker does not speak TLS 1.2 or later");
  assert.equal(
    told("ERR_SSL_WRONG_VERSION_NUMBER", "x"),
    "what answers at that port does not speak TLS",
  );
});

Deno.test("a refusal is its own cause; errors of the network have none", () => {
  const attempt = { host: "broker.example", settings: tlsSettings() };
  assert.equal(tlsCause(new TlsRefusal("cafile", "cannot"), attempt), "cannot");
  assert.equal(tlsCause(failure("ECONNREFUSED", "connect ECONNREFUSED"), attempt), undefined);
  assert.equal(tlsCause(new Error("connack timeout"), attempt), undefined);
});
