// What property tests draw from: JSON with the names, numbers and strings that break things, and wide
// containers that are trees rather than single nodes.

import fc from 'fast-check';
import type { Json } from '../src/json.js';

const HARD_NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  '',
  '0',
  '1',
  '01',
  '-',
  '~',
  '/',
  '~1',
  'a/b',
  'a~b',
  '\u20ac',
  '\ud83d\ude00',
  '\ufb33',
  '"',
  '\\',
  '\n',
  '\u0080',
  'length',
] as const;

const HARD_NUMBERS = [
  0,
  -0,
  1,
  -1,
  10,
  99,
  100,
  2 ** 31,
  -(2 ** 31),
  2 ** 53,
  0.1,
  1e21,
  1e-7,
  5e-324,
] as const;

/** Any code point that is no surrogate. (fast-check's own take a second to load.) */
const character: fc.Arbitrary<string> = fc
  .oneof(
    fc.integer({ min: 0, max: 0xff }),
    fc.integer({ min: 0x100, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0xffff }),
    fc.integer({ min: 0x10000, max: 0x10ffff }),
  )
  .map((point) => String.fromCodePoint(point));

/** Well-formed strings: often short, sometimes long enough to be kept with their measure. */
export const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 6 }) },
  { weight: 2, arbitrary: fc.string({ unit: character, maxLength: 6 }) },
  { weight: 1, arbitrary: fc.string({ unit: character, minLength: 60, maxLength: 80 }) },
  { weight: 1, arbitrary: fc.constantFrom(...HARD_NAMES) },
);

/** Names of members; few, so that they meet. */
export const name: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'c', 'd', '0', '1', '2') },
  { weight: 1, arbitrary: fc.constantFrom(...HARD_NAMES) },
  { weight: 1, arbitrary: text },
);

/** Numbers of all kinds that JSON can say. */
export const number: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: -100, max: 1000 }),
  fc.constantFrom(...HARD_NUMBERS),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

export const scalar: fc.Arbitrary<Json> = fc.oneof(fc.constant(null), fc.boolean(), number, text);

/** An object of `members`; of equal names the last counts. */
export function objectOf(members: readonly (readonly [string, Json])[]): Json {
  const object: Record<string, Json> = {};
  for (const [key, value] of members) {
    Object.defineProperty(object, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return object;
}

/** Any JSON, a few levels deep. */
export const json: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 5 }).map(objectOf),
  ),
})).value;

/** JSON whose outermost container often has more members or elements than one node. */
export const wideJson: fc.Arbitrary<Json> = fc.oneof(
  json,
  fc.tuple(fc.integer({ min: 0, max: 200 }), json).map(([length, value]) => {
    return Array.from({ length }, (_, i) => (i % 7 === 0 ? value : i)) as Json;
  }),
  fc.tuple(fc.integer({ min: 0, max: 200 }), json).map(([length, value]) => {
    return objectOf(Array.from({ length }, (_, i) => [`k${i}`, i % 7 === 0 ? value : i] as const));
  }),
);
