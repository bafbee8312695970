/**
 * OpenSSL's own server in front of a broker's plain port: it can be held to one version of TLS, old
 * ones too, where mosquitto takes "this or later".
 *
 * @module
 */

import { join } from "node:path";

/** One `openssl s_server` for each connection, which ends with it. */
export class OpenSslServer implements AsyncDisposable {
  readonly #args: readonly string[];
  readonly #brokerPort: number;
  readonly #folder: string;
  readonly #running: { readonly process: Deno.ChildProcess; readonly ended: Promise<void> }[] = [];

  private constructor(args: readonly string[], brokerPort: number, folder: string) {
    this.#args = args;
    this.#brokerPort = brokerPort;
    this.#folder = folder;
  }

  /** Prepares servers with these options of `openssl s_server`. */
  static async start(args: readonly string[], brokerPort: number): Promise<OpenSslServer> {
    const folder = await Deno.makeTempDir({ prefix: "fsmqtt-openssl-" });
    return new OpenSslServer(args, brokerPort, folder);
  }

  /** Starts a server, and connects to it as soon as it listens. */
  async connect(): Promise<Deno.UnixConn> {
    const socket = `${this.#running.length}.sock`;
    const process = new Deno.Command("openssl", {
      // `-quiet` keeps stdout to what the client says, and takes no commands on stdin.
      args: ["s_server", "-unix", socket, "-naccept", "1", "-quiet", ...this.#args],
      // It does not take the path of a socket that is longer than 31 characters.
      cwd: this.#folder,
      // The machine's own configuration may forbid old versions.
      env: { OPENSSL_CONF: "/dev/null" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const broker = await Deno.connect({ hostname: "127.0.0.1", port: this.#brokerPort });
    const ended = Promise.allSettled([
      process.stdout.pipeTo(broker.writable),
      broker.readable.pipeTo(process.stdin).finally(() => end(process)),
      process.status,
    ]).then(() => {});
    this.#running.push({ process, ended });
    return await whenListening(join(this.#folder, socket), process);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process } of this.#running) end(process);
    await Promise.all(this.#running.map(({ ended }) => ended));
    await Deno.remove(this.#folder, { recursive: true });
  }
}

function end(process: Deno.ChildProcess): void {
  try {
    process.kill("SIGKILL");
  } catch {
    // It has ended already.
  }
}

async function whenListening(path: string, process: Deno.ChildProcess): Promise<Deno.UnixConn> {
  let over = false;
  process.status.then(() => over = true);
  for (;;) {
    try {
      return await Deno.connect({ transport: "unix", path });
    } catch {
      if (over) throw new Error("openssl s_server ended before it listened");
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}
