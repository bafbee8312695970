/**
 * The worker that keeps the spools: a slow disk holds up nothing but this.
 *
 * @module
 */

import { SpoolFile } from "./file.ts";
import type {
  DamageFound,
  PackedContents,
  SpoolAnswer,
  SpoolRequest,
  SpoolResult,
} from "./messages.ts";
import { packRows, piecesOf, unpackBatch } from "./packed_rows.ts";
import { type Changes, type Contents, SpoolError } from "./rows.ts";

/** An empty spool gives the disk back when nothing was asked of it for so long. */
const IDLE_MS = 1_000;

interface OpenSpool {
  readonly file: SpoolFile;
  /** Damage that the next answer has to tell. */
  found: DamageFound[];
  trimTimer: ReturnType<typeof setTimeout> | undefined;
}

const spools = new Map<number, OpenSpool>();

// What is to be asked comes by a port, since whoever starts this thread may not be who asks.
(self as unknown as { onmessage: (event: MessageEvent) => void }).onmessage = ({ ports }) => {
  for (const port of ports) serve(port);
};

function serve(port: MessagePort): void {
  port.onmessage = ({ data: request }: MessageEvent<SpoolRequest>) => {
    const spool = spools.get(request.spool);
    clearTimeout(spool?.trimTimer);
    let answer: SpoolResult;
    try {
      answer = answerTo(request);
    } catch (error) {
      // An error of another kind is one of this program; the spool's owner hears of it all the same.
      answer = { kind: "failed", error: textOf(error) };
    }
    const found = spool?.found.splice(0) ?? [];
    const pieces = found.flatMap(({ contents }) => piecesOf(contents.deliveries));
    if (answer.kind === "rows") pieces.push(...piecesOf(answer.rows));
    if (answer.kind === "opened") pieces.push(...piecesOf(answer.contents.deliveries));
    const told: SpoolAnswer = { ...answer, spool: request.spool, found };
    port.postMessage(told, pieces);
    if (spool?.file.wasteful) spool.trimTimer = setTimeout(() => spool.file.trim(), IDLE_MS);
  };
}

function answerTo(request: SpoolRequest): SpoolResult {
  if (request.kind === "open") return open(request.spool, request.path);
  const file = spools.get(request.spool)?.file;
  if (file === undefined) throw new SpoolError("Cannot use a spool that is not open");
  switch (request.kind) {
    case "write":
      return { kind: "written", errors: write(file, unpackBatch(request.batch), request.durable) };
    case "read":
      return { kind: "rows", rows: packRows(file.read(request.after, request.limit)) };
    case "close":
      spools.delete(request.spool);
      file.close();
      return { kind: "closed" };
  }
}

function open(number: number, path: string): SpoolResult {
  const found: DamageFound[] = [];
  const { file, contents, damage } = SpoolFile.open(path, {
    damaged: (damage, contents) => found.push({ damage, contents: packContents(contents) }),
    date: () => new Date(),
  });
  spools.set(number, { file, found, trimTimer: undefined });
  return { kind: "opened", contents: packContents(contents), damage };
}

/** Changes that cannot be made together are tried one by one: what only removes may still be. */
function write(
  file: SpoolFile,
  batch: readonly Changes[],
  durable: boolean,
): (string | undefined)[] {
  const together = errorOf(() => file.apply(batch, durable));
  if (together === undefined) return batch.map(() => undefined);
  if (batch.length === 1) return [together];
  return batch.map((changes) => errorOf(() => file.apply([changes], durable)));
}

function errorOf(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return textOf(error);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function packContents({ deliveries, ...contents }: Contents): PackedContents {
  return { ...contents, deliveries: packRows(deliveries) };
}
