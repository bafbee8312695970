import assert from "node:assert/strict";
import { describeFailure, RefusedSettingError } from "../../lib/mqtt/errors.ts";

Deno.test("an attempt that ran out of time says how far it came", () => {
  const timeout = new Error("connack timeout");
  assert.equal(describeFailure(timeout, false).reason, "nothing answers at that address");
  assert.match(describeFailure(timeout, true).reason, /accepts connections, but no broker answers/);
});

Deno.test("an error without a code is told in its own words", () => {
  const failure = describeFailure(new Error("clientId must be given if cleanSession set to 0"));
  assert.deepEqual(failure, {
    reason: "clientId must be given if cleanSession set to 0",
    refused: false,
  });
});

Deno.test("errors of TLS and of settings are refusals, those of the network are not", () => {
  const coded = (code: string) => Object.assign(new Error("details"), { code });
  assert.equal(describeFailure(coded("CERT_HAS_EXPIRED")).refused, true);
  assert.equal(describeFailure(coded("UNABLE_TO_VERIFY_LEAF_SIGNATURE")).refused, true);
  assert.equal(describeFailure(coded("ERR_TLS_CERT_ALTNAME_INVALID")).refused, true);
  assert.equal(describeFailure(new RefusedSettingError("no")).refused, true);
  for (const code of ["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH"]) {
    assert.equal(describeFailure(coded(code)).refused, false);
  }
});
