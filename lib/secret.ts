/**
 * A password or key that cannot be printed by accident.
 *
 * @module
 */

/** What stands in for a secret wherever it would be shown. */
export const MASK = "********";

/** Holds a secret; every way of turning it into text gives {@linkcode MASK}. */
export class Secret {
  readonly #value: string;

  /** Takes the secret in. */
  constructor(value: string) {
    this.#value = value;
  }

  /** The secret itself, for the one place that sends or compares it. */
  reveal(): string {
    return this.#value;
  }

  /** {@linkcode MASK}. */
  toString(): string {
    return MASK;
  }

  /** {@linkcode MASK}. */
  toJSON(): string {
    return MASK;
  }

  /** {@linkcode MASK}, for `console.log` and error reports. */
  [Symbol.for("Deno.customInspect")](): string {
    return MASK;
  }
}
