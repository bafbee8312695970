import assert from "node:assert/strict";
import { describeFailure } from "../../lib/mqtt/errors.ts";

const REACHED = { host: "broker", isReached: true };

Deno.test("an attempt that ran out of time says how far it came", () => {
  const timeout = new Error("connack timeout");
  assert.equal(
    describeFailure(timeout, { ...REACHED, isReached: false }).reason,
    "nothing answers at that address",
  );
  assert.match(
    describeFailure(timeout, REACHED).reason,
    /accepts connections, but no broker answers/,
  );
});

Deno.test("an error without a code is told in its own words", () => {
  const failure = describeFailure(
    new Error("clientId must be given if cleanSession set to 0"),
    REACHED,
  );
  assert.deepEqual(failure, {
    reason: "clientId must be given if cleanSession set to 0",
    refused: false,
  });
});

Deno.test("errors of the network are no refusals", () => {
  const coded = (code: string) => Object.assign(new Error("details"), { code });
  for (const code of ["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH"]) {
    assert.equal(describeFailure(coded(code), REACHED).refused, false);
  }
});
