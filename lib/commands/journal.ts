/**
 * A file of lines that a kill -9 does not take back, and that holds little more than what counts.
 *
 * @module
 */

import { dirname } from "node:path";
import type { Clock } from "../clock.ts";
import { fileFault } from "../file_fault.ts";

/** What the file has to say, apart from how it came to it. */
export interface JournalContent {
  /** How many lines that takes. */
  size(): number;
  /** These lines, without line ends. */
  lines(): Iterable<string>;
}

/** What a {@linkcode Journal} needs. */
export interface JournalOptions {
  /** The file. It is made with its folder, readable to nobody else. */
  readonly path: string;
  /** What it has to say. */
  readonly content: JournalContent;
  /** For new attempts while the disk is in trouble. */
  readonly clock: Clock;
  /** Hears once that the file cannot be written, and once when it can be again. */
  readonly complain: (text: string) => void;
}

/** So many lines more than twice what is needed may be there: a short file is left alone. */
export const SPARE_LINES = 1_000;
/** So long after a failure it is tried again. */
const RETRY_MS = 10_000;
/** More than is ever written; of a larger file the end is read. */
const MAX_BYTES_READ = 64 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
/** In characters. */
const LONGEST_LINE = 64 * 1024;
/** What a longer line begins with, which no line of ours does. */
const TOO_LONG = "…";

const encoder = new TextEncoder();

/** A file being written. */
interface Written {
  readonly file: Deno.FsFile;
  lines: number;
}

/**
 * Each line is handed to the system before {@linkcode Journal.append} returns, and is on the disk
 * soon after. Only a file that was written whole is appended to: after a failure everything is
 * written anew under another name, which then becomes the file's.
 */
export class Journal {
  readonly #path: string;
  readonly #content: JournalContent;
  readonly #clock: Clock;
  readonly #complain: (text: string) => void;
  /** What is appended to; none while that is not possible. */
  #current: Written | undefined;
  /** What becomes the file when the disk has it. Until then lines go to both. */
  #draft: Written | undefined;
  #finishing: Promise<void> | undefined;
  /** With fewer lines it is not written anew. */
  #patience = 0;
  #isSynced = true;
  /** Its folder does not know its name for good. */
  #isRenamed = false;
  #syncing: Promise<void> | undefined;
  /** What was said last: it cannot be written, or only not anew. */
  #trouble: "lost" | "growing" | undefined;
  #cancelRetry = () => {};
  #isClosed = false;

  private constructor({ path, content, clock, complain }: JournalOptions) {
    this.#path = path;
    this.#content = content;
    this.#clock = clock;
    this.#complain = complain;
  }

  /** Writes the file, over the former one. Where that fails it is tried again every 10 s. */
  static begin(options: JournalOptions): Journal {
    const journal = new Journal(options);
    journal.#writeAtOnce();
    return journal;
  }

  /** Whether a kill -9 takes back none of the lines so far. */
  get isLasting(): boolean {
    return this.#current !== undefined && !this.#isClosed;
  }

  /** Adds a line, when the content says the same already. It never throws. */
  append(line: string): void {
    if (this.#isClosed) return;
    const bytes = encoder.encode(line + "\n");
    this.#appendToDraft(bytes);
    if (this.#current === undefined) return;
    try {
      writeFully(this.#current.file, bytes);
    } catch (error) {
      this.#lose(error);
      return;
    }
    this.#current.lines++;
    this.#syncSoon();
    const enough = Math.max(this.#patience, 2 * this.#content.size() + SPARE_LINES);
    if (this.#current.lines > enough) this.#rewrite();
  }

  /**
   * Nothing is taken any more, and nothing is done to the file later. Resolves when the disk has
   * what there was, which need not be waited for.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelRetry();
    // Nothing takes the file's name later, when it may be another agent's.
    this.#dropDraft();
    if (this.#current === undefined) this.#writeAtOnce();
    await this.#finishing;
    await this.#syncing;
    this.#current?.file.close();
    this.#current = undefined;
  }

  get #draftPath(): string {
    return `${this.#path}.new`;
  }

  /** At the start and at the end, when nothing else waits for it. */
  #writeAtOnce(): void {
    try {
      const draft = this.#newDraft();
      try {
        draft.file.syncDataSync();
        Deno.renameSync(this.#draftPath, this.#path);
      } catch (error) {
        draft.file.close();
        this.#removeDraft();
        throw error;
      }
      this.#become(draft);
    } catch (error) {
      this.#lose(error);
    }
  }

  #rewrite(): void {
    if (this.#draft !== undefined || this.#isClosed) return;
    try {
      this.#draft = this.#newDraft();
    } catch (error) {
      this.#giveUpDraft(error);
      return;
    }
    this.#finishing = this.#finish(this.#draft).finally(() => this.#finishing = undefined);
  }

  async #finish(draft: Written): Promise<void> {
    try {
      await draft.file.syncData();
      if (this.#draft !== draft) return;
      Deno.renameSync(this.#draftPath, this.#path);
    } catch (error) {
      if (this.#draft === draft) this.#giveUpDraft(error);
      return;
    }
    this.#draft = undefined;
    this.#become(draft);
  }

  /** A file that says all there is to say now. */
  #newDraft(): Written {
    Deno.mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    // What a killed process has left may be another's to read.
    this.#removeDraft();
    const file = Deno.openSync(this.#draftPath, {
      create: true,
      truncate: true,
      write: true,
      mode: 0o600,
    });
    try {
      return { file, lines: writeLines(file, this.#content.lines()) };
    } catch (error) {
      file.close();
      this.#removeDraft();
      throw error;
    }
  }

  #appendToDraft(bytes: Uint8Array): void {
    if (this.#draft === undefined) return;
    try {
      writeFully(this.#draft.file, bytes);
      this.#draft.lines++;
    } catch (error) {
      this.#giveUpDraft(error);
    }
  }

  #become(draft: Written): void {
    this.#current?.file.close();
    this.#current = draft;
    this.#patience = 0;
    if (this.#trouble !== undefined) this.#complain(`${this.#path} can be written again`);
    this.#trouble = undefined;
    this.#isRenamed = true;
    // With what came meanwhile.
    this.#syncSoon();
  }

  #dropDraft(): void {
    if (this.#draft === undefined) return;
    this.#draft.file.close();
    this.#draft = undefined;
    this.#removeDraft();
  }

  /** It may take the room that is missing. */
  #removeDraft(): void {
    try {
      Deno.removeSync(this.#draftPath);
    } catch {
      // There is none, or the disk is in trouble, which is said.
    }
  }

  #giveUpDraft(error: unknown): void {
    this.#dropDraft();
    if (this.#current === undefined) {
      this.#lose(error);
      return;
    }
    this.#patience = 2 * this.#current.lines;
    this.#say("growing", `Cannot write ${this.#path} anew, it grows: ${fileFault(error)}`);
  }

  /** What was written is not to be trusted any more. */
  #lose(error: unknown): void {
    this.#current?.file.close();
    this.#current = undefined;
    const fault = `Cannot write ${this.#path}: ${fileFault(error)}`;
    this.#say("lost", `${fault}. Until it can be written, a restart forgets which commands came`);
    if (this.#isClosed || this.#draft !== undefined) return;
    this.#cancelRetry();
    this.#cancelRetry = this.#clock.after(RETRY_MS, () => this.#rewrite());
  }

  #say(trouble: "lost" | "growing", text: string): void {
    if (this.#trouble === trouble) return;
    this.#trouble = trouble;
    this.#complain(text);
  }

  /** One at a time: what comes meanwhile is synced with the next. */
  #syncSoon(): void {
    this.#isSynced = false;
    this.#syncing ??= this.#sync().finally(() => this.#syncing = undefined);
  }

  async #sync(): Promise<void> {
    while (!this.#isSynced && this.#current !== undefined) {
      this.#isSynced = true;
      const { file } = this.#current;
      try {
        await file.syncData();
        if (this.#isRenamed) await this.#syncFolder();
      } catch (error) {
        // A file that was replaced meanwhile matters no more.
        if (file === this.#current?.file) this.#lose(error);
      }
    }
  }

  /** So that a power cut does not bring back the file that was replaced. */
  async #syncFolder(): Promise<void> {
    this.#isRenamed = false;
    try {
      const folder = await Deno.open(dirname(this.#path));
      try {
        await folder.syncData();
      } finally {
        folder.close();
      }
    } catch {
      // Some file systems do not do that.
    }
  }
}

/**
 * The lines of a file that nobody may trust; none if it does not exist. The last line may have no
 * end, and what is left of lines of absurd length makes no sense.
 *
 * @throws if it cannot be read, or is no file.
 */
export function* readJournal(path: string, complain: (text: string) => void): Generator<string> {
  // To open a pipe would wait for its other end.
  if (!isThere(path)) return;
  const file = Deno.openSync(path);
  try {
    yield* linesIn(file, path, complain);
  } finally {
    file.close();
  }
}

function* linesIn(
  file: Deno.FsFile,
  path: string,
  complain: (text: string) => void,
): Generator<string> {
  const { size } = file.statSync();
  if (size > MAX_BYTES_READ) {
    complain(`${path} is larger than it can be: of ${size} bytes, only the last 64 MiB are read`);
    file.seekSync(size - MAX_BYTES_READ, Deno.SeekMode.Start);
  }
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(CHUNK_BYTES);
  let rest = "";
  for (let read = file.readSync(chunk); read !== null; read = file.readSync(chunk)) {
    const text = decoder.decode(chunk.subarray(0, read), { stream: true });
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LONGEST_LINE) rest = TOO_LONG;
    yield* lines;
  }
  if (rest !== "") yield rest;
}

function isThere(path: string): boolean {
  try {
    if (Deno.statSync(path).isFile) return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  throw new Error("It is not a regular file");
}

/** Writes lines in large pieces; how many they were. */
function writeLines(file: Deno.FsFile, lines: Iterable<string>): number {
  let count = 0;
  let piece = "";
  for (const line of lines) {
    count++;
    piece += line + "\n";
    if (piece.length < CHUNK_BYTES) continue;
    writeFully(file, encoder.encode(piece));
    piece = "";
  }
  writeFully(file, encoder.encode(piece));
  return count;
}

function writeFully(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}
