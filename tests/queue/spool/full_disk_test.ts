import { match, ok, strictEqual } from "node:assert";
import { TextLineStream } from "../../support/lines.ts";
import { ALL, assertWhole, folder, open } from "./helper.ts";

interface State {
  readonly error?: string;
  readonly damaged: number;
  readonly lastRow: number;
  readonly messages: number;
  readonly found: number;
  readonly written: number;
}

/** Runs the filler after a line of shell. */
function filler(path: string, prepare: string) {
  const script = new URL("./filler.ts", import.meta.url).pathname;
  const child = new Deno.Command("bash", {
    args: ["-c", `${prepare}; exec "$@"`, "bash", Deno.execPath(), "run", "-A", script, path],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = child.stdout
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream())
    .getReader();
  const stdin = child.stdin.getWriter();
  const say = (command: string) => stdin.write(new TextEncoder().encode(`${command}\n`));
  return {
    pid: child.pid,
    async ask(command: string): Promise<State> {
      await say(command);
      return JSON.parse((await lines.read()).value ?? "");
    },
    async end(): Promise<void> {
      await say("end");
      await stdin.close();
      strictEqual((await child.status).code, 0);
      await lines.cancel();
    },
    /** What a failed assertion has left behind. */
    async [Symbol.asyncDispose](): Promise<void> {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await child.status;
    },
  };
}

/** Runs a command; whether it did well. */
function run(command: string, ...args: string[]): boolean {
  try {
    return new Deno.Command(command, { args, stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** Fills, empties and fills a spool; `makeRoom` makes more in between. */
async function fillUp(
  path: string,
  prepare: string,
  reason: RegExp,
  makeRoom: (pid: number) => void,
  emptiesAlways: boolean,
): Promise<void> {
  await using child = filler(path, prepare);
  const full = await child.ask("fill");
  match(full.error ?? "", reason);
  ok(full.written > 50, `${full.written} rows`);
  for (const state of [full, await child.ask("fill")]) {
    strictEqual(state.damaged, 0);
    strictEqual(state.messages, full.written, "nothing of the row that was refused is kept");
    strictEqual(state.found, full.written);
    strictEqual(state.lastRow, full.written);
  }
  makeRoom(child.pid);
  const more = await child.ask("fill");
  match(more.error ?? "", reason);
  ok(more.written > 1.5 * full.written, `${more.written} after ${full.written}`);
  strictEqual(more.found, more.written);
  if (!emptiesAlways) makeRoom(child.pid);
  const empty = await child.ask("empty");
  strictEqual(empty.error, undefined);
  strictEqual(empty.messages, 0);
  const again = await child.ask("fill");
  strictEqual(again.damaged, 0);
  ok(again.messages > full.messages);
  await child.end();
  using opened = open(path);
  strictEqual(opened.damage, undefined);
  strictEqual(opened.contents.messages, again.messages);
  const found = opened.file.read(0, ALL);
  strictEqual(found.length, again.messages);
  found.forEach(assertWhole);
}

Deno.test("a file that may not grow is no damage, and works again when it may", async () => {
  using dir = folder();
  const path = dir.file("spool");
  let mebibytes = 2;
  // Also what a disk says that is worse than full: SQLite calls it an I/O error.
  await fillUp(
    path,
    `trap '' XFSZ; ulimit -S -f ${mebibytes * 1024}`,
    /^SpoolError: Cannot write the spool .*: the disk cannot be read or written, or a size limit/,
    (pid) => {
      mebibytes *= 2;
      ok(run("prlimit", "--pid", String(pid), `--fsize=${mebibytes * 1024 * 1024}:`));
    },
    false,
  );
});

/** Whether this user may mount a file system. */
function mayMount(): boolean {
  using dir = folder();
  const disk = dir.file("disk");
  Deno.mkdirSync(disk);
  return run("mount", "-t", "tmpfs", "-o", "size=1m", "fsmqtt-test", disk) && run("umount", disk);
}

const ignore = !mayMount();

Deno.test({
  name: `a full disk is no damage, and works again when there is room${
    ignore ? " (needs the right to mount)" : ""
  }`,
  ignore,
  async fn() {
    using dir = folder();
    const disk = dir.file("disk");
    await Deno.mkdir(disk);
    ok(run("mount", "-t", "tmpfs", "-o", "size=8m", "fsmqtt-test", disk));
    try {
      let mebibytes = 8;
      await fillUp(
        `${disk}/spool`,
        ":",
        /^SpoolError: Cannot write the spool .*: No space left on device$/,
        () => {
          mebibytes *= 2;
          ok(run("mount", "-o", `remount,size=${mebibytes}m`, disk));
        },
        // Room is kept for that.
        true,
      );
    } finally {
      ok(run("umount", disk));
    }
  },
});
