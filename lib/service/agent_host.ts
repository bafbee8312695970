/**
 * One thread of the agent, as the starting part sees it.
 *
 * @module
 */

import { dirname } from "node:path";
import type { Config } from "../config/config.ts";
import type { SrvResolver } from "../mqtt/srv.ts";
import { startSpoolWorker } from "../queue/spool/spools.ts";
import type { startThread } from "../threads.ts";
import { type Grant, missingGrants, overlaps, permissionsOf, spoolPermissions } from "./grants.ts";
import { Line, type Port } from "./line.ts";
import type { AgentCalls, HostCalls } from "./messages.ts";

/** Starts a thread; `startThread` outside tests. */
export type ThreadStarter = typeof startThread;

/** What a thread is started with. */
export interface AgentThreadOptions {
  /** How threads are started. */
  readonly startThread: ThreadStarter;
  /** What its spools are for. */
  readonly config: Config;
  /** What it may do. */
  readonly grants: readonly Grant[];
  /** Answers it where brokers are. */
  readonly resolveSrv: SrvResolver;
}

/** A thread that runs an agent, or will. */
export class AgentThread {
  readonly #worker: Worker;
  readonly #line: Line<AgentCalls, HostCalls>;
  readonly #endSpools = new Map<number, () => void>();
  readonly #died = Promise.withResolvers<string>();
  /** What it may do at present. */
  grants: readonly Grant[];

  /** Starts the thread. */
  constructor({ startThread, config, grants, resolveSrv }: AgentThreadOptions) {
    this.grants = grants;
    makeFolders(grants);
    const worker = this.#worker = startThread("agent", permissionsOf(grants));
    const spoolThread = () => startThread("spool", spoolPermissions(config));
    this.#line = new Line<AgentCalls, HostCalls>(worker as unknown as Port, {
      resolveSrv: async (name) => await resolveSrv(name),
      startSpool: ({ spool, port }) => {
        const failed = (reason: string) => {
          this.call("spoolFailed", { spool, reason }).catch(() => {});
        };
        this.#endSpools.set(spool, startSpoolWorker(port, failed, spoolThread()));
      },
      endSpool: (spool) => {
        this.#endSpools.get(spool)?.();
        this.#endSpools.delete(spool);
      },
    });
    worker.onerror = (event) => {
      event.preventDefault();
      this.#end(event.message);
    };
  }

  /** Resolves with the reason when it has died. */
  get died(): Promise<string> {
    return this.#died.promise;
  }

  /** Calls something in the thread; see `Line.call`. */
  get call(): Line<AgentCalls, HostCalls>["call"] {
    return this.#line.call.bind(this.#line) as Line<AgentCalls, HostCalls>["call"];
  }

  /**
   * Lets it give up what it may do beside these grants, as far as that touches none of them. Tells
   * whether it has all of them still.
   */
  async keepOnly(grants: readonly Grant[]): Promise<boolean> {
    const extra = missingGrants(grants, this.grants);
    const tied = extra.filter((each) => grants.some((kept) => overlaps(kept, each)));
    const given = extra.filter((each) => !tied.includes(each));
    this.grants = [...grants, ...tied];
    return await this.call("giveUp", {
      given: given.map(descriptor),
      kept: grants.map(descriptor),
    });
  }

  /** Ends it at once. */
  terminate(): void {
    this.#line.end("The agent's thread has ended");
    this.#worker.terminate();
    for (const end of this.#endSpools.values()) end();
    this.#endSpools.clear();
  }

  #end(reason: string): void {
    this.#died.resolve(reason);
    this.#line.end(reason);
    this.terminate();
  }
}

/** Who may write a file may not make its folder, unless that is granted, too. */
export function makeFolders(grants: readonly Grant[]): void {
  for (const { kind, what } of grants) {
    if (kind !== "write") continue;
    try {
      Deno.mkdirSync(dirname(what), { recursive: true, mode: 0o750 });
    } catch {
      // Whoever writes the file says why it cannot be written.
    }
  }
}

function descriptor({ kind, what }: Grant): Deno.PermissionDescriptor {
  switch (kind) {
    case "net":
      return { name: "net", host: what };
    case "read":
    case "write":
      return { name: kind, path: what };
    case "ffi":
      return { name: "ffi" };
    case "sys":
      return { name: "sys", kind: what } as Deno.SysPermissionDescriptor;
  }
}
