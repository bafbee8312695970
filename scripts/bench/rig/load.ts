/**
 * One load on a scene, measured.
 *
 * @module
 */

import { forgetPeak, residentOf } from "../../measure/memory.ts";
import type { Pace, Received } from "../wire/roles.ts";
import { cpuSeconds, machineTime } from "./processor.ts";
import type { Scene } from "./scene.ts";
import { within } from "./within.ts";

/** A load. */
export interface LoadOptions {
  /** How many events are sent before the measurement begins. */
  readonly warmUp: number;
  /** How many are measured. */
  readonly events: number;
  /** How fast; at full speed no more are under way than arrive soon. */
  readonly pace: Pace | "full";
  /** Called when the measurement begins. */
  readonly onWarm?: () => void;
}

/** What a load came to. */
export interface LoadResult {
  /** Events a second, sent. */
  readonly in: number;
  /** Events a second, arrived: from the first to the last. */
  readonly out: number;
  /** From the first that is measured was sent to the last arrived, in milliseconds. */
  readonly tookMs: number;
  /** Processor time of the contender for 100,000 events, in seconds. */
  readonly cpu: number;
  /** How much of the machine was busy, by it and all others: 1 is all processors. */
  readonly busy: number;
  /** Its resident memory at most, in bytes. */
  readonly peak: number;
  /** What arrived. */
  readonly received: Received;
  /** Events that did not arrive, or arrived again, or were none. */
  readonly lost: number;
}

/** So many events are under way at full speed: enough that nobody waits, and all keep up. */
const FULL = 2_000;
/** What has not arrived by then never will. */
const LIMIT_MS = 90_000;

/** Numbers of events go on from load to load. */
const sentBefore = new WeakMap<Scene, number>();

/** Sends one event as soon as somebody listens, and gives the time when it arrived. */
export async function firstEvent(scene: Scene): Promise<number> {
  return (await sendAndCount(scene, 1, { kind: "line" })).arrivedAt;
}

/** Sends events at line rate, whether they arrive or not. */
export async function flood(scene: Scene, events: number): Promise<void> {
  const { feeder, measured, series } = scene;
  const first = sentBefore.get(scene) ?? 0;
  sentBefore.set(scene, first + events);
  await measured.alive(feeder.ask("send", { series, first, events, pace: { kind: "line" } }));
}

/** Puts a load on a scene, until all of it has arrived. */
export async function load(scene: Scene, options: LoadOptions): Promise<LoadResult> {
  const { warmUp, events, onWarm } = options;
  const { measured } = scene;
  const pace = options.pace === "full" ? fullSpeed(scene) : options.pace;
  await forgetPeak(measured.pid);
  if (warmUp > 0) await sendAndCount(scene, warmUp, pace);
  onWarm?.();
  const [before, machineBefore] = [await cpuSeconds(measured.pid), await machineTime()];
  const { sent, arrivedAt, received } = await sendAndCount(scene, events, pace);
  const [after, machineAfter] = [await cpuSeconds(measured.pid), await machineTime()];
  const { peak } = await residentOf(measured.pid);
  return {
    in: events * 1e6 / (sent.endedAt - sent.startedAt),
    out: events * 1e6 / (arrivedAt - received.firstAt),
    tookMs: (arrivedAt - sent.startedAt) / 1000,
    cpu: (after - before) * 100_000 / events,
    // In less than a tick nothing can be said.
    busy: (machineAfter.busy - machineBefore.busy) /
      Math.max(1, machineAfter.all - machineBefore.all),
    peak,
    received,
    lost: received.missing + received.repeated + received.strange,
  };
}

function fullSpeed(scene: Scene): Pace {
  return scene.tellsProgress ? { kind: "window", size: FULL } : { kind: "line" };
}

/** Sends events, and waits until they have arrived. */
async function sendAndCount(scene: Scene, events: number, pace: Pace) {
  const { feeder, receiver, measured, copies } = scene;
  const first = sentBefore.get(scene) ?? 0;
  sentBefore.set(scene, first + events);
  await receiver.ask("expect", { first, events, copies });
  const sending = feeder.ask("send", { series: scene.series, first, events, pace });
  const arriving = measured.alive(receiver.ask("reach", events * copies));
  // The one that fails first says why.
  const both = Promise.all([sending, arriving]);
  both.catch(() => {});
  try {
    const [sent, arrivedAt] = await within(LIMIT_MS, "not all events arrived", both);
    return { sent, arrivedAt, received: await receiver.ask("report") };
  } catch (error) {
    const { messages } = await receiver.ask("report").catch(() => ({ messages: NaN }));
    const text = `${messages} of ${events * copies} messages arrived`;
    throw new Error(`${(error as Error).message} (${text})`, { cause: error });
  }
}
