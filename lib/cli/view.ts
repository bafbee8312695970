/**
 * What shows one state after another: a terminal redrawn in place, or else block after block.
 *
 * @module
 */

/** Where one state after another is shown. */
export interface View extends Disposable {
  /** Aborted when nobody looks any more: Ctrl-C, an end by signal, or a reader that went away. */
  readonly closed: AbortSignal;
  /** Shows these lines in place of the former ones; control characters must be out of them. */
  show(lines: readonly string[]): void;
}

/** What a view needs of standard output. */
export interface Surface {
  /** Writes all of it, or throws. */
  write(text: string): void;
  /** How much fits, in characters; `undefined` where it is no terminal that can be redrawn. */
  size(): Size | undefined;
}

/** The size of a terminal in characters. */
export interface Size {
  /** Characters on a line. */
  readonly columns: number;
  /** Lines. */
  readonly rows: number;
}

/** A serial console does not know its size (VT100). */
const USUAL_SIZE: Size = { columns: 80, rows: 24 };

const ENDS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

// Control sequences of xterm: another screen, no wrapping, no cursor; and back.
const ENTER = "\x1b[?1049h\x1b[?7l\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?7h\x1b[?1049l";
const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

/** Standard output. */
export const stdoutSurface: Surface = {
  write(text) {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
  },
  size() {
    if (!Deno.stdout.isTerminal() || Deno.env.get("TERM") === "dumb") return undefined;
    const { columns, rows } = Deno.consoleSize();
    return columns > 0 && rows > 0 ? { columns, rows } : USUAL_SIZE;
  },
};

/** Opens a view. Until it is disposed of, the signals that end a program close it. */
export function openView(surface: Surface = stdoutSurface): View {
  return new OpenView(surface);
}

/** As much of the lines as fits; the last line tells how many are left out. */
export function fit(lines: readonly string[], { columns, rows }: Size): string[] {
  const tooMany = lines.length > rows;
  const shown = tooMany ? lines.slice(0, rows - 1) : lines;
  const rest = tooMany ? [`… ${lines.length - shown.length} more lines`] : [];
  return [...shown, ...rest].map((line) => [...line].slice(0, columns).join(""));
}

class OpenView implements View {
  readonly #surface: Surface;
  readonly #isTerminal: boolean;
  readonly #closing = new AbortController();
  readonly #close = () => this.#closing.abort();
  readonly #redraw = () => this.show(this.#lines);
  #lines: readonly string[] = [];
  #isFirst = true;

  constructor(surface: Surface) {
    this.#surface = surface;
    this.#isTerminal = surface.size() !== undefined;
    for (const signal of ENDS) Deno.addSignalListener(signal, this.#close);
    if (!this.#isTerminal) return;
    Deno.addSignalListener("SIGWINCH", this.#redraw);
    // Suspended, it would leave the shell on a screen without a cursor.
    Deno.addSignalListener("SIGTSTP", ignore);
    this.#write(ENTER);
  }

  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  show(lines: readonly string[]): void {
    this.#lines = lines;
    const size = this.#isTerminal ? this.#surface.size() : undefined;
    if (size !== undefined) {
      // Written over the former lines, and at once: cleared first, it would flicker.
      const text = fit(lines, size).map((line) => line + CLEAR_LINE).join("\r\n");
      this.#write(HOME + text + CLEAR_BELOW);
    } else {
      this.#write(`${this.#isFirst ? "" : "\n"}${lines.join("\n")}\n`);
    }
    this.#isFirst = false;
  }

  [Symbol.dispose](): void {
    for (const signal of ENDS) Deno.removeSignalListener(signal, this.#close);
    if (!this.#isTerminal) return;
    Deno.removeSignalListener("SIGWINCH", this.#redraw);
    Deno.removeSignalListener("SIGTSTP", ignore);
    this.#write(LEAVE);
  }

  /** A terminal that hung up, or a pipe that nobody reads, is not written to again. */
  #write(text: string): void {
    try {
      this.#surface.write(text);
    } catch {
      this.#close();
    }
  }
}

function ignore(): void {}
