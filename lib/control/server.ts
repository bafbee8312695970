/**
 * The control socket of a running agent.
 *
 * @module
 */

import { dirname } from "node:path";
import { ExitCode } from "../exit_code.ts";
import { CONTROL_PATH, type ControlReply, type ControlRequest, parseRequest } from "./protocol.ts";

/** Does what a request asks for. */
export type ControlHandler = (request: ControlRequest) => Promise<ControlReply>;

/** The control socket cannot be had. */
export class ControlSocketError extends Error {
  /** Its name, for logs. */
  override readonly name: string = "ControlSocketError";
}

/** A request is a few words; anything longer is none. */
const MAX_REQUEST_BYTES = 128 * 1024;

/** Serves the control socket. */
export class ControlServer {
  readonly #server: Deno.HttpServer<Deno.UnixAddr>;

  private constructor(server: Deno.HttpServer<Deno.UnixAddr>) {
    this.#server = server;
  }

  /**
   * Binds the socket with mode 0600, or 0660 for a group. One that a dead agent left behind is
   * taken over; one that answers is respected.
   *
   * @throws {ControlSocketError} if it cannot be bound.
   */
  static async listen(
    path: string,
    group: string | undefined,
    handle: ControlHandler,
  ): Promise<ControlServer> {
    try {
      Deno.mkdirSync(dirname(path), { recursive: true });
      await removeIfDead(path);
      // The mode must be right from the first moment on.
      const umask = Deno.umask(0o177);
      try {
        const server = Deno.serve({
          path,
          handler: (request) => respond(request, handle),
          onListen: () => {},
          onError: () => new Response(null, { status: 500 }),
        });
        if (group !== undefined) openToGroup(path, group);
        return new ControlServer(server);
      } finally {
        Deno.umask(umask);
      }
    } catch (error) {
      throw new ControlSocketError(
        `Cannot open the control socket ${path}: ${(error as Error).message}`,
      );
    }
  }

  /** Stops answering and removes the socket. Replies under way are finished first. */
  async close(): Promise<void> {
    await this.#server.shutdown();
  }
}

async function respond(request: Request, handle: ControlHandler): Promise<Response> {
  if (new URL(request.url).pathname !== CONTROL_PATH || request.method !== "POST") {
    return new Response("POST /control is all there is\n", { status: 404 });
  }
  const length = Number(request.headers.get("content-length") ?? Number.POSITIVE_INFINITY);
  const body = length <= MAX_REQUEST_BYTES
    ? await request.json().catch(() => undefined)
    : undefined;
  const parsed = parseRequest(body);
  const reply: ControlReply = parsed === undefined
    ? { kind: "failed", error: "The agent does not understand this request", exitCode: 64 }
    : await handle(parsed);
  return Response.json(reply);
}

async function removeIfDead(path: string): Promise<void> {
  try {
    const connection = await Deno.connect({ transport: "unix", path });
    connection.close();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    if ((await Deno.lstat(path)).isSocket !== true) throw new Error("it is no socket");
    await Deno.remove(path);
    return;
  }
  throw new Error("another agent answers on it");
}

function openToGroup(path: string, group: string): void {
  const line = Deno.readTextFileSync("/etc/group").split("\n")
    .find((line) => line.startsWith(`${group}:`));
  const gid = Number(line?.split(":")[2]);
  if (!Number.isInteger(gid)) throw new Error(`there is no group ${group} (control-group)`);
  Deno.chownSync(path, null, gid);
  Deno.chmodSync(path, 0o660);
}

/** A reply that says what failed. */
export function failed(error: string, exitCode: number = ExitCode.FAILED): ControlReply {
  return { kind: "failed", error, exitCode };
}
