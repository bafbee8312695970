/** What the tests of `lib/config/` share. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { checkConfig } from "../../lib/config/check.ts";
import type { Config } from "../../lib/config/config.ts";
import { loadConfig, type LoadOptions } from "../../lib/config/load.ts";
import { type Finding, formatFinding } from "../../lib/config/position.ts";

/** An ESL password, so that its default is no finding. */
export const SETTINGS = '<settings><param name="esl-password" value="x"/></settings>';

/** Writes files, by their path in a temporary folder, calls `use` with that folder, and removes it. */
export function withFiles(files: Record<string, string>, use: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync();
  try {
    for (const [path, content] of Object.entries(files)) {
      const file = join(folder, path);
      Deno.mkdirSync(join(file, ".."), { recursive: true });
      Deno.writeTextFileSync(file, content);
    }
    use(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** A configuration of this content. */
export function configuration(content: string): string {
  return `<configuration name="mosquitto.conf">${content}</configuration>`;
}

/** `<param>`s of these values. */
export function params(values: Record<string, string>): string {
  return Object.entries(values).map(([name, value]) => `<param name="${name}" value="${value}"/>`)
    .join("");
}

/** Loads a file. The environment is empty unless `options` give one. */
export function load(
  file: string,
  options: LoadOptions = {},
): { config: Config | undefined; findings: readonly Finding[]; lines: string[] } {
  const { config, findings } = loadConfig(file, { env: () => undefined, ...options });
  return { config, findings, lines: findings.map(formatFinding) };
}

/** Loads a file that must have no error. */
export function loaded(file: string, options: LoadOptions = {}): Config {
  const { config, lines } = load(file, options);
  assert.ok(config, lines.join("\n"));
  return config;
}

/** The configuration that is made of this content and must have no error. */
export function configOf(content: string): Config {
  return configOfFile(configuration(SETTINGS + content));
}

/** The configuration of a file with this text; `{folder}` in it stands for the file's own. */
export function configOfFile(text: string): Config {
  let config: Config | undefined;
  withFiles({}, (folder) => {
    const file = join(folder, "mosquitto.conf.xml");
    Deno.writeTextFileSync(file, text.replaceAll("{folder}", folder));
    config = loaded(file);
  });
  assert.ok(config);
  return config;
}

/** What the checker finds in this content, folders and that it may have nothing to do left out. */
export function checked(content: string): Finding[] {
  return withoutIdle(checkConfig(configOf(content), {
    env: () => undefined,
    writeFault: () => undefined,
    freeBytes: () => undefined,
  }));
}

/** Findings, but not that a configuration has nothing to do: most of the tests' have not. */
export function withoutIdle(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ code }) => code !== "nothing-to-do");
}
