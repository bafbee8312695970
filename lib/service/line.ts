/**
 * Calls between two threads, in both directions over one port.
 *
 * @module
 */

/** What can be called on a side; each takes one value and may answer with one. */
export type Calls<T> = { readonly [Name in keyof T]: (argument: never) => unknown };

/** A worker, a message port, or the scope of a worker. */
export interface Port {
  /** Sends. */
  postMessage(message: unknown, transfer: Transferable[]): void;
  /** Hears. */
  onmessage: ((event: MessageEvent) => void) | null;
}

type Frame =
  | {
    readonly kind: "call";
    readonly id: number;
    readonly name: string;
    readonly argument: unknown;
  }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "error"; readonly id: number; readonly text: string };

/** An answer with pieces that change hands instead of being copied. */
export class Moved<T> {
  /** The answer. */
  readonly value: T;
  /** What changes hands. */
  readonly pieces: Transferable[];

  /** Of an answer and pieces of it. */
  constructor(value: T, pieces: Transferable[]) {
    this.value = value;
    this.pieces = pieces;
  }
}

/** What a call answers with, as the caller sees it. */
export type Answered<T> = Awaited<T> extends Moved<infer Value> ? Value : Awaited<T>;

interface Asker {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** One end of a line. `Theirs` is what can be called there, `Ours` what can be called here. */
export class Line<Theirs extends Calls<Theirs>, Ours extends Calls<Ours>> {
  readonly #port: Port;
  readonly #ours: Ours;
  readonly #askers = new Map<number, Asker>();
  #asked = 0;
  #end: Error | undefined;

  /** Listens from now on. */
  constructor(port: Port, ours: Ours) {
    this.#port = port;
    this.#ours = ours;
    port.onmessage = ({ data }) => this.#take(data);
  }

  /**
   * Calls something on the other side.
   *
   * @param transfer What changes hands instead of being copied.
   * @throws {Error} what it threw there, by its message; or that the line has ended.
   */
  call<Name extends keyof Theirs & string>(
    name: Name,
    argument: Parameters<Theirs[Name]>[0],
    transfer: Transferable[] = [],
  ): Promise<Answered<ReturnType<Theirs[Name]>>> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) throw this.#end;
      const id = ++this.#asked;
      this.#send({ kind: "call", id, name, argument }, transfer);
      this.#askers.set(id, { resolve: resolve as Asker["resolve"], reject });
    });
  }

  /** Nothing more comes from the other side: who waits for an answer is told so. */
  end(reason: string): void {
    if (this.#end !== undefined) return;
    this.#end = new Error(reason);
    const askers = [...this.#askers.values()];
    this.#askers.clear();
    for (const { reject } of askers) reject(this.#end);
  }

  #send(frame: Frame, transfer: Transferable[] = []): void {
    this.#port.postMessage(frame, transfer);
  }

  #take(frame: Frame): void {
    if (frame.kind === "call") {
      this.#answer(frame);
      return;
    }
    const asker = this.#askers.get(frame.id);
    this.#askers.delete(frame.id);
    if (frame.kind === "answer") asker?.resolve(frame.value);
    else asker?.reject(new Error(frame.text));
  }

  async #answer({ id, name, argument }: Frame & { readonly kind: "call" }): Promise<void> {
    try {
      const call = this.#ours[name as keyof Ours];
      const value = await call(argument as never);
      const isMoved = value instanceof Moved;
      if (this.#end !== undefined) return;
      const frame: Frame = { kind: "answer", id, value: isMoved ? value.value : value };
      this.#send(frame, isMoved ? value.pieces : []);
    } catch (error) {
      // Also what cannot be sent: whoever waits for it has to hear of that.
      const text = error instanceof Error ? error.message : String(error);
      if (this.#end === undefined) this.#send({ kind: "error", id, text });
    }
  }
}
