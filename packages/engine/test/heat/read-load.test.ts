import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import { ReadLoad } from '../../src/heat/read-load.js';

const X = { space: 'list', key: 'x' };
const LIMITS = {
  ...DEFAULT_LIMITS,
  ...{ heatHalfLifeMs: 1000, hotReadsPerSecondMin: 100, copyReadsPerSecondMax: 500 },
  hotCoolMs: 5000,
};

/** A process with one replica, whose copies are ready as soon as they are ordered. */
function setUp() {
  let nowMs = 1000;
  const load = new ReadLoad({
    limits: LIMITS,
    nowMs: () => nowMs,
    inTurn: (step) => step(),
    takeLongestWait: () => 0,
  });
  const orders: string[] = [];
  const attached = load.replicas.attach(
    { name: 'r1', address: 'r1:1' },
    {
      ordered(hold, release) {
        for (const { key } of hold) orders.push(`hold ${key}`);
        for (const { key } of release) orders.push(`release ${key}`);
      },
      ended: (why) => assert.fail(why.message),
    },
  );
  /** Time passes; so many reads a second are made here, and so many told of the copy. */
  const pass = (ms: number, here: number, there: number): void => {
    for (const endMs = nowMs + ms; nowMs < endMs; nowMs += 100) {
      load.heat.advance(nowMs);
      for (let left = here / 10; left > 0; left--) load.heat.read(X, 10);
      const report = { ready: true, readsPerSecond: there, deliveriesPerSecond: 0 };
      attached.report([{ bytesPerSecond: 0, ...report, ...X }]);
      load.tick(nowMs);
    }
  };
  return { load, orders, pass };
}

test('what its copies have taken over stays hot by their word, and does not flap', () => {
  const { load, orders, pass } = setUp();
  const changes: string[] = [];
  load.followCopies((document) => changes.push(load.copiesOf(document).join()));
  pass(3000, 200, 0);
  assert.deepEqual(load.copiesOf(X), ['r1:1']);
  // All readers go there, for so long that nothing is left of what this process counted itself.
  pass(60_000, 0, 200);
  assert.deepEqual([orders, changes], [['hold x'], ['r1:1']]);
  assert.deepEqual(load.copiesOf(X), ['r1:1']);
  const [listed] = load.hottest(10);
  assert.deepEqual(
    [listed!.key, listed!.copiesWanted, listed!.copies, listed!.copiesHeat],
    ['x', 1, ['r1:1'], 200],
  );
  assert.ok(listed!.heat < 1e-6);
});

test('it retires its copies once nobody reads it anywhere, after the time for that', () => {
  const { load, orders, pass } = setUp();
  pass(3000, 200, 0);
  pass(10_000, 0, 200);
  pass(4000, 0, 0);
  assert.deepEqual(orders, ['hold x']);
  pass(2000, 0, 0);
  assert.deepEqual(orders, ['hold x', 'release x']);
  assert.deepEqual(load.copiesOf(X), []);
  assert.equal(load.heat.hotCount, 0);
});

test('what is read here and there is as hot as both together', () => {
  const { load, pass } = setUp();
  pass(10_000, 90, 0);
  assert.equal(load.heat.hotCount, 0);
  pass(5000, 110, 0);
  assert.equal(load.heat.copiesWanted(X), 1);
  pass(10_000, 300, 250);
  assert.equal(load.heat.copiesWanted(X), 2);
});
