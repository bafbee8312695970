import assert from "node:assert/strict";
import { dirname } from "node:path";
import { ask } from "../../lib/control/client.ts";
import { ControlServer } from "../../lib/control/server.ts";
import { mayBecomeOthers, runAsNobody } from "../support/other_user.ts";
import { leaveDeadSocket, withSocketPath } from "./socket_helper.ts";

Deno.test("with no agent the client says so, and how to start one", async () => {
  await withSocketPath(async (path) => {
    const expected = {
      kind: "failed",
      error: `No agent is running on ${path}: start one with \`fsmqtt run\`, or name its socket ` +
        "with --control",
      exitCode: 69,
    };
    assert.deepEqual(await ask(path, { do: "status" }), expected);
    leaveDeadSocket(path);
    assert.deepEqual(await ask(path, { do: "status" }), expected);
  });
});

/** Accepts one client, lets it ask, and does something else than answering. */
async function withImpostor(
  act: (connection: Deno.UnixConn) => Promise<unknown> | unknown,
  use: (path: string) => Promise<void>,
): Promise<void> {
  await withSocketPath(async (path) => {
    using listener = Deno.listen({ transport: "unix", path });
    const acted = listener.accept().then(async (connection) => {
      using closing = connection;
      await closing.read(new Uint8Array(4096));
      await act(closing);
    });
    await use(path);
    await acted;
  });
}

Deno.test("an agent that goes away before it answers is unavailable", async () => {
  await withImpostor(() => {}, async (path) => {
    assert.deepEqual(await ask(path, { do: "status" }), {
      kind: "failed",
      error: `The agent on ${path} went away before it answered`,
      exitCode: 69,
    });
  });
});

Deno.test("an agent that does not answer in time is unavailable", async () => {
  const answered = Promise.withResolvers<void>();
  await withImpostor(() => answered.promise, async (path) => {
    assert.deepEqual(await ask(path, { do: "status" }, 100), {
      kind: "failed",
      error: `The agent on ${path} does not answer: it is stuck, or stopped`,
      exitCode: 69,
    });
    answered.resolve();
  });
});

for (const body of ["{}", "[]", "null", '{"kind":"other"}']) {
  Deno.test(`what answers ${body} is no agent`, async () => {
    const response = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    await withImpostor(
      (connection) => connection.write(new TextEncoder().encode(response)),
      async (path) => {
        assert.deepEqual(await ask(path, { do: "status" }), {
          kind: "failed",
          error: `What answers on ${path} is no agent of fsmqtt`,
          exitCode: 69,
        });
      },
    );
  });
}

Deno.test("an answer that is cut short is no answer", async () => {
  const response = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{";
  await withImpostor(
    (connection) => connection.write(new TextEncoder().encode(response)),
    async (path) => {
      const reply = await ask(path, { do: "status" });
      assert(reply.kind === "failed" && reply.exitCode === 69);
    },
  );
});

Deno.test({
  name: "another user is not permitted, and is told the remedy",
  ignore: !mayBecomeOthers,
  async fn() {
    await withSocketPath(async (path) => {
      await Deno.chmod(dirname(path), 0o755);
      const server = await ControlServer.listen(path, undefined, () => {
        throw new Error("nobody gets here");
      });
      const code = `const reply = await module.ask(${JSON.stringify(path)}, { do: "status" });
        console.log(JSON.stringify(reply));`;
      assert.deepEqual(JSON.parse(await runAsNobody("lib/control/client.ts", code)), {
        kind: "failed",
        error: `Not permitted to use ${path}: run as the agent's user, or set control-group`,
        exitCode: 77,
      });
      await server.close();
    });
  },
});
