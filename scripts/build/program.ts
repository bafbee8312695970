/**
 * Other programs, run to their end.
 *
 * @module
 */

/** What a program came to. */
export interface Ended {
  /** Its exit code; `undefined` if it took too long and was killed. */
  readonly code: number | undefined;
  /** What it wrote to standard output. */
  readonly out: string;
  /** What it wrote to standard error. */
  readonly err: string;
}

/** How a program is run. */
export interface ProgramOptions extends Pick<Deno.CommandOptions, "cwd" | "env" | "clearEnv"> {
  /** After this time it is killed. */
  readonly limitMs: number;
}

/**
 * Runs a program.
 *
 * @throws the error of {@link Deno.Command} if it cannot be started.
 */
export async function runProgram(
  [program = "", ...args]: readonly string[],
  { limitMs, ...options }: ProgramOptions,
): Promise<Ended> {
  const child = new Deno.Command(program, {
    args,
    ...options,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let tooLong = false;
  const timer = setTimeout(() => {
    tooLong = true;
    child.kill("SIGKILL");
  }, limitMs);
  try {
    const { code, stdout, stderr } = await child.output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
    return { code: tooLong ? undefined : code, out: text(stdout), err: text(stderr) };
  } finally {
    clearTimeout(timer);
  }
}

/** Runs Deno itself, without its colours and questions. */
export async function runDeno(
  args: readonly string[],
  { env, ...options }: ProgramOptions,
): Promise<Ended> {
  return await runProgram([Deno.execPath(), ...args], {
    ...options,
    env: { ...env, NO_COLOR: "1", DENO_NO_PROMPT: "1", DENO_NO_UPDATE_CHECK: "1" },
  });
}

/** What Deno complained of, without its words on what it is doing, and its stack trace. */
export function complaint({ err }: Ended): string {
  const [message = ""] = err.slice(Math.max(0, err.search(/^error: /m))).split(
    "\n\nStack backtrace",
  );
  return message.trim();
}
