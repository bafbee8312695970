/**
 * Credentials of systemd's, which only the service is given.
 *
 * @module
 */

import { Secret } from "../secret.ts";

/**
 * Stands in for a credential where only a configuration is looked at. It passes as whatever a secret
 * has to be: a password, a key in hex digits, a key of signatures. Nothing is ever sent with it.
 */
export const WITHHELD: Secret = new Secret("0f".repeat(32));

/** What a name of a file has to be to be that of a credential. */
export function isCredentialName(path: string): boolean {
  return !path.includes("/");
}
