/**
 * The exit codes of `fsmqtt`, those of sysexits.h where it has one.
 *
 * @module
 */

/** Exit codes by meaning. */
export const ExitCode = {
  /** All is well. */
  OK: 0,
  /** It failed, or the agent is degraded. */
  FAILED: 1,
  /** The command line is wrong. */
  USAGE: 64,
  /** No agent, or no service that it needs, can be reached. */
  UNAVAILABLE: 69,
  /** Not permitted. */
  NOT_PERMITTED: 77,
  /** The configuration is wrong. */
  CONFIG: 78,
} as const;

/** What each exit code means, for help and reference. */
export const EXIT_CODE_MEANINGS: Readonly<Record<number, string>> = {
  0: "all is well",
  1: "failed, or degraded",
  64: "the command line is wrong",
  69: "no agent, or no service that it needs, can be reached",
  77: "not permitted",
  78: "the configuration is wrong",
};
