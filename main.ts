/**
 * fsmqtt: FreeSWITCH events to MQTT brokers, and commands from them back.
 *
 * @module
 */

import { main } from "./lib/cli/cli.ts";

Deno.exit(await main(Deno.args));
