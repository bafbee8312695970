/**
 * The thread of the agent, which also tries what it is told to: what it may not do is to fail from
 * inside.
 */

import { connect } from "node:net";
import { readFileSync } from "node:fs";
import { Worker as NodeWorker } from "node:worker_threads";
import "../../lib/service/agent_thread.ts";

/** What the thread is told to try, and where it says what came of it. */
export interface Probe {
  readonly probe: string;
  readonly argument: string;
  readonly port: MessagePort;
}

const scope = self as unknown as { onmessage: (event: MessageEvent) => void };
const take = scope.onmessage;
scope.onmessage = (event) => {
  if (typeof event.data?.probe === "string") run(event.data);
  else take(event);
};

const attempts: Readonly<Record<string, (argument: string) => unknown>> = {
  connect: async (address) => {
    const [hostname = "", port] = address.split(" ");
    (await Deno.connect({ hostname, port: Number(port) })).close();
  },
  "node:net": (address) =>
    new Promise<void>((resolve, reject) => {
      const [host = "", port] = address.split(" ");
      const socket = connect({ host, port: Number(port) }, () => {
        socket.destroy();
        resolve();
      });
      socket.on("error", reject);
    }),
  listen: () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close(),
  fetch: async (url) => await (await fetch(url)).text(),
  unix: async (path) => (await Deno.connect({ transport: "unix", path })).close(),
  resolve: async (name) => await Deno.resolveDns(name, "A"),
  read: (path) => Deno.readTextFileSync(path),
  "node:fs": (path) => readFileSync(path),
  list: (path) => [...Deno.readDirSync(path)],
  write: (path) => Deno.writeTextFileSync(path, "x"),
  remove: (path) => Deno.removeSync(path),
  link: (path) => Deno.symlinkSync("/etc/passwd", path),
  run: (program) => new Deno.Command(program).outputSync(),
  kill: (pid) => Deno.kill(Number(pid), "SIGCONT"),
  env: (name) => Deno.env.get(name),
  environment: () => Deno.env.toObject(),
  system: () => Deno.osRelease(),
  "foreign code": () => Deno.dlopen("libc.so.6", { getpid: { parameters: [], result: "i32" } }),
  "another thread": (module) => {
    const worker = new Worker(module, {
      type: "module",
      deno: { permissions: "inherit" },
    });
    worker.terminate();
  },
  "a thread that may more": (module) => {
    new Worker(module, { type: "module", deno: { permissions: { run: true } } }).terminate();
  },
  "node:worker_threads": (module) =>
    new Promise((resolve, reject) => {
      const worker = new NodeWorker(new URL(module));
      worker.on("error", reject);
      worker.on("online", resolve);
    }),
  import: (module) => import(module),
  request: async (name) => {
    const { state } = await Deno.permissions.request({ name } as Deno.PermissionDescriptor);
    if (state !== "granted") throw new Error(`it is ${state}`);
  },
};

async function run({ probe, argument, port }: Probe): Promise<void> {
  if (probe === "throw") throw new Error(argument);
  if (probe === "spin") { for (;;); }
  let outcome = "it is done";
  try {
    await attempts[probe]?.(argument);
  } catch (error) {
    outcome = (error as Error).name === "Error" ? (error as Error).message : (error as Error).name;
  }
  port.postMessage(outcome);
}
