import assert from "node:assert/strict";
import { Breaker, type BreakerChange, type BreakerOptions } from "../../lib/queue/breaker.ts";
import { ManualClock } from "../support/manual_clock.ts";

const DEFAULTS: BreakerOptions = {
  failures: 5,
  highMark: 0.8,
  highMs: 60_000,
  openMs: 30_000,
  shed: "none",
};

/** A breaker with a clock of its own and all that it told. */
class Bench {
  readonly clock = new ManualClock();
  readonly told: BreakerChange[] = [];
  readonly breaker: Breaker;

  constructor(options: Partial<BreakerOptions> = {}) {
    this.breaker = new Breaker(
      { ...DEFAULTS, ...options },
      this.clock,
      (change) => this.told.push(change),
    );
  }

  get state(): string {
    return this.breaker.condition.state;
  }

  fail(times: number): this {
    for (let i = 0; i < times; i++) this.breaker.failed("no answer");
    return this;
  }

  /** Tells each second for so long how full the queue is. */
  fill(share: number, seconds: number): this {
    for (let i = 0; i < seconds; i++) {
      this.breaker.filled(share);
      this.clock.advance(1_000);
    }
    return this;
  }

  /** Opens it by failures and waits for the test. */
  test(): this {
    this.fail(5).clock.advance(30_000);
    assert.equal(this.state, "half_open");
    return this;
  }

  get states(): string[] {
    return this.told.map(({ state }) => state);
  }
}

Deno.test("failures in a row open it, one fewer does not", () => {
  const bench = new Bench().fail(4);
  assert.deepEqual([bench.state, bench.told], ["closed", []]);
  bench.fail(1);
  const since = bench.clock.date();
  const reason = "5 failures in a row: no answer";
  assert.deepEqual(bench.breaker.condition, { state: "open", since, reason });
  assert.deepEqual(bench.told, [{ state: "open", since, reason, isRepeated: false }]);
  bench.fail(10);
  assert.equal(bench.told.length, 1);
});

Deno.test("a connection that holds ends the row, one that does not hold is a part of it", () => {
  const bench = new Bench({ failures: 2 }).fail(1);
  bench.breaker.connected();
  bench.clock.advance(10_000);
  bench.fail(1);
  assert.equal(bench.state, "closed");
  bench.breaker.connected();
  bench.clock.advance(9_999);
  bench.fail(1);
  assert.equal(bench.state, "open");
});

Deno.test("an end on purpose is no failure, and no cure", () => {
  const bench = new Bench({ failures: 2 }).fail(1);
  for (let i = 0; i < 5; i++) {
    bench.breaker.connected();
    bench.breaker.ended();
    bench.clock.advance(60_000);
  }
  assert.equal(bench.state, "closed");
  bench.fail(1);
  assert.equal(bench.state, "open");
});

Deno.test("a queue over the mark for long enough opens it, without a break", () => {
  const bench = new Bench().fill(0.81, 60);
  assert.equal(bench.state, "closed");
  bench.fill(0.8, 1).fill(0.81, 60);
  assert.equal(bench.state, "closed");
  bench.fill(1, 1);
  assert.equal(bench.state, "open");
  assert.equal(bench.told[0]?.reason, "the queue was over 80 % for 60 s");
});

Deno.test("limits of 0 open nothing", () => {
  const bench = new Bench({ failures: 0, highMs: 0 }).fail(1_000).fill(1, 1_000);
  assert.deepEqual([bench.state, bench.told], ["closed", []]);
  assert.equal(bench.breaker.watchesQueue, false);
});

Deno.test("it is put to the test after its time, and one failure opens it again", () => {
  const bench = new Bench().fail(5);
  bench.clock.advance(29_999);
  assert.equal(bench.state, "open");
  bench.clock.advance(1);
  assert.equal(bench.state, "half_open");
  bench.fail(1);
  assert.equal(bench.breaker.condition.reason, "the test failed: no answer");
  bench.clock.advance(30_000);
  assert.deepEqual(
    bench.told.map(({ state, isRepeated }) => [state, isRepeated]),
    [["open", false], ["half_open", false], ["open", true], ["half_open", true]],
  );
});

Deno.test("a connection that fails during the test does not close it later", () => {
  const bench = new Bench().test();
  bench.breaker.connected();
  bench.clock.advance(5_000);
  bench.fail(1);
  bench.clock.advance(29_999);
  assert.deepEqual(bench.states, ["open", "half_open", "open"]);
});

Deno.test("connected for a while, it closes, and a new trouble is told as new", () => {
  const bench = new Bench().test();
  bench.breaker.connected();
  bench.clock.advance(9_999);
  assert.equal(bench.state, "half_open");
  bench.clock.advance(1);
  assert.equal(bench.state, "closed");
  assert.equal(bench.told.at(-1)?.reason, "connected and without trouble for 10 s");
  bench.fail(4);
  assert.equal(bench.state, "closed", "the row began anew");
  bench.fail(1);
  assert.deepEqual(bench.states, ["open", "half_open", "closed", "open"]);
  assert.equal(bench.told.at(-1)?.isRepeated, false);
});

Deno.test("a connection that comes while it is open begins the test at once", () => {
  const bench = new Bench({ shed: "all" }).fail(5);
  bench.clock.advance(10_000);
  assert.equal(bench.breaker.sheds(2), true);
  bench.breaker.connected();
  assert.equal(bench.breaker.sheds(2), false);
  assert.equal(bench.state, "half_open");
  bench.clock.advance(9_999);
  assert.equal(bench.state, "half_open");
  bench.clock.advance(1);
  assert.equal(bench.state, "closed");
});

Deno.test("without a connection it does not close", () => {
  const bench = new Bench().test();
  bench.breaker.connected();
  bench.breaker.ended();
  bench.clock.advance(3_600_000);
  assert.equal(bench.state, "half_open");
});

Deno.test("it closes only below half of the mark, for a while without a break", () => {
  const bench = new Bench().test();
  bench.breaker.connected();
  bench.fill(0.4, 60);
  assert.equal(bench.state, "half_open");
  bench.fill(0.39, 9).fill(0.4, 1).fill(0.39, 9);
  assert.equal(bench.state, "half_open");
  bench.fill(0.39, 1);
  assert.equal(bench.state, "closed");
});

Deno.test("a queue that is still over the mark when the test ends opens it again", () => {
  const bench = new Bench();
  bench.breaker.connected();
  bench.fill(0.9, 61).fill(0.9, 30);
  assert.equal(bench.state, "half_open");
  bench.clock.advance(9_000);
  assert.equal(bench.state, "open");
  assert.equal(bench.breaker.condition.reason, "the queue is still over 80 %");
});

Deno.test("a queue that is over the mark again after the test opens it again, not during it", () => {
  const bench = new Bench().test();
  bench.breaker.connected();
  bench.fill(0.9, 5).fill(0.7, 20);
  assert.equal(bench.state, "half_open");
  bench.fill(0.9, 10);
  assert.equal(bench.state, "open");
});

Deno.test("a queue over the mark that shrinks does not fail the test for as long as it does", () => {
  const bench = new Bench();
  bench.breaker.connected();
  bench.fill(1, 91);
  assert.equal(bench.state, "half_open");
  for (const share of [0.98, 0.96, 0.94, 0.92]) bench.fill(share, 10);
  assert.equal(bench.state, "half_open");
  bench.fill(0.92, 10);
  assert.equal(bench.state, "open");
});

Deno.test("where failures do not count, they do not fail the test, and put off its end", () => {
  const bench = new Bench({ failures: 0 });
  bench.breaker.connected();
  bench.fill(1, 61);
  bench.breaker.filled(0);
  bench.clock.advance(35_000);
  bench.fail(1);
  bench.clock.advance(60_000);
  assert.equal(bench.state, "half_open");
  bench.breaker.connected();
  bench.clock.advance(10_000);
  assert.deepEqual(bench.states, ["open", "half_open", "closed"]);
});

Deno.test("where the queue does not count, a full one does not fail the test", () => {
  const bench = new Bench({ highMs: 0 }).test();
  bench.breaker.filled(1);
  bench.breaker.connected();
  bench.clock.advance(10_000);
  assert.equal(bench.state, "closed");
});

const SHED = {
  none: [false, false, false],
  qos0: [true, false, false],
  all: [true, true, true],
} as const;
for (const [shed, expected] of Object.entries(SHED)) {
  Deno.test(`open, it sheds ${shed}; half open and closed nothing`, () => {
    const bench = new Bench({ shed: shed as keyof typeof SHED });
    const sheds = () => ([0, 1, 2] as const).map((qos) => bench.breaker.sheds(qos));
    const nothing = [false, false, false];
    assert.deepEqual(sheds(), nothing);
    bench.fail(5);
    assert.deepEqual(sheds(), expected);
    bench.clock.advance(30_000);
    assert.deepEqual(sheds(), nothing);
    bench.breaker.connected();
    bench.clock.advance(10_000);
    assert.deepEqual([bench.state, sheds()], ["closed", nothing]);
  });
}

Deno.test("it has no timer while it is closed, nor once it is ended", () => {
  const bench = new Bench().fail(4).fill(0.9, 30);
  bench.breaker.connected();
  assert.equal(bench.clock.timersSet, 0);
  bench.breaker.filled(0);
  bench.test();
  bench.breaker.connected();
  bench.clock.advance(10_000);
  assert.deepEqual([bench.state, bench.clock.pending], ["closed", 0]);
  bench.fail(5).breaker.close();
  assert.equal(bench.clock.pending, 0);
  const ended = new Bench().test();
  ended.breaker.connected();
  ended.breaker.close();
  assert.equal(ended.clock.pending, 0);
});

Deno.test("another time to stay open counts from when it opened", () => {
  const bench = new Bench().fail(5);
  bench.clock.advance(20_000);
  bench.breaker.configure({ ...DEFAULTS, openMs: 40_000, shed: "all" });
  assert.ok(bench.breaker.sheds(2));
  bench.clock.advance(19_999);
  assert.equal(bench.state, "open");
  bench.clock.advance(1);
  assert.equal(bench.state, "half_open");
  bench.fail(1).breaker.configure({ ...DEFAULTS, openMs: 1_000 });
  bench.clock.advance(1_000);
  bench.fail(1);
  bench.clock.advance(900);
  bench.breaker.configure({ ...DEFAULTS, openMs: 500 });
  bench.clock.advance(0);
  assert.equal(bench.state, "half_open");
});

Deno.test("a queue below a mark that was raised begins its time anew", () => {
  const bench = new Bench().fill(0.85, 50);
  bench.breaker.configure({ ...DEFAULTS, highMark: 0.9 });
  bench.breaker.configure(DEFAULTS);
  bench.fill(0.85, 60);
  assert.equal(bench.state, "closed");
  bench.fill(0.85, 1);
  assert.equal(bench.state, "open");
});

Deno.test("switched off, it closes", () => {
  for (const bench of [new Bench().fail(5), new Bench().test()]) {
    bench.breaker.configure({ ...DEFAULTS, failures: 0 });
    assert.notEqual(bench.state, "closed");
    bench.breaker.configure({ ...DEFAULTS, failures: 0, highMs: 0 });
    assert.equal(bench.state, "closed");
    assert.equal(bench.clock.pending, 0);
  }
});

Deno.test("another connection begins with a closed breaker and no row", () => {
  const bench = new Bench().fail(5);
  bench.breaker.reset();
  assert.deepEqual(bench.states, ["open", "closed"]);
  assert.equal(bench.clock.pending, 0);
  bench.fail(4).breaker.reset();
  bench.fail(4);
  assert.deepEqual(bench.states, ["open", "closed"]);
});
