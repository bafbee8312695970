import assert from "node:assert/strict";
import type { ReplyDocument } from "../../lib/commands/contract.ts";
import { AgentProcess } from "../support/agent_process.ts";
import { startBroker } from "../support/broker.ts";
import { realFreeswitch } from "../support/esl_client.ts";
import { Watcher } from "../support/watcher.ts";
import { configuration, param } from "./setup.ts";

const freeswitch = realFreeswitch();

/** What only a real FreeSWITCH can say: what it makes of an originate. */
function realTest(name: string, fn: (target: NonNullable<typeof freeswitch>) => Promise<void>) {
  const ignore = freeswitch === undefined;
  Deno.test({
    name: ignore ? `${name} (needs FSMQTT_TEST_ESL)` : name,
    ignore,
    fn: () => fn(freeswitch as NonNullable<typeof freeswitch>),
  });
}

/** A broker, an agent with this topic beside its calls' ends, and who watches both. */
async function withTopic(
  esl: NonNullable<typeof freeswitch>,
  topic: readonly string[],
  use: (watcher: Watcher) => Promise<void>,
): Promise<void> {
  await using broker = await startBroker();
  await using watcher = await Watcher.start(broker.port);
  await using agent = await AgentProcess.start(configuration({
    esl,
    broker: broker.port,
    publish: [EVENTS],
    subscribe: [originateTopic(...topic)],
  }));
  await agent.ready();
  await use(watcher);
}

function originateTopic(...more: readonly string[]): string[] {
  return [
    param("pattern", "cmd"),
    param("qos", 1),
    param("originate_authorized", true),
    param("response_pattern", "answers"),
    ...more,
  ];
}

const EVENTS = [
  param("event", "CHANNEL_HANGUP_COMPLETE"),
  param("pattern", "calls"),
  param("qos", 1),
];

function json<T>({ payload }: { readonly payload: Uint8Array }): T {
  return JSON.parse(new TextDecoder().decode(payload));
}

const RULES = [
  param("originate_allow_endpoint", "null/x"),
  param("originate_allow_app", "hangup"),
  param("originate_allow_variable", "/.*/"),
];

const VARIABLES = {
  origination_caller_id_name: "Jürgen Ö & Söhne (Köln), GmbH",
  origination_caller_id_number: "+4930123",
  originate_timeout: "7",
  absolute_codec_string: "PCMA,PCMU",
  "sip_h_X-Some": "a b",
};

for (
  const [form, command] of [
    ["as JSON", { command: "originate", endpoint: "null/x", app: "hangup", variables: VARIABLES }],
    [
      "as text",
      `originate {${
        Object.entries(VARIABLES).map(([name, value]) => `${name}='${value}'`).join(",")
      }}null/x &hangup`,
    ],
  ] as const
) {
  realTest(`FreeSWITCH reads an originate ${form} as it was meant`, async (target) => {
    await withTopic(target, RULES, async (watcher) => {
      await watcher.publish("cmd", typeof command === "string" ? command : JSON.stringify(command));
      const [, ended] = (await watcher.count("answers", 2)).map((each) =>
        json<ReplyDocument>(each)
      );
      assert.equal(ended?.state, "succeeded");
      const uuid = /^\+OK (\S+)/.exec(ended?.text ?? "")?.[1];
      const calls = await watcher.until(
        "calls",
        "the call that was started",
        (payload) => json<Record<string, string>>({ payload })["Unique-ID"] === uuid,
      );
      const call = calls.map((each) => json<Record<string, string>>(each))
        .find((event) => event["Unique-ID"] === uuid) ?? {};
      const found = Object.keys(VARIABLES).map((name) => [name, call[`variable_${name}`]]);
      assert.deepEqual(Object.fromEntries(found), VARIABLES);
    });
  });
}

realTest("max_call_seconds ends a call", async (target) => {
  await withTopic(target, [param("max_call_seconds", 1)], async (watcher) => {
    for (
      const call of ["null/x &park", "null/x &echo", "{leg_timeout=9}null/x &park() XML public"]
    ) {
      await watcher.publish("cmd", `originate ${call}`);
    }
    const calls = (await watcher.count("calls", 3)).map((each) =>
      json<Record<string, string>>(each)
    );
    for (const call of calls) {
      assert.equal(call["Hangup-Cause"], "ALLOTTED_TIMEOUT");
      assert(Number(call["variable_billsec"]) <= 2);
    }
  });
});

realTest("the hangup cause of a call that fails is in the answer", async (target) => {
  await withTopic(target, [], async (watcher) => {
    await watcher.publish("cmd", "originate error/USER_BUSY &park");
    const [, ended] = (await watcher.count("answers", 2)).map((each) => json<ReplyDocument>(each));
    assert.deepEqual([ended?.state, ended?.cause, ended?.text], [
      "failed",
      "USER_BUSY",
      "-ERR USER_BUSY\n",
    ]);
  });
});
