/**
 * `${hostname}` and `${switchname}` put into topics, payloads and client ids.
 *
 * @module
 */

import { fillTemplate } from "../config/template.ts";

/** FreeSWITCH's names, as it reports them. */
export interface SwitchNames {
  /** `${hostname}` */
  readonly hostname: string;
  /** `${switchname}` */
  readonly switchname: string;
}

/** The text with the names put in. */
export function expand(template: string, names: SwitchNames): string {
  return fillTemplate(template, (name) => names[name]);
}

/**
 * The topic with the names put in. What would change its levels, or make it a filter, becomes `_`.
 */
export function expandTopic(template: string, names: SwitchNames): string {
  return fillTemplate(template, (name) => names[name].replace(/[/+#\0]/g, "_"));
}
