/**
 * The threads beside the main one, and how each is started in every form of this program.
 *
 * @module
 */

/** The module that each thread begins with, from here. */
export const THREAD_MODULES = {
  agent: "./service/agent_thread.ts",
  spool: "./queue/spool/worker.ts",
} as const;

/** The name of a thread. */
export type ThreadName = keyof typeof THREAD_MODULES;

/** Whether all modules are in one file: then each thread begins with that. */
export const isBundled: boolean = !import.meta.url.endsWith("/lib/threads.ts");

/**
 * Starts a thread. It may do what its permissions say, and nothing else; without them, all that this
 * thread may.
 */
export function startThread(name: ThreadName, permissions?: Deno.PermissionOptions): Worker {
  const module = isBundled ? import.meta.url : new URL(THREAD_MODULES[name], import.meta.url);
  return new Worker(module, {
    type: "module",
    name,
    ...(permissions === undefined ? {} : { deno: { permissions } }),
  });
}

/** Which thread this is; `undefined` in the main one. */
export function currentThread(): ThreadName | undefined {
  const { name } = self as { readonly name?: string };
  return Object.keys(THREAD_MODULES).find((known): known is ThreadName => known === name);
}

/**
 * Loads the module of this thread later than the thread began. Messages that come before it listens
 * are not lost.
 */
export async function beginThread(load: () => Promise<unknown>): Promise<void> {
  const scope = self as unknown as { onmessage: ((event: MessageEvent) => void) | null };
  const early: MessageEvent[] = [];
  scope.onmessage = (event) => early.push(event);
  await load();
  for (const event of early) scope.onmessage(event);
}
