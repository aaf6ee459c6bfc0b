import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePrng } from '@deltabase/base';
import { compareBytes, SortedMap } from '../../src/index.js';

const FIRST = Uint8Array.of();
const LAST = Uint8Array.of(255, 255);

function key(n: number): Uint8Array {
  return n % 5 === 0 ? Uint8Array.of(n >> 4) : Uint8Array.of(n >> 4, n & 15);
}

function hex(rows: readonly { key: Uint8Array; value: Uint8Array }[]): string[] {
  return rows.map((row) => [row.key, row.value].map((b) => Buffer.from(b).toString('hex')).join());
}

/** What a sorted map is, plainly. */
class PlainMap {
  readonly rows = new Map<string, Uint8Array>();

  slice(start: Uint8Array, end: Uint8Array): { key: Uint8Array; value: Uint8Array }[] {
    return [...this.rows]
      .map(([hexKey, value]) => ({ key: Uint8Array.from(Buffer.from(hexKey, 'hex')), value }))
      .sort((a, b) => Buffer.compare(a.key, b.key))
      .filter((row) => Buffer.compare(row.key, start) >= 0 && Buffer.compare(row.key, end) < 0);
  }

  copy(): PlainMap {
    const copy = new PlainMap();
    for (const [at, value] of this.rows) copy.rows.set(at, value);
    return copy;
  }
}

test('it is what a plain map is, and so is every copy of it, whatever is changed', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const chance = makePrng(seed);
    const pairs = [{ map: new SortedMap(), plain: new PlainMap() }];
    for (let step = 0; step < 3000; step++) {
      const { map, plain } = pairs[chance.below(pairs.length)]!;
      const at = key(chance.below(1 + (seed % 8) * 300));
      const choice = chance.below(1000);
      if (choice < 3) {
        pairs.push({ map: map.copy(), plain: plain.copy() });
      } else if (choice < 600) {
        const value = Uint8Array.of(step & 255, step >> 8);
        map.put(at, value);
        plain.rows.set(Buffer.from(at).toString('hex'), value);
      } else {
        map.delete(at);
        plain.rows.delete(Buffer.from(at).toString('hex'));
      }
    }
    for (const { map, plain } of pairs) compare(map, plain, seed);
  }
});

function compare(map: SortedMap, plain: PlainMap, seed: number): void {
  const chance = makePrng(seed);
  assert.deepEqual(hex(map.rows()), hex(plain.slice(FIRST, LAST)), `seed ${seed}`);
  assert.equal(map.size, plain.rows.size);
  for (let look = 0; look < 20; look++) {
    const [start, end] = [key(chance.below(2500)), key(chance.below(2500))];
    const rows = plain.slice(start, end);
    assert.deepEqual(hex(map.slice(start, end)), hex(rows), `seed ${seed}`);
    const backwards = map.walk(start, end, { reverse: true });
    const [some, others] = [backwards.next(3), backwards.next(Infinity)];
    assert.deepEqual(hex([...some, ...others]), hex(rows.reverse()), `seed ${seed}`);
    assert.deepEqual(backwards.next(1), []);
    assert.deepEqual(map.get(start), plain.rows.get(Buffer.from(start).toString('hex')));
    const number = chance.below(map.size + 1);
    assert.deepEqual(map.row(number), map.rows()[number]);
  }
}

test('bytes compare as with memcmp', () => {
  const chance = makePrng(1);
  for (let trial = 0; trial < 2000; trial++) {
    const [a, b] = [0, 0].map(() =>
      Uint8Array.from({ length: chance.below(4) }, () => [0, 1, 127, 128, 255][chance.below(5)]!),
    );
    assert.equal(Math.sign(compareBytes(a!, b!)), Buffer.compare(a!, b!));
  }
});
