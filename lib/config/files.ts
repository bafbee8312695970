/**
 * Reading files, with failures as words.
 *
 * @module
 */

import { accessSync, constants } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { fileFault } from "../file_fault.ts";
import { readFault } from "./accounts.ts";
import type { Findings } from "./findings.ts";
import type { Position } from "./position.ts";
import { parseXml, type ParseXmlOptions, type XmlElement } from "./xml.ts";

/** How {@linkcode readXmlFile} reads. */
export interface ReadXmlOptions extends ParseXmlOptions {
  /** What asked for the file, where a failure to read it is reported. Default: its first line. */
  readonly from?: Position;
}

/** Reads a file of XML. What is wrong with it goes to `findings`. */
export function readXmlFile(
  file: string,
  findings: Findings,
  options: ReadXmlOptions = {},
): readonly XmlElement[] | undefined {
  const start = { file, line: 1, column: 1 };
  let bytes: Uint8Array;
  try {
    bytes = Deno.readFileSync(file);
  } catch (error) {
    const at = options.from ?? start;
    findings.error(at, "unreadable-file", `Cannot read ${file}: ${readFault(file, error)}`);
    return undefined;
  }
  return parseXml(decode(bytes, start, findings), file, findings, options);
}

function decode(bytes: Uint8Array, start: Position, findings: Findings): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const text = new TextDecoder().decode(bytes);
    const line = text.slice(0, text.indexOf("\uFFFD")).split("\n").length;
    findings.warn({ ...start, line }, "not-utf8", "not UTF-8: save the file as UTF-8");
    return text;
  }
}

/**
 * The files that a pattern of glob(3) names, sorted: `*`, `?` and `[…]` within a path's parts.
 * Names that begin with a dot are matched only by a dot.
 */
export function glob(pattern: string, folder: string): string[] {
  let paths = [isAbsolute(pattern) ? "/" : folder];
  for (const part of pattern.split("/").filter((part) => part !== "")) {
    paths = /[*?[]/.test(part)
      ? paths.flatMap((path) => entries(path, part).map((name) => join(path, name)))
      : paths.map((path) => join(path, part));
  }
  return paths.filter(exists);
}

function entries(folder: string, part: string): string[] {
  try {
    const matcher = globExpression(part);
    return [...Deno.readDirSync(folder)].map((entry) => entry.name)
      .filter((name) => matcher.test(name) && (!name.startsWith(".") || part.startsWith(".")))
      .sort();
  } catch {
    // As in glob(3), a folder that cannot be read, or a broken `[…]`, matches nothing.
    return [];
  }
}

function globExpression(part: string): RegExp {
  const source = part.replace(/\[[!^]?[^\]]+\]|./gsu, (token) => {
    if (token === "*") return ".*";
    if (token === "?") return ".";
    if (token.length < 3) return RegExp.escape(token);
    return token.replace(/^\[!/, "[^").replaceAll("\\", "\\\\");
  });
  return new RegExp(`^${source}$`, "s");
}

/** Whether a path is there. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * Why files cannot be made in a folder, or `undefined` if they can. A folder that is not there yet
 * is judged by the nearest one above it that is, and one that its group may write by any process that
 * may be of that group; root may write whatever its mode is. Nothing is written.
 */
export function writeFault(folder: string): string | undefined {
  try {
    if (!Deno.statSync(folder).isDirectory) return `${folder} is not a folder`;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return fileFault(error);
    const parent = dirname(folder);
    return parent === folder ? fileFault(error) : writeFault(parent);
  }
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const mayAllTheSame = isRootsToWrite(error) || isOpenToItsGroup(folder);
    return mayAllTheSame ? undefined : `${fileFault(error)} on ${folder}`;
  }
}

/** Deno's `accessSync` judges root by the mode, as it does others. */
function isRootsToWrite(error: unknown): boolean {
  return Deno.uid() === 0 && (error as { readonly code?: unknown }).code === "EACCES";
}

/** Deno's `accessSync` passes by the group, and which groups this process has, nobody tells. */
function isOpenToItsGroup(folder: string): boolean {
  return ((Deno.statSync(folder).mode ?? 0) & 0o030) === 0o030;
}

/** FreeSWITCH's own folder around a file of its `autoload_configs`. */
export function freeswitchFolder(file: string): string | undefined {
  const folder = dirname(resolve(file));
  return basename(folder) === "autoload_configs" ? dirname(folder) : undefined;
}
