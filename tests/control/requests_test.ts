import assert from "node:assert/strict";
import { type ControlRequest, parseRequest } from "../../lib/control/protocol.ts";
import { ControlServer } from "../../lib/control/server.ts";
import { post, withSocketPath } from "./socket_helper.ts";

const part = { kind: "publisher", name: "n" } as const;
const requests: readonly ControlRequest[] = [
  { do: "status" },
  { do: "reload" },
  { do: "loglevel" },
  { do: "loglevel", level: "debug" },
  { do: "bgapi", command: "show calls" },
  { do: "enable", profile: "p" },
  { do: "disable", profile: "p", part },
  { do: "remove", profile: "p", part },
  { do: "connect", profile: "p", connection: "c" },
  { do: "disconnect", profile: "p", connection: "c" },
];

for (const request of requests) {
  Deno.test(`${JSON.stringify(request)} is a request`, () => {
    assert.deepEqual(parseRequest(JSON.parse(JSON.stringify(request))), request);
  });
}

const malformed: readonly unknown[] = [
  null,
  "status",
  [],
  {},
  { do: "stop" },
  { do: "loglevel", level: "loud" },
  { do: "bgapi" },
  { do: "bgapi", command: "" },
  { do: "bgapi", command: ["status"] },
  { do: "enable" },
  { do: "enable", profile: "" },
  { do: "enable", profile: "p", part: null },
  { do: "enable", profile: "p", part: { kind: "topic", name: "n" } },
  { do: "enable", profile: "p", part: { kind: "publisher" } },
  { do: "connect", profile: "p" },
  { do: "connect", connection: "c" },
];

for (const value of malformed) {
  Deno.test(`${JSON.stringify(value)} is no request`, () => {
    assert.equal(parseRequest(value), undefined);
  });
}

Deno.test("what is no request is answered as one that is not understood", async () => {
  await withSocketPath(async (path) => {
    const handled: ControlRequest[] = [];
    const server = await ControlServer.listen(path, undefined, (request) => {
      handled.push(request);
      return Promise.resolve({ kind: "done", text: "" });
    });
    const tooLong = JSON.stringify({ do: "bgapi", command: "x".repeat(128 * 1024) });
    for (
      const [body, headers] of [
        ["", {}],
        ["{", {}],
        ['{"do":"stop"}', {}],
        [tooLong, {}],
        // Nobody can say how long it will be.
        ['{"do":"status"}', { "transfer-encoding": "chunked" }],
      ] as const
    ) {
      const { answer } = await post(path, body, { headers });
      assert.deepEqual(JSON.parse(answer), {
        kind: "failed",
        error: "The agent does not understand this request",
        exitCode: 64,
      });
    }
    for (const options of [{ path: "/" }, { method: "GET" }]) {
      assert.equal((await post(path, "", options)).status, 404);
    }
    assert.deepEqual(handled, []);
    await server.close();
  });
});

Deno.test("a request that the agent fails on is answered, and the next one too", async () => {
  await withSocketPath(async (path) => {
    const server = await ControlServer.listen(
      path,
      undefined,
      () => Promise.reject(new Error("the reason")),
    );
    for (let i = 0; i < 2; i++) {
      const { answer } = await post(path, '{"do":"status"}');
      assert.deepEqual(JSON.parse(answer), {
        kind: "failed",
        error: "The agent failed: the reason",
        exitCode: 1,
      });
    }
    await server.close();
  });
});
