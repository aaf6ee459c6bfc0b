import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePrng } from '../src/index.js';

function draw(seed: number, count: number): number[] {
  const prng = makePrng(seed);
  return Array.from({ length: count }, () => prng.next());
}

test('equal seeds give equal numbers, for ever', () => {
  assert.deepEqual(draw(42, 5), draw(42, 5));
  assert.deepEqual(draw(42, 4), GOLDEN);
  assert.notDeepEqual(draw(42, 5), draw(43, 5));
});

test('numbers below a bound are uniform and in range', () => {
  const prng = makePrng(7);
  const counts = new Array(6).fill(0);
  for (let i = 0; i < 60_000; i++) counts[prng.below(6)]++;
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, String(counts));
  assert.equal(prng.below(1), 0);
  assert.throws(() => prng.below(0), RangeError);
  assert.throws(() => prng.below(2 ** 33), RangeError);
});

test('fractions lie in [0, 1)', () => {
  const prng = makePrng(9);
  for (let i = 0; i < 1000; i++) {
    const fraction = prng.fraction();
    assert.ok(fraction >= 0 && fraction < 1);
  }
});

test('a fork does not depend on what was drawn before, nor shift what is drawn after', () => {
  const one = makePrng(5);
  const other = makePrng(5);
  other.next();
  assert.equal(one.fork('disk').next(), other.fork('disk').next());
  assert.notEqual(one.fork('disk').next(), one.fork('net').next());
  one.fork('disk').next();
  assert.deepEqual([one.next(), one.next()].slice(1), [other.next()]);
});

const GOLDEN = [2279066515, 1732269834, 3852498216, 3000348802];
