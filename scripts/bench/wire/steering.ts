/**
 * How a process of a measurement is steered: lines of JSON on its standard input and output.
 *
 * @module
 */

/** Methods that take one argument, or none, and answer later. */
export type Methods<Api> = { readonly [K in keyof Api]: (argument: never) => Promise<unknown> };

/** What the one that steers writes. */
export interface Request {
  /** Comes back with the reply. */
  readonly id: number;
  /** What is to be done. */
  readonly method: string;
  /** With what. */
  readonly argument?: unknown;
}

/** What it is answered. */
export type Reply =
  | { readonly id: number; readonly result?: unknown }
  | { readonly id: number; readonly error: string };

/**
 * Answers requests until standard input ends, as it does when the one that steers is gone; then the
 * process ends.
 */
export async function serve<Api extends Methods<Api>>(api: Api): Promise<never> {
  const methods = api as unknown as Readonly<Record<string, (a: unknown) => Promise<unknown>>>;
  for await (const line of linesOf(Deno.stdin.readable)) {
    const request = JSON.parse(line) as Request;
    answer(methods, request).then((reply) => console.log(JSON.stringify(reply)));
  }
  Deno.exit(0);
}

async function answer(
  methods: Readonly<Record<string, (argument: unknown) => Promise<unknown>>>,
  { id, method, argument }: Request,
): Promise<Reply> {
  try {
    const own = methods[method];
    if (own === undefined) throw new Error(`there is no ${method}`);
    return { id, result: await own.call(methods, argument) };
  } catch (error) {
    return { id, error: (error as Error).message };
  }
}

/** The lines of a stream, without their ends. */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** The one argument that a process of a measurement is started with. */
export function options<T>(): T {
  return JSON.parse(Deno.args[0] ?? "{}") as T;
}
