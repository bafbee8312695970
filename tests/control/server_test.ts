import assert from "node:assert/strict";
import { dirname } from "node:path";
import { ask } from "../../lib/control/client.ts";
import type { ControlReply } from "../../lib/control/protocol.ts";
import { ControlServer, ControlSocketError } from "../../lib/control/server.ts";
import { eventually } from "../support/agent_process.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { leaveDeadSocket, withSocketPath } from "./socket_helper.ts";

/** Its body never comes. */
const SILENT_REQUEST = "POST /control HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{";
const done: ControlReply = { kind: "done", text: "well" };
const answer = () => Promise.resolve(done);

function modeOf(path: string): string {
  return ((Deno.statSync(path).mode ?? 0) & 0o777).toString(8);
}

function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name);
}

function groupOf(name: string): number {
  const line = Deno.readTextFileSync("/etc/group").split("\n")
    .find((line) => line.startsWith(`${name}:`));
  return Number(line?.split(":")[2]);
}

Deno.test("the socket is its owner's alone, from the first moment on", async () => {
  await withSocketPath(async (path) => {
    const watcher = Deno.watchFs(dirname(path));
    const listening = ControlServer.listen(path, undefined, answer);
    for await (const { paths } of watcher) {
      if (paths.includes(path)) break;
    }
    assert.equal(modeOf(path), "600");
    const server = await listening;
    assert.equal(modeOf(path), "600");
    assert.deepEqual(await ask(path, { do: "status" }), done);
    assert.deepEqual(filesIn(dirname(path)), ["control.sock"]);
    await server.close();
    assert.deepEqual(filesIn(dirname(path)), []);
  });
});

Deno.test({
  name: "the socket is open to the group in control-group",
  ignore: Deno.uid() !== 0,
  async fn() {
    await withSocketPath(async (path) => {
      const server = await ControlServer.listen(path, "daemon", answer);
      assert.equal(modeOf(path), "660");
      assert.equal((await Deno.stat(path)).gid, groupOf("daemon"));
      await server.close();
    });
  },
});

Deno.test("a group that is not there is an error, and no socket is left", async () => {
  await withSocketPath(async (path) => {
    await assert.rejects(ControlServer.listen(path, "no-such-group", answer), {
      name: "ControlSocketError",
      message: `Cannot open the control socket ${path}: ` +
        "there is no group no-such-group (control-group)",
    });
    assert.deepEqual(filesIn(dirname(path)), []);
  });
});

Deno.test("the socket's folder is made", async () => {
  await withSocketPath(async (path) => {
    const deep = `${dirname(path)}/a/b/control.sock`;
    const server = await ControlServer.listen(deep, undefined, answer);
    assert.deepEqual(await ask(deep, { do: "status" }), done);
    await server.close();
  });
});

Deno.test("a socket that a dead agent left behind is taken over", async () => {
  await withSocketPath(async (path) => {
    leaveDeadSocket(path);
    const server = await ControlServer.listen(path, undefined, answer);
    assert.deepEqual(await ask(path, { do: "status" }), done);
    await server.close();
  });
});

Deno.test("a socket on which another agent answers is respected", async () => {
  await withSocketPath(async (path) => {
    const first = await ControlServer.listen(path, undefined, answer);
    await assert.rejects(ControlServer.listen(path, undefined, answer), {
      message: `Cannot open the control socket ${path}: an agent answers on it already; ` +
        "a second one needs a control-socket and a state-dir of its own",
    });
    assert.deepEqual(await ask(path, { do: "status" }), done);
    await first.close();
  });
});

Deno.test("of agents that take over the same socket at once, one has it", async () => {
  await withSocketPath(async (path) => {
    leaveDeadSocket(path);
    const attempts = await Promise.allSettled(
      Array.from({ length: 5 }, () => ControlServer.listen(path, undefined, answer)),
    );
    const servers = attempts.flatMap((each) => each.status === "fulfilled" ? [each.value] : []);
    const reasons = attempts.flatMap((each) => each.status === "rejected" ? [each.reason] : []);
    assert.equal(servers.length, 1);
    for (const reason of reasons) assert.match(reason.message, /an agent answers on it already; /);
    assert.deepEqual(await ask(path, { do: "status" }), done);
    await Promise.all(servers.map((server) => server.close()));
  });
});

Deno.test("a file that is no socket is left alone", async () => {
  await withSocketPath(async (path) => {
    await Deno.writeTextFile(path, "precious");
    await assert.rejects(ControlServer.listen(path, undefined, answer), {
      message: `Cannot open the control socket ${path}: it is no socket`,
    });
    assert.equal(await Deno.readTextFile(path), "precious");
  });
});

Deno.test("a folder that cannot be made is an error that names the socket", async () => {
  await withSocketPath(async (path) => {
    await Deno.writeTextFile(path, "");
    const inside = `${path}/control.sock`;
    await assert.rejects(ControlServer.listen(inside, undefined, answer), (error: Error) => {
      assert(error instanceof ControlSocketError);
      assert.match(error.message, new RegExp(`^Cannot open the control socket ${inside}: `));
      return true;
    });
  });
});

Deno.test("a reply under way is finished at the end", async () => {
  await withSocketPath(async (path) => {
    const asked = Promise.withResolvers<void>();
    const reply = Promise.withResolvers<ControlReply>();
    const server = await ControlServer.listen(path, undefined, () => {
      asked.resolve();
      return reply.promise;
    });
    const answered = ask(path, { do: "status" });
    await asked.promise;
    let isClosed = false;
    const closed = server.close().then(() => isClosed = true);
    await eventually("the socket is gone", () => filesIn(dirname(path)).length === 0 || undefined);
    await new Promise((resolve) => setTimeout(resolve));
    assert(!isClosed);
    reply.resolve(done);
    assert.deepEqual(await answered, done);
    await closed;
  });
});

Deno.test("a client that says nothing does not hold up the end", async () => {
  await withSocketPath(async (path) => {
    const clock = new ManualClock();
    const server = await ControlServer.listen(path, undefined, answer, { clock });
    using silent = await Deno.connect({ transport: "unix", path });
    await silent.write(new TextEncoder().encode(SILENT_REQUEST));
    // Its connection was accepted once a later one is answered.
    await ask(path, { do: "status" });
    const closed = server.close();
    clock.advance(2_000);
    await closed;
    assert.equal(clock.pending, 0);
  });
});
