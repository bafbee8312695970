/**
 * Waiting with an end, and for nothing.
 *
 * @module
 */

/**
 * What is waited for.
 *
 * @throws {Error} if it does not come within this time: `{what} within {ms} ms`.
 */
export async function within<T>(ms: number, what: string, wanted: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} within ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([wanted, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves after this time. */
export async function sleep(ms: number): Promise<void> {
  await new Promise((over) => setTimeout(over, ms));
}
