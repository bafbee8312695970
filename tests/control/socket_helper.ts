/**
 * A folder for control sockets, and what may be found on one.
 *
 * @module
 */

import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";

/** Calls `use` with a path for a socket, in a folder that is removed afterwards. */
export async function withSocketPath(use: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "fsmqtt-control-test-" });
  try {
    await use(join(folder, "control.sock"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Leaves a socket behind on which nobody listens any more. */
export function leaveDeadSocket(path: string): void {
  // Deno removes the path that it listened on, and only that.
  using _listener = Deno.listen({ transport: "unix", path: `${path}.first` });
  Deno.linkSync(`${path}.first`, path);
}

/** Sends a body as it is, and returns the status and the answer. */
export function post(
  socketPath: string,
  body: string,
  options: { path?: string; method?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; answer: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; answer: string }>();
  httpRequest(
    { socketPath, path: "/control", method: "POST", agent: false, ...options },
    (response) => {
      text(response).then(
        (answer) => resolve({ status: response.statusCode ?? 0, answer }),
        reject,
      );
    },
  ).on("error", reject).end(body);
  return promise;
}
