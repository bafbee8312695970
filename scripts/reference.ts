/**
 * Writes `docs/reference.md` from the tables in the code. With `--check` it writes nothing and ends
 * with 1 if the file is not what it would write.
 *
 * @module
 */

import { type Command, usageOf } from "../lib/cli/command.ts";
import { commands } from "../lib/cli/commands.ts";
import { codes } from "../lib/config/codes.ts";
import type { Parameter } from "../lib/config/parameter.ts";
import { fileForm, type Parameters, sections } from "../lib/config/parameters.ts";
import { EXIT_CODE_MEANINGS } from "../lib/exit_code.ts";

const FILE = new URL("../docs/reference.md", import.meta.url);

const INTRODUCTION = `# Reference

Made from the tables in \`lib/\` by \`deno task reference\`; do not edit.
`;

/** The chapters, in their order. */
const chapters: readonly (() => string)[] = [
  parameters,
  commandLine,
  exitCodes,
  findingCodes,
];

function parameters(): string {
  const tables = Object.values(sections).map(({ title, parameters }) =>
    `### ${title.replace(/<.*>/, code)}\n\n${parameterTable(parameters)}`
  );
  return `## Parameters

An empty value means unset; what must not be left open by mistake is *never empty*. True is \`yes\`, \`on\`, \`true\`, \`t\`, \`enabled\`, \`active\`, \`allow\` or a number
other than 0, in any case; everything else is false. \`$\{hostname}\` and \`$\{switchname}\`, as
FreeSWITCH reports them, may stand in what is marked *template*. A secret may be given as the name
of a file that holds it. A file's bare name is looked up in systemd's credentials folder where there
is one, else beside the configuration file. Parameters directly under \`<connections>\` are the defaults
of that profile's connections.

${tables.join("\n\n")}
`;
}

function parameterTable(parameters: Parameters): string {
  const rows = Object.entries(parameters).map(([name, parameter]) => [
    names(name, parameter),
    kind(parameter),
    defaultOf(parameter),
    parameter.help,
    parameter.original ? "yes" : "no",
  ]);
  return table(["Parameter", "Kind", "Default", "Meaning", "In mod_mosquitto"], rows);
}

function names(name: string, { secret }: Parameter<unknown>): string {
  return secret ? `${code(name)} or ${code(fileForm(name))}` : code(name);
}

function kind({ type, unit, repeatable, templated, neverEmpty }: Parameter<unknown>): string {
  return [
    unit === undefined ? type : `${type} (${unit})`,
    ...(repeatable ? ["any number of times"] : []),
    ...(templated ? ["*template*"] : []),
    ...(neverEmpty ? ["*never empty*"] : []),
  ].join(", ");
}

function defaultOf({ fallback, fallbackText, inherits }: Parameter<unknown>): string {
  if (fallbackText !== undefined) return fallbackText;
  if (inherits !== undefined) return `${code(inherits)} of ${code("<settings>")}`;
  if (fallback === undefined || fallback === "") return "none";
  return Array.isArray(fallback) ? "none" : code(String(fallback));
}

function commandLine(): string {
  return `## Commands

Data goes to standard output, messages to standard error. The commands that ask a running agent use
its control socket: the usual one, or the one that \`--control SOCKET\` names.

${commands.map(commandText).join("\n\n")}
`;
}

function commandText(command: Command): string {
  const { summary, options } = command;
  const given = Object.entries(options).map(([option, { value, help }]) =>
    `- ${code(`--${option}${value === undefined ? "" : ` ${value}`}`)}: ${help}`
  );
  const text = `### ${code(usageOf(command))}\n\n${summary}`;
  return given.length === 0 ? text : `${text}\n\n${given.join("\n")}`;
}

function exitCodes(): string {
  const rows = Object.entries(EXIT_CODE_MEANINGS);
  return `## Exit codes\n\n${table(["Code", "Meaning"], rows)}\n`;
}

function findingCodes(): string {
  const rows = Object.entries(codes).map(([name, meaning]) => [code(name), meaning]);
  return `## Codes of findings

What \`fsmqtt check\` tells ends in one of these.

${table(["Code", "Meaning"], rows)}
`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function code(text: string): string {
  return `\`${text}\``;
}

if (import.meta.main) {
  const text = [INTRODUCTION, ...chapters.map((chapter) => chapter())].join("\n");
  if (!Deno.args.includes("--check")) {
    await Deno.writeTextFile(FILE, text);
  } else if (await Deno.readTextFile(FILE).catch(() => "") !== text) {
    console.error("Cannot accept docs/reference.md: it is out of date; run `deno task reference`");
    Deno.exit(1);
  }
}
