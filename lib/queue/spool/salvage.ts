/**
 * Beginning a spool file anew, so that a crash in the middle leaves either the old one or the new
 * one, never half of one.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { SpoolDatabase } from "./database.ts";
import { DamagedDatabase } from "./damaged_database.ts";
import { syncToDisk } from "../../open_file.ts";
import { type Damage, type Row, rowBytes } from "./rows.ts";
import type { SpoolBooks } from "./database.ts";

/** A new file that is not complete yet. */
const DRAFT = ".new";

/** A complete one whose predecessor is not yet set aside. */
const COMPLETE = ".salvaged";

/** So many damaged files are kept of a spool: they are of use to nobody but a curious human. */
const KEPT = 3;

/** Rows are saved in transactions of this size. */
const BATCH_BYTES = 4 * 1024 * 1024;

/** Makes a spool without rows at this path; what lies there is replaced. */
export function createEmpty(path: string, lastRow = 0): void {
  const draft = `${path}${DRAFT}`;
  removeDatabase(draft);
  SpoolDatabase.create(draft, lastRow);
  remove(`${path}-wal`);
  Deno.renameSync(draft, path);
  syncFolder(path);
}

/**
 * Sets a damaged file aside and begins a new one with what can be read of it. `known` is what it
 * held, where that is known better than the file itself can tell.
 */
export function salvage(
  path: string,
  reason: string,
  known: SpoolBooks | undefined,
  date: Date,
): Damage {
  const draft = `${path}${DRAFT}`;
  removeDatabase(draft);
  const damaged = exists(path) ? openDamaged(path) : undefined;
  let books: SpoolBooks | undefined;
  let saved = 0;
  try {
    books = known ?? damaged?.books;
    SpoolDatabase.create(draft, books?.lastRow ?? 0);
    const fresh = SpoolDatabase.open(draft);
    try {
      for (const rows of inBatches(damaged?.rows(books?.lastRow) ?? [])) {
        fresh.apply([{ remove: [], insert: rows, update: [] }], true);
      }
      saved = fresh.books.messages;
    } finally {
      fresh.close();
    }
  } finally {
    damaged?.close();
  }
  Deno.renameSync(draft, `${path}${COMPLETE}`);
  return {
    reason,
    setAside: install(path, date),
    saved,
    lost: books === undefined ? undefined : Math.max(0, books.messages - saved),
  };
}

/**
 * Ends what an earlier salvage began, if it was cut short. The result tells what became of the
 * damaged file, or is `undefined` if there was nothing to end.
 */
export function endSalvage(path: string, date: Date): Damage | undefined {
  removeDatabase(`${path}${DRAFT}`);
  if (!exists(`${path}${COMPLETE}`)) return undefined;
  const setAside = install(path, date);
  const saved = SpoolDatabase.open(path);
  const { messages } = saved.books;
  saved.close();
  return {
    reason: "it was found damaged before, and saving it was cut short",
    setAside,
    saved: messages,
    lost: undefined,
  };
}

/** Whether there is a file of this name. */
export function exists(path: string): boolean {
  return sizeOf(path) !== undefined;
}

/** How large a file is, in bytes, if it is there. */
export function sizeOf(path: string): number | undefined {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Sets the old file aside and puts the complete one in its place. */
function install(path: string, date: Date): string | undefined {
  const aside = freeName(`${path}.damaged-${date.toISOString().replace(/[-:]|\.\d+/g, "")}`);
  // The -wal file first: SQLite would take it for one of the new file.
  if (exists(`${path}-wal`)) Deno.renameSync(`${path}-wal`, `${aside}-wal`);
  const there = exists(path);
  if (there) Deno.renameSync(path, aside);
  remove(`${path}-shm`);
  Deno.renameSync(`${path}${COMPLETE}`, path);
  syncFolder(path);
  prune(path);
  return there || exists(`${aside}-wal`) ? aside : undefined;
}

/** Two in a second get names of their own, in their order. */
function freeName(wanted: string): string {
  for (let count = 1;; count++) {
    const name = count === 1 ? wanted : `${wanted}-${String(count).padStart(3, "0")}`;
    if (!exists(name) && !exists(`${name}-wal`)) return name;
  }
}

function prune(path: string): void {
  const prefix = `${basename(path)}.damaged-`;
  const names = Array.from(Deno.readDirSync(dirname(path)), ({ name }) => name)
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.replace(/-wal$/, ""));
  const old = [...new Set(names)].sort().slice(0, -KEPT);
  for (const name of old) removeDatabase(join(dirname(path), name));
}

function openDamaged(path: string): DamagedDatabase | undefined {
  try {
    return new DamagedDatabase(path);
  } catch {
    return undefined;
  }
}

function* inBatches(rows: Iterable<Row>): Generator<Row[]> {
  let batch: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    batch.push(row);
    bytes += rowBytes(row);
    if (bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

function removeDatabase(path: string): void {
  for (const end of ["-wal", "-shm", "-journal", ""]) remove(`${path}${end}`);
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** So that a new name outlives a power cut. */
function syncFolder(path: string): void {
  syncToDisk(dirname(path));
}
