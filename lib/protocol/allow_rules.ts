/**
 * What an owner writes to allow something: a name, or a pattern that has to match the whole.
 *
 * @module
 */

import { RE2JS } from "re2js";

/** A regular expression in the syntax of RE2: a match takes time in proportion to the text. */
export class Pattern {
  readonly #compiled: RE2JS;
  /** As it was written, between slashes. */
  readonly text: string;

  private constructor(text: string, compiled: RE2JS) {
    this.text = text;
    this.#compiled = compiled;
  }

  /** Whether this text is meant as a pattern: it stands between slashes. */
  static isOne(text: string): boolean {
    return text.length > 2 && text.startsWith("/") && text.endsWith("/");
  }

  /**
   * Compiles `/…/`.
   *
   * @throws {Error} if it is no regular expression; the message says why.
   */
  static of(text: string): Pattern {
    try {
      return new Pattern(text, RE2JS.compile(text.slice(1, -1)));
    } catch (error) {
      throw new Error((error as Error).message.replace(/^error parsing regexp: /, ""));
    }
  }

  /** Whether all of the text matches. */
  matches(text: string): boolean {
    return this.#compiled.matches(text);
  }

  /** As it was written. */
  toJSON(): string {
    return this.text;
  }
}

/** Allows one value, or those that a pattern matches as a whole. */
export interface ValueRule {
  /** As it was written. */
  readonly text: string;
  /** Whether it allows this value. */
  allows(value: string): boolean;
}

/** Allows a command or an application, with what may stand behind its name. */
export interface CommandRule {
  /** As it was written. */
  readonly text: string;
  /** The name. */
  readonly name: string;
  /** Whether it allows the name with these arguments; none are an empty text. */
  allows(name: string, args: string): boolean;
}

/** A rule, or what was expected in its place. */
export type RuleReading<Rule> = { readonly value: Rule } | { readonly expected: string };

/** Reads `value` or `/pattern/`. */
export function readValueRule(text: string): RuleReading<ValueRule> {
  if (!Pattern.isOne(text)) return { value: { text, allows: (value) => value === text } };
  return withPattern(text, (pattern) => ({ text, allows: (value) => pattern.matches(value) }));
}

const COMMAND_RULE = /^([\w.:+-]+)(?: +(\S.*))?$/;
/** Where one of these stands, FreeSWITCH may run another command than it seems. */
const HIDES = /\$\{|;;/;

/**
 * Reads `name` (without arguments), `name *` (with any that hold no `${` or `;;`), `name /pattern/`
 * (with those that match) or `name arguments` (with these). Names are compared as they are written:
 * FreeSWITCH knows its API commands in any case, and one spelling is enough.
 */
export function readCommandRule(written: string): RuleReading<CommandRule> {
  const text = written.trim();
  const [, name, args = ""] = COMMAND_RULE.exec(text) ?? [];
  if (name === undefined) {
    return { expected: "a name, alone or with `*`, `/pattern/` or its arguments behind it" };
  }
  const rule = (allowsArgs: (args: string) => boolean): CommandRule => ({
    text,
    name,
    allows: (given, args) => given === name && allowsArgs(args),
  });
  if (args === "*") return { value: rule((given) => !HIDES.test(given)) };
  if (!Pattern.isOne(args)) return { value: rule((given) => given === args) };
  return withPattern(args, (pattern) => rule((given) => pattern.matches(given)));
}

function withPattern<Rule>(text: string, make: (pattern: Pattern) => Rule): RuleReading<Rule> {
  try {
    return { value: make(Pattern.of(text)) };
  } catch (error) {
    return { expected: `a regular expression between slashes (${(error as Error).message})` };
  }
}
