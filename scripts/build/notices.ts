/**
 * The licences of what fsmqtt is bundled with.
 *
 * @module
 */

import { join } from "node:path";
import { BuildError } from "./error.ts";

/** An npm package, as Deno's cache holds it. */
export interface Package {
  /** Its name, with its scope. */
  readonly name: string;
  /** Its version. */
  readonly version: string;
  /** Where it lies. */
  readonly folder: string;
}

/** Texts that packages owe. */
const OWED: Readonly<Record<string, string>> = {
  // Its package.json says ISC; the notice is that of its repository's LICENSE.
  saxes: `ISC License

Copyright (c) Contributors
Portions inherited from sax: Copyright (c) Isaac Z. Schlueter and Contributors

Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee
is hereby granted, provided that the above copyright notice and this permission notice appear in all
copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS
SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE
AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE
OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS
SOFTWARE.`,
};

/**
 * The licence of each package, word by word.
 *
 * @throws {BuildError} if a package brings none.
 */
export async function notices(packages: readonly Package[]): Promise<string> {
  const texts = new Map<string, string[]>();
  for (const each of packages) {
    const text = await licenceOf(each);
    texts.set(text, [...texts.get(text) ?? [], `${each.name} ${each.version}`]);
  }
  return [...texts].map(([text, names]) => `${names.join(", ")}\n\n${text}`)
    .join(`\n\n${"-".repeat(80)}\n\n`);
}

async function licenceOf({ name, folder }: Package): Promise<string> {
  const files = (await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name))
    .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
    .sort();
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(join(folder, file))));
  const text = texts.join("\n").replace(/\r/g, "").trim() || OWED[name];
  if (text === undefined) {
    throw new BuildError(
      `The npm package ${name} has no licence; add its text to OWED in notices.ts`,
    );
  }
  return text;
}
