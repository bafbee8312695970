/**
 * The main module of the bundle: fsmqtt, unless Deno was started without what it needs.
 *
 * @module
 */

import "./entry_check.ts";
import "../../main.ts";
