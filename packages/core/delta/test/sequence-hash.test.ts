import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  appended,
  concatenated,
  LANE_A,
  LANE_B,
  PRIME,
  remainder,
  replaced,
  resized,
  term,
} from '../src/sequence-hash.js';

const residue = fc.oneof(
  fc.integer({ min: 0, max: PRIME - 1 }),
  fc.constantFrom(0, 1, 2, PRIME - 1, PRIME - 2),
);
const elements = fc.array(residue, { maxLength: 80 });

for (const [name, lane] of Object.entries({ a: LANE_A, b: LANE_B })) {
  const polynomial = (parts: readonly number[]): number => {
    return parts.reduce((left, right) => appended(lane, left, right), 0);
  };

  test(`lane ${name} computes its polynomial exactly`, () => {
    fc.assert(
      fc.property(elements, (parts) => {
        let exact = 0n;
        for (const part of parts)
          exact = (exact * BigInt(lane.base) + BigInt(part)) % BigInt(PRIME);
        assert.equal(polynomial(parts), Number(exact));
      }),
      { numRuns: 500 },
    );
  });

  test(`lane ${name} is exact where a product is next to a multiple of the prime`, () => {
    for (let rest = -3000; rest <= 3000; rest++) {
      const residue = (rest + PRIME) % PRIME;
      const left = Number((BigInt(residue) * BigInt(lane.baseInverse)) % BigInt(PRIME));
      assert.equal(appended(lane, left, 0), residue);
    }
  });

  test(`lane ${name} puts sequences together and takes them apart`, () => {
    fc.assert(
      fc.property(elements, elements, (left, right) => {
        const whole = polynomial([...left, ...right]);
        const [x, y] = [polynomial(left), polynomial(right)];
        assert.equal(concatenated(lane, x, y, right.length), whole);
        assert.equal(remainder(lane, whole, x, right.length), y);
      }),
    );
  });

  test(`lane ${name} follows an element that changes, comes or goes`, () => {
    fc.assert(
      fc.property(elements, residue, residue, elements, (left, old, now, right) => {
        const before = polynomial([...left, old, ...right]);
        const without = polynomial([...left, ...right]);
        const suffix = polynomial(right);
        const behind = right.length;
        assert.equal(
          replaced(lane, before, old, now, behind),
          polynomial([...left, now, ...right]),
        );
        assert.equal(resized(lane, before, old, 0, -1, suffix, behind), without);
        assert.equal(resized(lane, without, 0, old, 1, suffix, behind), before);
      }),
    );
  });

  test(`lane ${name} raises its base to any count of elements`, () => {
    for (const count of [0, 1, 255, 256, 257, 65_535, 65_536, 1_000_000, 2 ** 31, 2 ** 32 - 1]) {
      let exact = 1n;
      let square = BigInt(lane.base);
      for (let rest = count; rest > 0; rest = Math.floor(rest / 2)) {
        if (rest % 2 === 1) exact = (exact * square) % BigInt(PRIME);
        square = (square * square) % BigInt(PRIME);
      }
      assert.equal(concatenated(lane, 1, 0, count), Number(exact));
    }
  });

  test(`the base of lane ${name} generates all residues but zero`, () => {
    // PRIME - 1 = 2^2 * 7 * 2341 * 16381; a generator is no power of any of these primes.
    assert.equal(4 * 7 * 2341 * 16_381, PRIME - 1);
    for (const factor of [2, 7, 2341, 16_381]) {
      assert.notEqual(concatenated(lane, 1, 0, (PRIME - 1) / factor), 1);
    }
    assert.equal(concatenated(lane, 1, 0, PRIME - 1), 1);
  });
}

test('a term is a residue, whatever the sign of the lane', () => {
  for (const lane of [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), PRIME, -PRIME]) {
    assert.equal(term(lane), (lane >>> 0) % PRIME);
  }
});
