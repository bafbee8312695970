import assert from "node:assert/strict";
import { PacketIds } from "../../lib/mqtt/packet_ids.ts";

Deno.test("identifiers are unique while in use, and no higher than needed", () => {
  const ids = new PacketIds();
  const used = new Set<number>();
  let state = 7;
  for (let step = 0; step < 20_000; step++) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    const [first] = used;
    if (used.size < 20 && (first === undefined || state % 2 === 0)) {
      const id = ids.allocate();
      assert.ok(id !== null && id >= 1 && id <= 20 && !used.has(id));
      assert.equal(ids.getLastAllocated(), id);
      used.add(id);
    } else if (first !== undefined) {
      ids.deallocate(first);
      used.delete(first);
    }
  }
});

Deno.test("all 65,535 can be in use, and none more", () => {
  const ids = new PacketIds();
  const all = new Set(Array.from({ length: 65_535 }, () => ids.allocate()));
  assert.equal(all.size, 65_535);
  assert.ok(!all.has(null) && !all.has(0));
  assert.equal(ids.allocate(), null);
  ids.deallocate(4711);
  assert.equal(ids.allocate(), 4711);
});

Deno.test("one that a stored packet has is not handed out, nor registered twice", () => {
  const ids = new PacketIds();
  assert.equal(ids.register(3), true);
  assert.equal(ids.register(3), false);
  assert.deepEqual(new Set([ids.allocate(), ids.allocate(), ids.allocate()]), new Set([1, 2, 4]));
  ids.clear();
  assert.equal(ids.register(3), true);
});
