/**
 * All sets of measurements.
 *
 * @module
 */

import { allocation } from "./allocation.ts";
import { bursts } from "./bursts.ts";
import { calls } from "./calls.ts";
import { frozen } from "./frozen.ts";
import { growth } from "./growth.ts";
import { latency } from "./latency.ts";
import { memory } from "./memory.ts";
import { start } from "./start.ts";
import type { Suite } from "./suite.ts";
import { throughput } from "./throughput.ts";

/** All that need no FreeSWITCH, in the order of the tables. */
export const SUITES: readonly Suite[] = [
  throughput,
  calls,
  allocation,
  latency,
  memory,
  frozen,
  start,
  growth,
  bursts,
];
