/** What the command line says where a user has not the rights for it. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { main } from "../../lib/cli/cli.ts";
import { ControlServer } from "../../lib/control/server.ts";
import { configurationXml, params } from "../agent/running_agent.ts";
import { mayBecomeOthers, NOBODY, runAsNobody } from "../support/other_user.ts";
import { filesIn, withFile, withFolder } from "./process_helper.ts";

const ignore = !mayBecomeOthers;
/** A group of this machine that is not root's. */
const GROUP = Deno.readTextFileSync("/etc/group").split("\n")
  .map((line) => line.split(":"))
  .map(([name, , gid]) => ({ name, gid: Number(gid) }))
  .find(({ gid }) => gid > 0 && gid !== NOBODY);

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line as a user who has no rights, in what stands for a terminal. */
async function asNobody(...args: string[]): Promise<Said> {
  const code = `let out = "", err = "";
    const view = () => ({
      closed: new AbortController().signal,
      show() {},
      [Symbol.dispose]() {},
    });
    const output = { out: (text) => out += text + "\\n", err: (text) => err += text + "\\n", view };
    const code = await module.main(${JSON.stringify(args)}, output);
    console.log(JSON.stringify({ code, out, err }));
    Deno.exit();`;
  return JSON.parse(await runAsNobody("lib/cli/cli.ts", code));
}

async function asRoot(...args: string[]): Promise<Said> {
  let [out, err] = ["", ""];
  const code = await main(args, {
    out: (text) => out += `${text}\n`,
    err: (text) => err += `${text}\n`,
  });
  return { code, out, err };
}

const CONFIGURATION = configurationXml(8021, {
  connections: { c: params({}) },
  published: { t: params({ connection_name: "c", event: "HEARTBEAT", pattern: "t" }) },
});

Deno.test({
  name: "root does not run an agent on another user's state folder, and leaves nothing there",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      const file = join(folder, "mosquitto.conf.xml");
      const state = join(folder, "state");
      const socket = join(folder, "control.sock");
      await Deno.writeTextFile(file, CONFIGURATION.replace("{folder}", folder));
      await Deno.mkdir(state, { mode: 0o755 });
      for (
        const [uid, who, user] of [
          [NOBODY, `the user nobody (uid ${NOBODY})`, "nobody"],
          [60_123, "the user with uid 60123", "'#60123'"],
        ] as const
      ) {
        await Deno.chown(state, uid, uid);
        for (const more of [[], ["--unconfined"]]) {
          assert.deepEqual(await asRoot("run", "--config", file, "--control", socket, ...more), {
            code: 77,
            out: "",
            err: `fsmqtt is not started: ${state} belongs to ${who}: run it as that user: ` +
              `sudo -u ${user} fsmqtt run --config ${file}\n`,
          });
        }
      }
      assert.deepEqual(filesIn(state), []);
      assert.deepEqual(filesIn(folder).sort(), ["mosquitto.conf.xml", "state"]);
    }),
});

Deno.test({
  name: "root may write a folder of another user's, whatever its mode, and looks at it as such",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      const file = join(folder, "mosquitto.conf.xml");
      const state = join(folder, "state");
      await Deno.writeTextFile(file, CONFIGURATION.replace("{folder}", folder));
      await Deno.mkdir(state, { mode: 0o755 });
      await Deno.chown(state, NOBODY, NOBODY);
      await Deno.chmod(state, 0o500);
      const { code, out } = await asRoot("check", "--config", file);
      assert.deepEqual([code, out], [0, ""]);
    }),
});

Deno.test({
  name: "who may not read a configuration, or what it includes, is told which group may",
  ignore: ignore || GROUP === undefined,
  fn: () =>
    withFile(`<x><X-PRE-PROCESS cmd="include" data="part.xml"/></x>`, async (file, folder) => {
      const { name = "", gid = 0 } = GROUP ?? {};
      const part = join(folder, "part.xml");
      await Deno.writeTextFile(part, "<x/>");
      const shut = async (path: string) => {
        await Deno.chown(path, 0, gid);
        await Deno.chmod(path, 0o640);
      };
      const denied = (path: string) =>
        new RegExp(
          `^${RegExp.escape(folder)}\\S+ error: Cannot read ${RegExp.escape(path)}: ` +
            `[Pp]ermission denied; its group ${name} may: ` +
            `usermod --append --groups ${name} nobody \\[unreadable-file\\]$`,
          "m",
        );
      await Deno.chmod(folder, 0o755);
      await shut(part);
      assert.match((await asNobody("config", "--config", file)).err, denied(part));
      await shut(file);
      assert.match((await asNobody("config", "--config", file)).err, denied(file));
    }),
});

Deno.test({
  name: "who may not use a control socket is told what else to do, and watches nothing",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      const path = join(folder, "control.sock");
      const server = await ControlServer.listen(
        path,
        undefined,
        () => Promise.resolve({ kind: "done", text: "" }),
      );
      try {
        await Deno.chmod(folder, 0o755);
        const { code, err } = await asNobody("status", "--watch", "--control", path);
        assert.equal(code, 77);
        assert.equal(
          err,
          `Not permitted to use ${path}: run as the agent's user, or set control-group\n`,
        );
      } finally {
        await server.close();
      }
      const listen = `await module.ControlServer.listen(${JSON.stringify(path)}).catch((error) =>
        console.log(error.message));`;
      assert.equal(
        await runAsNobody("lib/control/server.ts", listen),
        `Cannot open the control socket ${path}: Permission denied: ` +
          "set XDG_RUNTIME_DIR, or name one with --control or control-socket\n",
      );
    }),
});
