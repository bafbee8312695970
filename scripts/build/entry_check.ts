/**
 * Ends a bundle that was started wrongly with what would be right. Deno itself would name one missing
 * thing after the other, some of them after hours, in a stack trace.
 *
 * @module
 */

import { ExitCode } from "../../lib/exit_code.ts";
import { currentThread } from "../../lib/threads.ts";
import { BUNDLE_FLAGS, OLDEST_DENO } from "./flags.ts";
import { isOlder, missingFlags } from "./start.ts";

// The executable has all of it inside.
if (currentThread() === undefined && !Deno.build.standalone) {
  if (isOlder(Deno.version.deno, OLDEST_DENO)) {
    end(
      ExitCode.UNAVAILABLE,
      `it needs Deno ${OLDEST_DENO} or later, and this is ${Deno.version.deno}`,
    );
  }
  const missing = missingFlags();
  if (missing.length > 0) {
    end(
      ExitCode.USAGE,
      `Deno was started without ${missing.join(", ")}; this is all that it needs:\n` +
        `deno run ${BUNDLE_FLAGS.join(" ")} fsmqtt.js`,
    );
  }
}

function end(code: number, why: string): never {
  console.error(`fsmqtt is not started: ${why}`);
  Deno.exit(code);
}
