import assert from "node:assert/strict";
import { join } from "node:path";
import type { ReplyDocument } from "../../lib/commands/contract.ts";
import { Simulator } from "../../lib/simulator/simulator.ts";
import { startBroker, type TestBroker } from "../support/broker.ts";
import { Watcher } from "../support/watcher.ts";
import { filesIn } from "../cli/process_helper.ts";
import { configurationXml, params, RunningAgent } from "./running_agent.ts";

const ANSWERS = "answers";

function configuration(simulator: Simulator, broker: TestBroker, more = {}, settings = ""): string {
  return configurationXml(simulator.port, {
    settings,
    connections: { c: params({ host: "127.0.0.1", port: broker.port }) },
    subscribed: {
      cmd: params({
        connection_name: "c",
        pattern: "cmd",
        qos: 1,
        bgapi_authorized: true,
        originate_authorized: true,
        response_pattern: ANSWERS,
        ...more,
      }),
    },
  });
}

class Sender {
  readonly #watcher: Watcher;
  #answers = 0;

  constructor(watcher: Watcher) {
    this.#watcher = watcher;
  }

  /** Sends a command and gives what it is answered, up to this number of answers. */
  async send(command: string, answers: number): Promise<ReplyDocument[]> {
    await this.#watcher.publish("cmd", command);
    const all = await this.#watcher.count(ANSWERS, this.#answers + answers);
    const own = all.slice(this.#answers);
    this.#answers = all.length;
    return own.map(({ payload }) => JSON.parse(new TextDecoder().decode(payload)));
  }
}

async function withParts(
  use: (simulator: Simulator, broker: TestBroker, sender: Sender) => Promise<void>,
): Promise<void> {
  await using broker = await startBroker();
  await using simulator = await Simulator.start({ heartbeatMs: 0 });
  await using watcher = await Watcher.start(broker.port, { filter: ANSWERS });
  await use(simulator, broker, new Sender(watcher));
}

const CALL = "originate user/1000 &park";

Deno.test("what a topic has used of its limits outlives a reload", async () => {
  await withParts(async (simulator, broker, sender) => {
    await using running = await RunningAgent.start(
      configuration(simulator, broker, { max_calls_per_day: 1 }),
    );
    await running.ready();
    const [accepted] = await sender.send(CALL, 2);
    assert.equal(accepted?.state, "accepted");
    await running.reload(configuration(simulator, broker, { max_calls_per_day: 1, rate_limit: 9 }));
    const [second] = await sender.send(CALL, 1);
    assert.deepEqual([second?.state, second?.reason], ["rejected", "call_limit"]);
    await running.reload(configuration(simulator, broker, { max_calls_per_day: 2 }));
    const [third] = await sender.send(CALL, 2);
    assert.equal(third?.state, "accepted");
  });
});

Deno.test("calls and ids of before a restart count", async () => {
  await withParts(async (simulator, broker, sender) => {
    const xml = configuration(simulator, broker, { max_calls_per_day: 1 });
    const identified = JSON.stringify({ id: "1", command: "originate", args: "user/1 &park" });
    const first = await RunningAgent.start(xml);
    await first.ready();
    const [accepted] = await sender.send(identified, 2);
    assert.equal(accepted?.state, "accepted");
    await first.stop();
    await using second = await RunningAgent.start(xml, first.folder);
    await second.ready();
    const [call] = await sender.send(CALL, 1);
    assert.equal(call?.reason, "call_limit");
    await second.reload(configuration(simulator, broker));
    const [again] = await sender.send(identified, 1);
    assert.deepEqual([again?.id, again?.reason], ["1", "duplicate"]);
  });
});

Deno.test("the audit log has what was asked for, what was decided, and what came of it", async () => {
  await withParts(async (simulator, broker, sender) => {
    await using running = await RunningAgent.start(
      configuration(simulator, broker, { bgapi_allow: "status" }),
    );
    await running.ready();
    const command = { id: "7", sender: "door", command: "bgapi", args: "status" };
    const [accepted] = await sender.send(JSON.stringify(command), 2);
    await sender.send(JSON.stringify({ ...command, id: "8", args: "system s3cret" }), 1);
    await running.stop();
    const file = join(running.folder, "state", "audit.jsonl");
    const lines = (await Deno.readTextFile(file)).trim().split("\n").map((line) => {
      const { time, ...rest } = JSON.parse(line);
      assert(!Number.isNaN(Date.parse(time)));
      return rest;
    });
    const source = { profile: "p", connection: "c", topic: "cmd", subscriber_topic: "cmd" };
    assert.deepEqual(lines.map(({ arguments: _, ...rest }) => rest), [
      {
        event: "run",
        ...source,
        job: accepted?.job,
        command: "status",
        id: "7",
        claimed_sender: "door",
        signed: false,
      },
      { event: "result", ...source, job: accepted?.job, id: "7", result: "succeeded" },
      {
        event: "refused",
        ...source,
        reason: "not_allowed",
        detail: "no bgapi_allow of this topic names it with these arguments",
        command: "system",
        id: "8",
        claimed_sender: "door",
        signed: false,
      },
    ]);
    assert(!(await Deno.readTextFile(file)).includes("s3cret"));
    assert.equal(((await Deno.stat(file)).mode ?? 0) & 0o777, 0o600);
  });
});

Deno.test("audit-log names the file, and audit-log-bytes 0 means none", async () => {
  for (const [bytes, isThere] of [[1_000_000, true], [0, false]] as const) {
    await withParts(async (simulator, broker, sender) => {
      const settings = params({ "audit-log": "{folder}/other/audit", "audit-log-bytes": bytes });
      await using running = await RunningAgent.start(
        configuration(simulator, broker, {}, settings),
      );
      await running.ready();
      await sender.send("bgapi status", 2);
      await running.stop();
      assert.equal(filesIn(running.folder).includes("other"), isThere);
      const state = filesIn(join(running.folder, "state"));
      assert(!state.some((name) => name.startsWith("audit")));
    });
  }
});

Deno.test("an answer that the broker could not take comes when it is back", async () => {
  await withParts(async (simulator, broker, sender) => {
    await using running = await RunningAgent.start(configuration(simulator, broker));
    await running.ready();
    const held = Promise.withResolvers<string>();
    simulator.handleApi("status", () => held.promise);
    await sender.send("bgapi uuid:held status", 1);
    await broker.stop();
    await running.untilConnection("c", "waiting");
    held.resolve("the result");
    await running.until(
      "the command has ended",
      ({ profiles }) => profiles[0]?.subscribers[0]?.topics[0]?.commands_running === 0,
    );
    await broker.start();
    const [answer] = await sender.send("bgapi nothing", 1);
    assert.deepEqual([answer?.id, answer?.state, answer?.text], [
      "held",
      "succeeded",
      "the result",
    ]);
  });
});
