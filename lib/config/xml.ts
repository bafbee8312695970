/**
 * XML text to a small tree in which everything knows its place.
 *
 * @module
 */

import { SaxesParser } from "saxes";
import type { Findings } from "./findings.ts";
import type { Position } from "./position.ts";

/** An attribute of an element. */
export interface XmlAttribute {
  /** Its name. */
  readonly name: string;
  /** Its value, entities resolved. */
  readonly value: string;
  /** The first character of its name. */
  readonly at: Position;
  /** The first character of its value, inside the quotes. */
  readonly valueAt: Position;
}

/** An element. */
export interface XmlElement {
  /** Its name. */
  readonly name: string;
  /** The `<` of its start tag. */
  readonly at: Position;
  /** Its attributes, in their order. */
  readonly attributes: readonly XmlAttribute[];
  /** The elements in it, in their order. */
  readonly children: readonly XmlElement[];
  /** Where text stands directly in it that is more than white space. */
  readonly texts: readonly Position[];
}

/** An attribute's value; `undefined` where the element lacks it. */
export function attribute(element: XmlElement, name: string): XmlAttribute | undefined {
  return element.attributes.find((attribute) => attribute.name === name);
}

/** How {@linkcode parseXml} reads. */
export interface ParseXmlOptions {
  /** Allows any number of elements side by side, as an included file may hold. Default: false. */
  readonly fragment?: boolean;
}

/** Deeper than any configuration, and not so deep that a stack overflows. */
const MAX_DEPTH = 100;

interface OpenElement extends XmlElement {
  readonly attributes: XmlAttribute[];
  readonly children: XmlElement[];
  readonly texts: Position[];
}

/**
 * Reads XML and returns its outermost elements. Malformed XML and a DOCTYPE are errors in
 * `findings`, and nothing is returned.
 */
export function parseXml(
  text: string,
  file: string,
  findings: Findings,
  { fragment = false }: ParseXmlOptions = {},
): readonly XmlElement[] | undefined {
  const position = locator(text, file);
  const parser = new SaxesParser({ fragment });
  const roots: XmlElement[] = [];
  const open: OpenElement[] = [];
  let attributes: XmlAttribute[] = [];
  let start = 0;
  let lastClosed: XmlElement | undefined;
  let doctype: number | undefined;

  parser.on("doctype", () => {
    doctype = text.lastIndexOf("<!DOCTYPE", parser.position);
    throw new Error("a DOCTYPE is not allowed here; remove it");
  });
  parser.on("opentagstart", () => {
    start = text.lastIndexOf("<", parser.position - 1);
    attributes = [];
  });
  parser.on("attribute", ({ name, value }) => {
    // The parser stands behind the closing quote, and a value cannot hold the quote around it.
    const end = parser.position - 1;
    const quote = text.lastIndexOf(text.charAt(end), end - 1);
    const nameAt = text.lastIndexOf(name, text.lastIndexOf("=", quote) - name.length);
    attributes.push({ name, value, at: position(nameAt), valueAt: position(quote + 1) });
  });
  parser.on("opentag", ({ name }) => {
    if (open.length === MAX_DEPTH) throw new Error("elements are nested too deep");
    const element = { name, at: position(start), attributes, children: [], texts: [] };
    (open.at(-1)?.children ?? roots).push(element);
    open.push(element);
  });
  parser.on("closetag", () => {
    lastClosed = open.pop();
  });
  parser.on("text", (content) => {
    const words = content.trim();
    const element = open.at(-1);
    if (words === "" || element === undefined) return;
    const found = text.lastIndexOf(words, parser.position);
    element.texts.push(found === -1 ? element.at : position(found));
  });

  try {
    parser.write(withoutDeclaration(text)).close();
    return roots;
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error);
    if (doctype !== undefined) {
      findings.error(position(doctype), "doctype", fault);
      return undefined;
    }
    const cause = swallower(text);
    if (/unclosed tag|entity/.test(fault) && cause !== undefined) {
      findings.error(position(cause.offset), "malformed-xml", `malformed XML: ${cause.text}`);
      return undefined;
    }
    // At a wrong end tag, saxes has closed the innermost element before it finds that out.
    const unclosed = fault.includes("unexpected close tag") ? lastClosed : undefined;
    const offset = unclosed === undefined
      ? Math.max(parser.position - 1, 0)
      : text.lastIndexOf("</", parser.position);
    findings.error(position(offset), "malformed-xml", explain(fault, unclosed));
    return undefined;
  }
}

/**
 * Blanks the XML declaration out, so that every place stays: as in FreeSWITCH, it may stand in an
 * included file and after white space.
 */
function withoutDeclaration(text: string): string {
  return text.replace(/^\s*<\?xml\s[^>]*\?>/, (whole) => whole.replace(/\S/g, " "));
}

/** What makes a parser take the rest of the document for a part of itself, and where it begins. */
function swallower(text: string): { offset: number; text: string } | undefined {
  const comment = text.lastIndexOf("<!--");
  if (comment > text.lastIndexOf("-->")) {
    return { offset: comment, text: "this comment is not closed" };
  }
  const outside = text.replace(/<!--.*?-->/gs, (whole) => " ".repeat(whole.length));
  const ampersand = outside.search(/&(?!#?\w+;)/);
  return ampersand < 0 ? undefined : { offset: ampersand, text: "`&` must be written `&amp;`" };
}

const HINTS: readonly (readonly [fault: RegExp, hint: string])[] = [
  [/malformed comment$/, "it cannot hold two hyphens in a row"],
  [/disallowed character$/, "is a quote missing before it?"],
  [/no whitespace between attributes$/, "is a quote missing before it?"],
];

function explain(fault: string, unclosed: XmlElement | undefined): string {
  const text = `malformed XML: ${fault.replace(/^\d+:\d+: /, "").replace(/\.$/, "")}`;
  if (unclosed !== undefined) {
    return `${text}; <${unclosed.name}> of line ${unclosed.at.line} is not closed yet`;
  }
  const [, hint] = HINTS.find(([known]) => known.test(text)) ?? [];
  return hint === undefined ? text : `${text}; ${hint}`;
}

/** Turns offsets in `text` into places. Columns count characters, not UTF-16 units. */
function locator(text: string, file: string): (offset: number) => Position {
  const lineStarts = [0, ...text.matchAll(/\n/g).map((newline) => newline.index + 1)];
  return (offset) => {
    const line = lineStarts.findLastIndex((start) => start <= offset);
    const column = [...text.slice(lineStarts[line], offset)].length;
    return { file, line: line + 1, column: column + 1 };
  };
}
