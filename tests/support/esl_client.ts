/** A small ESL client for these tests: it knows frames and nothing else. */

export interface Frame {
  readonly head: string;
  readonly body: string;
}

/** Bytes as characters 0x00 to 0xFF: what the recordings hold is not always UTF-8. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

export function latin1Bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export class EslClient implements Disposable {
  readonly #socket: Deno.TcpConn;
  #text = "";
  #closed = false;

  private constructor(socket: Deno.TcpConn) {
    this.#socket = socket;
  }

  static async connect(to: { hostname: string; port: number }): Promise<EslClient> {
    return new EslClient(await Deno.connect({ hostname: to.hostname, port: to.port }));
  }

  /** Connected, greeted and authenticated. */
  static async login(to: Target): Promise<EslClient> {
    const client = await EslClient.connect(to);
    await client.frame();
    await client.ask(`auth ${to.password}`);
    return client;
  }

  async send(text: string): Promise<void> {
    const bytes = latin1Bytes(text);
    for (let at = 0; at < bytes.length;) at += await this.#socket.write(bytes.subarray(at));
  }

  /** Sends a command and gives the next reply; events before it are dropped. */
  async ask(command: string): Promise<string> {
    await this.send(`${command}\n\n`);
    for (;;) {
      const { head, body } = await this.frame();
      if (!head.includes("text/event-")) return body === "" ? head : `${head}\n\n${body}`;
    }
  }

  /** The next frame. */
  async frame(): Promise<Frame> {
    const end = await this.#until(() => this.#text.indexOf("\n\n"));
    const head = this.#text.slice(0, end);
    const length = Number(/^Content-Length: (\d+)$/m.exec(head)?.[1] ?? 0);
    const after = end + 2 + length;
    await this.#until(() => this.#text.length >= after ? after : -1);
    const body = this.#text.slice(end + 2, after);
    this.#text = this.#text.slice(after);
    return { head, body };
  }

  async frames(count: number): Promise<Frame[]> {
    const frames: Frame[] = [];
    while (frames.length < count) frames.push(await this.frame());
    return frames;
  }

  /** The next event that is `wanted`; other frames are dropped. */
  async event(wanted: (body: string) => boolean = () => true): Promise<string> {
    for (;;) {
      const { head, body } = await this.frame();
      if (head.includes("text/event-") && wanted(body)) return body;
    }
  }

  /** Everything until the other side closes. */
  async rest(): Promise<string> {
    while (await this.#read()) { /* until it ends */ }
    const text = this.#text;
    this.#text = "";
    return text;
  }

  async closeWrite(): Promise<void> {
    await this.#socket.closeWrite();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #until(find: () => number): Promise<number> {
    for (;;) {
      const found = find();
      if (found >= 0) return found;
      if (!await this.#read()) throw new Error(`Cannot read on: closed after ${this.#text}`);
    }
  }

  async #read(): Promise<boolean> {
    const buffer = new Uint8Array(64 * 1024);
    // What never comes would otherwise hang the whole run instead of failing one test.
    const deadline = setTimeout(() => this.close(), 10_000);
    const length = await this.#socket.read(buffer).finally(() => clearTimeout(deadline));
    if (length === null) return false;
    this.#text += latin1(buffer.subarray(0, length));
    return true;
  }
}

/** A FreeSWITCH to test: the simulator, or a real one. */
export interface Target {
  readonly hostname: string;
  readonly port: number;
  readonly password: string;
}

/** The real FreeSWITCH that `FSMQTT_TEST_ESL=host:port:password` names. */
export function realFreeswitch(): Target | undefined {
  const [hostname, port, password] = Deno.env.get("FSMQTT_TEST_ESL")?.split(":") ?? [];
  if (hostname === undefined || port === undefined || password === undefined) return undefined;
  return { hostname, port: Number(port), password };
}
