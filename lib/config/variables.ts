/**
 * FreeSWITCH's global variables, which `$${name}` stands for.
 *
 * @module
 */

/** Text with every `$${name}` replaced. */
export interface Expansion {
  /** The text. */
  readonly text: string;
  /** Why it may not be what FreeSWITCH would have made of it; one sentence each. */
  readonly doubts: readonly string[];
}

/** Global variables, and what is known of those whose value cannot be. Case does not count. */
export class Variables {
  readonly #predefined: (name: string) => string | undefined;
  #values = new Map<string, string>();
  #doubts = new Map<string, string>();

  /** Starts with those that FreeSWITCH itself would set. */
  constructor(predefined: (name: string) => string | undefined) {
    this.#predefined = predefined;
  }

  /** The same variables, to be changed apart from these. */
  copy(): Variables {
    const copy = new Variables(this.#predefined);
    copy.#values = new Map(this.#values);
    copy.#doubts = new Map(this.#doubts);
    return copy;
  }

  /** Gives a variable its value, and a sentence if that value is not sure. */
  set(name: string, value: string, doubt?: string): void {
    const key = name.toLowerCase();
    this.#values.set(key, value);
    if (doubt === undefined) this.#doubts.delete(key);
    else this.#doubts.set(key, doubt);
  }

  /** Replaces each `$${name}` by its value; one without a value is empty. */
  expand(text: string): Expansion {
    const doubts: string[] = [];
    const expanded = text.replace(/\$\$\{([^{}]*)\}/g, (_, name: string) => {
      const key = name.toLowerCase();
      const value = this.#values.get(key) ?? this.#predefined(key);
      const doubt = value === undefined
        ? `nothing sets $\${${name}}, so it is empty here`
        : this.#doubts.get(key);
      if (doubt !== undefined) doubts.push(doubt);
      return value ?? "";
    });
    if (/\$\$\{[^}]*$/.test(text)) doubts.push("a $${ has no }");
    return { text: expanded, doubts };
  }
}
