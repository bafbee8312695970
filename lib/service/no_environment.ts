/**
 * Libraries look for switches of theirs in the environment as soon as they are loaded. Where it may
 * not be read, they find an empty one. Imported before all others.
 *
 * @module
 */

import process from "node:process";

Object.defineProperty(process, "env", { value: {}, configurable: true });
