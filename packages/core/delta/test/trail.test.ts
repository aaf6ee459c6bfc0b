import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePrng } from '@deltabase/base';
import { fromJson } from '../src/json.js';
import { childFor, findName, packNames } from '../src/names.js';
import { objectGet, objectRemove, objectSet } from '../src/object-tree.js';
import { beginTrail, endTrail, leaveTrail, placeOf } from '../src/trail.js';
import type { ObjectValue } from '../src/value.js';

const NAMES = ['a1', 'a3', 'a5', 'b1', 'b3'];

test('a place is what a search finds, whichever names were passed before', () => {
  const sets = [packNames(NAMES), NAMES, packNames(NAMES.slice(1)), packNames([...NAMES, 'c'])];
  for (const passed of sets) {
    for (const left of ['a1', 'a2', 'b3', 'zz']) {
      for (const height of [0, 1, 2]) {
        beginTrail();
        for (let at = height; at > 0; at--) leaveTrail(at, passed, childFor(passed, left));
        leaveTrail(0, passed, findName(passed, left));
        endTrail(left, height);
        for (const names of sets) {
          for (const sought of ['a1', 'a2', 'b3', 'zz', '']) {
            const message = `${sought} after ${left}`;
            assert.equal(placeOf(sought, 0, names), findName(names, sought), message);
            for (const above of [1, 2, 3]) {
              assert.equal(placeOf(sought, above, names), childFor(names, sought), message);
            }
          }
        }
      }
    }
  }
});

test('a place that is known is not sought again', () => {
  const names = packNames(NAMES);
  beginTrail();
  leaveTrail(1, names, 77);
  leaveTrail(0, names, 99);
  endTrail('a3', 1);
  assert.deepEqual([placeOf('a3', 1, names), placeOf('a3', 0, names)], [77, 99]);
});

test('a search that does not end leaves no trail', () => {
  const names = packNames(NAMES);
  beginTrail();
  leaveTrail(0, names, 99);
  endTrail('a3', 0);
  beginTrail();
  leaveTrail(1, names, 77);
  assert.deepEqual([placeOf('a3', 1, names), placeOf('a3', 0, names)], [1, 1]);
});

test('reading a member of a large object leaves a trail to it, of packed names only', () => {
  const object = objectOf(900);
  objectGet(object, nameOf(400));
  const branch = object.keys;
  const at = childFor(branch, nameOf(400));
  const leaf = object.items[at] as string;
  assert.equal(object.height, 1);
  // Where the trail was not left, these names of our own would be searched.
  assert.equal(placeOf(nameOf(400), 1, branch), at);
  leaveTrail(1, branch, 77);
  leaveTrail(0, leaf, 99);
  assert.deepEqual([placeOf(nameOf(400), 1, branch), placeOf(nameOf(400), 0, leaf)], [77, 99]);
  beginTrail();
  leaveTrail(0, NAMES, 99);
  endTrail('a3', 0);
  assert.equal(placeOf('a3', 0, NAMES), 1);
});

test('objects of different heights do not lead each other astray', () => {
  const random = makePrng(7);
  const sizes = [3, 40, 900, 9000];
  const objects = sizes.map((size) => objectOf(size));
  const models = sizes.map((size) => new Map(namesOf(size).map((name, i) => [name, i])));
  for (let n = 0; n < 20_000; n++) {
    // Few names, so that the same one is sought in another object, or in an earlier state of it.
    const name = nameOf(random.below(60) * 3);
    const read = random.below(sizes.length);
    assert.equal(objectGet(objects[read]!, name), models[read]!.get(name));
    const at = random.below(sizes.length);
    const before = objects[at]!;
    if (random.below(4) === 0) {
      objects[at] = objectRemove(before, name);
      models[at]!.delete(name);
    } else {
      objects[at] = objectSet(before, name, n);
      models[at]!.set(name, n);
    }
    assert.equal(objectGet(objects[at]!, name), models[at]!.get(name));
    assert.equal(objects[at]!.count, models[at]!.size);
  }
});

function nameOf(n: number): string {
  return String(n).padStart(4, '0');
}

function namesOf(size: number): string[] {
  return Array.from({ length: size }, (_, n) => nameOf(n));
}

function objectOf(size: number): ObjectValue {
  return fromJson(Object.fromEntries(namesOf(size).map((name, i) => [name, i]))) as ObjectValue;
}
