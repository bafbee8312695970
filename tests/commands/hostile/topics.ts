/**
 * The topics of the hostile tests, as a configuration would have them.
 *
 * @module
 */

import { NARROW, type Written } from "../rules.ts";
import { KEY, TOPICS } from "./message.ts";

const NARROW_AND_ANSWERED: Written = { ...NARROW, response_prefix: TOPICS.replies, qos: 1 };

/** Their parameters, by filter. */
export const HOSTILE_TOPICS: Readonly<Record<string, Written>> = {
  "pbx/cmd/#": NARROW_AND_ANSWERED,
  [TOPICS.signed]: { ...NARROW_AND_ANSWERED, hmac_key: KEY },
  [TOPICS.amongReplies]: NARROW_AND_ANSWERED,
};
