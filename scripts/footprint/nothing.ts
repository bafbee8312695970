/**
 * A Deno process that does nothing, until it is ended.
 *
 * @module
 */

setInterval(() => {}, 2 ** 30);
