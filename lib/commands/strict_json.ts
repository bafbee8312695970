/**
 * JSON of which every reader makes the same.
 *
 * @module
 */

/** Strings, and the signs that tell which of them are keys. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\]:]/gs;

/**
 * Reads JSON. RFC 8259 (section 4) leaves open what a repeated key means, so that a filter on the
 * way may see another value than this reader: here it is an error.
 *
 * @throws {SyntaxError} if it is no JSON, repeats a key, or nests deeper than this; it says which.
 */
export function parseStrictJson(text: string, maxDepth: number): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const [, at] = /position (\d+)/.exec((error as Error).message) ?? [];
    throw new SyntaxError(`it is no valid JSON${at === undefined ? "" : ` (at character ${at})`}`);
  }
  // Only of what is valid do the tokens come in an order that can be relied on.
  checkStructure(text, maxDepth);
  return value;
}

function checkStructure(text: string, maxDepth: number): void {
  /** The keys of the objects around; lists have none. */
  const around: Set<unknown>[] = [];
  let last = "";
  for (const [token] of text.matchAll(TOKENS)) {
    switch (token) {
      case "{":
      case "[":
        if (around.length === maxDepth) throw new SyntaxError("its JSON is too deep");
        around.push(new Set());
        break;
      case "}":
      case "]":
        around.pop();
        break;
      case ":":
        noteKey(last, around.at(-1));
        break;
      default:
        last = token;
    }
  }
}

/** The same key may be written in several ways: `"id"` and `"\u0069d"`. */
function noteKey(token: string, keys: Set<unknown> | undefined): void {
  const key: unknown = JSON.parse(token);
  if (keys?.has(key)) throw new SyntaxError(`its JSON repeats the key ${token.slice(0, 40)}`);
  keys?.add(key);
}
