/**
 * Puts a Debian package together.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ExitCode } from "../../lib/exit_code.ts";
import { controlFile, type Form, type PackageFacts } from "./debian.ts";
import { BuildError } from "./error.ts";
import { type PackedFile, packedFiles } from "./packed_files.ts";
import { runProgram } from "./program.ts";

const SCRIPTS = new URL("../../conf/debian/", import.meta.url);
/** What dpkg runs (deb-postinst(5) and its kin). */
const MAINTAINER_SCRIPTS = ["postinst", "prerm", "postrm"];
const LIMIT_MS = 300_000;

/**
 * Writes a package. The same sources give the same bytes.
 *
 * @throws {BuildError} with exit code 69 if there is no dpkg-deb.
 */
export async function makeDeb(form: Form, facts: PackageFacts, path: string): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "fsmqtt-deb-" });
  try {
    const files = await packedFiles(form, facts);
    for (const file of files) await write(root, file);
    for (const file of await metadata(form, facts, files)) await write(root, file);
    // Folders keep the permissions of a private one otherwise.
    for (const folder of foldersOf(files)) await Deno.chmod(join(root, folder), 0o755);
    await Deno.chmod(join(root, "etc/fsmqtt"), 0o750);
    await pack(root, path, facts.date);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** The file name of a package (deb(5)). */
export function debName(form: Form, { version }: PackageFacts): string {
  return `fsmqtt_${version}_${form.kind === "bundle" ? "all" : form.architecture}.deb`;
}

async function metadata(
  form: Form,
  facts: PackageFacts,
  files: readonly PackedFile[],
): Promise<PackedFile[]> {
  const bytes = files.reduce((sum, { content }) => sum + content.length, 0);
  const configuration = files.map(({ path }) => path).filter((path) => path.startsWith("etc/"));
  const sums = files.map(({ path, content }) =>
    `${createHash("md5").update(content).digest("hex")}  ${path}\n`
  );
  const scripts = MAINTAINER_SCRIPTS.map(async (name) => ({
    path: `DEBIAN/${name}`,
    mode: 0o755,
    content: await Deno.readFile(fileURLToPath(new URL(name, SCRIPTS))),
  }));
  return [
    { path: "DEBIAN/control", mode: 0o644, content: controlFile(form, facts, bytes) },
    {
      path: "DEBIAN/conffiles",
      mode: 0o644,
      content: configuration.map((each) => `/${each}\n`).join(""),
    },
    { path: "DEBIAN/md5sums", mode: 0o644, content: sums.join("") },
    ...await Promise.all(scripts),
  ];
}

async function write(root: string, { path, mode, content }: PackedFile): Promise<void> {
  const target = join(root, path);
  await Deno.mkdir(dirname(target), { recursive: true });
  await Deno.writeFile(
    target,
    typeof content === "string" ? new TextEncoder().encode(content) : content,
  );
  await Deno.chmod(target, mode);
}

/** All folders above these files, with the root. */
function foldersOf(files: readonly PackedFile[]): Set<string> {
  const folders = new Set(["DEBIAN", "."]);
  for (const { path } of files) {
    for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) folders.add(folder);
  }
  return folders;
}

async function pack(root: string, path: string, date: Date): Promise<void> {
  const command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", root, path];
  const env = { SOURCE_DATE_EPOCH: `${Math.floor(date.getTime() / 1000)}` };
  await touch(root, date);
  try {
    const { code, err } = await runProgram(command, { env, limitMs: LIMIT_MS });
    if (code !== 0) throw new BuildError(`Cannot package: ${err}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new BuildError(
      "Cannot package: there is no dpkg-deb here; Debian's package dpkg has it",
      ExitCode.UNAVAILABLE,
    );
  }
}

/** All of it is as old as its sources. */
async function touch(path: string, date: Date): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    if (isDirectory) await touch(join(path, name), date);
    else await Deno.utime(join(path, name), date, date);
  }
  await Deno.utime(path, date, date);
}
