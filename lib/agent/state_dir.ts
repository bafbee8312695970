/**
 * What outlives a restart: generated client ids, FreeSWITCH's names as last heard, and how far its
 * counters had come. It is written when one of these changes, never by an event.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileFault } from "../file_fault.ts";
import { syncToDisk } from "../open_file.ts";
import type { SwitchNames } from "../events/template.ts";
import type { Heard } from "./gaps.ts";
import { keyOf } from "./keys.ts";

/** The folder belongs to another agent. */
export class StateDirError extends Error {
  /** Its name, for logs. */
  override readonly name: string = "StateDirError";
}

/** What was heard of a FreeSWITCH, and of which. */
export interface HeardOf extends Heard {
  /** `host:port` of its event socket. */
  readonly address: string;
}

interface State {
  switch?: SwitchNames;
  heard?: HeardOf;
  /** The random parts of client ids, by `profile/connection`, URI-encoded. */
  readonly unique: Record<string, string>;
  /** The MQTT sessions that spools know of, by the same. */
  readonly sessions: Record<string, string>;
}

const SPOOL = ".spool";
/** File systems take 255 bytes; SQLite and a damage add to the name. */
const LONGEST_NAME = 180;

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** The state of one agent. Two agents never share a folder. */
export class StateDir {
  readonly #file: string | undefined;
  /** Why the folder cannot be used. */
  readonly fault: string | undefined;
  readonly #lock: Deno.FsFile | undefined;
  readonly #state: State;
  readonly #complain: (text: string) => void;

  private constructor(
    { file, lock, fault }: { file?: string; lock?: Deno.FsFile; fault?: string },
    state: State,
    complain: (text: string) => void,
  ) {
    this.#file = file;
    this.#lock = lock;
    this.fault = fault;
    this.#state = state;
    this.#complain = complain;
  }

  /**
   * Opens and locks the folder; it is made where it is missing. `complain` hears when it cannot be
   * used or written; the agent goes on with what it has in memory.
   *
   * @throws {StateDirError} if another agent has it.
   */
  static open(dir: string, complain: (text: string) => void): StateDir {
    const file = join(dir, "state.json");
    let lock: Deno.FsFile;
    try {
      Deno.mkdirSync(dir, { recursive: true, mode: 0o700 });
      lock = Deno.openSync(join(dir, "lock"), { create: true, write: true, mode: 0o600 });
    } catch (error) {
      const fault = `the state folder ${dir} cannot be used (${fileFault(error)})`;
      complain(
        `${fault[0]?.toUpperCase()}${fault.slice(1)}: generated client ids will change at each ` +
          "start, no spools and no audit log are kept, and what is signed or counted by day does not run. " +
          "Give it to the user that runs fsmqtt, or set state-dir",
      );
      return StateDir.inMemory(fault);
    }
    if (!lock.tryLockSync(true)) {
      lock.close();
      throw new StateDirError(
        `An agent is running already on the state folder ${dir}: see \`fsmqtt status\`. ` +
          "A second one needs a state-dir and a control-socket of its own",
      );
    }
    return new StateDir({ file, lock }, readState(file, complain), complain);
  }

  /** A state that lives no longer than the process, since there is no folder for it. */
  static inMemory(fault = "there is no state folder"): StateDir {
    return new StateDir({ fault }, { unique: {}, sessions: {} }, () => {});
  }

  /** FreeSWITCH's names as last heard. */
  get switchNames(): SwitchNames | undefined {
    return this.#state.switch;
  }

  /** Remembers FreeSWITCH's names. */
  rememberSwitch({ hostname, switchname }: SwitchNames): void {
    const known = this.#state.switch;
    if (known?.hostname === hostname && known.switchname === switchname) return;
    this.#state.switch = { hostname, switchname };
    this.#save();
  }

  /**
   * How far FreeSWITCH's counters had come when fsmqtt ended; without `until` if it did not end in
   * order.
   */
  get heard(): HeardOf | undefined {
    return this.#state.heard;
  }

  /** Remembers how far FreeSWITCH's counters have come. */
  rememberHeard(heard: HeardOf): void {
    if (JSON.stringify(heard) === JSON.stringify(this.#state.heard)) return;
    this.#state.heard = heard;
    this.#save();
  }

  /** The random part of a connection's client id, the same at every start. */
  uniquePart(profile: string, name: string, length: number): string {
    const connection = keyOf(profile, name);
    const known = this.#state.unique[connection];
    if (known?.length === length) return known;
    const made = randomLetters(length);
    this.#state.unique[connection] = made;
    this.#save();
    return made;
  }

  /** The MQTT session that a connection's spool knows of; setting it remembers it. */
  session(profile: string, name: string): { known: string | undefined } {
    const { sessions } = this.#state;
    const key = keyOf(profile, name);
    const save = () => this.#save();
    return {
      get known() {
        return sessions[key];
      },
      set known(identity) {
        if (identity === undefined || sessions[key] === identity) return;
        sessions[key] = identity;
        save();
      },
    };
  }

  /** A file in the folder; none if the folder cannot be used. */
  file(name: string): string | undefined {
    return this.#file && join(dirname(this.#file), name);
  }

  /** The file of a connection's spool; none if the folder cannot be used. */
  spoolFile(profile: string, connection: string): string | undefined {
    return this.file(spoolName(profile, connection));
  }

  /** Spools in the folder that belong to none of these connections. */
  strandedSpools(
    connections: readonly { readonly profile: string; readonly connection: string }[],
  ): string[] {
    if (this.#file === undefined) return [];
    const folder = dirname(this.#file);
    const known = new Set(connections.map((one) => spoolName(one.profile, one.connection)));
    try {
      return [...Deno.readDirSync(folder)].map(({ name }) => name)
        .filter((name) => name.endsWith(SPOOL) && !known.has(name)).sort()
        .map((name) => join(folder, name));
    } catch (error) {
      this.#complain(`Cannot look for forgotten spools in ${folder}: ${fileFault(error)}`);
      return [];
    }
  }

  /** Lets go of the folder. */
  close(): void {
    // A process that is just being forked has a copy, which would hold the lock until its exec.
    this.#lock?.unlockSync();
    this.#lock?.close();
  }

  /** Written whole under another name first: a power cut leaves the old state or the new one. */
  #save(): void {
    if (this.#file === undefined) return;
    const draft = `${this.#file}.new`;
    try {
      const text = JSON.stringify(this.#state, undefined, 2) + "\n";
      Deno.writeTextFileSync(draft, text, { mode: 0o600 });
      syncToDisk(draft);
      Deno.renameSync(draft, this.#file);
    } catch (error) {
      this.#complain(`Cannot write ${this.#file}: ${(error as Error).message}`);
    }
  }
}

/** Random letters and digits, which every broker takes in a client id. */
export function randomLetters(length: number): string {
  const letters: string[] = [];
  while (letters.length < length) {
    // 248 is the largest multiple of 62 in a byte: what is above would favour some letters.
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      if (byte < 248 && letters.length < length) letters.push(LETTERS[byte % 62] ?? "");
    }
  }
  return letters.join("");
}

// deno-lint-ignore no-explicit-any -- JSON of a file that anybody may have written
function heardIn(value: any): Pick<State, "heard"> {
  const { address, coreUuid, until, sequence, holes, callLegs } = value ?? {};
  if (typeof address !== "string" || typeof coreUuid !== "string") return {};
  return {
    heard: {
      address,
      coreUuid,
      ...(typeof until === "string" && !Number.isNaN(Date.parse(until)) ? { until } : {}),
      ...(Number.isSafeInteger(sequence) ? { sequence } : {}),
      ...(Number.isSafeInteger(holes) ? { holes } : {}),
      ...(Number.isSafeInteger(callLegs) ? { callLegs } : {}),
    },
  };
}

/** A state that cannot be read is none: everything in it can be made anew. */
function readState(file: string, complain: (text: string) => void): State {
  try {
    const value = JSON.parse(Deno.readTextFileSync(file));
    const names = value.switch;
    return {
      unique: texts(value.unique),
      sessions: texts(value.sessions),
      ...(typeof names?.hostname === "string" && typeof names.switchname === "string"
        ? { switch: names }
        : {}),
      ...heardIn(value.heard),
    };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      const aside = `${file}.unreadable`;
      complain(
        `Cannot read ${file}: ${fileFault(error)}. It is put aside as ${aside}; client ids are ` +
          "generated anew",
      );
      try {
        Deno.renameSync(file, aside);
      } catch {
        // It is written anew in any case.
      }
    }
    return { unique: {}, sessions: {} };
  }
}

function texts(record: object = {}): Record<string, string> {
  const entries = Object.entries(record)
    .filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return Object.fromEntries(entries);
}

function spoolName(profile: string, connection: string): string {
  // Encoded, a name holds no "+".
  const name = [profile, connection].map(encodeURIComponent).join("+");
  if (name.length <= LONGEST_NAME) return name + SPOOL;
  return createHash("sha256").update(name).digest("hex") + SPOOL;
}
