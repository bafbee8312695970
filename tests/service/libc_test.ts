/** The C library: real datagrams, and a real signal to a real process. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { Libc } from "../../lib/service/libc.ts";
import { TextLineStream } from "../support/lines.ts";

const MODULE = new URL("../../lib/service/libc.ts", import.meta.url).href;

const { symbols: receiving } = Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
});
const AF_UNIX = 1;
const SOCK_DGRAM_NONBLOCK = 0o4002;

/** A unix socket that datagrams come to, which Deno has only with an unstable flag. */
class Receiver implements Disposable {
  readonly #socket = receiving.socket(AF_UNIX, SOCK_DGRAM_NONBLOCK, 0);

  /** A zero byte in front of the name makes it abstract. */
  constructor(name: string) {
    const path = new TextEncoder().encode(name);
    const address = Uint8Array.of(AF_UNIX, 0, ...path);
    assert.equal(receiving.bind(this.#socket, address, address.length), 0);
  }

  /** All that has come. */
  take(): string[] {
    const texts: string[] = [];
    const bytes = new Uint8Array(8_192);
    for (;;) {
      const length = Number(receiving.recv(this.#socket, bytes, BigInt(bytes.length), 0));
      if (length < 0) return texts;
      texts.push(new TextDecoder().decode(bytes.subarray(0, length)));
    }
  }

  [Symbol.dispose](): void {
    receiving.close(this.#socket);
  }
}

async function withFolder(work: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "fsmqtt-libc-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a datagram comes to a path", async () => {
  await withFolder((folder) => {
    const path = join(folder, "notify");
    using receiver = new Receiver(path);
    const libc = new Libc();
    assert.equal(libc.send(path, "READY=1\nSTATUS=grün"), true);
    assert.equal(libc.send(path, "WATCHDOG=1"), true);
    assert.deepEqual(receiver.take(), ["READY=1\nSTATUS=grün", "WATCHDOG=1"]);
  });
});

Deno.test("a datagram comes to a name in the abstract namespace", () => {
  const name = `fsmqtt-test-${crypto.randomUUID()}`;
  using receiver = new Receiver(`\0${name}`);
  assert.equal(new Libc().send(`@${name}`, "READY=1"), true);
  assert.deepEqual(receiver.take(), ["READY=1"]);
});

Deno.test("a receiver without room does not hold it up, and is sent to again later", async () => {
  await withFolder((folder) => {
    const path = join(folder, "notify");
    using receiver = new Receiver(path);
    const libc = new Libc();
    let sent = 0;
    while (libc.send(path, "WATCHDOG=1")) sent++;
    assert.equal(receiver.take().length, sent);
    assert.equal(libc.send(path, "WATCHDOG=1"), true);
  });
});

Deno.test("where nobody listens, and at what is no address, it says that nothing was sent", () => {
  const libc = new Libc();
  const long = `/${"x".repeat(107)}`;
  for (const address of ["/nowhere/notify", "@nobody", "relative", "vsock:2:1", "", long]) {
    assert.equal(libc.send(address, "READY=1"), false, address);
  }
});

Deno.test("its clock goes in microseconds", () => {
  const libc = new Libc();
  const beganMs = performance.now();
  const began = libc.monotonicUsec();
  while (performance.now() - beganMs < 10);
  const elapsed = Number(libc.monotonicUsec() - began);
  // Not in milliseconds, nor in nanoseconds.
  assert.ok(elapsed > 9_000 && elapsed < 9_000_000, `${elapsed}`);
});

Deno.test("a library that is not there is told", () => {
  assert.throws(() => new Libc(["libnone.so.1", "libnone.so.2"]), {
    message: /^Cannot use the C library: .*libnone\.so\.1/,
  });
});

/** Runs a script with these permissions, in which `Libc` is there. */
async function startScript(folder: string, permissions: readonly string[], code: string) {
  const file = join(folder, "script.ts");
  await Deno.writeTextFile(file, `import { Libc } from "${MODULE}";\n${code}`);
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-config", "--no-prompt", ...permissions, file],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

Deno.test("without the permission for foreign code, one sentence says so", async () => {
  await withFolder(async (folder) => {
    const code = "try { new Libc(); } catch (error) { console.log(error.message); }";
    const { stdout } = await (await startScript(folder, [], code)).output();
    assert.equal(
      new TextDecoder().decode(stdout),
      "Cannot use the C library: foreign code is not permitted (--allow-ffi)\n",
    );
  });
});

Deno.test("opened before the permission is given up, it goes on working", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "notify");
    using receiver = new Receiver(path);
    const code = `const libc = new Libc();
      Deno.permissions.revokeSync({ name: "ffi" });
      libc.keepInspectorShut();
      console.log(libc.send(${JSON.stringify(path)}, "READY=1"), libc.monotonicUsec() > 0n);
      Deno.exit(0);`;
    const child = await startScript(folder, ["--allow-ffi"], code);
    const { stdout, stderr } = await child.output();
    assert.equal(new TextDecoder().decode(stdout), "true true\n", new TextDecoder().decode(stderr));
    assert.deepEqual(receiver.take(), ["READY=1"]);
  });
});

/** Bits of `SigIgn` and `SigCgt` in /proc/PID/status (proc(5)). */
const SIGUSR1_BIT = 1n << 9n;

async function signalMask(pid: number, name: string): Promise<bigint> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const [, mask = ""] = new RegExp(`^${name}:\\s*([0-9a-f]+)$`, "m").exec(status) ?? [];
  return BigInt(`0x${mask}`);
}

Deno.test("SIGUSR1 does not open the inspector, whoever listens to signals later", async () => {
  await withFolder(async (folder) => {
    const code = `new Libc().keepInspectorShut();
      Deno.addSignalListener("SIGHUP", () => console.log("still here"));
      const thread = new Worker("data:text/javascript,postMessage(1)", { type: "module" });
      thread.onmessage = () => console.log("ready");`;
    const child = await startScript(folder, ["--allow-ffi"], code);
    const said = new Response(child.stderr).text();
    const lines = child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    try {
      assert.equal((await lines.read()).value, "ready");

      // What the kernel passes over cannot be handled by anybody.
      assert.equal(await signalMask(child.pid, "SigIgn") & SIGUSR1_BIT, SIGUSR1_BIT);
      assert.equal(await signalMask(child.pid, "SigCgt") & SIGUSR1_BIT, 0n);
      child.kill("SIGUSR1");
      child.kill("SIGHUP");
      assert.equal((await lines.read()).value, "still here");
    } finally {
      child.kill("SIGKILL");
      await lines.cancel();
    }
    assert.equal(await said, "");
    await child.status;
  });
});
