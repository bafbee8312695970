/**
 * The agent's side of the disk spools: one worker keeps all of them, and each is asked one thing at a
 * time. What is to be written meanwhile is committed together.
 *
 * @module
 */

import { startThread } from "../../threads.ts";
import type { PackedContents, SpoolAnswer, SpoolRequest } from "./messages.ts";
import { packBatch, piecesOf, unpackRows } from "./packed_rows.ts";
import {
  type Amount,
  type Changes,
  type Contents,
  type Row,
  rowBytes,
  type Spool,
  SpoolError,
  type SpoolHandlers,
  type Spools,
} from "./rows.ts";

/** Writes are committed together up to this size, in bytes. */
const COMMIT_BYTES = 8 * 1024 * 1024;

type Answer<K extends SpoolAnswer["kind"]> = SpoolAnswer & { readonly kind: K };

/** Who waits for an answer. */
interface Asker {
  answered(answer: SpoolAnswer): void;
  failed(error: SpoolError): void;
}

/**
 * Starts a worker that answers on this port, and returns what ends it. `failed` hears if it dies
 * before that.
 */
export type SpoolStarter = (port: MessagePort, failed: (reason: string) => void) => () => void;

/** The spools of an agent. */
export class DiskSpools implements Spools {
  readonly #startWorker: SpoolStarter;
  #link: WorkerLink | undefined;
  #opened = 0;

  /** Nothing is started before the first spool is opened. */
  constructor(startWorker: SpoolStarter = startSpoolWorker) {
    this.#startWorker = startWorker;
  }

  /** Opens or makes a spool; see `Spools.open`. */
  async open(path: string, handlers: SpoolHandlers): ReturnType<Spools["open"]> {
    if (this.#link === undefined || this.#link.failed) {
      this.#link = new WorkerLink(this.#startWorker);
    }
    const link = this.#link;
    const number = ++this.#opened;
    const answer = await new Promise<Answer<"opened">>((resolve, reject) => {
      link.ask({ kind: "open", spool: number, path }, [], {
        answered: (answer) => {
          if (answer.kind === "opened") resolve(answer);
          else reject(errorIn(answer));
        },
        failed: reject,
      });
    });
    return {
      spool: new DiskSpool(link, number, path, handlers),
      contents: unpackContents(answer.contents),
      damage: answer.damage,
    };
  }

  /** Ends the worker. What was not closed before keeps what was written. */
  close(): Promise<void> {
    this.#link?.end();
    this.#link = undefined;
    return Promise.resolve();
  }
}

/** Has a worker answer on this port; one with all that this thread may do, if none is given. */
export function startSpoolWorker(
  port: MessagePort,
  failed: (reason: string) => void,
  worker: Worker = startThread("spool"),
): () => void {
  worker.onerror = (event) => {
    // Else it would be an error of the agent.
    event.preventDefault();
    failed(event.message);
  };
  worker.postMessage(undefined, [port]);
  return () => worker.terminate();
}

/** The worker, as long as it lives. */
class WorkerLink {
  readonly #port: MessagePort;
  readonly #end: () => void;
  readonly #askers = new Map<number, Asker>();
  #failure: SpoolError | undefined;

  constructor(start: SpoolStarter) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data }: MessageEvent<SpoolAnswer>) => {
      const asker = this.#askers.get(data.spool);
      this.#askers.delete(data.spool);
      asker?.answered(data);
    };
    port1.onmessageerror = () => {
      this.#fail("the worker that keeps the spools cannot be understood");
    };
    this.#end = start(port2, (reason) => {
      this.#fail(`the worker that keeps the spools has failed: ${reason}`);
    });
  }

  /** Whether it has failed. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Asks for something, or throws; each spool asks for one thing at a time. */
  ask(request: SpoolRequest, pieces: Transferable[], asker: Asker): void {
    if (this.#failure !== undefined) {
      asker.failed(this.#failure);
      return;
    }
    this.#port.postMessage(request, pieces);
    this.#askers.set(request.spool, asker);
  }

  /** Ends it. */
  end(): void {
    this.#fail("the spools are closed");
  }

  #fail(reason: string): void {
    if (this.#failure !== undefined) return;
    const failure = new SpoolError(`Cannot use the spool: ${reason}`);
    this.#failure = failure;
    this.#port.close();
    this.#end();
    const askers = [...this.#askers.values()];
    this.#askers.clear();
    for (const asker of askers) asker.failed(failure);
  }
}

interface Write {
  readonly kind: "write";
  readonly changes: Changes;
  readonly durable: boolean;
  readonly bytes: number;
  done(error: SpoolError | undefined): void;
}

interface Read {
  readonly kind: "read";
  readonly after: number;
  readonly limit: Amount;
  done(error: SpoolError): void;
  rows(rows: Row[]): void;
}

interface Close {
  readonly kind: "close";
  done(error: SpoolError | undefined): void;
}

type Job = Write | Read | Close;

class DiskSpool implements Spool {
  readonly #link: WorkerLink;
  readonly #number: number;
  readonly #path: string;
  readonly #handlers: SpoolHandlers;
  #jobs: Job[] = [];
  #busy = false;
  #closed = false;

  constructor(link: WorkerLink, number: number, path: string, handlers: SpoolHandlers) {
    this.#link = link;
    this.#number = number;
    this.#path = path;
    this.#handlers = handlers;
  }

  get isLost(): boolean {
    return this.#link.failed;
  }

  write(changes: Changes, durable: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const bytes = changes.insert.reduce((sum, row) => sum + rowBytes(row), 0);
      const done = (error: SpoolError | undefined) => {
        if (error === undefined) resolve();
        else reject(error);
      };
      this.#add({ kind: "write", changes, durable, bytes, done });
    });
  }

  read(
    after: number,
    limit: Amount,
  ): Promise<Row[]> {
    return new Promise((resolve, reject) => {
      this.#add({ kind: "read", after, limit, done: reject, rows: resolve });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error: SpoolError | undefined) => {
        if (error === undefined) resolve();
        else reject(error);
      };
      this.#add({ kind: "close", done });
      this.#closed = true;
    });
  }

  #add(job: Job): void {
    if (this.#closed) {
      job.done(new SpoolError(`Cannot use the spool ${this.#path}: it is closed`));
      return;
    }
    this.#jobs.push(job);
    this.#next();
  }

  #next(): void {
    const [job] = this.#jobs;
    if (this.#busy || job === undefined) return;
    const spool = this.#number;
    switch (job.kind) {
      case "write":
        this.#write();
        break;
      case "read": {
        this.#jobs.shift();
        const { after, limit } = job;
        this.#ask(() => [{ kind: "read", spool, after, limit }, []], [job], (answer) => {
          if (answer.kind === "rows") job.rows(unpackRows(answer.rows));
          else job.done(errorIn(answer));
        });
        break;
      }
      case "close":
        this.#jobs.shift();
        this.#ask(() => [{ kind: "close", spool }, []], [job], (answer) => {
          job.done(answer.kind === "closed" ? undefined : errorIn(answer));
        });
        break;
    }
  }

  /** Commits what waits to be written, up to what is to be read after it. */
  #write(): void {
    const writes: Write[] = [];
    let bytes = 0;
    for (const job of this.#jobs) {
      if (job.kind !== "write") break;
      bytes += job.bytes;
      if (writes.length > 0 && bytes > COMMIT_BYTES) break;
      writes.push(job);
    }
    this.#jobs = this.#jobs.slice(writes.length);
    const durable = writes.some((write) => write.durable);
    const request = () => {
      const batch = packBatch(writes.map(({ changes }) => changes));
      return [
        { kind: "write", spool: this.#number, batch, durable },
        piecesOf(batch.rows),
      ] as const;
    };
    this.#ask(request, writes, (answer) => {
      writes.forEach((write, index) => {
        if (answer.kind !== "written") return write.done(errorIn(answer));
        const error = answer.errors[index];
        write.done(error === undefined ? undefined : new SpoolError(error));
      });
    });
  }

  #ask(
    request: () => readonly [SpoolRequest, Transferable[]],
    jobs: readonly Job[],
    settle: (answer: SpoolAnswer) => void,
  ): void {
    this.#busy = true;
    const fail = (failed: readonly Job[], error: SpoolError) => {
      this.#busy = false;
      for (const job of failed) job.done(error);
    };
    try {
      this.#link.ask(...request(), {
        answered: (answer) => {
          this.#busy = false;
          for (const { damage, contents } of answer.found) {
            this.#handlers.damaged(damage, unpackContents(contents));
          }
          settle(answer);
          this.#next();
        },
        failed: (error) => fail([...jobs, ...this.#jobs.splice(0)], error),
      });
    } catch (error) {
      const reason = (error as Error).message;
      fail(jobs, new SpoolError(`Cannot use the spool ${this.#path}: ${reason}`));
      this.#next();
    }
  }
}

function errorIn(answer: SpoolAnswer): SpoolError {
  return new SpoolError(
    answer.kind === "failed" ? answer.error : `Cannot use the spool: unexpected ${answer.kind}`,
  );
}

function unpackContents({ deliveries, ...contents }: PackedContents): Contents {
  return { ...contents, deliveries: unpackRows(deliveries) };
}
