import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DocumentName } from '../../src/documents/document-name.js';
import { Offers, weightOf } from '../../src/heat/offers.js';

const X = doc('x');

function doc(key: string): DocumentName {
  return { space: 'list', key };
}

class Bench {
  readonly wanted = new Map<string, number>();
  readonly changed: string[] = [];
  readonly offers: Offers;
  /** What each replica holds by its orders. */
  readonly held = new Map<string, Set<string>>();

  constructor(ordersMax = 100) {
    this.offers = new Offers({
      hot: () => [...this.wanted].map(([key, count]) => [doc(key), count] as const),
      copiesWanted: ({ key }) => this.wanted.get(key) ?? 0,
      ordersMax,
      copiesChanged: ({ key }) => void this.changed.push(key),
    });
  }

  attach(...names: string[]): void {
    for (const name of names) {
      this.held.set(name, new Set());
      this.offers.attach({ name, address: `${name}:1` });
    }
  }

  tick(): void {
    for (const { replica, hold, release } of this.offers.tick()) {
      const held = this.held.get(replica)!;
      for (const { key } of hold) {
        assert.ok(!held.has(key), 'nothing is ordered twice');
        held.add(key);
      }
      for (const { key } of release) assert.ok(held.delete(key), 'what is released was held');
    }
  }

  /** All replicas report: each copy is ready and has so many reads a second. */
  report(readsPerSecond = 0, ready = true): void {
    for (const [name, held] of this.held) {
      const copies = [...held].map((key) => ({
        ...{ ready, readsPerSecond, deliveriesPerSecond: 0, bytesPerSecond: 0 },
        ...doc(key),
      }));
      this.offers.report(name, copies);
    }
  }

  holdersOf(key: string): string[] {
    return [...this.held].filter(([, held]) => held.has(key)).map(([name]) => name);
  }
}

function byWeight(names: readonly string[], name: DocumentName): string[] {
  return [...names].sort((a, b) => weightOf(name, b) - weightOf(name, a));
}

test('a hot document gets as many copies as it should have, of those there are', () => {
  const bench = new Bench();
  bench.wanted.set('x', 2);
  bench.tick();
  bench.attach('a', 'b', 'c');
  bench.tick();
  assert.deepEqual(bench.holdersOf('x').sort(), byWeight(['a', 'b', 'c'], X).slice(0, 2).sort());
  bench.wanted.set('x', 9);
  bench.tick();
  assert.deepEqual(bench.holdersOf('x'), ['a', 'b', 'c']);
});

test('readers are sent to copies that are ready, and told when these change (ReadersFollowCopies)', () => {
  const bench = new Bench();
  bench.attach('a', 'b');
  bench.wanted.set('x', 2);
  bench.tick();
  assert.deepEqual(bench.offers.copiesOf(X), []);
  bench.report(0, false);
  assert.deepEqual([bench.offers.copiesOf(X), bench.changed], [[], []]);
  bench.report();
  assert.deepEqual(
    [bench.offers.copiesOf(X), bench.changed],
    [
      ['a:1', 'b:1'],
      ['x', 'x'],
    ],
  );
  bench.report();
  assert.equal(bench.changed.length, 2, 'nothing has changed');
  bench.offers.detach('a');
  assert.deepEqual([bench.offers.copiesOf(X), bench.changed.length], [['b:1'], 3]);
});

test('when a document cools its readers come back at once, and its copies go', () => {
  const bench = new Bench();
  bench.attach('a', 'b');
  bench.wanted.set('x', 2);
  bench.tick();
  bench.report();
  bench.wanted.delete('x');
  bench.tick();
  assert.deepEqual(bench.offers.copiesOf(X), []);
  assert.deepEqual(bench.holdersOf('x'), []);
  assert.equal(bench.changed.at(-1), 'x');
  bench.tick();
  bench.report();
  assert.deepEqual(bench.offers.copiesOf(X), []);
});

test('what is asked of the copies is heat of the document, as long as they are its copies', () => {
  const bench = new Bench();
  bench.attach('a', 'b');
  bench.wanted.set('x', 2);
  bench.tick();
  bench.report(700);
  assert.equal(bench.offers.heatElsewhere(X), 1400);
  bench.offers.report('a', [
    { ...X, ready: true, readsPerSecond: 1, deliveriesPerSecond: 20, bytesPerSecond: 9 },
  ]);
  assert.equal(bench.offers.heatElsewhere(X), 703);
  bench.offers.detach('b');
  assert.equal(bench.offers.heatElsewhere(X), 3);
  assert.equal(bench.offers.heatElsewhere(doc('y')), 0);
});

test('of documents that it was not told to keep a replica is not believed', () => {
  const bench = new Bench();
  bench.attach('a');
  const report = { ready: true, readsPerSecond: 9, deliveriesPerSecond: 0, bytesPerSecond: 0 };
  bench.offers.report('a', [{ ...X, ...report }]);
  bench.offers.report('stranger', [{ ...X, ...report }]);
  assert.deepEqual([bench.offers.copiesOf(X), bench.offers.heatElsewhere(X)], [[], 0]);
});

test('a copy goes only once those in its place are ready', () => {
  const bench = new Bench();
  const names = ['a', 'b', 'c', 'd', 'e'];
  const [best, ...others] = byWeight(names, X);
  bench.attach(...others);
  bench.wanted.set('x', 1);
  bench.tick();
  bench.report();
  const [before] = bench.holdersOf('x');
  assert.equal(before, others[0]);
  bench.attach(best!);
  bench.tick();
  assert.deepEqual(bench.holdersOf('x').sort(), [before, best].sort());
  assert.deepEqual(bench.offers.copiesOf(X), [`${before}:1`]);
  bench.tick();
  assert.ok(bench.holdersOf('x').includes(before!), 'not before the new one is ready');
  bench.report();
  bench.tick();
  assert.deepEqual(bench.holdersOf('x'), [best]);
  assert.deepEqual(bench.offers.copiesOf(X), [`${best}:1`]);
});

test('a replica is told to keep so many documents', () => {
  const bench = new Bench(3);
  bench.attach('a');
  for (const key of ['p', 'q', 'r', 's', 't']) bench.wanted.set(key, 1);
  bench.tick();
  assert.equal(bench.held.get('a')!.size, 3);
});

test('every process chooses alike, and a replica that comes or goes moves only its own', () => {
  const keys = Array.from({ length: 40 }, (_, at) => `k${at}`);
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 2, maxLength: 8 });
  fc.assert(
    fc.property(names, fc.integer({ min: 1, max: 4 }), (all, count) => {
      const [last, ...rest] = all;
      const [one, other] = [new Bench(), new Bench()];
      for (const key of keys) for (const bench of [one, other]) bench.wanted.set(key, count);
      one.attach(...rest);
      other.attach(...[...rest].reverse());
      const settle = (bench: Bench): void => {
        for (let times = 0; times < 3; times++) {
          bench.tick();
          bench.report();
        }
      };
      settle(one);
      settle(other);
      const before = keys.map((key) => one.holdersOf(key).sort());
      assert.deepEqual(
        keys.map((key) => other.holdersOf(key).sort()),
        before,
      );
      one.attach(last!);
      settle(one);
      for (const [at, key] of keys.entries()) {
        const after = one.holdersOf(key).filter((name) => name !== last);
        assert.ok(
          after.every((name) => before[at]!.includes(name)),
          'nobody else gets one',
        );
      }
      one.offers.detach(last!);
      one.held.delete(last!);
      settle(one);
      assert.deepEqual(
        keys.map((key) => one.holdersOf(key).sort()),
        before,
      );
    }),
    { numRuns: 50 },
  );
});

test('documents are spread evenly over replicas', () => {
  const names = ['r1', 'r2', 'r3', 'r4'];
  const counts = new Map(names.map((name) => [name, 0]));
  for (let at = 0; at < 4000; at++) {
    const [best] = byWeight(names, doc(`document-${at}`));
    counts.set(best!, counts.get(best!)! + 1);
  }
  for (const count of counts.values()) assert.ok(count > 850 && count < 1150, String(count));
});
