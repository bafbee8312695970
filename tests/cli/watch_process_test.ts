/** `fsmqtt status --watch` as it is run: in a terminal, into a pipe. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { configurationXml, params } from "../agent/running_agent.ts";
import { AgentProcess } from "../support/agent_process.ts";
import { freePort } from "../support/broker.ts";
import { lines, programLine, withFolder } from "./process_helper.ts";

const DEADLINE_MS = 30_000;

/** What a process writes, as it comes. */
class Screen implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;
  text = "";

  constructor(program: string, args: readonly string[]) {
    this.#child = new Deno.Command(program, {
      args: [...args],
      env: { TERM: "xterm" },
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Reads on until this is there; what was before it is forgotten. What never comes is an error. */
  async until(pattern: RegExp): Promise<void> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), DEADLINE_MS);
    try {
      for (;;) {
        const found = pattern.exec(this.text);
        if (found !== null) {
          this.text = this.text.slice(found.index + found[0].length);
          return;
        }
        const { value, done } = await this.#reader.read();
        assert.equal(done, false, `it ended without ${pattern}:\n${this.text.slice(-2000)}`);
        this.#add(value);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async type(text: string): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    writer.releaseLock();
  }

  /** Sends the signal, if one is given, and reads to the end. */
  async end(signal?: Deno.Signal): Promise<number> {
    if (signal !== undefined) this.#child.kill(signal);
    for (;;) {
      const { value, done } = await this.#reader.read();
      if (done) return (await this.#child.status).code;
      this.#add(value);
    }
  }

  #add(text = ""): void {
    this.text += text.replaceAll("\x1b", "␛");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#reader.cancel();
    await this.#child.stdin.close().catch(() => {});
    await this.#child.status;
  }
}

const xml = configurationXml(freePort(), {
  connections: { c: params({ host: "127.0.0.1", port: freePort() }) },
});

const watching = (control: string) => [
  ...programLine(),
  ...["status", "--watch", "--every", "0.1", "--control", control],
];

/** Runs a program in a terminal of this size. */
function inTerminal(size: string, line: readonly string[]): Screen {
  const words = line.map((word) => `'${word}'`).join(" ");
  // With jobs, as in a shell that is typed into.
  const command = `stty ${size} && set -m && ${words}; exit`;
  return new Screen("script", ["--quiet", "--return", "--command", command, "/dev/null"]);
}

Deno.test("in a terminal it redraws in place, and Ctrl-C gives the terminal back", async () => {
  await using agent = await AgentProcess.start(xml);
  await using screen = inTerminal("rows 4 cols 30", watching(agent.control));
  await screen.until(/␛\[\?1049h/);
  await screen.until(/␛\[Hdegraded: /);
  await screen.until(/\n… \d+ more lines␛\[K␛\[J/);
  await screen.until(/␛\[Hdegraded: /);
  // Ctrl-Z would leave the shell on this screen.
  await screen.type("\x1a");
  await screen.until(/␛\[Hdegraded: /);
  await screen.type("\x03");
  assert.equal(await screen.end(), 0);
  assert.match(screen.text, /␛\[\?25h␛\[\?7h␛\[\?1049l$/);
});

Deno.test("it waits for an agent, and goes on when that goes away", async () => {
  await withFolder(async (folder) => {
    await using none = inTerminal("rows 24 cols 300", watching(join(folder, "control.sock")));
    await none.until(/␛\[Haway: No agent is running on /);
    await none.type("\x03");
    assert.equal(await none.end(), 0);
  });
  await using agent = await AgentProcess.start(xml);
  await using screen = inTerminal("rows 24 cols 300", watching(agent.control));
  await screen.until(/␛\[Hdegraded: /);
  await agent.stop();
  await screen.until(/␛\[Haway: [^\n]*\n[^\n]*, last seen at /);
  await agent.startAgain();
  await screen.until(/␛\[Hdegraded: /);
});

Deno.test("into a pipe it writes block after block, without control sequences", async () => {
  await using agent = await AgentProcess.start(xml);
  const [program, ...args] = watching(agent.control);
  await using screen = new Screen(program ?? "", args);
  await screen.until(/^degraded: /);
  await screen.until(/\n\ndegraded: /);
  assert.equal(await screen.end("SIGTERM"), 0);
  assert.doesNotMatch(screen.text, /␛/);
});

Deno.test("a reader that has seen enough ends it", async () => {
  await using agent = await AgentProcess.start(xml);
  const words = watching(agent.control).map((word) => `'${word}'`).join(" ");
  const child = new Deno.Command("sh", {
    args: [
      "-c",
      `{ timeout ${DEADLINE_MS / 1000} ${words}; echo "ended with $?" >&2; } | head -n 1`,
    ],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const [said] = await Array.fromAsync(lines(child.stderr));
  assert.equal(said, "ended with 0");
  await child.status;
});
