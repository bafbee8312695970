/**
 * Which elements and attributes stand where.
 *
 * @module
 */

import type { Findings } from "./findings.ts";
import { suggestion } from "./nearest.ts";
import { attribute, type XmlElement } from "./xml.ts";

interface Shape {
  readonly children: readonly string[];
  /** Attributes that must be there. */
  readonly required?: readonly string[];
  /** Attributes that may be there. */
  readonly optional?: readonly string[];
}

const NAMED = ["name"];

const shapes: Readonly<Record<string, Shape>> = {
  configuration: { children: ["settings", "profiles"], optional: ["name", "description"] },
  settings: { children: ["param"] },
  profiles: { children: ["profile"] },
  profile: { children: ["param", "connections", "publishers", "subscribers"], required: NAMED },
  connections: { children: ["param", "connection"] },
  connection: { children: ["param", "tls", "will"], required: NAMED },
  tls: { children: ["param"] },
  will: { children: ["param"] },
  publishers: { children: ["publisher"] },
  publisher: { children: ["param", "topics"], required: NAMED },
  subscribers: { children: ["subscriber"] },
  subscriber: { children: ["param", "topics"], required: NAMED },
  topics: { children: ["topic"] },
  topic: { children: ["param"], required: NAMED },
  param: { children: [], required: ["name", "value"] },
};

/** Finds every element, attribute and text that does not belong where it stands. */
export function checkStructure(element: XmlElement, findings: Findings): void {
  const shape = shapes[element.name];
  if (shape === undefined) return;
  checkAttributes(element, shape, findings);
  for (const at of element.texts) {
    findings.warn(at, "stray-text", `text in <${element.name}> means nothing`);
  }
  for (const child of element.children) {
    if (shape.children.includes(child.name)) checkStructure(child, findings);
    else findings.error(child.at, "unknown-element", misplaced(child.name, element.name, shape));
  }
}

function checkAttributes(element: XmlElement, shape: Shape, findings: Findings): void {
  const { required = [], optional = [] } = shape;
  const known = [...required, ...optional];
  for (const { name, at } of element.attributes) {
    if (known.includes(name)) continue;
    const text = `unknown attribute \`${name}\` of <${element.name}>${suggestion(name, known)}`;
    findings.error(at, "unknown-attribute", text);
  }
  for (const name of required) {
    const given = attribute(element, name);
    // An empty value means unset, an empty name is none.
    if (given !== undefined && (given.value !== "" || name === "value")) continue;
    const text = `<${element.name}> needs the attribute \`${name}\``;
    findings.error(element.at, "missing-attribute", text);
  }
}

function misplaced(name: string, parent: string, shape: Shape): string {
  const homes = Object.entries(shapes)
    .filter(([, { children }]) => children.includes(name))
    .map(([home]) => `<${home}>`);
  if (homes.length > 0) return `<${name}> does not belong in <${parent}>, but in ${list(homes)}`;
  const hint = suggestion(name, shape.children, (candidate) => `<${candidate}>`);
  return `unknown element <${name}> in <${parent}>${hint}`;
}

function list(words: readonly string[]): string {
  return words.length > 4 ? "a section" : words.join(" or ");
}
