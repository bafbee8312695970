import assert from "node:assert/strict";
import { configFile, requiredConfigFile } from "../../lib/cli/config_option.ts";
import { UsageError } from "../../lib/cli/command.ts";
import { CONFIG_PLACES, type FoundConfigs } from "../../lib/config/find.ts";
import { configurationXml, params } from "../agent/running_agent.ts";
import { type Ended, programLine, withFile } from "./process_helper.ts";

/** What `configFile` gives and prints. */
function taken(found: Partial<FoundConfigs>, options: { config?: string } = {}) {
  const printed: string[] = [];
  const output = { out: () => assert.fail("this is no data"), err: (t: string) => printed.push(t) };
  const find = () => ({ files: [], hidden: [], ...found });
  return { ...configFile("check", options, output, find), printed };
}

Deno.test("the configuration that is named is taken without a word", () => {
  const found = { service: "/s", files: ["/s", "/a"] };
  assert.deepEqual(taken(found, { config: "/b" }), { file: "/b", origin: "named", printed: [] });
  assert.throws(() => taken({ files: ["/a"] }, { config: "" }), UsageError);
});

Deno.test("without a name the best is taken; which, and what not, is said", () => {
  assert.deepEqual(taken({ files: ["/a"] }), {
    file: "/a",
    origin: "place",
    printed: ["No --config is given: taking /a"],
  });
  const hidden = [{ path: "/d", fault: "Permission denied" }];
  assert.deepEqual(taken({ files: ["/a", "/b", "/c"], hidden }), {
    file: "/a",
    origin: "place",
    printed: [
      "Cannot look at /d: Permission denied",
      "No --config is given: taking /a, not /b, /c",
    ],
  });
});

Deno.test("where there is none, the places are named", () => {
  assert.deepEqual(taken({}), {
    exitCode: 78,
    printed: [
      `Cannot find a configuration: there is none in ${CONFIG_PLACES.join(", ")}; ` +
      "name one with --config",
    ],
  });
});

Deno.test("of a place that may not be looked at it is not said that there is none", () => {
  const denied = (path: string) => ({ path, fault: "Permission denied" });
  const [first, ...others] = CONFIG_PLACES;
  assert.deepEqual(taken({ hidden: [denied(first)] }), {
    exitCode: 77,
    printed: [
      `Cannot look at ${first}: Permission denied`,
      `Cannot find a configuration: there is none in ${others.join(", ")}; name one with --config`,
    ],
  });
  assert.deepEqual(taken({ hidden: CONFIG_PLACES.map(denied) }), {
    exitCode: 77,
    printed: [
      ...CONFIG_PLACES.map((path) => `Cannot look at ${path}: Permission denied`),
      "Cannot find a configuration: name one with --config",
    ],
  });
});

const SERVICES = "the service's (FSMQTT_CONFIG in /etc/default/fsmqtt)";

Deno.test("the service's configuration is taken before others, and it is said that it is", () => {
  assert.deepEqual(taken({ service: "/s", files: ["/s", "/a"] }), {
    file: "/s",
    origin: "service",
    printed: [`No --config is given: taking /s, ${SERVICES}, not /a`],
  });
});

Deno.test("no other configuration stands in for the service's", () => {
  assert.deepEqual(taken({ service: "/s", files: ["/a"] }), {
    exitCode: 78,
    printed: [`There is no /s, which is ${SERVICES}; name another one with --config`],
  });
  const hidden = [{ path: "/s", fault: "Permission denied" }];
  assert.deepEqual(taken({ service: "/s", files: ["/a"], hidden }), {
    exitCode: 77,
    printed: [
      "Cannot look at /s: Permission denied",
      `Cannot use /s, ${SERVICES}; name another one with --config`,
    ],
  });
});

Deno.test("a configuration that has to be named is not taken, but told", () => {
  const required = (files: string[], options: { config?: string } = {}) =>
    requiredConfigFile("run", options, () => ({ files, hidden: [] }));
  assert.equal(required(["/a"], { config: "/b" }), "/b");
  for (
    const [files, message] of [
      [[], "fsmqtt run: --config is missing"],
      [["/a", "/b"], "fsmqtt run: --config is missing; there is /a, /b"],
    ] satisfies [string[], string][]
  ) {
    assert.throws(() => required(files), new UsageError(message));
  }
  assert.throws(() => required(["/a"], { config: "" }), UsageError);
});

/** Runs a program where `/etc` holds nothing but this file of FreeSWITCH's, and more if it is made. */
async function withinFreeswitch(
  file: string,
  line: readonly string[],
  more = "true",
): Promise<Ended> {
  const setup = "folder=/etc/freeswitch/autoload_configs; mount -t tmpfs none /etc && " +
    `mkdir -p "$folder" && cp "$0" "$folder/mosquitto.conf.xml" && ${more} && exec "$@"`;
  const { code, stdout, stderr } = await new Deno.Command("unshare", {
    args: ["--mount", "sh", "-c", setup, file, ...line],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

/** A configuration without findings. */
const WELL = configurationXml(8021, {
  connections: { c: params({}) },
  published: { t: params({ connection_name: "c", event: "HEARTBEAT", pattern: "t" }) },
});

/** Only root may give a program another view of the disk. */
const mayMount = new Deno.Command("unshare", { args: ["--mount", "true"], stderr: "null" })
  .outputSync().success;

Deno.test({
  name: "a configuration of mod_mosquitto is found, checked and offered",
  ignore: !mayMount,
  fn: () =>
    withFile(WELL, async (file) => {
      const place = "/etc/freeswitch/autoload_configs/mosquitto.conf.xml";
      const taking = new RegExp(`^No --config is given: taking ${RegExp.escape(place)}`);
      const run = (...args: string[]) => withinFreeswitch(file, [...programLine(), ...args]);

      const checked = await run("check");
      assert.deepEqual([checked.code, checked.out], [0, ""]);
      const said = checked.err.trimEnd().split("\n");
      assert.equal(said.length, 3);
      assert.match(said[0] ?? "", taking);
      assert.equal(said[1], `${place}: no errors, no warnings`);
      assert.equal(
        said[2],
        `It can be used where it is: \`fsmqtt run --config ${place}\`, ` +
          `or for the service FSMQTT_CONFIG=${place} in /etc/default/fsmqtt`,
      );

      const named = await run("check", "--config", place);
      assert.equal(named.err, `${place}: no errors, no warnings\n`);

      const shown = await run("config");
      assert.equal(shown.code, 0);
      assert.match(shown.out, /<configuration /);
      assert.match(shown.err, taking);

      const tried = await run("test-command", "--topic", "t", "bgapi status");
      assert.equal(tried.code, 77);
      assert.match(tried.err, taking);
    }),
});

Deno.test({
  name: "the configuration that is set for the service is found, and not offered to it again",
  ignore: !mayMount,
  fn: () =>
    withFile(WELL, async (file) => {
      const place = "/etc/freeswitch/autoload_configs/mosquitto.conf.xml";
      const run = (path: string) =>
        withinFreeswitch(
          file,
          [...programLine(), "check"],
          `mkdir /etc/default && echo 'FSMQTT_CONFIG="${path}"' > /etc/default/fsmqtt`,
        );
      const { code, err } = await run(place);
      assert.deepEqual([code, err.trimEnd().split("\n")], [0, [
        `No --config is given: taking ${place}, ${SERVICES}`,
        `${place}: no errors, no warnings`,
      ]]);
      const missing = await run("/etc/my.xml");
      assert.deepEqual([missing.code, missing.err], [
        78,
        `There is no /etc/my.xml, which is ${SERVICES}; name another one with --config\n`,
      ]);
    }),
});
