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

/** What an originate may hold; if there is no rule at all, what is usual and harms nobody. */
export interface OriginateRules {
  /** Who may be called. */
  readonly originateAllowEndpoint: readonly ValueRule[];
  /** What the call may run. */
  readonly originateAllowApp: readonly CommandRule[];
  /** The contexts that it may be sent to. */
  readonly originateAllowContext: readonly ValueRule[];
  /** The extensions that it may be sent to. */
  readonly originateAllowDestination: readonly ValueRule[];
  /** The variables that it may set. */
  readonly originateAllowVariable: readonly ValueRule[];
}

/** Whether there is any rule of what an originate may hold. */
export function isRestricted(rules: OriginateRules): boolean {
  return [
    rules.originateAllowEndpoint,
    rules.originateAllowApp,
    rules.originateAllowContext,
    rules.originateAllowDestination,
    rules.originateAllowVariable,
  ].some((list) => list.length > 0);
}

/** A rule, or what was expected in its place. */
export type RuleReading<Rule> =
  | { readonly value: Rule; readonly remark?: string }
  | { readonly expected: string };

/** Reads `value` or `/pattern/`. */
export function readValueRule(text: string): RuleReading<ValueRule> {
  if (!Pattern.isOne(text)) {
    const isDoubtful = text.startsWith("/") || text.includes("*");
    return {
      value: { text, allows: (value) => value === text },
      ...(isDoubtful ? { remark: literally(text) } : {}),
    };
  }
  return withPattern(text, (pattern) => ({ text, allows: (value) => pattern.matches(value) }));
}

const COMMAND_RULE = /^([\w.:+-]+)(?: +(\S.*))?$/;
/** Half a pattern, a `*` behind a word, or a list of commands. */
const LOOKS_LIKE_MORE = /^\/.*[|()[\]\\*+?]|\*|, /;
/** Where one of these stands, FreeSWITCH may run another command than it seems. */
const HIDES = /\$\{|;;/;

/** Whether arguments may hide another command, or hold what is filled in later. */
export function mayHide(args: string): boolean {
  return HIDES.test(args);
}

/**
 * Reads `name` (without arguments), `name *` (with any that hold no `${` or `;;`), `name /pattern/`
 * (with those that match) or `name arguments` (with these). Names are compared as they are written:
 * FreeSWITCH knows its API commands in any case, and one spelling is enough.
 */
export function readCommandRule(written: string): RuleReading<CommandRule> {
  const text = written.trim();
  const [, name, args = ""] = COMMAND_RULE.exec(text) ?? [];
  if (name === undefined) {
    const hint = /[&()]/.test(text) ? "; no `&` and no parentheses" : "";
    return {
      expected: `a name, alone or with \`*\`, \`/pattern/\` or its arguments behind it${hint}`,
    };
  }
  if (name.toLowerCase() === "bgapi") return { expected: "the command that is behind `bgapi`" };
  const rule = (allowsArgs: (args: string) => boolean): CommandRule => ({
    text,
    name,
    allows: (given, args) => given === name && allowsArgs(args),
  });
  if (args === "*") return { value: rule((given) => !mayHide(given)) };
  if (!Pattern.isOne(args)) {
    const value = rule((given) => given === args);
    return LOOKS_LIKE_MORE.test(args) ? { value, remark: literally(args) } : { value };
  }
  return withPattern(args, (pattern) => rule((given) => pattern.matches(given)));
}

function literally(text: string): string {
  return `"${text}" allows just that; a pattern stands between slashes, and each rule in a param of ` +
    "its own";
}

function withPattern<Rule>(text: string, make: (pattern: Pattern) => Rule): RuleReading<Rule> {
  try {
    return { value: make(Pattern.of(text)) };
  } catch (error) {
    return { expected: `a regular expression between slashes (${(error as Error).message})` };
  }
}
