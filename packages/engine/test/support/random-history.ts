// The history of a document that changes in every way a patch can, drawn from a seed: deltas with their hashes and
// the states they make.

import { DEFAULT_LIMITS, makePrng, type Prng } from '@deltabase/base';
import {
  bytesOf,
  Draft,
  elementsOf,
  fromJson,
  hashText,
  isArray,
  isObject,
  type Json,
  membersOf,
  type Operation,
  type Value,
} from '@deltabase/delta';
import { encodeRecord } from '@deltabase/machine';
import { own } from './bytes.js';
import type { Step } from './history.js';
import { sampleRecord } from './samples.js';

/** A larger document is begun anew: copies of copies grow fast. */
const BYTES_MAX = 3000;

/** Deltas 1 to `count`. */
export function makeRandomHistory(seed: number, count: number): Step[] {
  const random = makePrng(seed);
  const steps: Step[] = [];
  let root: Value = null;
  for (let seq = 1; seq <= count; seq++) {
    const draft = new Draft(root, DEFAULT_LIMITS);
    if (seq === 1) draft.emit(addAt('', { list: [], names: {}, text: 'abc' }));
    for (let left = 1 + random.below(3); left > 0; left--) {
      draft.emit(drawOperation(draft.root, random));
    }
    root = draft.root;
    const made = { seq, number: seq, patch: own(draft.patchBytes()), hash: hashText(root) };
    const record = sampleRecord(made);
    steps.push({ record, bytes: own(encodeRecord(record)), root });
  }
  return steps;
}

function addAt(path: string, value: Json): Operation {
  return { op: 'add', path, value: fromJson(value) };
}

/** An operation that fits the document. */
function drawOperation(root: Value, random: Prng): Operation {
  const places = [...placesIn(root, '')];
  const containers = places.filter(([, value]) => isArray(value) || isObject(value));
  const inside = places.filter(([path]) => path !== '');
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!;
  const choice = random.below(12);
  const isLarge = bytesOf(root) > BYTES_MAX;
  if (isLarge || random.below(50) === 0) return addAt('', { list: [1], names: {}, text: '' });
  if (choice < 6 || inside.length === 0) {
    if (containers.length === 0) return addAt('', { list: [], names: {}, text: 'again' });
    return addAt(placeIn(pick(containers), random), drawValue(random));
  }
  const [path] = pick(inside);
  if (choice < 8) return { op: 'replace', path, value: fromJson(drawValue(random)) };
  if (choice < 10 || containers.length === 0) return { op: 'remove', path };
  const to = placeIn(pick(containers), random);
  // Nothing can be moved into itself, and what leaves an array moves the places behind it.
  const mayMove = !`${to}/`.startsWith(`${path}/`) && !/\/[0-9]+$/.test(path);
  return { op: choice === 10 && mayMove ? 'move' : 'copy', from: path, path: to };
}

function* placesIn(value: Value, pointer: string): Generator<readonly [string, Value]> {
  yield [pointer, value];
  if (isObject(value)) {
    for (const [name, member] of membersOf(value)) yield* placesIn(member, `${pointer}/${name}`);
  } else if (isArray(value)) {
    let at = 0;
    for (const element of elementsOf(value)) yield* placesIn(element, `${pointer}/${at++}`);
  }
}

/** Where something can be added to a container. */
function placeIn([path, value]: readonly [string, Value], random: Prng): string {
  if (!isArray(value)) return `${path}/${'abcdef012'[random.below(9)]}`;
  const at = random.below(value.count + 2);
  return at > value.count ? `${path}/-` : `${path}/${at}`;
}

function drawValue(random: Prng): Json {
  const choice = random.below(6);
  if (choice === 0) return [];
  if (choice === 1) return { a: random.below(9) };
  if (choice === 2) return 'word '.repeat(random.below(20));
  return random.below(5);
}
