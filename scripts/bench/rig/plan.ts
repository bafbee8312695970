/**
 * How much is measured.
 *
 * @module
 */

/** How much is measured. */
export interface Plan {
  /** How many events are sent at full speed. */
  readonly events: number;
  /** How many before that: then all that matters is compiled, and memory has grown. */
  readonly warmUp: number;
  /** Of the seconds that a measurement takes by itself, this part is taken. */
  readonly patience: number;
  /** fsmqtt's command line; `{config}` and `{control}` in it stand for those of a run. */
  readonly fsmqtt: readonly string[];
}
