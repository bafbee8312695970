import assert from "node:assert/strict";
import { main } from "../../lib/cli/cli.ts";
import { cli } from "./process_helper.ts";

async function inProcess(...args: string[]) {
  const printed = { out: "", err: "" };
  const code = await main(args, {
    out: (text) => printed.out += `${text}\n`,
    err: (text) => printed.err += `${text}\n`,
  });
  return { code, ...printed };
}

const SWITCH_USAGE = "[--control SOCKET] profile PROFILE [connection|publisher|subscriber NAME]";
const CONNECT_USAGE = "[--control SOCKET] profile PROFILE connection NAME";
const RUN_USAGE = "run --config FILE [--control SOCKET] [--esl HOST:PORT] [--unconfined]";
const STATUS_USAGE = "status [--control SOCKET] [--json] [--brief] [--watch] [--every SECONDS]";

for (
  const [args, message, usage] of [
    [["nonsense"], 'fsmqtt: there is no command "nonsense"', "`fsmqtt help` lists the commands."],
    [
      ["stauts"],
      'fsmqtt: there is no command "stauts"; perhaps status',
      "`fsmqtt help` lists the commands.",
    ],
    [["help", "nonsense"], 'fsmqtt help: there is no command "nonsense"', "help [COMMAND]"],
    [["version", "2"], 'fsmqtt version: unexpected "2"', "version"],
    [["events", "--x"], "fsmqtt events: Unknown option '--x'", "events"],
    [
      ["check", "--config="],
      "fsmqtt check: --config is missing",
      "check [--config FILE] [--json] [--esl-user] [--permissions]",
    ],
    [["config", "--config", ""], "fsmqtt config: --config is missing", "config [--config FILE]"],
    [
      ["run", "--config", "x", "--esl", "8021"],
      'fsmqtt run: --esl needs HOST:PORT, not "8021"',
      RUN_USAGE,
    ],
    [
      ["run", "--config", "x", "--esl", "h:70000"],
      'fsmqtt run: --esl needs HOST:PORT, not "h:70000"',
      RUN_USAGE,
    ],
    [
      ["demo", "--seconds", "0"],
      'fsmqtt demo: --seconds needs a number above 0, not "0"',
      "demo [--seconds N]",
    ],
    [
      ["loglevel", "loud"],
      'fsmqtt loglevel: there is no level "loud"',
      "loglevel [--control SOCKET] [debug|info|notice|warning|error|critical|alert|console]",
    ],
    [["enable"], "fsmqtt enable: expected `profile PROFILE` first", `enable ${SWITCH_USAGE}`],
    [
      ["disable", "connection", "c"],
      "fsmqtt disable: expected `profile PROFILE` first",
      `disable ${SWITCH_USAGE}`,
    ],
    [
      ["remove", "profile", "p", "topic", "t"],
      'fsmqtt remove: expected connection, publisher, subscriber after the profile, not "topic"',
      `remove ${SWITCH_USAGE}`,
    ],
    [
      ["remove", "profile", "p", "publisher"],
      "fsmqtt remove: the publisher's name is missing",
      `remove ${SWITCH_USAGE}`,
    ],
    [
      ["enable", "profile", "p", "publisher", "n", "x"],
      'fsmqtt enable: unexpected "x"',
      `enable ${SWITCH_USAGE}`,
    ],
    [
      ["connect", "profile", "p"],
      "fsmqtt connect: expected `connection NAME` after the profile",
      `connect ${CONNECT_USAGE}`,
    ],
    [
      ["disconnect", "profile", "p", "publisher", "n"],
      "fsmqtt disconnect: expected `connection NAME` after the profile",
      `disconnect ${CONNECT_USAGE}`,
    ],
    [
      ["bgapi"],
      "fsmqtt bgapi: the command is missing",
      "bgapi [--control SOCKET] COMMAND [ARG…]",
    ],
    [["reload", "now"], 'fsmqtt reload: unexpected "now"', "reload [--control SOCKET]"],
    [["status", "-x"], "fsmqtt status: Unknown option '-x'", STATUS_USAGE],
    [
      ["status", "--watch", "--json"],
      "fsmqtt status: --json and --watch cannot be given together",
      STATUS_USAGE,
    ],
    [
      ["status", "--json", "--brief"],
      "fsmqtt status: --json and --brief cannot be given together",
      STATUS_USAGE,
    ],
    [["status", "--every", "2"], "fsmqtt status: --every needs --watch", STATUS_USAGE],
    [
      ["status", "--watch", "--every", "0"],
      'fsmqtt status: --every needs a number of at least 0.1, not "0"',
      STATUS_USAGE,
    ],
    [
      ["status", "--watch"],
      "fsmqtt status: --watch does not end by itself; it needs a terminal",
      STATUS_USAGE,
    ],
    [["completion"], "fsmqtt completion: the shell is missing", "completion bash|zsh|fish"],
    [
      ["completion", "csh"],
      'fsmqtt completion: there is no shell "csh"',
      "completion bash|zsh|fish",
    ],
    [
      ["completion", "toString"],
      'fsmqtt completion: there is no shell "toString"',
      "completion bash|zsh|fish",
    ],
    [["completion", "bash", "x"], 'fsmqtt completion: unexpected "x"', "completion bash|zsh|fish"],
  ] satisfies [string[], string, string][]
) {
  Deno.test(`"${args.join(" ")}" is wrong: ${message}`, async () => {
    const line = usage.startsWith("`") ? usage : `Usage: fsmqtt ${usage}`;
    assert.deepEqual(await inProcess(...args), { code: 64, out: "", err: `${message}\n${line}\n` });
  });
}

Deno.test("a wrong command line ends the process with 64, and says so on stderr", async () => {
  const { code, out, err } = await cli("nonsense");
  assert.deepEqual([code, out], [64, ""]);
  assert.match(err, /there is no command "nonsense"/);
});
