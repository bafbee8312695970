/**
 * Rules of subscriber topics, written as in a configuration.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { AnswerRules } from "../../lib/commands/answers.ts";
import type { TopicRules } from "../../lib/commands/topic.ts";
import {
  propertyName,
  subscriberTopicParameters,
  type Values,
} from "../../lib/config/parameters.ts";

/** Parameters of a subscriber's topic by their names; a list is given more than once. */
export type Written = {
  readonly [Name in keyof typeof subscriberTopicParameters]?:
    | string
    | number
    | boolean
    | readonly string[];
};

/** What a topic with these parameters says; what is not written is as in the table. */
export function rulesOf(written: Written): TopicRules & AnswerRules {
  const given: Readonly<Record<string, Written[keyof Written]>> = written;
  const values = Object.entries(subscriberTopicParameters).map(([name, parameter]) => {
    const value = given[name];
    if (value === undefined) return [propertyName(name), parameter.fallback];
    const read = (text: unknown) => {
      const reading = parameter.read(String(text));
      assert("value" in reading, `${name}: ${JSON.stringify(reading)}`);
      return reading.value;
    };
    return [propertyName(name), Array.isArray(value) ? value.map(read) : read(value)];
  });
  return {
    name: "topic",
    ...Object.fromEntries(values) as Values<typeof subscriberTopicParameters>,
  };
}

/** Both flags, and nothing else said. */
export const OPEN: Written = { bgapi_authorized: true, originate_authorized: true };

/** `bgapi status`, and an originate to `user/1000` that runs `park`. */
export const NARROW: Written = {
  ...OPEN,
  bgapi_allow: ["status"],
  originate_allow_endpoint: ["user/1000"],
  originate_allow_app: ["park"],
};
