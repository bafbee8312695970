/**
 * Time that processes can compare.
 *
 * @module
 */

/** The time in microseconds since 1970. It never runs backwards within a process. */
export function nowMicros(): number {
  return (performance.timeOrigin + performance.now()) * 1000;
}
