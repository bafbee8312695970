/**
 * The control socket of a running agent.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { atMost, type Clock, systemClock } from "../clock.ts";
import { ExitCode } from "../exit_code.ts";
import { fileFault } from "../file_fault.ts";
import {
  CONSOLE_PATH,
  CONTROL_PATH,
  type ControlReply,
  type ControlRequest,
  parseRequest,
} from "./protocol.ts";

/** Does what a request asks for. */
export type ControlHandler = (request: ControlRequest) => Promise<ControlReply>;

/** Answers the words of a command line with what it prints. */
export type ConsoleHandler = (words: readonly string[]) => Promise<string>;

/** The control socket cannot be had. */
export class ControlSocketError extends Error {
  /** Its name, for logs. */
  override readonly name: string = "ControlSocketError";
}

/** A request is a few words; anything longer is none. */
const MAX_REQUEST_BYTES = 128 * 1024;
/** At the end, replies under way may take this long; a client that says nothing is left. */
const CLOSE_TIMEOUT_MS = 2_000;

/** What a control socket may have beside its handler. */
export interface ControlServerOptions {
  /** Answers FreeSWITCH's console. */
  readonly console?: ConsoleHandler;
  /**
   * Time.
   * @default systemClock
   */
  readonly clock?: Clock;
}

/** Serves the control socket. */
export class ControlServer {
  readonly #path: string;
  readonly #server: Deno.HttpServer;
  readonly #clock: Clock;

  private constructor(path: string, server: Deno.HttpServer, clock: Clock) {
    this.#path = path;
    this.#server = server;
    this.#clock = clock;
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
    { console, clock = systemClock }: ControlServerOptions = {},
  ): Promise<ControlServer> {
    try {
      const gid = group === undefined ? undefined : await groupId(group);
      const folder = dirname(path);
      await Deno.mkdir(folder, { recursive: true });
      // Of two agents that start at once, neither may take the other's socket for a dead one.
      const lock = await Deno.open(folder);
      try {
        await lock.lock(true);
        await removeIfDead(path);
        return new ControlServer(path, await bind(path, gid, handle, console), clock);
      } finally {
        lock.close();
      }
    } catch (cause) {
      throw new ControlSocketError(
        `Cannot open the control socket ${path}: ${reason(cause as Error)}`,
        { cause },
      );
    }
  }

  /** Stops answering and removes the socket. Replies under way are finished first. */
  async close(): Promise<void> {
    const removed = Deno.remove(this.#path).catch(() => {});
    await atMost(this.#clock, CLOSE_TIMEOUT_MS, removed.then(() => this.#server.shutdown()));
  }
}

/** Why there is no socket. What has a code comes from the system, which names no remedy. */
function reason(cause: Error & { readonly code?: unknown }): string {
  const isDenied = cause instanceof Deno.errors.PermissionDenied && cause.code !== undefined;
  return isDenied
    ? `${fileFault(cause)}: set XDG_RUNTIME_DIR, or name one with --control or control-socket`
    : fileFault(cause);
}

/** The socket is made where nobody else gets to it, and comes to its place with its mode right. */
async function bind(
  path: string,
  gid: number | undefined,
  handle: ControlHandler,
  console: ConsoleHandler | undefined,
): Promise<Deno.HttpServer> {
  const draft = await Deno.makeTempDir({ dir: dirname(path), prefix: "." });
  const draftPath = join(draft, "s");
  const server = Deno.serve({
    path: draftPath,
    handler: (request) => respond(request, handle, console),
    onListen: () => {},
    onError: (error) => Response.json(failed(`The agent failed: ${(error as Error).message}`)),
  });
  try {
    if (gid !== undefined) await give(draftPath, gid);
    await Deno.chmod(draftPath, gid === undefined ? 0o600 : 0o660);
    await Deno.rename(draftPath, path);
    return server;
  } catch (error) {
    await server.shutdown();
    throw error;
  } finally {
    await Deno.remove(draft, { recursive: true });
  }
}

async function give(path: string, gid: number): Promise<void> {
  try {
    await Deno.chown(path, null, gid);
  } catch {
    throw new Deno.errors.PermissionDenied(
      "it can be given to the group in control-group only by root or a member of that group",
    );
  }
}

async function respond(
  request: Request,
  handle: ControlHandler,
  console: ConsoleHandler | undefined,
): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (request.method === "POST" && pathname === CONTROL_PATH) {
    const parsed = parseRequest(parseJson(await bodyOf(request)));
    return Response.json(
      parsed === undefined
        ? failed("The agent does not understand this request", ExitCode.USAGE)
        : await handle(parsed),
    );
  }
  if (request.method === "POST" && pathname === CONSOLE_PATH && console !== undefined) {
    const words = (await bodyOf(request)).split("\n").filter((word) => word !== "");
    return new Response(await console(words));
  }
  return new Response(`This is fsmqtt's control socket: POST ${CONTROL_PATH}\n`, { status: 404 });
}

/** The body; empty if it is longer than a request can be, or does not say how long it is. */
async function bodyOf(request: Request): Promise<string> {
  const length = Number(request.headers.get("content-length") ?? Number.POSITIVE_INFINITY);
  return length <= MAX_REQUEST_BYTES ? await request.text() : "";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
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
  throw new Error(
    "an agent answers on it already; a second one needs a control-socket and a state-dir of its own",
  );
}

async function groupId(group: string): Promise<number> {
  for (const line of (await Deno.readTextFile("/etc/group")).split("\n")) {
    const [name, , gid] = line.split(":");
    if (name === group && gid !== undefined && /^\d+$/.test(gid)) return Number(gid);
  }
  throw new Error(`there is no group ${group} (control-group)`);
}

/** A reply that says what failed. */
export function failed(error: string, exitCode: number = ExitCode.FAILED): ControlReply {
  return { kind: "failed", error, exitCode };
}
