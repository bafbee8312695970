/**
 * The few functions of the C library that Deno has no words for: datagrams to the service manager,
 * and a signal that is to do nothing.
 *
 * @module
 */

/** The functions that are used (socket(2), send(2), signal(2), clock_getres(2)). */
const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  sendto: {
    parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"],
    result: "isize",
  },
  signal: { parameters: ["i32", "pointer"], result: "pointer" },
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  // glibc's alone.
  malloc_trim: { parameters: ["usize"], result: "i32", optional: true },
} as const satisfies Deno.ForeignLibraryInterface;

/**
 * The C library by the names under which this process has it already, glibc's and musl's: with
 * these the loader searches nothing.
 */
const LIBRARIES: readonly string[] = ["libc.so.6", `libc.musl-${Deno.build.arch}.so.1`];

// The same on all architectures that Deno is made for.
const AF_UNIX = 1;
const SOCK_DGRAM = 0o2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const CLOCK_MONOTONIC = 1;
const SIGUSR1 = 10;
const SIG_IGN = 1n;

/** The bytes of `sun_path` in unix(7). */
const MAX_PATH_BYTES = 108;

/** The C library, opened. It goes on working when the permission for foreign code is given up. */
export class Libc {
  readonly #functions: Deno.StaticForeignLibraryInterface<typeof SYMBOLS>;
  readonly #ignore: Deno.PointerValue;
  /** -1 if there is none: then nothing is sent. */
  readonly #socket: number;

  /**
   * Opens the first of these libraries that is there.
   *
   * @throws if foreign code is not permitted, or none of them is there: "Cannot use the C library:
   * reason".
   */
  constructor(libraries: readonly string[] = LIBRARIES) {
    this.#functions = open(libraries);
    // Made here, because that takes the permission, too.
    this.#ignore = Deno.UnsafePointer.create(SIG_IGN);
    this.#socket = this.#functions.socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  }

  /**
   * Sends a datagram to a unix socket: a path, or with `@` in front a name in Linux's abstract
   * namespace. It never waits. Returns whether it was taken: not if nobody listens there, if the
   * receiver has no room at present, or if the address is none.
   */
  send(address: string, text: string): boolean {
    const bytes = new TextEncoder().encode(text);
    const to = socketAddress(address);
    if (to === undefined) return false;
    const sent = this.#functions.sendto(
      this.#socket,
      bytes,
      BigInt(bytes.length),
      MSG_DONTWAIT | MSG_NOSIGNAL,
      to,
      to.length,
    );
    return sent === BigInt(bytes.length);
  }

  /**
   * Makes SIGUSR1 do nothing, for good. Deno opens its inspector on 127.0.0.1:9229 at that signal,
   * whatever the permissions, to anybody on this machine.
   */
  keepInspectorShut(): void {
    // Deno puts its handler in place once for a process, some time after the start: a listener has it
    // done now, so that it does not come after this.
    Deno.addSignalListener("SIGUSR1", () => {});
    this.#functions.signal(SIGUSR1, this.#ignore);
  }

  /**
   * Gives what was freed back to the system (malloc_trim(3)). At a first start that is 30 MB: Deno has
   * parsed all modules, and glibc would hold what that took for good. With another C library it
   * does nothing.
   */
  giveBackMemory(): void {
    this.#functions.malloc_trim?.(0n);
  }

  /** CLOCK_MONOTONIC in microseconds, which is the service manager's scale. */
  monotonicUsec(): bigint {
    // A `struct timespec` of a 64-bit machine.
    const time = new BigInt64Array(2);
    this.#functions.clock_gettime(CLOCK_MONOTONIC, time);
    const [seconds = 0n, nanoseconds = 0n] = time;
    return seconds * 1_000_000n + nanoseconds / 1_000n;
  }
}

function open(libraries: readonly string[]) {
  // A grant for one library would not do: pointers need the whole.
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    throw new Error("Cannot use the C library: foreign code is not permitted (--allow-ffi)");
  }
  let fault: unknown;
  for (const library of libraries) {
    try {
      return Deno.dlopen(library, SYMBOLS).symbols;
    } catch (error) {
      fault ??= error;
    }
  }
  throw new Error(`Cannot use the C library: ${(fault as Error).message}`);
}

/** A `struct sockaddr_un` (unix(7)), or `undefined` if the address is none. */
function socketAddress(address: string): Uint8Array<ArrayBuffer> | undefined {
  const isAbstract = address.startsWith("@");
  if (!isAbstract && !address.startsWith("/")) return undefined;
  // An abstract name begins with a zero byte, a path ends with one.
  const path = new TextEncoder().encode(isAbstract ? `\0${address.slice(1)}` : `${address}\0`);
  if (path.length > MAX_PATH_BYTES) return undefined;
  const family = new Uint8Array(Uint16Array.of(AF_UNIX).buffer);
  return Uint8Array.of(...family, ...path);
}
