/**
 * Failures of files as words.
 *
 * @module
 */

/** Why an operation on a file failed, in words: `No such file or directory`. */
export function fileFault(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/ \(os error.*$/s, "").replace(/^E[A-Z]+: ([^,]*),.*$/s, "$1");
}
