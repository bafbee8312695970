import assert from "node:assert/strict";
import type { View } from "../../lib/cli/view.ts";
import { watch } from "../../lib/cli/watch.ts";
import type { ControlReply } from "../../lib/control/protocol.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { connectionStatus, statusReport } from "./status_helper.ts";

const status = (offered: number): ControlReply => ({
  kind: "status",
  status: statusReport([connectionStatus("a", { offered })]),
});
const away: ControlReply = { kind: "failed", error: "No agent is running", exitCode: 69 };

/** A watch whose looks are answered one by one, and what it shows. */
class Scene implements View {
  readonly clock = new ManualClock();
  readonly shown: (readonly string[])[] = [];
  readonly #closing = new AbortController();
  readonly #asked: PromiseWithResolvers<ControlReply>[] = [];
  readonly done = watch({
    view: this,
    everyMs: 2000,
    clock: this.clock,
    look: () => {
      this.#asked.push(Promise.withResolvers());
      return this.#asked.at(-1)?.promise ?? assert.fail();
    },
  });

  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  get looks(): number {
    return this.#asked.length;
  }

  show(lines: readonly string[]): void {
    this.shown.push(lines);
  }

  close(): void {
    this.#closing.abort();
  }

  [Symbol.dispose](): void {}

  /** Answers the present look. */
  reply(reply: ControlReply): void {
    this.#asked.at(-1)?.resolve(reply);
  }

  /** Answers the present look; resolves when the next one is waited for. */
  async answer(reply: ControlReply): Promise<readonly string[]> {
    this.reply(reply);
    await this.clock.timers(this.looks);
    return this.shown.at(-1) ?? [];
  }

  /** Lets the time pass until the next look. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    // The next look is some microtasks away.
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/** The rate at which events come in on a line of connection `a`. */
function rate(lines: readonly string[]): string | undefined {
  return lines.find((line) => line.startsWith("p/a "))?.split(/ {2,}/)[2];
}

Deno.test("it looks as often as asked, and the rates are those of the time that passed", async () => {
  const scene = new Scene();
  assert.equal(rate(await scene.answer(status(10))), "-");
  await scene.pass(1999);
  assert.equal(scene.looks, 1);
  await scene.pass(1);
  assert.equal(scene.looks, 2);
  // The agent takes its time.
  scene.clock.advance(2000);
  assert.equal(rate(await scene.answer(status(30))), "5.0");
  scene.close();
  await scene.done;
  assert.equal(scene.clock.pending, 0);
});

Deno.test("it goes on while the agent is away, and says since when", async () => {
  const scene = new Scene();
  const [first, second] = await scene.answer(away);
  assert.equal(first, "away: No agent is running");
  assert.match(second ?? "", /^2026-11-\d\d \d\d:\d\d:00$/);
  await scene.pass(2000);
  await scene.answer(status(10));
  await scene.pass(2000);
  const [, since] = await scene.answer(away);
  assert.match(since ?? "", /:04, last seen at 2026-11-\d\d \d\d:\d\d:02$/);
  await scene.pass(2000);
  // Whatever happened meanwhile is no rate.
  assert.equal(rate(await scene.answer(status(30))), "-");
  scene.close();
  await scene.done;
});

Deno.test("it ends where the agent may not be asked, also if it could be before", async () => {
  const denied: ControlReply = { kind: "failed", error: "Not permitted", exitCode: 77 };
  for (const before of [[], [status(1)], [away]]) {
    const scene = new Scene();
    for (const reply of before) {
      await scene.answer(reply);
      await scene.pass(2000);
    }
    scene.reply(denied);
    assert.deepEqual(await scene.done, denied);
    assert.deepEqual([scene.shown.length, scene.clock.pending], [before.length, 0]);
  }
});

Deno.test("what an agent says cannot move the cursor", async () => {
  const scene = new Scene();
  const [first] = await scene.answer({ ...away, error: "\x1b[2J\n" });
  assert.equal(first, "away: \\x1b[2J\\x0a");
  scene.close();
  await scene.done;
});

Deno.test("it ends at once when nobody looks any more: while it waits for the agent", async () => {
  const scene = new Scene();
  scene.close();
  await scene.done;
  assert.deepEqual(scene.shown, []);
});

Deno.test("it ends at once when nobody looks any more: between two looks", async () => {
  const scene = new Scene();
  await scene.answer(status(1));
  scene.close();
  await scene.done;
  assert.deepEqual([scene.looks, scene.clock.pending], [1, 0]);
});
