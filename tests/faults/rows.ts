/**
 * All rows of the fault harness.
 *
 * @module
 */

import type { Row } from "./row.ts";
import { row as brokerRestarted } from "./broker_restarted.ts";
import { row as brokerFrozen } from "./broker_frozen.ts";
import { row as brokerWiped } from "./broker_wiped.ts";
import { row as linkCut } from "./link_cut.ts";
import { row as linkHalfOpen } from "./link_half_open.ts";
import { row as freeswitchRestarted } from "./freeswitch_restarted.ts";
import { row as agentKilled } from "./agent_killed.ts";
import { row as diskFull } from "./disk_full.ts";
import { row as spoolDamaged } from "./spool_damaged.ts";
import { row as neighbourFrozen } from "./neighbour_frozen.ts";
import { row as boundsHit } from "./bounds_hit.ts";
import { row as soak } from "./soak.ts";
import { row as idle } from "./idle.ts";

/** The rows, in the order of their numbers. */
export const ROWS: readonly Row[] = [
  brokerRestarted,
  brokerFrozen,
  brokerWiped,
  linkCut,
  linkHalfOpen,
  freeswitchRestarted,
  agentKilled,
  diskFull,
  spoolDamaged,
  neighbourFrozen,
  boundsHit,
  soak,
  idle,
];
