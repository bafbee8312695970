/**
 * What fsmqtt is compared with: nothing but MQTT.js, connected to the port that the first argument
 * names.
 *
 * @module
 */

import mqtt from "mqtt";

mqtt.connect(`mqtt://127.0.0.1:${Deno.args[0]}`);
