/**
 * A real broker for tests: Debian's mosquitto, or the embedded one where there is none. With
 * `CI=true` a missing mosquitto fails the run, so that nothing is skipped unseen.
 *
 * @module
 */

import { join } from "node:path";
import { EmbeddedBroker } from "../../lib/cli/demo/broker.ts";

/** Options of a test broker. */
export interface BrokerOptions {
  /** Lines for mosquitto.conf beside the listener. */
  readonly lines?: readonly string[];
  /**
   * Whether the lines that say who may connect count for the listener above them alone, which
   * mosquitto wants to know first.
   * @default {false}
   */
  readonly perListener?: boolean;
}

/** A broker on a loopback port. It keeps its port over restarts. */
export interface TestBroker extends AsyncDisposable {
  /** Its port. */
  readonly port: number;
  /** Whether it is mosquitto: only that one keeps its sessions over a restart. */
  readonly real: boolean;
  /** Starts it after a stop. */
  start(): Promise<void>;
  /** Ends it; an orderly end lets mosquitto save its state. */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Forgets all sessions and messages; it has to be stopped. */
  wipe(): Promise<void>;
  /** Stops and continues the process: connections stay, nothing is answered. */
  freeze(frozen: boolean): void;
}

const mosquittoPath = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto"]
  .find((path) => exists(path));

/** Whether the brokers are mosquitto. */
export const hasMosquitto: boolean = mosquittoPath !== undefined;

/**
 * Declares a test that the embedded broker cannot serve. Without mosquitto it is shown as ignored;
 * with `CI=true` it runs, and fails.
 */
export function mosquittoTest(name: string, fn: () => Promise<void>): void {
  const ignore = isWithoutMosquitto();
  Deno.test({ name: ignore ? `${name} (needs mosquitto)` : name, ignore, fn });
}

/** What all such tests of a file share: started before the first, ended after the last. */
export function sharedByMosquittoTests<T extends AsyncDisposable>(
  start: () => Promise<T>,
): () => T {
  let shared: T | undefined;
  Deno.test.beforeAll(async () => {
    if (!isWithoutMosquitto()) shared = await start();
  });
  Deno.test.afterAll(async () => await shared?.[Symbol.asyncDispose]());
  return () => {
    if (shared === undefined) throw new Error("nothing is shared outside of mosquittoTest()");
    return shared;
  };
}

function isWithoutMosquitto(): boolean {
  return mosquittoPath === undefined && Deno.env.get("CI") !== "true";
}

/** Starts a broker. */
export async function startBroker(options: BrokerOptions = {}): Promise<TestBroker> {
  if (mosquittoPath !== undefined) return await Mosquitto.start(mosquittoPath, options);
  if (Deno.env.get("CI") === "true") {
    throw new Error("mosquitto is not installed: apt-get install mosquitto");
  }
  if (options.lines !== undefined) throw new Error("this test needs mosquitto");
  return await Embedded.start();
}

class Mosquitto implements TestBroker {
  readonly real = true;
  readonly #path: string;
  readonly #folder: string;
  #process: Deno.ChildProcess | undefined;

  private constructor(path: string, folder: string, readonly port: number) {
    this.#path = path;
    this.#folder = folder;
  }

  static async start(path: string, options: BrokerOptions): Promise<Mosquitto> {
    const { lines = [], perListener = false } = options;
    const folder = await Deno.makeTempDir({ prefix: "fsmqtt-mosquitto-" });
    const broker = new Mosquitto(path, folder, freePort());
    const isSaid = !perListener && lines.some((line) => line.startsWith("allow_anonymous"));
    const config = [
      ...(perListener ? ["per_listener_settings true"] : []),
      `listener ${broker.port} 127.0.0.1`,
      ...(isSaid ? [] : ["allow_anonymous true"]),
      "set_tcp_nodelay true",
      "persistence true",
      "autosave_interval 1",
      `persistence_location ${folder}/`,
      "user root",
      "log_dest none",
      ...lines,
    ];
    await Deno.writeTextFile(join(folder, "mosquitto.conf"), config.join("\n") + "\n");
    await broker.start();
    return broker;
  }

  async start(): Promise<void> {
    this.#process = new Deno.Command(this.#path, {
      args: ["-c", join(this.#folder, "mosquitto.conf")],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await answers(this.port, this.#process.status);
  }

  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    this.#process = undefined;
    process.kill(signal);
    // A frozen process hears of SIGTERM once it goes on; SIGKILL does not wait for that.
    if (signal === "SIGTERM") process.kill("SIGCONT");
    // mosquitto listens before it minds signals, and forgets a SIGTERM that comes between.
    const reminder = setInterval(() => process.kill(signal), 1_000);
    await process.status;
    clearInterval(reminder);
  }

  async wipe(): Promise<void> {
    if (this.#process !== undefined) throw new Error("only a stopped broker can be wiped");
    await removeIfThere(join(this.#folder, "mosquitto.db"));
    await removeIfThere(join(this.#folder, "mosquitto.db.new"));
  }

  freeze(frozen: boolean): void {
    this.#process?.kill(frozen ? "SIGSTOP" : "SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
    await Deno.remove(this.#folder, { recursive: true });
  }
}

class Embedded implements TestBroker {
  readonly real = false;
  #broker: EmbeddedBroker | undefined;

  private constructor(broker: EmbeddedBroker, readonly port: number) {
    this.#broker = broker;
  }

  static async start(): Promise<Embedded> {
    const broker = await EmbeddedBroker.start();
    return new Embedded(broker, broker.port);
  }

  async start(): Promise<void> {
    this.#broker = await EmbeddedBroker.start(this.port);
  }

  async stop(): Promise<void> {
    await this.#broker?.[Symbol.asyncDispose]();
    this.#broker = undefined;
  }

  // It keeps nothing over a stop.
  async wipe(): Promise<void> {}

  freeze(): void {
    throw new Error("only mosquitto can be frozen");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function removeIfThere(file: string): Promise<void> {
  try {
    await Deno.remove(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Resolves as soon as the port accepts connections; a process that ends first is an error. */
async function answers(port: number, ended: Promise<Deno.CommandStatus>): Promise<void> {
  let over = false;
  ended.then(() => over = true);
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      if (over) throw new Error(`mosquitto did not start on port ${port}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/**
 * A port that nobody listens on. It is below those that Linux gives to outgoing connections, one
 * of which could otherwise sit on it while a broker is stopped.
 */
export function freePort(): number {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
