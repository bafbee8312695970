/**
 * What is measured.
 *
 * @module
 */

/** A kind of figure. */
export interface Metric {
  /** Above its column. */
  readonly heading: string;
  /** What it is counted in, in the JSON. */
  readonly unit: string;
  /** What stands in the table for 1. @default {1} */
  readonly scale?: number;
  /** Digits behind the point in the table. @default {0} */
  readonly digits?: number;
  /** Which is better. */
  readonly better: "more" | "less";
  /**
   * Whether a slower machine makes it worse: such figures are compared as a share of what publishing
   * alone reached in the same run, where that was measured.
   */
  readonly isSpeed: boolean;
  /** Whether it is left out when results are compared, since it says too little. @default {false} */
  readonly isLoose?: boolean;
}

const MB = 2 ** 20;

const speed = { better: "more", isSpeed: true } as const;
const cost = { better: "less", isSpeed: true } as const;
const size = { better: "less", isSpeed: false, unit: "bytes", scale: MB } as const;
const delay = { better: "less", isSpeed: true, unit: "ms", digits: 2 } as const;

/** All kinds. */
export const METRICS = {
  in: { ...speed, heading: "in/s", unit: "events/s" },
  out: { ...speed, heading: "out/s", unit: "events/s" },
  messages: { ...speed, heading: "messages/s", unit: "messages/s" },
  calls: { ...speed, heading: "calls/s", unit: "calls/s" },
  cpu: { ...cost, heading: "CPU s", unit: "s/100,000 events", digits: 2 },
  cpu_message: { ...cost, heading: "CPU s/msg", unit: "s/100,000 messages", digits: 2 },
  cpu_call: { ...cost, heading: "CPU ms/call", unit: "ms/call", digits: 2 },
  busy: {
    ...{ better: "less", isSpeed: true, isLoose: true },
    ...{ heading: "busy %", unit: "of the machine", scale: 0.01 },
  },
  idle: { ...size, heading: "idle MB" },
  peak: { ...size, heading: "peak MB" },
  after: { ...size, heading: "after MB" },
  growth: { better: "less", isSpeed: false, heading: "peak/idle", unit: "", digits: 2 },
  bound: { better: "less", isSpeed: false, heading: "more/bound", unit: "", digits: 2 },
  lost: { better: "less", isSpeed: false, heading: "lost", unit: "messages" },
  allocated: { ...size, heading: "heap MB", unit: "bytes/100,000 events" },
  collections: {
    ...{ better: "less", isSpeed: false, isLoose: true },
    ...{ heading: "collections", unit: "/100,000 events" },
  },
  paused: { ...delay, heading: "paused ms", unit: "ms/100,000 events", digits: 0 },
  longest: { ...delay, heading: "longest ms", isLoose: true },
  p50: { ...delay, heading: "p50 ms" },
  p99: { ...delay, heading: "p99 ms" },
  p999: { ...delay, heading: "p99.9 ms" },
  max: { ...delay, heading: "max ms", isLoose: true },
  took: { ...delay, heading: "ms" },
  started: { ...delay, heading: "ms", digits: 0 },
} as const satisfies Readonly<Record<string, Metric>>;

/** The name of a kind. */
export type MetricName = keyof typeof METRICS;

/** A kind by its name. */
export function metric(name: MetricName): Metric {
  return METRICS[name];
}
