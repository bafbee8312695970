/**
 * FreeSWITCH's event socket, as far as a listener needs it.
 *
 * @module
 */

/** Accepts any password. */
export const PASSWORD = "ClueCon";

const GREETING = "Content-Type: auth/request\n\n";
const HOST = "bench";
/** Clients ask for these to hear of their commands; who asks for another wants what is sent. */
const OF_COMMANDS: ReadonlySet<string> = new Set(["BACKGROUND_JOB", "CHANNEL_EXECUTE_COMPLETE"]);
const API: Readonly<Record<string, string>> = {
  "global_getvar core_uuid": "0b51ea72-91d5-4c5b-9b5e-5f3c3f0d6a11",
  "hostname": HOST,
  "switchname": HOST,
  "module_exists mod_mosquitto": "false",
  "status": "UP 0 years, 0 days\n0 session(s) since startup\n",
};

/** An event socket on a loopback port. */
export class EslServer {
  readonly #listener: Deno.TcpListener;
  readonly #listens = Promise.withResolvers<EslSession>();

  private constructor(listener: Deno.TcpListener) {
    this.#listener = listener;
    this.#accept();
  }

  /** Listens on a free loopback port. */
  static listen(): EslServer {
    return new EslServer(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  }

  /** Its port. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** The first client that wants events. */
  get listener(): Promise<EslSession> {
    return this.#listens.promise;
  }

  /** Accepts no more. */
  close(): void {
    this.#listener.close();
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      connection.setNoDelay(true);
      const session = new EslSession(connection, () => this.#listens.resolve(session));
      session.run().catch(() => connection.close());
    }
  }
}

/** A client. */
export class EslSession {
  readonly #connection: Deno.TcpConn;
  readonly #onListens: () => void;
  readonly #encoder = new TextEncoder();
  #writing = Promise.resolve();

  /** `onListens` is called when it wants events, as soon as it knows that it will be sent them. */
  constructor(connection: Deno.TcpConn, onListens: () => void) {
    this.#connection = connection;
    this.#onListens = onListens;
  }

  /** Greets and answers until the client is gone. */
  async run(): Promise<void> {
    await this.#say(GREETING);
    const decoder = new TextDecoder();
    const bytes = new Uint8Array(64 * 1024);
    let text = "";
    for (;;) {
      const count = await this.#connection.read(bytes);
      if (count === null) break;
      text += decoder.decode(bytes.subarray(0, count), { stream: true });
      const commands = text.split("\n\n");
      text = commands.pop() ?? "";
      for (const command of commands) await this.#answer(command.trim());
    }
    this.#connection.close();
  }

  /** Sends bytes after all that is being sent; resolves when they are. */
  write(bytes: Uint8Array): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
    });
    return this.#writing;
  }

  async #answer(command: string): Promise<void> {
    const [, word = "", rest = ""] = /^(\S*) *([^\n]*)/.exec(command) ?? [];
    switch (word) {
      case "auth":
      case "userauth":
        return await this.#reply("+OK accepted");
      case "api":
        return await this.#say(apiResponse(API[rest] ?? "-ERR no reply\n"));
      case "bgapi":
        return await this.#reply(`+OK Job-UUID: ${crypto.randomUUID()}`);
      case "event": {
        await this.#reply("+OK event listener enabled json");
        const [, ...names] = rest.split(/ +/);
        if (names.some((name) => !OF_COMMANDS.has(name))) this.#onListens();
        return;
      }
      default:
        return await this.#reply("+OK");
    }
  }

  async #reply(text: string): Promise<void> {
    await this.#say(`Content-Type: command/reply\nReply-Text: ${text}\n\n`);
  }

  async #say(text: string): Promise<void> {
    await this.write(this.#encoder.encode(text));
  }
}

function apiResponse(text: string): string {
  return `Content-Type: api/response\nContent-Length: ${text.length}\n\n${text}`;
}
