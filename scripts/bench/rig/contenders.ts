/**
 * Who is measured.
 *
 * @module
 */

/**
 * - `fsmqtt`: as its users run it.
 * - `bridge`: `modesl` and `mqtt` as their READMEs show them.
 * - `publish`: MQTT.js and a bare loop, without FreeSWITCH: what publishing alone reaches.
 * - `read`: takes the events and throws them away: what reading alone reaches.
 */
export type Contender = "fsmqtt" | "bridge" | "publish" | "read";

/** All contenders, in the order of the tables. */
export const CONTENDERS: readonly Contender[] = ["fsmqtt", "bridge", "publish", "read"];

/** What they are called in tables. */
export const LABELS: Readonly<Record<Contender, string>> = {
  fsmqtt: "fsmqtt",
  bridge: "modesl + MQTT.js",
  publish: "limit: publish",
  read: "limit: read",
};
