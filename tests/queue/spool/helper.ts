/** What the tests of the spool share. */

import { strictEqual } from "node:assert";
import { join } from "node:path";
import { SpoolFile } from "../../../lib/queue/spool/file.ts";
import type { Changes, Contents, Damage, Row } from "../../../lib/queue/spool/rows.ts";

/** So much of everything. */
export const ALL = { messages: Infinity, bytes: Infinity };

/** A row whose content tells its number, with a payload of this size. */
export function row(number: number, bytes = 4_400, rest: Partial<Row> = {}): Row {
  const payload = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at++) payload[at] = (number * 31 + at * 7 + (at >> 8)) & 255;
  return {
    row: number,
    offeredAt: 1_795_000_000_000 + number,
    topic: `fs/événement/${number % 7}`,
    payload,
    qos: number % 2 === 0 ? 2 : 1,
    retain: number % 3 === 0,
    counter: `profile\u0000topic ${number % 2}`,
    delivery: undefined,
    ...rest,
  };
}

/** The rows from one number to another. */
export function rows(from: number, to: number, bytes?: number): Row[] {
  return Array.from({ length: to - from + 1 }, (_, index) => row(from + index, bytes));
}

/** Changes; what is not named is empty. */
export function changes(some: Partial<Changes>): Changes {
  return { remove: [], insert: [], update: [], ...some };
}

/** Fails unless a row is what `row` makes of its number, apart from the delivery. */
export function assertWhole(found: Row): void {
  const wanted = row(found.row, found.payload.length);
  strictEqual(fingerprint(found), fingerprint(wanted), `row ${found.row}`);
}

/** A row in one string, apart from its delivery. */
export function fingerprint({ delivery: _, payload, ...rest }: Row): string {
  return JSON.stringify(rest) + new TextDecoder("latin1").decode(payload);
}

/** The numbers of rows. */
export function numbers(found: readonly Row[]): number[] {
  return found.map(({ row }) => row);
}

/** From one number to another. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** An open spool, and what it has told of damage. */
export interface Opened extends Disposable {
  readonly file: SpoolFile;
  readonly contents: Contents;
  readonly damage: Damage | undefined;
  readonly told: { readonly damage: Damage; readonly contents: Contents }[];
}

/** Opens a spool file. */
export function open(path: string, date: () => Date = () => new Date()): Opened {
  const told: Opened["told"] = [];
  const opened = SpoolFile.open(path, {
    damaged: (damage, contents) => told.push({ damage, contents }),
    date,
  });
  return { ...opened, told, [Symbol.dispose]: () => opened.file.close() };
}

/** A folder that goes with the test. */
export interface Folder extends Disposable {
  readonly path: string;
  /** The path of a file in it. */
  file(name: string): string;
  /** The names of the files in it, sorted. */
  names(): string[];
}

/** Makes a folder. */
export function folder(): Folder {
  const path = Deno.makeTempDirSync({ prefix: "fsmqtt-spool-" });
  return {
    path,
    file: (name) => join(path, name),
    names: () => Array.from(Deno.readDirSync(path), ({ name }) => name).sort(),
    [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }),
  };
}

/** A spool without -wal file that holds these rows. */
export function filled(path: string, some: readonly Row[]): void {
  using opened = open(path);
  for (let at = 0; at < some.length; at += 100) {
    opened.file.apply([changes({ insert: some.slice(at, at + 100) })], false);
  }
}

/** Numbers from 0 to 1 that look random and are the same at each run. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
