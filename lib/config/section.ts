/**
 * The `<param>`s of one section to values, by the table.
 *
 * @module
 */

import { dirname, resolve } from "node:path";
import { Secret } from "../secret.ts";
import { readFault } from "./accounts.ts";
import type { Source } from "./config.ts";
import { isCredentialName, WITHHELD } from "./credentials.ts";
import { type Findings, place } from "./findings.ts";
import { nearest } from "./nearest.ts";
import type { Parameter } from "./parameter.ts";
import {
  fileForm,
  type Parameters,
  propertyName,
  type Section,
  type SectionName,
  sections,
  type Values,
} from "./parameters.ts";
import type { Position } from "./position.ts";
import { TEMPLATE_NAMES, unknownTemplate } from "./template.ts";
import { attribute, type XmlAttribute, type XmlElement } from "./xml.ts";

/** A value that a file gives. */
export interface Given {
  /** The value, as the parameter reads it. */
  readonly value: unknown;
  /** Where it is given. */
  readonly at: Position;
  /** The file that a secret was read from, or the name of a credential that was not given. */
  readonly file?: string;
}

/** The values that are given in a section, by the parameter's name in the table. */
export type GivenValues = ReadonlyMap<string, Given>;

/** What a name of a file refers to. */
interface Identified {
  readonly name: string;
  readonly parameter: Parameter<unknown>;
  /** Whether the value is the name of a file that holds the secret. */
  readonly inFile: boolean;
}

/** Where credentials come from. */
export interface Credentials {
  /** The folder in which systemd hands them over. */
  readonly folder: string | undefined;
  /** Whether one that is not there is stood in for, with a warning; else that is an error. */
  readonly mayLack: boolean;
}

/** Reads sections of one configuration file. */
export class SectionReader {
  readonly #findings: Findings;
  readonly #folder: string;
  readonly #credentials: Credentials;

  /** Files that are named are looked up from the folder of `file`, or in that of credentials. */
  constructor(findings: Findings, file: string, credentials: Credentials) {
    this.#findings = findings;
    this.#folder = dirname(resolve(file));
    this.#credentials = credentials;
  }

  /** Reads the parameters of a section from its `<param>`s. */
  read(sectionName: SectionName, params: readonly XmlElement[]): GivenValues {
    const section: Section = sections[sectionName];
    const given = new Map<string, Given>();
    const forms = new Map<string, Identified & { at: Position }>();
    for (const param of params) {
      const name = attribute(param, "name");
      const value = attribute(param, "value");
      if (name === undefined || value === undefined || name.value === "") continue;
      const named = this.#identify(section, name);
      if (named === undefined) continue;
      if (value.value === "") {
        // An empty value means unset, where that is no lock that stays open.
        if (named.parameter.neverEmpty) this.#refuseEmpty(name, value);
        continue;
      }
      const before = forms.get(named.name);
      if (before !== undefined && !this.#mayRepeat(section, named, before, name.valueAt)) continue;
      forms.set(named.name, { ...named, at: name.valueAt });
      const read = named.inFile ? this.#readFile(named, value) : this.#readValue(named, value);
      const { repeatable, fallback } = named.parameter;
      if (!repeatable) {
        // The default stands in for a wrong value, so that it is not called missing too.
        given.set(named.name, read ?? { value: fallback, at: value.valueAt });
      } else if (read !== undefined) {
        given.set(named.name, joined(given.get(named.name), read));
      }
    }
    return given;
  }

  #refuseEmpty({ value: name }: XmlAttribute, { valueAt }: XmlAttribute): void {
    const text = `\`${name}\` is empty: give it a value, or take the line out`;
    this.#findings.error(valueAt, "wrong-value", text);
  }

  #identify(section: Section, { value: written, valueAt }: XmlAttribute): Identified | undefined {
    const lower = written.toLowerCase();
    for (const [name, parameter] of Object.entries(section.parameters)) {
      if (name === lower) return { name, parameter, inFile: false };
      if (parameter.secret && fileForm(name) === lower) return { name, parameter, inFile: true };
      if (parameter.misspellings.includes(lower)) {
        this.#findings.warn(valueAt, "misspelling", `\`${written}\` is read as \`${name}\``);
        return { name, parameter, inFile: false };
      }
    }
    this.#findings.error(valueAt, "unknown-parameter", unknownParameter(written, section));
    return undefined;
  }

  #mayRepeat(
    section: Section,
    named: Identified,
    before: Identified & { at: Position },
    at: Position,
  ): boolean {
    const { name, parameter, inFile } = named;
    if (parameter.repeatable) return true;
    const first = `the first is at ${place(before.at)}`;
    if (inFile !== before.inFile) {
      const text = `\`${name}\` and \`${fileForm(name)}\` cannot both be given; ${first}`;
      this.#findings.error(at, "secret-twice", text);
      return false;
    }
    const text = `\`${name}\` is given again in ${section.title}; this one counts, ${first}`;
    this.#findings.warn(at, "repeated-parameter", text);
    return true;
  }

  #readValue(
    { name, parameter }: Identified,
    { value, valueAt: at }: XmlAttribute,
  ): Given | undefined {
    const unknown = parameter.templated ? unknownTemplate(value) : undefined;
    if (unknown !== undefined) {
      const known = TEMPLATE_NAMES.map((name) => `\${${name}}`).join(" and ");
      const text = `\`${name}\` holds \${${unknown}}; only ${known} are known`;
      this.#findings.error(at, "unknown-template", text);
      return undefined;
    }
    const synonym = Object.entries(parameter.synonyms).find(([word]) =>
      word === value.toLowerCase()
    );
    if (synonym !== undefined) {
      const text = `\`${name}\`: ${JSON.stringify(value)} is read as "${synonym[1]}"`;
      this.#findings.warn(at, "misspelling", text);
    }
    const reading = parameter.read(synonym?.[1] ?? value);
    if ("expected" in reading) {
      const shown = parameter.secret ? "" : ` be ${JSON.stringify(value)}`;
      const text = `\`${name}\` cannot${shown}: expected ${reading.expected}`;
      this.#findings.error(at, "wrong-value", text);
      return undefined;
    }
    if (reading.remark !== undefined) {
      this.#findings.warn(at, "doubtful-value", `\`${name}\`: ${reading.remark}`);
    }
    if (parameter.path === undefined) return { value: reading.value, at };
    return { value: this.#lookUp(String(reading.value), parameter.path), at };
  }

  #readFile({ name }: Identified, { value, valueAt: at }: XmlAttribute): Given | undefined {
    const file = this.#lookUp(value, "file");
    try {
      const content = Deno.readTextFileSync(file).replace(/\r?\n$/, "");
      if (content !== "") return { value: new Secret(content), at, file };
      this.#findings.error(at, "secret-file", `Cannot read \`${name}\` from ${file}: it is empty`);
    } catch (error) {
      const isLacking = error instanceof Deno.errors.NotFound && isCredentialName(value);
      if (isLacking && this.#credentials.mayLack) return this.#withheld(name, value, at, file);
      const text = `Cannot read \`${name}\` from ${file}: ${readFault(file, error)}`;
      const remedy = isLacking
        ? `; hand it over with LoadCredential=${value}:/path (docs/service.md)`
        : "";
      this.#findings.error(at, "secret-file", text + remedy);
    }
    return undefined;
  }

  #withheld(name: string, credential: string, at: Position, file: string): Given {
    const text =
      `there is no ${file}: \`${fileForm(name)}\` is taken for a credential, which only ` +
      "the service is given: not looked at";
    this.#findings.warn(at, "secret-file", text);
    return { value: WITHHELD, at, file: credential };
  }

  /** What a path leads to. A file's bare name may be that of a credential of systemd's. */
  #lookUp(path: string, kind: "file" | "folder"): string {
    const isBare = kind === "file" && isCredentialName(path);
    return resolve((isBare ? this.#credentials.folder : undefined) ?? this.#folder, path);
  }
}

function joined(before: Given | undefined, { value, at }: Given): Given {
  const values = before === undefined ? [] : before.value as readonly unknown[];
  return { value: [...values, value], at: before?.at ?? at };
}

function unknownParameter(written: string, section: Section): string {
  const unknown = `unknown parameter \`${written}\` in ${section.title}`;
  const homes = Object.values(sections).filter(({ parameters }) =>
    namesOf(parameters).includes(written.toLowerCase())
  );
  // A name of nearly every section, such as `enable`, tells nothing.
  if (homes.length > 0 && homes.length < 4) {
    return `${unknown}: it belongs in ${homes.map(({ title }) => title).join(" or ")}`;
  }
  const meant = nearest(written, namesOf(section.parameters));
  return meant === undefined ? unknown : `${unknown}: did you mean \`${meant}\`?`;
}

function namesOf(parameters: Parameters): string[] {
  return Object.entries(parameters).flatMap(([name, { secret }]) =>
    secret ? [name, fileForm(name)] : [name]
  );
}

/** The values of a section: what is given, else what it inherits, else the defaults. */
export function completeValues<P extends Parameters>(
  parameters: P,
  given: GivenValues,
  settings: GivenValues = new Map(),
): Values<P> {
  const values = Object.entries(parameters).map(([name, { inherits, fallback }]) => {
    const source = given.get(name) ?? (inherits === undefined ? undefined : settings.get(inherits));
    return [propertyName(name), source === undefined ? fallback : source.value];
  });
  return Object.fromEntries(values);
}

/** Where a section and its given values stand. */
export function sourceOf(at: Position, given: GivenValues): Source {
  const files = [...given].flatMap(([name, { file }]) =>
    file === undefined ? [] : [[name, file] as const]
  );
  return {
    at,
    given: new Map([...given].map(([name, { at }]) => [name, at])),
    ...(files.length === 0 ? {} : { secretFiles: new Map(files) }),
  };
}
