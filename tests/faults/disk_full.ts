/**
 * Row 7: the disk is full.
 *
 * @module
 */

import { param } from "../e2e/setup.ts";
import { Bench } from "./bench.ts";
import type { LaneOptions } from "./lane.ts";
import { stopQuietBroker } from "./lanes.ts";
import type { Outcome } from "./outcome.ts";
import type { Row } from "./row.ts";

/** How a disk is small: a file system of its own, or no file may grow further. */
export type SmallDisk = "file system" | "file size limit";

/** How the row is run. */
export interface DiskFullOptions {
  /** Events a second. */
  readonly rate: number;
  /** How long events are fired while the broker is away. */
  readonly seconds: number;
  /** How the disk is small. */
  readonly disk: SmallDisk;
}

const DISK_MIB = 4;
const CONNECTION = [param("spool", "disk")];
const LANES: readonly LaneOptions[] = [
  { name: "qos 1", qos: 1, connection: CONNECTION },
  { name: "qos 2", qos: 2, connection: CONNECTION },
];

/** Command lines that run the agent, which follows them, on a small disk. */
const WRAPS: Readonly<Record<SmallDisk, readonly string[]>> = {
  // The mount is seen by the agent alone, and goes with it.
  "file system": [
    "unshare",
    "--mount",
    "sh",
    "-c",
    `mkdir "$0" && mount -t tmpfs -o size=${DISK_MIB}m none "$0" && exec "$@"`,
    "{folder}/state",
  ],
  // Ignored, SIGXFSZ becomes the error EFBIG (setrlimit(2)). The unit is 512 bytes (POSIX, ulimit).
  "file size limit": ["sh", "-c", `trap "" XFSZ; ulimit -f ${DISK_MIB * 2048}; exec "$@"`, "sh"],
};

/** Whether this user may mount a file system of its own. */
async function mayMount(): Promise<boolean> {
  const [program = "", ...args] = [...WRAPS["file system"], "true"];
  const folder = await Deno.makeTempDir({ prefix: "fsmqtt-mount-" });
  try {
    const command = new Deno.Command(program, {
      args: args.map((word) => word.replaceAll("{folder}", folder)),
      stderr: "null",
    });
    return (await command.output()).success;
  } catch {
    return false;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Fires more than the disk holds while the broker is away. */
export async function diskFull({ rate, seconds, disk }: DiskFullOptions): Promise<Outcome[]> {
  await using bench = await Bench.start({
    lanes: LANES,
    settings: { "event-queue-size": 100 },
    wrap: WRAPS[disk],
  });
  const { source, brokers: [broker] } = bench;
  // What is lost is what is dropped.
  await stopQuietBroker(bench, rate);
  source.start(rate);
  await source.fires(seconds * rate);
  await broker?.start();
  await bench.connections("it is connected again", ({ state }) => state === "connected");
  // What it gives up it gives up while it is full, not afterwards.
  await source.fires(rate);
  await bench.settle();
  const said = (name: string) =>
    bench.agent.log.split("\n").find((line) =>
      line.includes(`[ERROR] faults/${name}: `) && /space|size limit/.test(line)
    );
  return bench.outcomes(7, { drops: "counted" }, ({ name }) => [
    disk,
    `said "${said(name) ?? "nothing"}"`,
  ]).map((outcome) => {
    const failures = [...outcome.failures];
    if (outcome.tally.lost === 0) failures.push("the disk was not full");
    if (said(outcome.lane) === undefined) failures.push("the log does not say that it was full");
    return { ...outcome, failures };
  });
}

/** The row. */
export const row: Row = {
  number: 7,
  title: "disk full",
  short: async () =>
    await diskFull({
      rate: 2_300,
      seconds: 2,
      disk: await mayMount() ? "file system" : "file size limit",
    }),
  long: async () => {
    const outcomes = await diskFull({ rate: 2_300, seconds: 10, disk: "file size limit" });
    if (!await mayMount()) return outcomes;
    return [...outcomes, ...await diskFull({ rate: 2_300, seconds: 10, disk: "file system" })];
  },
};
