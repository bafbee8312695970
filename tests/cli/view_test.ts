import assert from "node:assert/strict";
import { fit, openView, type Size } from "../../lib/cli/view.ts";

/** A surface that keeps what is written. */
class Paper {
  text = "";
  isGone = false;

  constructor(public of: Size | undefined) {}

  write(text: string): void {
    if (this.isGone) throw new Deno.errors.BrokenPipe();
    this.text += text;
  }

  size(): Size | undefined {
    return this.of;
  }

  /** What was written since the last time. */
  taken(): string {
    const { text } = this;
    this.text = "";
    return text;
  }
}

Deno.test("a terminal is drawn over in place, and given back as it was", () => {
  const paper = new Paper({ columns: 10, rows: 3 });
  const view = openView(paper);
  assert.equal(paper.taken(), "\x1b[?1049h\x1b[?7l\x1b[?25l");
  view.show(["one", "two"]);
  assert.equal(paper.taken(), "\x1b[Hone\x1b[K\r\ntwo\x1b[K\x1b[J");
  paper.of = { columns: 2, rows: 3 };
  view.show(["one", "two"]);
  assert.equal(paper.taken(), "\x1b[Hon\x1b[K\r\ntw\x1b[K\x1b[J");
  view[Symbol.dispose]();
  assert.equal(paper.taken(), "\x1b[?25h\x1b[?7h\x1b[?1049l");
});

Deno.test("what is no terminal gets block after block, whole and without control sequences", () => {
  const paper = new Paper(undefined);
  {
    using view = openView(paper);
    view.show(["one", "x".repeat(500)]);
    view.show(["two"]);
  }
  assert.equal(paper.text, `one\n${"x".repeat(500)}\n\ntwo\n`);
});

Deno.test("a reader that went away closes it", () => {
  for (const size of [undefined, { columns: 10, rows: 3 }]) {
    const paper = new Paper(size);
    using view = openView(paper);
    view.show(["one"]);
    assert.equal(view.closed.aborted, false);
    paper.isGone = true;
    view.show(["two"]);
    assert.equal(view.closed.aborted, true);
  }
});

for (
  const [what, lines, size, fitting] of [
    ["what fits is left alone", ["ab", "cd"], { columns: 2, rows: 2 }, ["ab", "cd"]],
    ["lines are cut", ["abc", "d"], { columns: 2, rows: 2 }, ["ab", "d"]],
    ["characters are not", ["😀😀x"], { columns: 2, rows: 2 }, ["😀😀"]],
    ["the last line tells of the rest", ["a", "b", "c"], { columns: 40, rows: 2 }, [
      "a",
      "… 2 more lines",
    ]],
  ] satisfies [string, string[], Size, string[]][]
) {
  Deno.test(`on a small terminal ${what}`, () => assert.deepEqual(fit(lines, size), fitting));
}
