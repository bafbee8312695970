/**
 * Starts a form, and measures it until it has idled for a while.
 *
 * @module
 */

import { join } from "node:path";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { configuration, param } from "../../tests/e2e/setup.ts";
import { BrokerStandIn } from "./broker.ts";
import type { Form } from "./forms.ts";
import { type Memory, memoryOf } from "../measure/memory.ts";

/** One start of a form. */
export interface Start {
  /** From the start of the process to the first CONNACK; `undefined` for what does not connect. */
  readonly connackMs: number | undefined;
  /** Its memory when it had idled. */
  readonly memory: Memory;
}

/** How a form is started. */
export interface StartOptions {
  /** How long it idles before its memory is looked at. */
  readonly idleMs: number;
  /** Whether it finds what earlier starts of it have compiled. */
  readonly isWarm: boolean;
  /** V8's flags beside its own. @default none */
  readonly v8Flags?: string | undefined;
}

/** What takes longer to connect never will. */
const CONNECT_TIMEOUT_MS = 30_000;

/** A broker and a FreeSWITCH that forms connect to, one at a time. */
export class Rig implements AsyncDisposable {
  readonly #folder: string;
  readonly #npmCache: string;
  readonly #broker: BrokerStandIn;
  readonly #simulator: Simulator;
  #starts = 0;

  private constructor(
    folder: string,
    npmCache: string,
    broker: BrokerStandIn,
    simulator: Simulator,
  ) {
    this.#folder = folder;
    this.#npmCache = npmCache;
    this.#broker = broker;
    this.#simulator = simulator;
  }

  /** Makes one that keeps its files in the folder; packages come from where Deno keeps them. */
  static async start(folder: string, npmCache: string): Promise<Rig> {
    return new Rig(folder, npmCache, await BrokerStandIn.start(), await Simulator.start());
  }

  /**
   * Starts a form, lets it idle, and ends it.
   *
   * @throws {Error} if it ends by itself or does not connect.
   */
  async run(form: Form, options: StartOptions): Promise<Start> {
    const folder = join(this.#folder, `start-${++this.#starts}`);
    await Deno.mkdir(folder);
    const config = join(folder, "mosquitto.conf.xml");
    await Deno.writeTextFile(config, this.#configuration(folder));
    const cache = await this.#cache(options.isWarm ? form.name : `start ${this.#starts}`);
    const [program = "", ...args] = form.command.map((word) =>
      word.replace("{port}", `${this.#broker.port}`)
        .replace("{config}", config)
        .replace("{control}", join(folder, "control.sock"))
    );
    const greeted = this.#broker.greets();
    const startedAt = performance.now();
    const child = new Deno.Command(program, {
      args,
      env: {
        // The executable keeps what it has compiled in the folder for temporary files.
        DENO_DIR: cache,
        TMPDIR: cache,
        DENO_NO_UPDATE_CHECK: "1",
        ...(options.v8Flags === undefined || !form.isFsmqtt
          ? {}
          : { DENO_V8_FLAGS: options.v8Flags }),
      },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const told = new Response(child.stderr).text();
    try {
      const ended = child.status.then(async ({ code }) => {
        throw new Error(`${form.name} ended with ${code}: ${await told}`);
      });
      ended.catch(() => {});
      const connackMs = form.connects
        ? await within(CONNECT_TIMEOUT_MS, greeted, ended, form.name) - startedAt
        : undefined;
      await Promise.race([new Promise((idle) => setTimeout(idle, options.idleMs)), ended]);
      return { connackMs, memory: await memoryOf(child.pid) };
    } finally {
      await end(child);
      await told;
      await Deno.remove(folder, { recursive: true });
      if (!options.isWarm) await Deno.remove(cache, { recursive: true });
    }
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#simulator.stop();
    await this.#broker[Symbol.asyncDispose]();
  }

  /** Where Deno keeps what it has compiled. */
  async #cache(name: string): Promise<string> {
    const cache = join(this.#folder, name);
    try {
      await Deno.mkdir(cache);
      await Deno.symlink(this.#npmCache, join(cache, "npm"));
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
    return cache;
  }

  #configuration(folder: string): string {
    return configuration({
      esl: this.#simulator,
      broker: this.#broker.port,
      publish: [[param("event", "ALL"), param("pattern", "footprint/events"), param("qos", 1)]],
    }).replaceAll("{folder}", folder);
  }
}

async function within<T>(
  ms: number,
  wanted: Promise<T>,
  ended: Promise<never>,
  name: string,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} did not connect within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([wanted, ended, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** An orderly end; what of Deno is compiled then is kept. */
async function end(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGTERM");
  } catch {
    // It has ended already.
  }
  await child.status;
}
