/**
 * A TLS stream by OpenSSL over a TCP socket.
 *
 * @module
 */

import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { OpenSslEngine } from "./engine.ts";

/** Told when a write is done, or has failed. */
export type Callback = (error?: Error | null) => void;

/** Emits `connect` when TCP is connected, `secureConnect` when the broker is who it should be. */
export class OpenSslStream extends Duplex {
  readonly #socket: Socket;
  readonly #engine: OpenSslEngine;
  #isSecure = false;
  #isPaused = false;
  /** Whether the broker sends no more. */
  #isEnded = false;
  /** What is written before the handshake is done waits for that. */
  #early: (() => void) | undefined;
  /** Bytes that the socket was given and has called back for, or never will. */
  #settled = 0;
  #underWay = 0;

  /** Secures a socket that is connecting. The stream owns both from now on. */
  constructor(socket: Socket, engine: OpenSslEngine) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    this.#engine = engine;
    socket.once("connect", () => {
      this.emit("connect");
      this.#advance();
    });
    socket.on("data", (chunk: Uint8Array) => {
      engine.feed(chunk);
      this.#advance();
    });
    socket.once("end", () => this.#ended());
    socket.once("error", (error: Error & { readonly code?: unknown }) => {
      const isEarly = !this.#isSecure && error.code === "ECONNRESET";
      this.destroy(isEarly ? endedInHandshake() : error);
    });
    socket.once("close", () => {
      // What came before an orderly end is still to be read.
      if (this.#isEnded && !this.readableEnded) this.once("end", () => this.destroy());
      else this.destroy();
    });
  }

  /** Plain bytes written so far, those still waiting included, as a socket counts them. */
  get bytesWritten(): number {
    return this.#settled + this.writableLength;
  }

  /** The negotiated version, such as `TLSv1.3`; `null` before. */
  getProtocol(): string | null {
    return this.#isSecure ? this.#engine.version || null : null;
  }

  /** The negotiated cipher; its name is empty before. */
  getCipher(): { readonly name: string } {
    return { name: this.#isSecure ? this.#engine.cipher : "" };
  }

  /** Part of `Duplex`. */
  override _read(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#advance();
    if (!this.#isPaused) this.#socket.resume();
  }

  /** Part of `Duplex`. */
  override _write(chunk: Uint8Array, _encoding: string, callback: Callback): void {
    this.#send([chunk], callback);
  }

  /** Part of `Duplex`: small packets that wait go out as one record. */
  override _writev(chunks: { chunk: Uint8Array }[], callback: Callback): void {
    this.#send(chunks.map(({ chunk }) => chunk), callback);
  }

  /** Part of `Duplex`. */
  override _final(callback: Callback): void {
    if (this.#isSecure) this.#engine.shutdown();
    this.#flush();
    this.#socket.end(() => callback());
  }

  /** Part of `Duplex`. */
  override _destroy(error: Error | null, callback: Callback): void {
    this.#settled += this.#underWay;
    this.#underWay = 0;
    this.#early = undefined;
    if (error === null || !this.#say()) this.#socket.destroy();
    this.#engine.free();
    callback(error);
  }

  /** Lets the broker know what is wrong with it, if that takes no waiting. Returns whether it does. */
  #say(): boolean {
    const alert = this.#socket.writableLength === 0 ? this.#engine.take() : undefined;
    if (alert === undefined || !this.#socket.writable) return false;
    this.#socket.write(alert);
    this.#socket.destroySoon();
    return true;
  }

  /** `Duplex` calls for the next write only after the callback of the one before. */
  #send(chunks: readonly Uint8Array[], callback: Callback): void {
    if (!this.#isSecure) {
      this.#early = () => this.#send(chunks, callback);
      return;
    }
    let encrypted: Uint8Array | undefined;
    try {
      encrypted = this.#engine.encrypt(chunks);
    } catch (error) {
      callback(error as Error);
      return;
    }
    this.#underWay = chunks.reduce((sum, { length }) => sum + length, 0);
    const settled = (error?: Error | null) => {
      this.#settled += this.#underWay;
      this.#underWay = 0;
      callback(error);
    };
    if (encrypted === undefined) settled();
    else this.#socket.write(encrypted, settled);
  }

  /** Sends what the engine has for the network by itself. */
  #flush(): void {
    const bytes = this.#engine.take();
    if (bytes !== undefined) this.#socket.write(bytes);
  }

  #advance(): void {
    if (this.destroyed) return;
    try {
      if (!this.#isSecure) this.#shakeHands();
      if (this.#isSecure) this.#readAll();
      this.#flush();
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  #shakeHands(): void {
    this.#isSecure = this.#engine.handshake();
    this.#flush();
    if (!this.#isSecure) return;
    this.emit("secureConnect");
    this.#early?.();
    this.#early = undefined;
  }

  #readAll(): void {
    while (!this.#isPaused && !this.destroyed) {
      const bytes = this.#engine.read();
      if (bytes === "end" || (bytes === undefined && this.#isEnded)) {
        this.push(null);
        // Whoever goes on sending is not listened to, and MQTT has no use for half a connection.
        this.#socket.pause();
        this.once("end", () => this.destroy());
        return;
      }
      if (bytes === undefined) return;
      if (this.push(bytes)) continue;
      this.#isPaused = true;
      this.#socket.pause();
    }
  }

  #ended(): void {
    this.#isEnded = true;
    if (this.#isSecure) this.#advance();
    else this.destroy(endedInHandshake());
  }
}

/** The error that Node.js has for it (lib/internal/tls/wrap.js). */
function endedInHandshake(): Error {
  const text = "Client network socket disconnected before secure TLS connection was established";
  return Object.assign(new Error(text), { code: "ECONNRESET" });
}
