import assert from "node:assert/strict";
import { join } from "node:path";
import { checkConfig } from "../../lib/config/check.ts";
import { freeBytesIn } from "../../lib/config/check_delivery.ts";
import { checked, configOf, params } from "./helper.ts";

type Values = Record<string, string>;

const topic = (values: Values) =>
  `<topic name="t">${
    params({ connection_name: "c", event: "ALL", pattern: "x", ...values })
  }</topic>`;

const connection = (name: string, values: Values) =>
  `<connection name="${name}">${params({ host: name, ...values })}</connection>`;

/** A profile with these connections and topics. */
function profile(connections: string, topics: string): string {
  return `<profiles><profile name="p"><connections>
    ${connections}
    </connections><publishers><publisher name="k"><topics>
    ${topics}
    </topics></publisher></publishers></profile></profiles>`;
}

/** One connection, and one topic over it. */
const one = (values: Values, topicValues: Values = {}) =>
  profile(connection("c", values), topic(topicValues));

const DISK = { spool: "disk" };
const LASTING = { clean_session: "false", client_id: "FreeSWITCH-Hostname-Unique" };

const cases: Record<string, { content: string; expected: readonly string[] }> = {
  "bounds of the spool on disk, in memory": {
    content: one({
      spool_commit_ms: "10",
      spool_max_messages: "9",
      spool_max_bytes: "70000",
      spool_max_age: "60",
    }),
    expected: [
      'spool-no-effect: `spool_commit_ms` of connection "c" has no effect with `spool` on memory: ',
      "spool-no-effect: `spool_max_messages` .* on memory, where event-queue-size and event-queue-b",
      "spool-no-effect: `spool_max_bytes`",
    ],
  },
  "the same with the spool on disk": {
    content: one({ ...DISK, spool_commit_ms: "10", spool_max_bytes: "70000" }, { qos: "1" }),
    expected: [],
  },
  "a spool on disk with QoS 0 alone": {
    content: one(DISK),
    expected: [
      'spool-no-effect: connection "c" has `spool` on disk, and all its topics have QoS 0',
    ],
  },
  "a spool on disk with one topic of QoS 1": {
    content: profile(
      connection("c", DISK),
      topic({}) + topic({ qos: "1" }).replace('"t"', '"u"'),
    ),
    expected: [],
  },
  "QoS 2 on disk with nothing that lasts": {
    content: one(DISK, { qos: "2" }),
    expected: [
      'spool-session: topic "t" has QoS 2, but a restart of fsmqtt may repeat events, since the ' +
      'session of connection "c" does not last: give it `clean_session` false and a `client_id`',
    ],
  },
  "QoS 2 on disk with a client id alone": {
    content: one({ ...DISK, client_id: "me" }, { qos: "2" }),
    expected: ["spool-session: .* does not last: give it `clean_session` false$"],
  },
  "QoS 2 on disk with a session that lasts": {
    content: one({ ...DISK, ...LASTING }, { qos: "2" }),
    expected: [],
  },
  "QoS 2 in memory": { content: one({}, { qos: "2" }), expected: [] },
  "a throttle without a rate": {
    content: one({}, { max_burst: "5", over_rate: "drop" }),
    expected: [
      'rate-no-effect: `max_burst` of topic "t" has no effect without `max_rate`',
      'rate-no-effect: `over_rate` of topic "t" has no effect without `max_rate`',
    ],
  },
  "a throttle with all": {
    content: one({}, { max_rate: "50", max_burst: "5", over_rate: "drop" }),
    expected: [],
  },
  "a burst that timers are too coarse for": {
    content: one({}, { max_rate: "1001", max_burst: "10" }),
    expected: [
      'rate-burst: topic "t" will not reach its `max_rate` of 1001 with a `max_burst` of 10, .* ' +
      "give it 11 or more",
    ],
  },
  "the same burst where what is over is dropped": {
    content: one({}, { max_rate: "1001", max_burst: "10", over_rate: "drop" }),
    expected: [],
  },
  "a burst that is just enough": {
    content: one({}, { max_rate: "1000", max_burst: "10" }),
    expected: [],
  },
  "a breaker that sheds all": {
    content: one({ breaker_shed: "all" }),
    expected: [
      'breaker-sheds-all: connection "c" LOSES all events, those of QoS 1 and 2 too, that come ' +
      "while its breaker is open",
    ],
  },
  "a breaker that sheds QoS 0": { content: one({ breaker_shed: "qos0" }), expected: [] },
  "a breaker that never opens": {
    content: one({
      breaker_failures: "0",
      breaker_high_seconds: "0",
      breaker_shed: "all",
      breaker_open_seconds: "9",
      breaker_high_mark: "9",
    }),
    expected: [
      "breaker-no-effect: `breaker_shed` .* the breaker never opens",
      "breaker-no-effect: `breaker_open_seconds` .* the breaker never opens",
      "breaker-no-effect: `breaker_high_mark` .* the breaker never opens",
    ],
  },
  "a mark of a breaker that does not look at the queue": {
    content: one({ breaker_high_seconds: "0", breaker_shed: "qos0", breaker_high_mark: "9" }),
    expected: ["breaker-no-effect: `breaker_high_mark` .* `breaker_high_seconds` is 0: give that"],
  },
  "a breaker that looks at the queue alone": {
    content: one({ breaker_failures: "0", breaker_high_mark: "9", breaker_shed: "qos0" }),
    expected: [],
  },
  "a default that counts for one connection of two": {
    content: profile(
      params({ spool_commit_ms: "10" }) + connection("c", DISK) + connection("d", {}),
      topic({ qos: "1" }),
    ),
    expected: [],
  },
  "a default that counts for none is told of once": {
    content: profile(
      params({ spool_commit_ms: "10" }) + connection("c", {}) + connection("d", {}),
      topic({ qos: "1" }),
    ),
    expected: ['spool-no-effect: `spool_commit_ms` of connection "c"'],
  },
};

for (const [name, { content, expected }] of Object.entries(cases)) {
  Deno.test(name, () => {
    const found = checked(content).map(({ severity, code, text }) =>
      `${severity} ${code}: ${text}`
    );
    assert.equal(found.length, expected.length, found.join("\n"));
    for (const each of expected) {
      const pattern = new RegExp(`^warning ${each}`);
      assert.ok(found.some((line) => pattern.test(line)), `${each}\n${found.join("\n")}`);
    }
  });
}

Deno.test("a warning stands where the parameter does", () => {
  const content = profile(
    connection("c", {}).replace(">", ">\n" + params({ spool_max_bytes: "70000" })),
    topic({}),
  );
  assert.deepEqual(checked(content).map(({ at }) => at.line), [3]);
});

Deno.test("spools that may outgrow their disk are told of", () => {
  const MIB = 2 ** 20;
  const two = profile(
    connection("c", { ...DISK, spool_max_bytes: String(6 * MIB) }) +
      connection("d", { ...DISK, spool_max_bytes: String(5 * MIB) }) +
      connection("e", {}),
    topic({ qos: "1" }),
  );
  const asked: string[] = [];
  const texts = (freeBytes: number | undefined) =>
    checkConfig(configOf('<settings><param name="state-dir" value="/s"/></settings>' + two), {
      env: () => undefined,
      writeFault: () => undefined,
      freeBytes: (folder) => {
        asked.push(folder);
        return freeBytes;
      },
    }).filter(({ code }) => code === "spool-space").map(({ text }) => text.replace(/:.*/, ""));
  // A fifth more than 11 MiB, and than 6 MiB.
  assert.deepEqual(texts(13.2 * MIB + 1), []);
  assert.deepEqual(texts(13.2 * MIB - 1), [
    'the spool of connection "d" may take together with those before it 14 MiB (a fifth more than ' +
    "`spool_max_bytes`), and the disk of /s has 13 MiB free",
  ]);
  assert.deepEqual(texts(6 * MIB), [
    'the spool of connection "c" may take 7.2 MiB (a fifth more than `spool_max_bytes`), and the ' +
    "disk of /s has 6 MiB free",
  ]);
  assert.deepEqual(texts(undefined), []);
  assert.deepEqual(new Set(asked), new Set(["/s"]));
});

Deno.test("the system tells what is free, for a folder that is not there yet too", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { code, stdout } = await new Deno.Command("df", {
      args: ["--block-size=1", "--output=avail", folder],
    }).output();
    assert.equal(code, 0);
    const told = Number(new TextDecoder().decode(stdout).split("\n")[1]);
    for (const asked of [folder, join(folder, "not/yet")]) {
      const free = freeBytesIn(asked);
      // Others write to the disk meanwhile.
      assert.ok(free !== undefined && Math.abs(free - told) < 2 ** 30, `${free} of ${told}`);
    }
  } finally {
    await Deno.remove(folder);
  }
});
