/**
 * What the Debian package is made of.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { commandGroups } from "../../lib/cli/commands.ts";
import { dispatch } from "../../lib/cli/dispatch.ts";
import { manual } from "../manual.ts";
import { changelog, copyright, type Form, type PackageFacts } from "./debian.ts";
import { BUNDLE_FLAGS, OLDEST_DENO } from "./flags.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A file in the package. */
export interface PackedFile {
  /** Where it is installed, from the root folder, without a leading slash. */
  readonly path: string;
  /** Its permissions. */
  readonly mode: number;
  /** What is in it. */
  readonly content: string | Uint8Array;
}

/** Files of the repository by where they go. */
const COPIED: Readonly<Record<string, string>> = {
  "etc/default/fsmqtt": "conf/fsmqtt.default",
  "etc/logrotate.d/fsmqtt": "conf/fsmqtt.logrotate",
  "usr/lib/systemd/system/fsmqtt.service": "conf/fsmqtt.service",
  "usr/share/lintian/overrides/fsmqtt": "conf/debian/lintian-overrides",
  "usr/lib/sysusers.d/fsmqtt.conf": "conf/fsmqtt.sysusers",
};

const DOC = "usr/share/doc/fsmqtt";
/** The documents and what they refer to, in the places that their links have them in. */
const DOCUMENTS = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "LICENSE",
  "docs",
  "conf/broker",
  "conf/fsmqtt.logrotate",
  "conf/fsmqtt.service",
  "conf/mosquitto-console",
  "conf/mosquitto.conf.xml",
  "lib/commands/contract.ts",
];

/** All files of a package, ordered by path. */
export async function packedFiles(form: Form, facts: PackageFacts): Promise<PackedFile[]> {
  const files = [
    ...await program(form),
    ...await copied(),
    ...await documents(),
    ...await completions(),
    { path: "usr/share/man/man1/fsmqtt.1.gz", mode: 0o644, content: gzip(manual()) },
    { path: `${DOC}/copyright`, mode: 0o644, content: copyright(form, facts) },
    { path: `${DOC}/changelog.gz`, mode: 0o644, content: gzip(changelog(facts)) },
  ];
  return files.sort((a, b) => a.path < b.path ? -1 : 1);
}

async function program(form: Form): Promise<PackedFile[]> {
  const content = await Deno.readFile(form.file);
  if (form.kind === "executable") return [{ path: "usr/bin/fsmqtt", mode: 0o755, content }];
  const starter = (await Deno.readTextFile(join(ROOT, "conf/debian/fsmqtt")))
    .replace("@FLAGS@", BUNDLE_FLAGS.join(" "))
    .replace("@OLDEST@", OLDEST_DENO);
  return [
    { path: "usr/bin/fsmqtt", mode: 0o755, content: starter },
    { path: "usr/lib/fsmqtt/fsmqtt.js", mode: 0o755, content },
  ];
}

async function copied(): Promise<PackedFile[]> {
  const read = (path: string) => Deno.readFile(join(ROOT, path));
  const plain = Object.entries(COPIED).map(async ([path, from]) => ({
    path,
    mode: 0o644,
    content: await read(from),
  }));
  return [
    ...await Promise.all(plain),
    // It holds passwords; the group is fsmqtt's once there is one.
    {
      path: "etc/fsmqtt/mosquitto.conf.xml",
      mode: 0o640,
      content: await read("conf/debian/mosquitto.conf.xml"),
    },
    {
      path: "usr/lib/fsmqtt/mosquitto-console",
      mode: 0o755,
      content: await read("conf/mosquitto-console"),
    },
  ];
}

async function documents(): Promise<PackedFile[]> {
  const paths = await Promise.all(DOCUMENTS.map(filesUnder));
  return await Promise.all(
    paths.flat().map(async (path) => ({
      path: `${DOC}/${path}`,
      mode: 0o644,
      content: await Deno.readFile(join(ROOT, path)),
    })),
  );
}

async function filesUnder(path: string): Promise<string[]> {
  if ((await Deno.stat(join(ROOT, path))).isFile) return [path];
  const entries = await Array.fromAsync(Deno.readDir(join(ROOT, path)));
  return (await Promise.all(entries.map(({ name }) => filesUnder(`${path}/${name}`)))).flat();
}

/** Where each shell looks for completions. */
const COMPLETIONS: Readonly<Record<string, string>> = {
  bash: "usr/share/bash-completion/completions/fsmqtt",
  zsh: "usr/share/zsh/vendor-completions/_fsmqtt",
  fish: "usr/share/fish/vendor_completions.d/fsmqtt.fish",
};

async function completions(): Promise<PackedFile[]> {
  const files = [];
  for (const [shell, path] of Object.entries(COMPLETIONS)) {
    const lines: string[] = [];
    const output = {
      out: (text: string) => lines.push(text),
      err: (text: string) => lines.push(text),
    };
    const code = await dispatch(commandGroups, ["completion", shell], output);
    if (code !== 0) throw new Error(lines.join("\n"));
    files.push({ path, mode: 0o644, content: `${lines.join("\n").trimEnd()}\n` });
  }
  return files;
}

/** Without a time or a name inside, so that it is the same each time (`gzip -9n`). */
function gzip(text: string): Uint8Array {
  return gzipSync(text, { level: 9 });
}
