/**
 * The processes of a measurement, started and ended.
 *
 * @module
 */

import { linesOf, type Methods, type Reply, type Request } from "../wire/steering.ts";

/** How a process is started. */
export interface ChildOptions {
  /** What it is called in errors. */
  readonly name: string;
  /** Its command line. */
  readonly command: readonly string[];
  /** Its environment, beside that of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Takes each line that it writes to standard output, but for replies. @default none */
  readonly onLine?: (line: string) => void;
}

/** So many lines of its standard error an error shows. */
const LAST_WORDS = 20;
/** Who does not end when told to is killed after this time. */
const END_LIMIT_MS = 10_000;

const running = new Set<Child>();
let interrupted = false;

/** Kills all that run, and lets no more be started; whoever waits for one of them hears of it. */
export function interrupt(): void {
  interrupted = true;
  for (const child of running) child.signal("SIGKILL");
}

/** Whether {@linkcode interrupt} was called. */
export function isInterrupted(): boolean {
  return interrupted;
}

/** A process. */
export class Child implements AsyncDisposable {
  readonly #name: string;
  readonly #process: Deno.ChildProcess;
  readonly #words: string[] = [];
  readonly #heard: Promise<unknown>;
  readonly #death = Promise.withResolvers<never>();
  #isEnding = false;

  /** Starts it; it can be written to where `stdin` is `piped`. */
  constructor(
    { name, command: [program = "", ...args], env = {}, onLine }: ChildOptions,
    stdin: "null" | "piped" = "null",
  ) {
    if (interrupted) throw new Error("interrupted");
    this.#name = name;
    this.#process = new Deno.Command(program, {
      args,
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...env },
      stdin,
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    running.add(this);
    const { stdout, stderr } = this.#process;
    this.#heard = Promise.all([
      each(stdout, (line) => this.heard(line) || onLine?.(line)),
      each(stderr, (line) => {
        this.#words.push(line);
        if (this.#words.length > LAST_WORDS) this.#words.shift();
      }),
    ]);
    // Only who waits for something of it has to know.
    this.#death.promise.catch(() => {});
    this.#watch();
  }

  /** The id of its process. */
  get pid(): number {
    return this.#process.pid;
  }

  /** What is waited for, unless it dies first. */
  async alive<T>(wanted: Promise<T>): Promise<T> {
    return await Promise.race([wanted, this.#death.promise]);
  }

  /** Sends it a signal, unless it is gone. */
  signal(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch {
      // It has ended already.
    }
  }

  /** Ends it, with patience. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    this.signal("SIGTERM");
    const timer = setTimeout(() => this.signal("SIGKILL"), END_LIMIT_MS);
    await this.#process.status;
    clearTimeout(timer);
    await this.#heard;
  }

  /** Takes a line of its standard output, or leaves it. */
  protected heard(_line: string): boolean {
    return false;
  }

  /** What it reads. */
  protected get stdin(): WritableStream<Uint8Array<ArrayBuffer>> {
    return this.#process.stdin;
  }

  async #watch(): Promise<void> {
    const { code, signal } = await this.#process.status;
    running.delete(this);
    await this.#heard;
    if (this.#isEnding) return;
    const words = this.#words.join("\n");
    this.#death.reject(new Error(`${this.#name} ended with ${signal ?? code}:\n${words}`));
  }
}

/** A process that answers requests. */
export class Steered<Api extends Methods<Api>> extends Child {
  readonly #answers = new Map<number, (reply: Reply) => void>();
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  #id = 0;

  /** Starts it. */
  constructor(options: ChildOptions) {
    super(options, "piped");
    this.#writer = this.stdin.getWriter();
  }

  /**
   * Asks it for something.
   *
   * @throws {Error} what it answers, or its last words.
   */
  async ask<K extends string & keyof Api>(
    method: K,
    ...[argument]: Parameters<Api[K]>
  ): Promise<Awaited<ReturnType<Api[K]>>> {
    const request: Request = { id: ++this.#id, method, argument };
    const answered = new Promise<Reply>((resolve) => this.#answers.set(request.id, resolve));
    const line = new TextEncoder().encode(`${JSON.stringify(request)}\n`);
    // If it is gone, its death tells.
    this.#writer.write(line).catch(() => {});
    const reply = await this.alive(answered);
    if ("error" in reply) throw new Error(`${method}: ${reply.error}`);
    return reply.result as Awaited<ReturnType<Api[K]>>;
  }

  /** Ends it. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    await this.#writer.close().catch(() => {});
  }

  /** Takes a reply. */
  protected override heard(line: string): boolean {
    if (!line.startsWith("{")) return false;
    const reply = JSON.parse(line) as Reply;
    this.#answers.get(reply.id)?.(reply);
    this.#answers.delete(reply.id);
    return true;
  }
}

async function each(
  stream: ReadableStream<Uint8Array>,
  take: (line: string) => unknown,
): Promise<void> {
  for await (const line of linesOf(stream)) take(line);
}
