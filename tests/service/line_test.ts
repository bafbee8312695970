import assert from "node:assert/strict";
import { Line } from "../../lib/service/line.ts";

interface There {
  double(number: number): number;
  later(text: string): Promise<string>;
  fail(text: string): never;
  length(bytes: Uint8Array): number;
}

interface Here {
  ask(text: string): Promise<string>;
}

/** Two ends of a line in this thread. */
function bothEnds() {
  const { port1, port2 } = new MessageChannel();
  const there: Line<Here, There> = new Line<Here, There>(port2, {
    double: (number) => number * 2,
    later: async (text): Promise<string> => `${await there.call("ask", text)}!`,
    fail: (text) => {
      throw new Error(text);
    },
    length: ({ length }) => length,
  });
  const here = new Line<There, Here>(port1, { ask: (text) => Promise.resolve(`(${text})`) });
  const close = () => [port1, port2].forEach((port) => port.close());
  return { here, there, [Symbol.dispose]: close };
}

Deno.test("calls are answered, each with its own answer, and while others are under way", async () => {
  using line = bothEnds();
  const answers = [
    line.here.call("later", "a"),
    line.here.call("double", 21),
    line.here.call("later", "b"),
  ];
  assert.deepEqual(await Promise.all(answers), ["(a)!", 42, "(b)!"]);
});

Deno.test("what is thrown there is thrown here, and nothing else is harmed", async () => {
  using line = bothEnds();
  await assert.rejects(line.here.call("fail", "out of order"), { message: "out of order" });
  assert.equal(await line.here.call("double", 1), 2);
});

Deno.test("what changes hands is not copied", async () => {
  using line = bothEnds();
  const bytes = new Uint8Array(1000);
  assert.equal(await line.here.call("length", bytes, [bytes.buffer]), 1000);
  assert.equal(bytes.length, 0);
});

Deno.test("who waits when a line ends is told, and so is who calls afterwards", async () => {
  using line = bothEnds();
  const waiting = line.here.call("double", 1);
  line.here.end("the other side is gone");
  await assert.rejects(waiting, { message: "the other side is gone" });
  await assert.rejects(line.here.call("double", 1), { message: "the other side is gone" });
});
