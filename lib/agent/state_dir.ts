/**
 * What outlives a restart: generated client ids, and FreeSWITCH's names as last heard.
 *
 * @module
 */

import { join } from "node:path";
import type { SwitchNames } from "../events/template.ts";

/** The folder belongs to another agent. */
export class StateDirError extends Error {
  /** Its name, for logs. */
  override readonly name: string = "StateDirError";
}

interface State {
  switch?: SwitchNames;
  /** The random parts of client ids, by `profile/connection`, URI-encoded. */
  readonly unique: Record<string, string>;
}

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** The state of one agent. Two agents never share a folder. */
export class StateDir {
  readonly #file: string | undefined;
  readonly #lock: Deno.FsFile | undefined;
  readonly #state: State;
  readonly #complain: (text: string) => void;

  private constructor(
    file: string | undefined,
    lock: Deno.FsFile | undefined,
    state: State,
    complain: (text: string) => void,
  ) {
    this.#file = file;
    this.#lock = lock;
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
      complain(
        `Cannot use the state folder ${dir}: ${(error as Error).message}. ` +
          "Generated client ids will change at each start",
      );
      return StateDir.inMemory();
    }
    if (!lock.tryLockSync(true)) {
      lock.close();
      throw new StateDirError(
        `An agent is running already on the state folder ${dir}: see \`fsmqtt status\`. ` +
          "A second one needs a state-dir and a control-socket of its own",
      );
    }
    return new StateDir(file, lock, readState(file, complain), complain);
  }

  /** A state that lives no longer than the process. */
  static inMemory(): StateDir {
    return new StateDir(undefined, undefined, { unique: {} }, () => {});
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

  /** The random part of a connection's client id, the same at every start. */
  uniquePart(profile: string, name: string, length: number): string {
    const connection = [profile, name].map(encodeURIComponent).join("/");
    const known = this.#state.unique[connection];
    if (known?.length === length) return known;
    const made = randomLetters(length);
    this.#state.unique[connection] = made;
    this.#save();
    return made;
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
      using written = Deno.openSync(draft);
      written.syncSync();
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

/** A state that cannot be read is none: everything in it can be made anew. */
function readState(file: string, complain: (text: string) => void): State {
  try {
    const value = JSON.parse(Deno.readTextFileSync(file));
    const names = value.switch;
    const unique = Object.entries(value.unique ?? {})
      .filter((entry): entry is [string, string] => typeof entry[1] === "string");
    return {
      unique: Object.fromEntries(unique),
      ...(typeof names?.hostname === "string" && typeof names.switchname === "string"
        ? { switch: names }
        : {}),
    };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      complain(
        `Cannot read ${file}: ${(error as Error).message}. Client ids are generated anew`,
      );
    }
    return { unique: {} };
  }
}
