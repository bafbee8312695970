/**
 * A real systemd with fsmqtt as its service, on a copy of this machine's files that is gone
 * afterwards. It takes root and a machine that allows namespaces.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ask } from "../../lib/control/client.ts";
import type { StatusReport } from "../../lib/control/status.ts";
import { eventually } from "./agent_process.ts";
import { hasMosquitto } from "./broker.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const SCRIPT = fileURLToPath(new URL("systemd.sh", import.meta.url));
/** What systemd.sh puts there. */
const SHARED = "/usr/lib/fsmqtt-test";

const PROGRAM = "/usr/bin/fsmqtt";
const CONFIGURATION = "/etc/fsmqtt/mosquitto.conf.xml";
const OVERRIDES = "/etc/systemd/system/fsmqtt.service.d";
const PROGRAMS = ["/lib/systemd/systemd", "/usr/bin/unshare", "/usr/bin/nsenter"];

/** What a program came to. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Why there can be no systemd of the tests' own, or `undefined` if there can. */
const hindrance = findHindrance();

/** Declares tests on a machine; where there can be none they are shown as ignored, with why. */
export interface MachineTests {
  /** Declares a test; afterwards the service is stopped, and what it has written is gone. */
  readonly machineTest: (name: string, fn: (machine: SystemdMachine) => Promise<void>) => void;
}

/** Tests of a file share a machine: it is booted before the first and ended after the last. */
export function machineTests(): MachineTests {
  let machine: SystemdMachine | undefined;
  const ignore = hindrance !== undefined;
  Deno.test.beforeAll(async () => {
    if (!ignore) machine = await SystemdMachine.boot();
  });
  Deno.test.afterAll(async () => await machine?.[Symbol.asyncDispose]());
  return {
    machineTest(name, fn) {
      Deno.test({
        name: ignore ? `${name} (${hindrance})` : name,
        ignore,
        async fn() {
          if (machine === undefined) throw new Error("the machine was not booted");
          try {
            await fn(machine);
          } finally {
            await machine.clear();
          }
        },
      });
    },
  };
}

function findHindrance(): string | undefined {
  if (!hasMosquitto && Deno.env.get("CI") !== "true") return "needs mosquitto";
  if (Deno.uid() !== 0) return "needs root, for a systemd of its own";
  for (const program of PROGRAMS) {
    try {
      Deno.statSync(program);
    } catch {
      return `needs ${program}`;
    }
  }
  const folder = Deno.makeTempDirSync({ prefix: "fsmqtt-systemd-" });
  try {
    const { success, stdout } = new Deno.Command(SCRIPT, { args: ["probe", folder] }).outputSync();
    return success ? undefined : `namespaces are not allowed here: ${text(stdout).trim()}`;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** A machine whose first process is systemd. */
export class SystemdMachine implements AsyncDisposable {
  readonly #folder: string;
  readonly #process: Deno.ChildProcess;
  readonly #systemd: number;
  /** How much was logged before this test. */
  #loggedBefore = 0;

  private constructor(folder: string, process: Deno.ChildProcess, systemd: number) {
    this.#folder = folder;
    this.#process = process;
    this.#systemd = systemd;
  }

  /** Starts it, with fsmqtt installed from source or, if `FSMQTT_BIN` names one, that program. */
  static async boot(): Promise<SystemdMachine> {
    const folder = await Deno.makeTempDir({ prefix: "fsmqtt-systemd-" });
    const process = new Deno.Command(SCRIPT, {
      args: ["boot", folder, PROJECT, await denoFolder(), Deno.execPath()],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    let ended = false;
    process.status.then(() => ended = true);
    const systemd = await eventually("systemd runs", () => {
      if (ended) throw new Error(`${SCRIPT} boot has ended`);
      return findSystemd(process.pid);
    });
    const machine = new SystemdMachine(folder, process, systemd);
    try {
      await eventually("systemd answers", async () => {
        const { out } = await machine.try("systemctl", "is-system-running");
        return out.startsWith("running") ? true : undefined;
      });
      await machine.#install();
      return machine;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where a file of that machine is from here. */
  path(path: string): string {
    return `/proc/${this.#systemd}/root${path}`;
  }

  /** Writes a file, and the folders above it. */
  async write(path: string, content: string, mode = 0o644): Promise<void> {
    await Deno.mkdir(dirname(this.path(path)), { recursive: true });
    await Deno.writeTextFile(this.path(path), content, { mode });
  }

  /** Reads a file. */
  async read(path: string): Promise<string> {
    return await Deno.readTextFile(this.path(path));
  }

  /** Runs a program to its end, as root, beside the service. */
  async try(...command: readonly string[]): Promise<Ended> {
    const { code, stdout, stderr } = await new Deno.Command("nsenter", {
      args: ["--target", `${this.#systemd}`, "-m", "-p", "-C", "-u", "-i", "--", ...command],
      env: { NO_COLOR: "1", SYSTEMD_PAGER: "" },
      stdin: "null",
    }).output();
    return { code, out: text(stdout), err: text(stderr) };
  }

  /** Runs a program that has to end well, and gives its output. */
  async run(...command: readonly string[]): Promise<string> {
    const { code, out, err } = await this.try(...command);
    if (code === 0) return out;
    throw new Error(`${command.join(" ")} ended with ${code}:\n${out}${err}\n${await this.log()}`);
  }

  /** What the service has logged since {@linkcode clear}, and systemd of it. */
  async log(): Promise<string> {
    return (await this.#wholeLog()).slice(this.#loggedBefore);
  }

  /** A property of the service, as `systemctl show` has it. */
  async property(name: string): Promise<string> {
    return (await this.run("systemctl", "show", "fsmqtt", `--property=${name}`, "--value")).trim();
  }

  /** Sets lines of the unit's section `[Service]` beside those of conf/fsmqtt.service. */
  async override(...lines: readonly string[]): Promise<void> {
    const content = ["[Service]", ...lines].join("\n") + "\n";
    await this.write(`${OVERRIDES}/test.conf`, content);
    await this.run("systemctl", "daemon-reload");
  }

  /**
   * Has the service run the source with these lines at the end of one of its modules, for a fault
   * that it does not have. To be called before {@linkcode start}, after {@linkcode override}.
   */
  async implant(module: string, lines: string): Promise<void> {
    await this.#installSource(`${PROGRAM}-faulty`, `${SHARED}/faulty`);
    const file = `${SHARED}/faulty/${module}`;
    await this.write(file, `${await this.read(file)}\n${lines}\n`);
    const start = `ExecStart=${PROGRAM}-faulty run --config ${CONFIGURATION}`;
    await this.write(`${OVERRIDES}/faulty.conf`, `[Service]\nExecStart=\n${start}\n`);
    await this.run("systemctl", "daemon-reload");
  }

  /** Gives the service a configuration and starts it. Resolves when it is said to be ready. */
  async start(configuration: string): Promise<void> {
    await this.configure(configuration);
    await this.run("systemctl", "start", "fsmqtt");
  }

  /** Gives the service a configuration. */
  async configure(configuration: string): Promise<void> {
    await this.write(CONFIGURATION, configuration.replaceAll("{folder}/state", "/var/lib/fsmqtt"));
  }

  /** Ends the service and removes what it has written, and what {@linkcode override} has set. */
  async clear(): Promise<void> {
    await this.run("systemctl", "stop", "fsmqtt");
    await this.run("rm", "-rf", "/var/lib/fsmqtt", "/var/log/fsmqtt", OVERRIDES);
    await this.run("systemctl", "daemon-reload");
    await this.try("systemctl", "reset-failed", "fsmqtt");
    this.#loggedBefore = (await this.#wholeLog()).length;
  }

  /** The status of the agent; `undefined` if there is none. */
  async status(): Promise<StatusReport | undefined> {
    try {
      const reply = await ask(this.path("/run/fsmqtt/control.sock"), { do: "status" });
      return reply.kind === "status" ? reply.status : undefined;
    } catch {
      return undefined;
    }
  }

  /** Waits until the status is as wanted, and returns it. */
  async until(what: string, wanted: (status: StatusReport) => boolean): Promise<StatusReport> {
    try {
      return await eventually(what, async () => {
        const status = await this.status();
        return status !== undefined && wanted(status) ? status : undefined;
      });
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${await this.log()}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      // With the first process all others end.
      Deno.kill(this.#systemd, "SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#process.status;
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #wholeLog(): Promise<string> {
    await this.try("journalctl", "--sync");
    const { out } = await this.try("journalctl", "--unit=fsmqtt", "--output=cat", "--no-pager");
    return out;
  }

  async #install(): Promise<void> {
    await this.write(
      "/etc/systemd/system/fsmqtt.service",
      await Deno.readTextFile(join(PROJECT, "conf/fsmqtt.service")),
    );
    await this.write(
      "/usr/lib/sysusers.d/fsmqtt.conf",
      await Deno.readTextFile(join(PROJECT, "conf/fsmqtt.sysusers")),
    );
    await this.run("systemd-sysusers");
    await this.run("ln", "-sf", `${SHARED}/deno`, "/usr/local/bin/deno");
    const executable = Deno.env.get("FSMQTT_BIN");
    if (executable === undefined) {
      await this.#installSource(PROGRAM, `${SHARED}/source`);
    } else {
      await Deno.copyFile(executable, this.path(PROGRAM));
      await this.run("chmod", "755", PROGRAM);
    }
    await this.run("systemctl", "daemon-reload");
  }

  /** Makes a program that runs a copy of the source as the task `fsmqtt` does. */
  async #installSource(program: string, copy: string): Promise<void> {
    await this.run("rm", "-rf", copy);
    await this.run("mkdir", copy);
    for (const part of ["deno.json", "deno.lock", "main.ts", "lib"]) {
      await this.run("cp", "--recursive", `${SHARED}/project/${part}`, copy);
    }
    const { tasks } = JSON.parse(await this.read(`${copy}/deno.json`));
    const flags = (tasks.fsmqtt.command as string).replace(/^deno run (.*) main\.ts$/, "$1");
    const run = `exec deno run --cached-only --no-prompt ${flags} ${copy}/main.ts "$@"`;
    await this.write(program, `#!/bin/sh\n${run}\n`);
    await this.run("chmod", "--recursive", "a+rX", copy);
    await this.run("chmod", "755", program);
    // Deno wants npm packages in a folder that its user may write.
    const packages = "/var/cache/fsmqtt/npm";
    await this.run("mkdir", "--parents", packages);
    await this.run("cp", "--recursive", "--no-target-directory", `${SHARED}/npm`, packages);
    await this.run("chown", "--recursive", "fsmqtt:fsmqtt", dirname(packages));
  }
}

/** The process below this one that has become systemd, if there is one already. */
async function findSystemd(pid: number): Promise<number | undefined> {
  try {
    if ((await Deno.readTextFile(`/proc/${pid}/comm`)).trim() === "systemd") return pid;
    const children = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
    for (const child of children.split(" ").filter((word) => word !== "")) {
      const found = await findSystemd(Number(child));
      if (found !== undefined) return found;
    }
  } catch {
    // It has ended meanwhile.
  }
  return undefined;
}

/** Where Deno keeps what it has downloaded. */
async function denoFolder(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(text(stdout)).denoDir;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
