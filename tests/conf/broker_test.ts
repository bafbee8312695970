import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { loadConfig } from "../../lib/config/load.ts";
import { fillTemplate } from "../../lib/config/template.ts";
import { Authority } from "../support/authority.ts";
import {
  mosquittoTest,
  sharedByMosquittoTests,
  startBroker,
  type TestBroker,
} from "../support/broker.ts";

const CONF = fileURLToPath(new URL("../../conf/", import.meta.url));
const USERS = ["freeswitch", "dashboard", "operator"] as const;
type User = typeof USERS[number];

/** MQTT 5.0, section 3.4.2.1. */
const NOT_AUTHORIZED = 135;

/** The sample broker, with certificates of a test and hashed passwords, on a port of its own. */
class SampleBroker implements AsyncDisposable {
  private constructor(
    readonly broker: TestBroker,
    readonly authority: Authority,
    readonly passwords: ReadonlyMap<string, string>,
    private readonly ca: string,
  ) {}

  static async start(hashed = true): Promise<SampleBroker> {
    const authority = await Authority.start();
    const { certfile, keyfile } = await authority.issue("broker", { names: ["IP:127.0.0.1"] });
    const acl = authority.path("acl");
    await Deno.copyFile(join(CONF, "broker/acl"), acl);
    const file = authority.path("passwords");
    const passwords = await writePasswords(file, hashed);
    const paths: Readonly<Record<string, string>> = {
      certfile,
      keyfile,
      acl_file: acl,
      password_file: file,
    };
    const text = await Deno.readTextFile(join(CONF, "broker/mosquitto.conf"));
    const lines = text.split("\n").filter((line) => /^[a-z]/.test(line))
      // The test's broker brings its own port and folder.
      .filter((line) => !/^(listener|persistence|persistence_location) /.test(line))
      .map((line) => line.replace(/^(\w+) \/.*/, (_, name: string) => `${name} ${paths[name]}`));
    const broker = await startBroker({ lines });
    const ca = await Deno.readTextFile(authority.root.certfile);
    return new SampleBroker(broker, authority, passwords, ca);
  }

  async connect(options: IClientOptions, scheme = "mqtts"): Promise<MqttClient> {
    return await mqtt.connectAsync(`${scheme}://127.0.0.1:${this.broker.port}`, {
      ca: this.ca,
      reconnectPeriod: 0,
      ...options,
    });
  }

  async login(username: User, protocolVersion: 4 | 5 = 4): Promise<MqttClient> {
    const password = this.passwords.get(username) ?? "";
    return await this.connect({ username, password, protocolVersion });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker[Symbol.asyncDispose]();
    await this.authority[Symbol.asyncDispose]();
  }
}

/** As the README of the samples says: a line for each user, and then all of them hashed. */
async function writePasswords(file: string, hashed: boolean): Promise<Map<string, string>> {
  const sample = await Deno.readTextFile(join(CONF, "broker/passwords"));
  if (!hashed) {
    await Deno.writeTextFile(file, sample);
    return new Map(sample.trim().split("\n").map((line) => line.split(":") as [string, string]));
  }
  let count = 0;
  const text = sample.replaceAll("REPLACE-BY-A-RANDOM-PASSWORD", () => `secret-${++count}`);
  await Deno.writeTextFile(file, text);
  const { success } = await new Deno.Command("mosquitto_passwd", { args: ["-U", file] }).output();
  assert(success && !(await Deno.readTextFile(file)).includes("secret-"));
  return new Map(text.trim().split("\n").map((line) => line.split(":") as [string, string]));
}

/** The topics of the sample configuration, for a machine called pbx1. */
function sampleTopics() {
  const { config } = loadConfig(join(CONF, "mosquitto.conf.xml"), { env: () => undefined });
  const [profile] = config?.profiles ?? [];
  assert(profile);
  const filled = (pattern = "") => fillTemplate(pattern, () => "pbx1");
  const published = profile.publishers.flatMap(({ topics }) => topics);
  const subscribed = profile.subscribers.flatMap(({ topics }) => topics);
  const events = published.map(({ name, pattern }) => [name, filled(pattern)] as const);
  const { results, ...others } = Object.fromEntries(events);
  return {
    events: [...Object.values(others), ...profile.connections.map((c) => filled(c.statusTopic))],
    results: results ?? "",
    command: filled(subscribed[0]?.pattern),
    reply: (user: string) => `freeswitch/pbx1/reply/${user}/1`,
  };
}

const { events, results, command, reply } = sampleTopics();
const elsewhere = ["freeswitch", "freeswitch/pbx1/other", "freeswitch/pbx1/calls/x", "elsewhere"];
const topics = [...events, results, command, ...USERS.map(reply), ...elsewhere];

/** Who may do what; nothing else is allowed to anybody. */
const mayWrite: Readonly<Record<User, readonly string[]>> = {
  freeswitch: [...events, results, ...USERS.map(reply)],
  dashboard: [],
  operator: [command],
};
const mayRead: Readonly<Record<User, readonly string[]>> = {
  freeswitch: [command, reply("freeswitch")],
  dashboard: [...events, reply("dashboard")],
  operator: [reply("operator")],
};

const sample = sharedByMosquittoTests(() => SampleBroker.start());

mosquittoTest(
  "each user of the sample broker reads what is theirs, from who may write it",
  async () => {
    const heard: string[] = [];
    const clients = await Promise.all(USERS.map((user) => sample().login(user)));
    const [agent] = clients;
    const ended = clients.map((client, i) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      client.on("message", (topic, payload) => {
        if (payload.toString() === "end") resolve();
        else heard.push(`${USERS[i]} reads of ${payload} on ${topic}`);
      });
      return promise;
    });
    for (const client of clients) await client.subscribeAsync("#", { qos: 1 });
    for (const [i, client] of clients.entries()) {
      for (const topic of topics) await client.publishAsync(topic, USERS[i] ?? "", { qos: 1 });
    }
    for (const user of USERS) await agent?.publishAsync(reply(user), "end", { qos: 1 });
    await Promise.all(ended);
    await Promise.all(clients.map((client) => client.endAsync(true)));
    const expected = USERS.flatMap((reader) =>
      USERS.flatMap((writer) =>
        mayRead[reader].filter((topic) => mayWrite[writer].includes(topic))
          .map((topic) => `${reader} reads of ${writer} on ${topic}`)
      )
    );
    assert.deepEqual(heard.toSorted(), expected.toSorted());
  },
);

for (const user of USERS) {
  mosquittoTest(`${user} is told in MQTT 5 what it may not publish`, async () => {
    const client = await sample().login(user, 5);
    const allowed: string[] = [];
    for (const topic of topics) {
      const refusal = await client.publishAsync(topic, "x", { qos: 1 })
        .then(() => undefined, (error: { code?: number }) => error.code);
      if (refusal === undefined) allowed.push(topic);
      else assert.equal(refusal, NOT_AUTHORIZED, topic);
    }
    await client.endAsync(true);
    assert.deepEqual(allowed.toSorted(), mayWrite[user].toSorted());
  });
}

for (
  const [what, options] of Object.entries<IClientOptions>({
    "without a name": {},
    "without a password": { username: "operator" },
    "with a wrong password": { username: "operator", password: "secret-1" },
    "under a name that is not there": { username: "nobody", password: "secret-1" },
  })
) {
  mosquittoTest(`the sample broker lets nobody in ${what}`, async () => {
    await assert.rejects(sample().connect(options), /Not authorized/);
  });
}

mosquittoTest("the sample broker speaks nothing but TLS", async () => {
  const password = sample().passwords.get("operator") ?? "";
  await assert.rejects(sample().connect({ username: "operator", password }, "mqtt"));
});

mosquittoTest(
  "nobody comes in with the passwords of the sample, before they are hashed",
  async () => {
    await using broker = await SampleBroker.start(false);
    for (const user of USERS) await assert.rejects(broker.login(user), /Not authorized/);
  },
);
