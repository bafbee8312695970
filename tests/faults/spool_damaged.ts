/**
 * Row 8: the spool's file is damaged.
 *
 * @module
 */

import { join } from "node:path";
import { param } from "../e2e/setup.ts";
import { eventually } from "../support/agent_process.ts";
import { Bench } from "./bench.ts";
import type { LaneOptions } from "./lane.ts";
import type { Outcome } from "./outcome.ts";
import { Random } from "./random.ts";
import type { Row } from "./row.ts";

/** What becomes of the file: while the agent is stopped, after it was killed, or while it runs. */
export type DamageKind = "truncated" | "log truncated" | "overwritten";

const KINDS: readonly DamageKind[] = ["truncated", "log truncated", "overwritten"];

/** How the row is run. */
export interface SpoolDamagedOptions {
  /** Events a second. */
  readonly rate: number;
  /** How often each damage is done. */
  readonly repetitions: number;
  /** Where the randomness begins. */
  readonly seed: number;
}

const CONNECTION = [param("spool", "disk")];
const LANES: readonly LaneOptions[] = [
  { name: "qos 1", qos: 1, connection: CONNECTION },
  { name: "qos 2", qos: 2, connection: CONNECTION },
];
/** How the names of spools end. */
const SUFFIX = ".spool";
/** So much has to be on disk before it is damaged. */
const FILLED_BYTES = 200_000;

/** Damages the spools of an agent whose broker is away. */
export async function spoolDamaged(
  kind: DamageKind,
  { rate, seed }: SpoolDamagedOptions,
): Promise<Outcome[]> {
  const random = new Random(seed);
  // Little stays in memory, so that the file is needed.
  await using bench = await Bench.start({
    lanes: LANES,
    settings: { "event-queue-size": 50 },
  });
  const { source, agent, brokers: [broker] } = bench;
  await broker?.stop();
  await bench.connections("the end is noticed", ({ state }) => state !== "connected");
  source.start(rate);
  await source.fires(rate);
  const spools = join(agent.folder, "state");
  await eventually("the spools are filled", async () => {
    const sizes = await Promise.all(
      (await databases(spools)).map(async (file) =>
        await sizeOf(file) + await sizeOf(`${file}-wal`)
      ),
    );
    return sizes.length === LANES.length && sizes.every((size) => size >= FILLED_BYTES) ||
      undefined;
  });
  if (kind !== "overwritten") {
    source.stop();
    if (kind === "truncated") {
      bench.expectEnd();
      await agent.stop();
    } else {
      await bench.kill();
    }
  }
  const files = await databases(spools);
  for (const file of files) await damage(file, kind, random);
  if (kind !== "overwritten") {
    await bench.revive();
    for (const { ledger } of bench.lanes) {
      ledger.excuse(0, performance.now(), "in the damaged file");
    }
    source.start(rate);
  }
  await source.fires(rate);
  await broker?.start();
  await source.fires(rate);
  const restarted = kind !== "overwritten";
  await bench.settle({ newBooks: restarted });
  const said = (name: string) =>
    agent.log.split("\n").find((line) => line.includes(`/${name}: `) && /damage/i.test(line));
  const allowed = restarted
    ? { newBooks: true, repeats: true, drops: "any" } as const
    : { drops: "counted" } as const;
  return bench.outcomes(8, allowed, ({ name }) => [`said "${said(name) ?? "nothing"}"`]).map(
    (outcome) => {
      const failures = [...outcome.failures];
      // A write-ahead log that ends early looks like one that was not written further.
      const isLoud = said(outcome.lane) !== undefined || outcome.tally.lost === 0 ||
        kind === "log truncated";
      if (!isLoud) failures.push("the log does not say that the spool was damaged");
      const [, told] = /(\d+) events are lost/.exec(said(outcome.lane) ?? "") ?? [];
      if (told !== undefined && Number(told) < outcome.tally.lost) {
        failures.push(`the log tells of ${told} lost events`);
      }
      return { ...outcome, lane: `${outcome.lane} ${kind}`, failures };
    },
  );
}

async function damage(file: string, kind: DamageKind, random: Random): Promise<void> {
  if (kind === "overwritten") {
    for (const each of [file, `${file}-wal`]) await overwrite(each, random);
    return;
  }
  const target = kind === "truncated" ? file : `${file}-wal`;
  await Deno.truncate(target, random.between(0, await sizeOf(target) - 1));
}

/** Puts random bytes into each tenth of a file, more than once a page. */
async function overwrite(path: string, random: Random): Promise<void> {
  const size = await sizeOf(path);
  using file = await Deno.open(path, { write: true });
  for (let at = 0; at < size; at += random.between(1, Math.ceil(size / 10))) {
    await file.seek(at, Deno.SeekMode.Start);
    const junk = Uint8Array.from({ length: 512 }, () => random.between(0, 255));
    await file.write(junk.subarray(0, size - at));
  }
}

/** The spools in a state folder. */
async function databases(folder: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  return names.filter((name) => name.endsWith(SUFFIX)).map((name) => join(folder, name)).sort();
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await Deno.stat(path)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

async function allDamages(options: SpoolDamagedOptions): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let i = 0; i < options.repetitions; i++) {
    for (const kind of KINDS) {
      outcomes.push(...await spoolDamaged(kind, { ...options, seed: options.seed + i }));
    }
  }
  return outcomes;
}

/** The row. */
export const row: Row = {
  number: 8,
  title: "spool file damaged at random",
  short: (seed) => allDamages({ rate: 230, repetitions: 1, seed }),
  long: ({ seed }) => allDamages({ rate: 230, repetitions: 5, seed }),
};
