/**
 * A bridge as the READMEs of `modesl` and `mqtt` show it: what fsmqtt is compared with.
 *
 * @module
 */

import modesl from "modesl";
import mqtt from "mqtt";
import { PASSWORD } from "../wire/esl_server.ts";
import { options } from "../wire/steering.ts";

/** What it is started with. */
export interface BridgeOptions {
  /** The port of the event socket. */
  readonly esl: number;
  /** The port of the broker. */
  readonly broker: number;
  /** Of the messages. */
  readonly qos: 0 | 1 | 2;
  /** Where they go. */
  readonly topic: string;
  /** So many of QoS 1 and 2 are under way at most, as fsmqtt's `send_maximum` says. */
  readonly window: number;
}

/** What the bridge needs of modesl's events. */
interface ModeslEvent {
  getHeader(name: string): string | null;
  serialize(format: "json"): string;
}

const { esl, broker, qos, topic, window } = options<BridgeOptions>();
const client = mqtt.connect(`mqtt://127.0.0.1:${broker}`);
const waiting: string[] = [];
let underWay = 0;

function publish(): void {
  while (underWay < window) {
    const message = waiting.shift();
    if (message === undefined) return;
    underWay++;
    client.publish(topic, message, { qos }, () => {
      underWay--;
      publish();
    });
  }
}

const connection = new modesl.Connection("127.0.0.1", esl, PASSWORD, () => {
  connection.events("json", "all");
});
connection.on("esl::event::**", (event: ModeslEvent) => {
  // Replies come here too.
  if (event.getHeader("Event-Name") === null) return;
  const message = event.serialize("json");
  if (qos === 0) {
    client.publish(topic, message);
  } else {
    waiting.push(message);
    publish();
  }
});
