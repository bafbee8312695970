/**
 * What FreeSWITCH does to its configuration before it reads it as XML (switch_xml.c,
 * `preprocess`): X-PRE-PROCESS and `$${name}`. Here it is done to the parsed elements, so that
 * every place stays known.
 *
 * @module
 */

import { dirname } from "node:path";
import { glob, readXmlFile } from "./files.ts";
import type { Findings } from "./findings.ts";
import type { Position } from "./position.ts";
import type { Variables } from "./variables.ts";
import { attribute, type XmlAttribute, type XmlElement } from "./xml.ts";

/** What preprocessing works with. */
export interface PreprocessContext {
  /** Where problems are told. */
  readonly findings: Findings;
  /** Read by `$${name}`, written by `set` and `env-set`. */
  readonly variables: Variables;
  /** The environment, for `env-set`. */
  readonly env: (name: string) => string | undefined;
}

/**
 * Reads a file with everything it includes. `<include>` elements are transparent: their children
 * take their place. Returns nothing where the file itself cannot be read.
 */
export function readPreprocessed(
  file: string,
  context: PreprocessContext,
): readonly XmlElement[] | undefined {
  const elements = readXmlFile(file, context.findings);
  return elements && new Preprocessor(context, [file]).run(elements);
}

class Preprocessor {
  readonly #context: PreprocessContext;
  /** The file being read, last, and those that include it. */
  readonly #files: readonly string[];

  constructor(context: PreprocessContext, files: readonly string[]) {
    this.#context = context;
    this.#files = files;
  }

  run(elements: readonly XmlElement[]): XmlElement[] {
    return elements.flatMap((element) => {
      if (element.name.toLowerCase() === "x-pre-process") return this.#command(element);
      if (element.name === "include") return this.run(element.children);
      const attributes = element.attributes.map((attribute) => this.#expand(attribute).attribute);
      return [{ ...element, attributes, children: this.run(element.children) }];
    });
  }

  #expand(attribute: XmlAttribute): { attribute: XmlAttribute; doubts: readonly string[] } {
    const { text, doubts } = this.#context.variables.expand(attribute.value);
    for (const doubt of doubts) {
      this.#context.findings.warn(attribute.valueAt, "unset-variable", doubt);
    }
    return { attribute: { ...attribute, value: text }, doubts };
  }

  #command(element: XmlElement): XmlElement[] {
    const { findings } = this.#context;
    const command = attribute(element, "cmd");
    const raw = attribute(element, "data");
    if (command === undefined || raw === undefined) {
      const name = command === undefined ? "cmd" : "data";
      findings.warn(element.at, "pre-process", `X-PRE-PROCESS without \`${name}\` does nothing`);
      return [];
    }
    const { attribute: data, doubts } = this.#expand(raw);
    switch (command.value.toLowerCase()) {
      case "set":
        this.#set(data, doubts[0]);
        return [];
      case "env-set":
        this.#envSet(data);
        return [];
      case "include":
        return this.#include(data);
      case "exec":
      case "exec-set":
      case "stun-set":
        this.#skip(command, data);
        return [];
      default:
        findings.warn(
          command.valueAt,
          "pre-process",
          `unknown X-PRE-PROCESS \`${command.value}\` is skipped: set, env-set and include are known`,
        );
        return [];
    }
  }

  #set(data: XmlAttribute, doubt?: string): void {
    const [name, value] = this.#assignment(data) ?? [];
    if (name === undefined || value === undefined) return;
    const why = doubt && `$\${${name}} may be incomplete: ${doubt}`;
    this.#context.variables.set(name, value, why);
  }

  /** `name=$ENVIRONMENT`. As in FreeSWITCH, the value is left alone if the environment has none. */
  #envSet(data: XmlAttribute): void {
    const [name, source] = this.#assignment(data) ?? [];
    if (name === undefined || source === undefined) return;
    if (!source.startsWith("$")) {
      this.#context.findings.warn(
        data.valueAt,
        "pre-process",
        'env-set does nothing here: write data="name=$NAME"',
      );
      return;
    }
    const value = this.#context.env(source.slice(1));
    if (value !== undefined) this.#context.variables.set(name, value);
  }

  #assignment(data: XmlAttribute): [string, string] | undefined {
    const [, name, value] = /^(.*?) *= *(.*)$/s.exec(data.value) ?? [];
    if (name !== undefined && value !== undefined) return [name, value];
    const text = 'X-PRE-PROCESS sets nothing here: write data="name=value"';
    this.#context.findings.warn(data.valueAt, "pre-process", text);
    return undefined;
  }

  #skip(command: XmlAttribute, data: XmlAttribute): void {
    const kind = command.value.toLowerCase();
    this.#context.findings.warn(
      command.valueAt,
      "not-run",
      `${kind} is skipped: fsmqtt runs no program and asks no server while it reads a configuration`,
    );
    const [, name] = /^(.*?) *=/s.exec(data.value) ?? [];
    if (kind === "exec" || name === undefined) return;
    const doubt = `$\${${name}} is empty here: it is set by ${kind}, which fsmqtt never runs`;
    this.#context.variables.set(name, "", doubt);
  }

  #include(data: XmlAttribute): XmlElement[] {
    const { findings } = this.#context;
    const files = glob(data.value, dirname(this.#file));
    if (files.length === 0) {
      findings.warn(data.valueAt, "include-nothing", `\`${data.value}\` matches no file`);
    }
    return files.flatMap((file) => this.#includeFile(file, data.valueAt));
  }

  #includeFile(file: string, from: Position): XmlElement[] {
    const { findings } = this.#context;
    const identity = Deno.realPathSync(file);
    if (this.#files.some((open) => Deno.realPathSync(open) === identity)) {
      const chain = [...this.#files, file].join(" includes ");
      findings.error(from, "include-cycle", `Cannot include a file in itself: ${chain}`);
      return [];
    }
    const elements = readXmlFile(file, findings, { fragment: true, from });
    return elements === undefined
      ? []
      : new Preprocessor(this.#context, [...this.#files, file]).run(elements);
  }

  get #file(): string {
    return this.#files.at(-1) ?? "";
  }
}
