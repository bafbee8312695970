/**
 * What SQLite says when something fails: whether a file is damaged, or is only out of reach.
 *
 * @module
 */

/** A file of ours that cannot be what we wrote. */
export class DamageError extends Error {
  /** Its name, for logs. */
  override readonly name: string = "DamageError";
}

/**
 * The messages of SQLITE_CORRUPT, SQLITE_NOTADB and of a schema that is not ours; node:sqlite of Deno
 * tells no codes. A value "too large" is an integer that we never write.
 */
const DAMAGE =
  /malformed|not a database|unsupported file format|no such (?:table|column)|has no column|too large to be represented/;

/** In SQLite's words: the system refused to read or write, which says nothing about the content. */
const INPUT_OUTPUT = "disk I/O error";

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/disk is full/, "No space left on device"],
  [/disk I\/O error/, "the disk cannot be read or written, or a size limit is reached"],
  [/readonly database/, "the file or its file system cannot be written"],
  [/is locked|is busy/, "another process has it open"],
];

/** Whether an error means that the content of the file is not to be trusted. */
export function isDamage(error: unknown): boolean {
  return error instanceof DamageError || DAMAGE.test(textOf(error));
}

/** Whether the system refused to read or write. */
export function isInputOutput(error: unknown): boolean {
  return textOf(error).includes(INPUT_OUTPUT);
}

/** Whether there may be no room; a file that has reached a limit of its size looks the same. */
export function isNoRoom(error: unknown): boolean {
  return isInputOutput(error) || textOf(error).includes("disk is full");
}

/** What SQLite or the system said, in words for a log. */
export function spoolFault(error: unknown): string {
  const text = textOf(error);
  return WORDS.find(([pattern]) => pattern.test(text))?.[1] ?? text.replace(/ \(os error.*$/s, "");
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
