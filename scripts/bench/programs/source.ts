/**
 * The source of events: an event socket that sends what it is told to. It says its ports first.
 *
 * @module
 */

import { Blocks } from "../wire/block.ts";
import { EslServer } from "../wire/esl_server.ts";
import { ProgressListener } from "../wire/progress.ts";
import type { Feeder } from "../wire/roles.ts";
import { Sender } from "../wire/sender.ts";
import { serve } from "../wire/steering.ts";

/** The source as it is steered. */
export interface Source extends Feeder {
  /** The ports of its event socket, and for {@linkcode ProgressListener}. */
  ports(): Promise<{ readonly esl: number; readonly progress: number }>;
}

const server = EslServer.listen();
const progress = ProgressListener.listen();
const sender = new Sender();
const blocks = new Blocks();

await serve<Source>({
  ports: () => Promise.resolve({ esl: server.port, progress: progress.port }),
  send: async (order) => {
    const session = await server.listener;
    const sink = (bytes: Uint8Array<ArrayBuffer>) => session.write(bytes);
    return await sender.send(order, { sink, block: blocks.of(order.series), progress });
  },
});
